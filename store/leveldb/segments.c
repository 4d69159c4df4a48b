#include "store/leveldb/segments.h"

#include "store/leveldb/pack.h"

#include <stdlib.h>

uint64_t segments_next(struct segments *segments)
{
    return __atomic_fetch_add(&segments->next, 1, __ATOMIC_RELAXED);
}

void segments_seen(struct segments *segments, uint64_t number)
{
    if (number >= segments->next)
        segments->next = number + 1;
}

/* Of the first that is not below number. */
static size_t index_of(const struct segments *segments, uint64_t number)
{
    size_t low = 0, high = segments->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segments->all[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct segment *segments_find(struct segments *segments, uint64_t number)
{
    size_t at = index_of(segments, number);
    return at < segments->count && segments->all[at].number == number
               ? &segments->all[at]
               : NULL;
}

struct segment *segments_put(struct segments *segments, uint64_t number)
{
    size_t at = index_of(segments, number);
    if (at < segments->count && segments->all[at].number == number)
        return &segments->all[at];
    if (segments->count == segments->capacity) {
        size_t capacity = segments->capacity == 0 ? 16 : 2 * segments->capacity;
        struct segment *all =
            reallocarray(segments->all, capacity, sizeof *all);
        if (all == NULL)
            return NULL;
        segments->all = all;
        segments->capacity = capacity;
    }
    memmove(segments->all + at + 1, segments->all + at,
            (segments->count - at) * sizeof *segments->all);
    segments->all[at] = (struct segment){.number = number, .changed = true};
    segments->count++;
    return &segments->all[at];
}

void segments_drop(struct segments *segments, uint64_t number)
{
    size_t at = index_of(segments, number);
    if (at == segments->count || segments->all[at].number != number)
        return;
    segments->count--;
    memmove(segments->all + at, segments->all + at + 1,
            (segments->count - at) * sizeof *segments->all);
}

void segments_release(struct segments *segments)
{
    free(segments->all);
    *segments = (struct segments){0};
}

bool segment_record_encode(const struct segment *segment, struct blob *out)
{
    return pack_number(out, segment->end) && pack_number(out, segment->live);
}

bool segment_record_decode(struct bytes payload, struct segment *out)
{
    struct unpack unpack = {.left = payload};
    out->end = unpack_number(&unpack);
    out->live = unpack_number(&unpack);
    return !unpack.failed && unpack.left.size == 0;
}
