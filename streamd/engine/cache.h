/* cache.h - messages in memory: where new ones are encoded, and what was read.
 *
 * One budget for all channels. New messages are written one behind the other
 * into chunks shared by all channels (no allocation a message); a channel's
 * tail points into them. The oldest chunk goes when the budget is full. Runs
 * read from the store have a quarter of the budget, least recently used out
 * first. Engine thread only; the bytes of a chunk are read by the store's
 * threads, which hold references. */
#ifndef STREAMD_ENGINE_CACHE_H
#define STREAMD_ENGINE_CACHE_H

#include "store/store.h"
#include "streamd/base/buffer.h"
#include "streamd/base/list.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct cache_chunk;
struct cache_place;

/* The cache's part of a channel. entries is a ring of `capacity` (a power of
 * two) slots; the message of sequence first + i is in slot (head + i). */
struct channel_cache {
    struct slice *entries;
    uint32_t head, count, capacity;
    uint64_t first;             /* of the tail, when count > 0 */
    struct cache_place *oldest; /* the chunks it is in, as they will go */
    struct cache_place *newest;
    struct list runs; /* of struct cached_run */
};

struct cache {
    int64_t budget;
    struct list chunks; /* oldest first */
    int64_t chunk_bytes;
    struct list runs; /* least recently used first */
    int64_t run_bytes;
};

void cache_init(struct cache *cache, int64_t budget);
void cache_release(struct cache *cache); /* after all channels */

/* Forgets all new messages. */
void cache_clear(struct cache *cache);

void channel_cache_init(struct channel_cache *channel);
void channel_cache_release(struct cache *cache, struct channel_cache *channel);

/* Room for a message of size bytes: *out, whose bytes the caller fills at
 * once. May drop the oldest messages. Errors: STATUS_NO_MEMORY, TOO_BIG. */
MUST_CHECK enum status cache_reserve(struct cache *cache, size_t size,
                                     struct slice *out, struct error *err);

/* The message just reserved is the next of channel. */
MUST_CHECK enum status cache_append(struct cache *cache,
                                    struct channel_cache *channel,
                                    uint64_t sequence, struct slice message,
                                    struct error *err);

/* Forgets messages below first, or above last. */
void cache_drop_below(struct channel_cache *channel, uint64_t first);
void cache_drop_above(struct channel_cache *channel, uint64_t last);

/* Takes over run (may be NULL), which answers a read that began at sequence
 * from. The message after the last of the run is not known by it. */
void cache_add_run(struct cache *cache, struct channel_cache *channel,
                   uint64_t from, struct run *run);

/* Runs over their share go; call when nobody waits for one any more. */
void cache_trim_runs(struct cache *cache);

/* The first message at or after sequence, if the cache knows which it is; its
 * sequence in *found. The bytes are valid until the next call that may drop. */
bool cache_find(struct cache *cache, struct channel_cache *channel,
                uint64_t sequence, uint64_t *found, struct bytes *message);

#endif
