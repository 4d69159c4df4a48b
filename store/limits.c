#include "store/limits.h"

#include "store/limits_name.h"
#include "streamd/base/duration.h"
#include "streamd/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

const struct limits limits_default = {
    .max_channels = 100,
    .global =
        {
            .max_subscriptions = 1000,
            .max_messages = 1000000,
            .max_bytes = 1024000000,
        },
};

/* Owns the names. wildcards, in the order of the array, is filled by
 * limits_inherit(): what counts for a channel is the entry of its own name or
 * else the last wildcard that covers it. */
struct limits_entries {
    struct limits_entry *array;
    size_t count, capacity;
    const struct limits_entry **wildcards;
    size_t wildcard_count;
};

/* ---- the entries ---- */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "limits: one more channel");
}

/* The place of name in the sorted array, or where it would go. */
static size_t entry_place(const struct limits_entries *entries,
                          struct bytes name, bool *found)
{
    size_t low = 0;
    size_t high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order =
            limits_name_order(bytes_text(entries->array[middle].name), name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = false;
    return low;
}

static bool entries_grow(struct limits_entries *entries)
{
    if (entries->count < entries->capacity)
        return true;
    size_t capacity = entries->capacity == 0 ? 16 : entries->capacity * 2;
    struct limits_entry *array =
        realloc(entries->array, capacity * sizeof *array);
    if (array == NULL)
        return false;
    entries->array = array;
    const struct limits_entry **wildcards = realloc(
        entries->wildcards, capacity * sizeof(const struct limits_entry *));
    if (wildcards == NULL)
        return false;
    entries->wildcards = wildcards;
    entries->capacity = capacity;
    return true;
}

static enum status entry_insert(struct limits_entries *entries, size_t place,
                                struct bytes name, struct error *err)
{
    if (entries->count == LIMITS_ENTRIES_MAX) {
        return fail(err, STATUS_LIMIT,
                    "limits are given for more than %d channels",
                    (int)LIMITS_ENTRIES_MAX);
    }
    char *copy = bytes_copy(name);
    if (copy == NULL || !entries_grow(entries)) {
        free(copy);
        return no_memory(err);
    }
    assert(entries->array != NULL);
    entries->wildcard_count = 0; /* they may just have moved */
    struct limits_entry *entry = &entries->array[place];
    memmove(entry + 1, entry, (entries->count - place) * sizeof *entry);
    entries->count++;
    *entry =
        (struct limits_entry){.name = copy, .tokens = limits_name_tokens(name)};
    return STATUS_OK;
}

enum status limits_add(struct limits *limits, struct bytes name,
                       const struct channel_limits *entry, struct error *err)
{
    if (!limits_name_valid(name)) {
        char quoted[TEXT_QUOTED_MAX];
        return fail(err, STATUS_INVALID, "invalid channel name %s",
                    text_quote(name, quoted));
    }
    if (limits->entries == NULL)
        limits->entries = calloc(1, sizeof *limits->entries);
    if (limits->entries == NULL)
        return no_memory(err);
    bool found;
    size_t place = entry_place(limits->entries, name, &found);
    if (!found) {
        enum status status = entry_insert(limits->entries, place, name, err);
        if (status != STATUS_OK)
            return status;
    }
    assert(limits->entries->array != NULL);
    limits->entries->array[place].limits = *entry;
    return STATUS_OK;
}

void limits_release(struct limits *limits)
{
    struct limits_entries *entries = limits->entries;
    limits->entries = NULL;
    if (entries == NULL)
        return;
    for (size_t i = 0; i < entries->count; i++)
        free(entries->array[i].name);
    free(entries->array);
    free(entries->wildcards);
    free(entries);
}

const struct limits_entry *limits_entries(const struct limits *limits,
                                          size_t *count)
{
    *count = limits->entries == NULL ? 0 : limits->entries->count;
    return *count == 0 ? NULL : limits->entries->array;
}

/* ---- inheritance ---- */

static int64_t inherited(int64_t own, int64_t parent)
{
    if (own == 0)
        return parent;
    return own < 0 ? 0 : own;
}

static void entry_inherit(struct limits_entry *entry,
                          const struct channel_limits *parent)
{
    struct channel_limits *own = &entry->limits;
    entry->parent = *parent;
    own->max_subscriptions =
        inherited(own->max_subscriptions, parent->max_subscriptions);
    own->max_messages = inherited(own->max_messages, parent->max_messages);
    own->max_bytes = inherited(own->max_bytes, parent->max_bytes);
    own->max_age = inherited(own->max_age, parent->max_age);
    own->max_inactivity =
        inherited(own->max_inactivity, parent->max_inactivity);
}

/* A wider entry comes before a narrower one, so those an entry inherits from
 * are done when its turn comes, and the last of them is the closest. */
void limits_inherit(struct limits *limits)
{
    struct limits_entries *entries = limits->entries;
    if (entries == NULL)
        return;
    entries->wildcard_count = 0;
    for (size_t i = 0; i < entries->count; i++) {
        struct limits_entry *entry = &entries->array[i];
        struct bytes name = bytes_text(entry->name);
        const struct channel_limits *parent = &limits->global;
        entry->level = 0;
        for (size_t j = 0; j < entries->wildcard_count; j++) {
            const struct limits_entry *wider = entries->wildcards[j];
            if (!limits_name_matches(bytes_text(wider->name), name))
                continue;
            parent = &wider->limits;
            entry->level++;
        }
        entry_inherit(entry, parent);
        if (limits_name_is_wildcard(name))
            entries->wildcards[entries->wildcard_count++] = entry;
    }
}

struct channel_limits limits_channel(const struct limits *limits,
                                     struct bytes name)
{
    const struct limits_entries *entries = limits->entries;
    if (entries == NULL)
        return limits->global;
    bool found;
    size_t place = entry_place(entries, name, &found);
    if (found)
        return entries->array[place].limits;
    for (size_t i = entries->wildcard_count; i > 0; i--) {
        const struct limits_entry *entry = entries->wildcards[i - 1];
        if (limits_name_matches(bytes_text(entry->name), name))
            return entry->limits;
    }
    return limits->global;
}

/* ---- checks ---- */

static enum status names_check(const struct limits *limits, struct error *err)
{
    size_t count;
    const struct limits_entry *entries = limits_entries(limits, &count);
    int64_t literal = 0;
    for (size_t i = 0; i < count; i++)
        literal += !limits_name_is_wildcard(bytes_text(entries[i].name));
    if (limits->max_channels == 0 || literal <= limits->max_channels)
        return STATUS_OK;
    return fail(err, STATUS_INVALID,
                "too many channels defined (%" PRId64
                "). The max channels limit is set to %" PRId64,
                literal, limits->max_channels);
}

enum status limits_check(const struct limits *limits, struct error *err)
{
    const struct {
        const char *name;
        int64_t value;
        bool is_duration;
    } rules[] = {
        {"channels", limits->max_channels, false},
        {"subscriptions", limits->global.max_subscriptions, false},
        {"messages", limits->global.max_messages, false},
        {"bytes", limits->global.max_bytes, false},
        {"age", limits->global.max_age, true},
        {"inactivity", limits->global.max_inactivity, true},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].value >= 0)
            continue;
        if (!rules[i].is_duration) {
            return fail(err, STATUS_INVALID,
                        "max %s limit cannot be negative (%" PRId64 ")",
                        rules[i].name, rules[i].value);
        }
        char text[DURATION_TEXT_MAX];
        duration_format(rules[i].value, text);
        return fail(err, STATUS_INVALID, "max %s limit cannot be negative (%s)",
                    rules[i].name, text);
    }
    return names_check(limits, err);
}
