/* segments.h - which segment files there are, and how much of each is needed.
 *
 * Keeper's thread (recovery before it has work), except segments_next(). */
#ifndef STORE_LEVELDB_SEGMENTS_H
#define STORE_LEVELDB_SEGMENTS_H

#include "store/leveldb/keys.h"
#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct segment {
    uint64_t number;
    uint64_t end;    /* bytes that count, of what was checkpointed */
    uint64_t live;   /* bytes of runs in pages of the database */
    uint64_t copied; /* live when compaction wrote it, since the start; or 0 */
    bool stuck;      /* cannot be compacted: damage was met in it */
    bool changed;    /* not written since */
};

/* Ascending by number. */
struct segments {
    struct segment *all;
    size_t count, capacity;
    uint64_t next; /* number of the next file; atomic */
};

/* The number of a file to be created. Any thread. */
uint64_t segments_next(struct segments *segments);
/* As one that exists. */
void segments_seen(struct segments *segments, uint64_t number);

/* NULL: unknown. Valid until the next is put or dropped. */
struct segment *segments_find(struct segments *segments, uint64_t number);
/* Adds it if it is unknown; NULL when out of memory. */
struct segment *segments_put(struct segments *segments, uint64_t number);
void segments_drop(struct segments *segments, uint64_t number);
void segments_release(struct segments *segments);

/* The payload of its record. */
MUST_CHECK bool segment_record_encode(const struct segment *segment,
                                      struct blob *out);
MUST_CHECK bool segment_record_decode(struct bytes payload,
                                      struct segment *out);

#endif
