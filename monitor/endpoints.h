/* endpoints.h - a request's target to an answer (monitoring.md 2 to 11).
 *
 * Knows nothing of sockets. Any thread, several at a time. */
#ifndef MONITOR_ENDPOINTS_H
#define MONITOR_ENDPOINTS_H

#include "store/limits.h"
#include "streamd/base/buffer.h"
#include "streamd/base/clock.h"
#include "streamd/engine/view.h"

#include <stdbool.h>

struct endpoints {
    const struct view_source *source;
    const struct limits *limits; /* after inheritance; not NULL */
    const struct clock *clock;
    const char *version, *streamd_version;
};

struct reply {
    int status;
    const char *content_type; /* static; NULL: none */
    bool cross_origin;        /* Access-Control-Allow-Origin: * */
    bool no_sniff;            /* X-Content-Type-Options: nosniff */
    struct blob location;     /* terminated; empty: none */
    struct blob body;
};

/* Always answers; the caller ends *reply with reply_release(). target is the
 * text between method and version of the request line. Out of memory is a 500
 * with an empty body at worst. */
void endpoints_answer(const struct endpoints *endpoints, const char *target,
                      struct reply *reply);
void reply_release(struct reply *reply);

#endif
