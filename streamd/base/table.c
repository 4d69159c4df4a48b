#include "streamd/base/table.h"

#include <stdlib.h>
#include <string.h>

#ifdef __clang__
/* The cases of its hash function fall through without saying so. */
#pragma clang diagnostic ignored "-Wimplicit-fallthrough"
#endif
#define HASH_NONFATAL_OOM 1 /* a failed add leaves hh.tbl NULL, no exit() */
#include <uthash.h>

struct slot {
    void *value;
    UT_hash_handle hh;
    char key[];
};

struct table {
    struct slot *slots;
};

struct table *table_new(void)
{
    return calloc(1, sizeof(struct table));
}

static struct slot *find(const struct table *table, const void *key,
                         size_t size)
{
    struct slot *slot = NULL;
    if (size == 0)
        key = ""; /* it may be NULL, which memcmp() must not be given */
    HASH_FIND(hh, table->slots, key, size, slot);
    return slot;
}

static void drop(struct table *table, struct slot *slot)
{
    HASH_DEL(table->slots, slot);
    free(slot);
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    while (table->slots != NULL)
        drop(table, table->slots);
    free(table);
}

void *table_get(const struct table *table, const void *key, size_t size)
{
    const struct slot *slot = find(table, key, size);
    return slot == NULL ? NULL : slot->value;
}

bool table_put(struct table *table, const void *key, size_t size, void *value)
{
    struct slot *slot = find(table, key, size);
    if (slot != NULL) {
        slot->value = value;
        return true;
    }
    slot = calloc(1, sizeof *slot + size);
    if (slot == NULL)
        return false;
    slot->value = value;
    if (size > 0)
        memcpy(slot->key, key, size);
    HASH_ADD_KEYPTR(hh, table->slots, slot->key, size, slot);
    if (slot->hh.tbl == NULL) {
        free(slot);
        return false;
    }
    return true;
}

void *table_remove(struct table *table, const void *key, size_t size)
{
    struct slot *slot = find(table, key, size);
    if (slot == NULL)
        return NULL;
    void *value = slot->value;
    drop(table, slot);
    return value;
}

size_t table_count(const struct table *table)
{
    return HASH_COUNT(table->slots);
}

struct slot *table_first(const struct table *table)
{
    return table->slots;
}

struct slot *table_next(const struct slot *position)
{
    return position->hh.next;
}

void *table_value(const struct slot *position)
{
    return position->value;
}
