/* ordered.h - values in the bytewise order of their keys, to be listed in
 * pages: from a position, or behind a key.
 *
 * Sorted chunks in one directory: adding and removing move a few KB at most,
 * finding is two binary searches. Keys are borrowed and must live and stay as
 * long as their entry. No thread of its own, no lock. */
#ifndef STREAMD_BASE_ORDERED_H
#define STREAMD_BASE_ORDERED_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct ordered;

struct ordered *ordered_new(void); /* NULL when out of memory */
void ordered_free(struct ordered *ordered);

/* Adds an entry; key must not be there. False, and nothing changed, when out
 * of memory. */
MUST_CHECK bool ordered_add(struct ordered *ordered, struct bytes key,
                            void *value);
/* False if key is not there. */
bool ordered_remove(struct ordered *ordered, struct bytes key);
size_t ordered_count(const struct ordered *ordered);

/* Where a walk stands; valid until the next change. */
struct ordered_place {
    size_t chunk, index;
};

/* The entry with that many before it. */
struct ordered_place ordered_at(const struct ordered *ordered, size_t position);
/* The first entry behind key, which need not be there. */
struct ordered_place ordered_behind(const struct ordered *ordered,
                                    struct bytes key);
/* The value at the place, which moves on; NULL at the end. */
void *ordered_next(const struct ordered *ordered, struct ordered_place *place);

#endif
