/* runs.h - where the messages of a channel are: places in order of sequence,
 * in memory as they come from commits, in the database in pages.
 *
 * A page is the value of one key: packed, places of one checkpoint. Its key
 * holds the last sequence in it, so that a seek to any sequence finds the page
 * that holds it. */
#ifndef STORE_LEVELDB_RUNS_H
#define STORE_LEVELDB_RUNS_H

#include "store/leveldb/segment.h"

enum { PAGE_PLACES = 128 }; /* at most, in one page */

struct runs {
    struct place *places;
    size_t count, capacity;
};

/* Room for more; false when out of memory. */
MUST_CHECK bool runs_reserve(struct runs *runs, size_t more);
/* There is room. */
void runs_add(struct runs *runs, const struct place *place);
void runs_release(struct runs *runs);

/* The first place whose last is at or above sequence; runs->count: none. */
size_t runs_find(const struct runs *runs, uint64_t sequence);

/* 1 to PAGE_PLACES places; appends to out, false when out of memory. */
MUST_CHECK bool page_encode(const struct place *places, size_t count,
                            struct blob *out);
/* Replaces what is in out. False: damaged, or (out->capacity too small) out of
 * memory. */
MUST_CHECK bool page_decode(struct bytes payload, struct runs *out);

#endif
