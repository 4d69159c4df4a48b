#include "streamd/base/ordered.h"

#include <stdlib.h>

enum { CHUNK_ENTRIES = 256 };

struct entry {
    struct bytes key;
    void *value;
};

struct chunk {
    size_t count;
    struct entry entries[CHUNK_ENTRIES];
};

/* Entries ascend within a chunk and from chunk to chunk; no chunk is empty. */
struct ordered {
    struct chunk **chunks;
    size_t count, capacity; /* of chunks */
    size_t entries;
};

struct ordered *ordered_new(void)
{
    return calloc(1, sizeof(struct ordered));
}

void ordered_free(struct ordered *ordered)
{
    if (ordered == NULL)
        return;
    for (size_t i = 0; i < ordered->count; i++)
        free(ordered->chunks[i]);
    free(ordered->chunks);
    free(ordered);
}

size_t ordered_count(const struct ordered *ordered)
{
    return ordered->entries;
}

static int compare(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    if (order == 0)
        order = (a.size > b.size) - (a.size < b.size);
    return order;
}

/* ---- finding ---- */

/* The last chunk that begins at or below key; 0 if there is none. */
static size_t find_chunk(const struct ordered *ordered, struct bytes key)
{
    size_t low = 0;
    size_t high = ordered->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (compare(ordered->chunks[middle]->entries[0].key, key) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The first entry of the chunk not below key; *equal: it has that key. */
static size_t find_entry(const struct chunk *chunk, struct bytes key,
                         bool *equal)
{
    size_t low = 0;
    size_t high = chunk->count;
    *equal = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(chunk->entries[middle].key, key);
        if (order == 0) {
            *equal = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct ordered_place ordered_at(const struct ordered *ordered, size_t position)
{
    struct ordered_place place = {.index = position};
    while (place.chunk < ordered->count &&
           place.index >= ordered->chunks[place.chunk]->count)
        place.index -= ordered->chunks[place.chunk++]->count;
    return place;
}

struct ordered_place ordered_behind(const struct ordered *ordered,
                                    struct bytes key)
{
    struct ordered_place place = {0};
    bool equal = false;
    if (ordered->count == 0)
        return place;
    place.chunk = find_chunk(ordered, key);
    place.index = find_entry(ordered->chunks[place.chunk], key, &equal);
    place.index += equal ? 1 : 0;
    return place;
}

void *ordered_next(const struct ordered *ordered, struct ordered_place *place)
{
    if (place->chunk < ordered->count &&
        place->index == ordered->chunks[place->chunk]->count) {
        place->chunk++;
        place->index = 0;
    }
    if (place->chunk >= ordered->count)
        return NULL;
    return ordered->chunks[place->chunk]->entries[place->index++].value;
}

/* ---- changing ---- */

/* Makes chunk the one at position at of the directory. */
static bool insert_chunk(struct ordered *ordered, size_t at,
                         struct chunk *chunk)
{
    if (ordered->count == ordered->capacity) {
        size_t capacity = ordered->capacity == 0 ? 8 : ordered->capacity * 2;
        struct chunk **chunks =
            realloc(ordered->chunks, capacity * sizeof(struct chunk *));
        if (chunks == NULL)
            return false;
        ordered->chunks = chunks;
        ordered->capacity = capacity;
    }
    memmove(ordered->chunks + at + 1, ordered->chunks + at,
            (ordered->count - at) * sizeof(struct chunk *));
    ordered->chunks[at] = chunk;
    ordered->count++;
    return true;
}

/* A new chunk at position at, with the upper half of the one before, if there
 * is one: all of it stays there if the next entry is to follow the last, so
 * that what comes in order fills the chunks. */
static bool split(struct ordered *ordered, size_t at, bool at_end)
{
    struct chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL || !insert_chunk(ordered, at, chunk)) {
        free(chunk);
        return false;
    }
    if (at == 0 || at_end)
        return true;
    struct chunk *before = ordered->chunks[at - 1];
    chunk->count = before->count / 2;
    before->count -= chunk->count;
    memcpy(chunk->entries, before->entries + before->count,
           chunk->count * sizeof *chunk->entries);
    return true;
}

static void put(struct ordered *ordered, struct chunk *chunk, size_t index,
                const struct entry *entry)
{
    memmove(chunk->entries + index + 1, chunk->entries + index,
            (chunk->count - index) * sizeof *chunk->entries);
    chunk->entries[index] = *entry;
    chunk->count++;
    ordered->entries++;
}

bool ordered_add(struct ordered *ordered, struct bytes key, void *value)
{
    const struct entry entry = {.key = key, .value = value};
    bool equal = false;
    if (ordered->count == 0 && !split(ordered, 0, true))
        return false;
    size_t at = find_chunk(ordered, key);
    size_t index = find_entry(ordered->chunks[at], key, &equal);
    if (ordered->chunks[at]->count == CHUNK_ENTRIES) {
        bool at_end = index == CHUNK_ENTRIES;
        if (!split(ordered, at + 1, at_end))
            return false;
        size_t kept = ordered->chunks[at]->count;
        if (at_end || index > kept) {
            index -= kept;
            at++;
        }
    }
    put(ordered, ordered->chunks[at], index, &entry);
    return true;
}

bool ordered_remove(struct ordered *ordered, struct bytes key)
{
    bool equal = false;
    if (ordered->count == 0)
        return false;
    size_t at = find_chunk(ordered, key);
    struct chunk *chunk = ordered->chunks[at];
    size_t index = find_entry(chunk, key, &equal);
    if (!equal)
        return false;
    chunk->count--;
    memmove(chunk->entries + index, chunk->entries + index + 1,
            (chunk->count - index) * sizeof *chunk->entries);
    ordered->entries--;
    if (chunk->count == 0) {
        free(chunk);
        ordered->count--;
        memmove(ordered->chunks + at, ordered->chunks + at + 1,
                (ordered->count - at) * sizeof(struct chunk *));
    }
    return true;
}
