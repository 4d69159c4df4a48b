#include "store/leveldb/runs.h"

#include <assert.h>
#include <stdlib.h>

bool runs_reserve(struct runs *runs, size_t more)
{
    if (more <= runs->capacity - runs->count)
        return true;
    size_t capacity = runs->capacity == 0 ? 4 : runs->capacity * 2;
    while (capacity - runs->count < more)
        capacity *= 2;
    struct place *places = reallocarray(runs->places, capacity, sizeof *places);
    if (places == NULL)
        return false;
    runs->places = places;
    runs->capacity = capacity;
    return true;
}

void runs_add(struct runs *runs, const struct place *place)
{
    assert(runs->count < runs->capacity);
    runs->places[runs->count++] = *place;
}

void runs_release(struct runs *runs)
{
    free(runs->places);
    *runs = (struct runs){0};
}

size_t runs_find(const struct runs *runs, uint64_t sequence)
{
    size_t low = 0, high = runs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (runs->places[middle].last < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool page_encode(const struct place *places, size_t count, struct blob *out)
{
    struct place before = {0};
    bool good = pack_number(out, count);
    for (size_t i = 0; i < count && good; i++) {
        const struct place *place = &places[i];
        uint64_t span = place->last - place->first;
        good = pack_number(out, place->first - before.last) &&
               pack_number(out, span) &&
               pack_number(out, span + 1 - place->count) &&
               pack_signed(out, (int64_t)(place->position - before.position)) &&
               pack_number(out, place->size) &&
               pack_signed(out, (int64_t)((uint64_t)place->timestamp -
                                          (uint64_t)before.timestamp));
        before = *place;
    }
    return good;
}

bool page_decode(struct bytes payload, struct runs *out)
{
    struct unpack unpack = {.left = payload};
    struct place before = {0};
    uint64_t count = unpack_number(&unpack);
    out->count = 0;
    if (count == 0 || count > PAGE_PLACES || !runs_reserve(out, PAGE_PLACES))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct place place;
        uint64_t step = unpack_number(&unpack);
        uint64_t span = unpack_number(&unpack);
        uint64_t holes = unpack_number(&unpack);
        place.position = before.position + (uint64_t)unpack_signed(&unpack);
        uint64_t size = unpack_number(&unpack);
        place.timestamp = (int64_t)((uint64_t)before.timestamp +
                                    (uint64_t)unpack_signed(&unpack));
        if (unpack.failed || step == 0 || step > UINT64_MAX - before.last ||
            span > UINT64_MAX - before.last - step || holes > span ||
            size > record_max)
            return false;
        place.first = before.last + step;
        place.last = place.first + span;
        place.count = span + 1 - holes;
        place.size = (uint32_t)size;
        runs_add(out, &place);
        before = place;
    }
    return unpack.left.size == 0;
}
