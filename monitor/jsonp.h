/* jsonp.h - the frame around a JSON answer (monitoring.md 3). */
#ifndef MONITOR_JSONP_H
#define MONITOR_JSONP_H

#include "monitor/http.h"

#include <stdbool.h>

/* Begins a JSON answer or, if the target has a callback, a JSONP one. False if
 * the reply is complete: the callback is no name (400), or no memory. */
MUST_CHECK bool jsonp_begin(const char *target, struct reply *reply,
                            bool *wrapped);

/* Ends what jsonp_begin() began. status is how the body got on: anything but
 * STATUS_OK makes it a 500. */
void jsonp_end(struct reply *reply, bool wrapped, enum status status);

#endif
