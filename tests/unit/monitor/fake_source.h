/* fake_source.h - a view source over fixed data instead of an engine.
 *
 * Clients me1 to me5 and channels bar, baz, foo, foo.bar (monitoring.md M7,
 * M10); me2 and foo.bar have subscriptions. Any thread once set up. */
#ifndef TESTS_UNIT_MONITOR_FAKE_SOURCE_H
#define TESTS_UNIT_MONITOR_FAKE_SOURCE_H

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

/* 2020-09-13 12:26:40.5 UTC; start_time is 90 s before. */
extern const struct clock fake_clock;

#endif
