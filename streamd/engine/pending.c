#include "streamd/engine/pending.h"

#include <stdlib.h>
#include <string.h>

void pending_release(struct pending *pending)
{
    free(pending->entries);
    *pending = (struct pending){0};
}

/* Index, from head, of the first entry with a sequence not below this one.
 * Sequences are mostly dense, so the distance from the first is a good first
 * guess. */
static size_t lower_bound(const struct pending *pending, uint64_t sequence)
{
    size_t low = 0;
    size_t high = pending->span;
    if (high == 0) /* entries may be NULL, to which nothing may be added */
        return 0;
    const struct pending_entry *first = pending->entries + pending->head;
    if (sequence <= first->sequence)
        return 0;
    uint64_t guess = sequence - first->sequence;
    if (guess < high) {
        if (first[guess].sequence == sequence)
            return (size_t)guess;
        high = (size_t)guess; /* sequences rise at least by one a step */
    } else if (first[high - 1].sequence < sequence) {
        return high;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (first[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Takes dead entries out, so that there is room again and no walk passes many
 * of them. */
static void sweep(struct pending *pending)
{
    struct pending_entry *to = pending->entries;
    for (size_t i = 0; i < pending->span; i++) {
        const struct pending_entry *from = pending->entries + pending->head + i;
        if (from->live)
            *to++ = *from;
    }
    pending->head = 0;
    pending->span = pending->count;
}

bool pending_reserve(struct pending *pending, size_t more)
{
    size_t capacity = pending->capacity == 0 ? 16 : pending->capacity;
    if (pending->capacity - pending->head - pending->span >= more)
        return true;
    if (more > SIZE_MAX / 4 / sizeof(struct pending_entry))
        return false;
    if (pending->count + more <= pending->capacity / 2) {
        sweep(pending);
        return true;
    }
    while (capacity < pending->count + more || capacity == pending->capacity)
        capacity *= 2;
    struct pending_entry *entries =
        realloc(pending->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    pending->entries = entries;
    pending->capacity = capacity;
    sweep(pending);
    return true;
}

enum status pending_add(struct pending *pending, uint64_t sequence,
                        int64_t sent_at, int64_t expiration,
                        uint32_t redelivery, struct error *err)
{
    if (!pending_reserve(pending, 1))
        return fail(err, STATUS_NO_MEMORY, "pending: one more");
    size_t at = lower_bound(pending, sequence);
    struct pending_entry *entry = pending->entries + pending->head + at;
    bool known = at < pending->span && entry->sequence == sequence;
    if (known && entry->live)
        return fail(err, STATUS_EXISTS, "pending: sequence is there");
    if (!known) {
        memmove(entry + 1, entry, (pending->span - at) * sizeof *entry);
        pending->span++;
    }
    *entry = (struct pending_entry){.sequence = sequence,
                                    .sent_at = sent_at,
                                    .expiration = expiration,
                                    .redelivery = redelivery,
                                    .live = true};
    pending->count++;
    return STATUS_OK;
}

struct pending_entry *pending_find(const struct pending *pending,
                                   uint64_t sequence)
{
    size_t at = lower_bound(pending, sequence);
    if (at >= pending->span)
        return NULL;
    struct pending_entry *entry = pending->entries + pending->head + at;
    return entry->sequence == sequence && entry->live ? entry : NULL;
}

/* Restores "the first and the last are live" after one died. */
static void trim_ends(struct pending *pending)
{
    while (pending->span > 0 && !pending->entries[pending->head].live) {
        pending->head++;
        pending->span--;
    }
    while (pending->span > 0 &&
           !pending->entries[pending->head + pending->span - 1].live)
        pending->span--;
    if (pending->span == 0)
        pending->head = 0;
}

bool pending_ack(struct pending *pending, uint64_t sequence)
{
    struct pending_entry *entry = pending_find(pending, sequence);
    if (entry == NULL)
        return false;
    entry->live = false;
    pending->count--;
    trim_ends(pending);
    if (pending->span > 64 && pending->span > pending->count * 4)
        sweep(pending);
    return true;
}

struct pending_entry *pending_after(const struct pending *pending,
                                    uint64_t sequence)
{
    size_t at = sequence == 0 ? 0 : lower_bound(pending, sequence + 1);
    for (; at < pending->span; at++) {
        struct pending_entry *entry = pending->entries + pending->head + at;
        if (entry->live)
            return entry;
    }
    return NULL;
}
