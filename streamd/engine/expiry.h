/* expiry.h - what goes with time: messages by age, channels by inactivity
 * (delivery.md 14.3 and 14.4). Engine thread. */
#ifndef STREAMD_ENGINE_EXPIRY_H
#define STREAMD_ENGINE_EXPIRY_H

#include "streamd/engine/core.h"

/* False when out of memory: release nothing then. */
MUST_CHECK bool expiry_init(struct channel *channel);
void expiry_release(struct channel *channel);

/* Its limits are others: the timers run by them. */
void expiry_limits_changed(struct channel *channel);

/* The oldest message has this timestamp (wall; 0: there is none). */
void expiry_message_age(struct channel *channel, int64_t timestamp);
/* The batch with the removal failed: try again soon. */
void expiry_retry(struct channel *channel);

/* The channel may be without use from now on: a full period begins, unless it
 * has an active subscription or no such limit. */
void expiry_idle_begin(struct channel *channel);
/* It is used: the period does not run. */
void expiry_idle_end(struct channel *channel);

#endif
