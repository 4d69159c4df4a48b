/* lookup.h - finds where the messages of a channel are: what no checkpoint has
 * in memory, the rest in the database. */
#ifndef STORE_LEVELDB_LOOKUP_H
#define STORE_LEVELDB_LOOKUP_H

#include "store/leveldb/runs.h"

struct file_store;

/* What a reader may see of a channel. */
struct view {
    uint64_t id, number, first, last;
    char name[64]; /* for errors; cut */
};

/* False if there is nothing to see. Any thread. */
MUST_CHECK bool view_of(struct file_store *store, uint64_t id,
                        struct view *out);

/* Scratch of whoever looks; zero-initialise. */
struct lookup {
    struct runs found;
    struct runs page, memory;
};

void lookup_release(struct lookup *lookup);

/* Into lookup->found: up to max (> 0) places, in order, the first one is that
 * which holds sequence or, if none does, the first behind it. Fewer only at the
 * channel's end. Any thread that does not hold the database. Errors:
 * STATUS_CORRUPT (a page is damaged), STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status lookup_run(struct file_store *store,
                                  struct lookup *lookup, uint64_t id,
                                  uint64_t number, uint64_t sequence,
                                  size_t max, struct error *err);

#endif
