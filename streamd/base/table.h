/* table.h - hash table from a byte string to a pointer; copies its keys.
 *
 * Keeps insertion order: table_first() and table_next() walk the oldest entry
 * first. No thread of its own, no lock. */
#ifndef STREAMD_BASE_TABLE_H
#define STREAMD_BASE_TABLE_H

#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct table;

struct table *table_new(void); /* NULL when out of memory */
void table_free(struct table *table);
void *table_get(const struct table *table, const void *key, size_t size);
/* Adds or replaces; false, and nothing changed, when out of memory. */
MUST_CHECK bool table_put(struct table *table, const void *key, size_t size,
                          void *value);
/* Removes and returns the value, NULL if there was none. */
void *table_remove(struct table *table, const void *key, size_t size);
size_t table_count(const struct table *table);

/* A walk: position is opaque, NULL at the end. The entry at a position may be
 * removed only after table_next() was taken from it. */
struct slot;
struct slot *table_first(const struct table *table);
struct slot *table_next(const struct slot *position);
void *table_value(const struct slot *position);

#endif
