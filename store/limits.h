/* limits.h - how much a store and a channel may hold (stores.md section 3).
 *
 * 0 is unlimited everywhere. Filled before the threads start, read-only then;
 * shared by engine and store. Per-channel entries come later behind the same
 * two functions. */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdint.h>

/* What one channel may hold, after inheritance. */
struct channel_limits {
    int64_t max_subscriptions;
    int64_t max_messages;
    int64_t max_bytes;
    int64_t max_age;        /* ns */
    int64_t max_inactivity; /* ns */
};

struct limits {
    int64_t max_channels;
    struct channel_limits global;
};

/* The built-in defaults (delivery.md 14.1). */
extern const struct limits limits_default;

/* Errors: STATUS_INVALID with the text of stores.md 3.1, first broken rule. */
MUST_CHECK enum status limits_check(const struct limits *limits,
                                    struct error *err);

/* Those of the channel called name. */
struct channel_limits limits_channel(const struct limits *limits,
                                     struct bytes name);

#endif
