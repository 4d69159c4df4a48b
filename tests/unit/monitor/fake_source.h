/* fake_source.h - a view source over fixed data instead of an engine.
 *
 * Clients me1 to me5 and channels bar, baz, foo, foo.bar (monitoring.md M7,
 * M10); me2 and foo.bar have subscriptions. Any thread once set up. */
#ifndef TESTS_UNIT_MONITOR_FAKE_SOURCE_H
#define TESTS_UNIT_MONITOR_FAKE_SOURCE_H

#include "monitor/endpoints.h"
#include "streamd/base/clock.h"
#include "streamd/engine/view.h"

struct fake_source {
    struct view_source source; /* its context is this struct */
    enum status fails_with;    /* STATUS_OK: works */
    bool missing_fails; /* what is not there: STATUS_NOT_FOUND, no view */
    const char *state;
    struct bytes odd_id; /* not empty: the id of the first client */
};

void fake_source_init(struct fake_source *fake);

/* GET target, answered by the routes of *endpoints alone. */
void endpoints_answer(struct endpoints *endpoints, const char *target,
                      struct reply *reply);

/* The value of that header, NULL if it is not there. */
const char *reply_value(const struct reply *reply, const char *name);

/* 2020-09-13 12:26:40.5 UTC; start_time is 90 s before. */
extern const struct clock fake_clock;

#endif
