/* pending.h - messages sent to one subscription and not yet acked.
 *
 * Engine thread only; takes no locks. Times are nanoseconds of the monotonic
 * clock and are passed in, so a test chooses them. Kept ascending by sequence
 * in one array: 32 bytes a message, acks in order cost O(1). */
#ifndef STREAMD_ENGINE_PENDING_H
#define STREAMD_ENGINE_PENDING_H

#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pending_entry {
    uint64_t sequence;
    int64_t sent_at;     /* first; of a recovered one the recovery */
    int64_t expiration;  /* 0: recovered, not known yet (delivery.md 8.2) */
    uint32_t redelivery; /* redelivery count, 0 before the first */
    bool live;           /* false: acked, waits to be swept away */
};

/* entries[head..head+span) ascending; `count` of them are live; the first and
 * the last, if any, are live. */
struct pending {
    struct pending_entry *entries;
    size_t head, span, capacity;
    size_t count;
};

/* Zero-initialise to begin. */
void pending_release(struct pending *pending);

/* Adds sequence, first sent at sent_at. On STATUS_NO_MEMORY the set is as it
 * was; STATUS_EXISTS if it is there already. */
MUST_CHECK enum status pending_add(struct pending *pending, uint64_t sequence,
                                   int64_t sent_at, int64_t expiration,
                                   uint32_t redelivery, struct error *err);

/* Makes room: the next `more` calls of pending_add() find memory. */
MUST_CHECK bool pending_reserve(struct pending *pending, size_t more);

/* The entry, to read and to change expiration and redelivery; NULL if
 * sequence is not pending. Valid until the set changes. */
struct pending_entry *pending_find(const struct pending *pending,
                                   uint64_t sequence);

/* Forgets sequence; false if it was not pending (a late ack is no error). */
bool pending_ack(struct pending *pending, uint64_t sequence);

/* The first live entry above sequence (0: the first of all), NULL if none. */
struct pending_entry *pending_after(const struct pending *pending,
                                    uint64_t sequence);

static inline size_t pending_count(const struct pending *pending)
{
    return pending->count;
}

#endif
