/* trim.h - counts messages in and out of a channel, and keeps its limits.
 *
 * Works on channel->state and the cache of its front; what the front lacks is
 * read from the segments and, behind it, from the operations of the batch
 * under way, which are in none yet. The front is filled a good deal ahead, and
 * a run of one message without a look at it: the index tells all of it. Where
 * many go, whole runs go by the index alone. Nothing here is written: whoever
 * calls does that. */
#ifndef STORE_LEVELDB_TRIM_H
#define STORE_LEVELDB_TRIM_H

#include "store/batch.h"
#include "store/leveldb/segment.h"

#include <stdbool.h>
#include <stdint.h>

struct channel;
struct lookup;
struct file_store;

/* What the byte limit counts beyond the encoded message (stores.md 3.4). */
enum { MESSAGE_OVERHEAD = 40 };

struct trim {
    struct file_store *store;
    struct lookup *lookup;     /* scratch */
    const struct batch *batch; /* NULL: none under way */
    size_t operations;         /* how many of batch are applied */
    struct kept_segment file;  /* trim_end() closes it */
};

/* Behind the last use. */
void trim_end(struct trim *trim);

/* One more message, above all others. */
void trim_append(struct channel *channel, uint64_t sequence, int64_t timestamp,
                 size_t size);

/* Drops the oldest until count and bytes keep the limits, never the newest;
 * true if it dropped any. If the front cannot be read, it is logged once a
 * batch and the channel stays above its limits. */
bool trim_limits(struct trim *trim, struct channel *channel);

/* Drops all whose timestamp is at or below this one; true if it did. */
bool trim_expired(struct trim *trim, struct channel *channel,
                  int64_t timestamp);

#endif
