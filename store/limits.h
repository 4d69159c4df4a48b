/* limits.h - how much a store and a channel may hold (stores.md section 3).
 *
 * 0 is unlimited everywhere once limits_inherit() has run. Filled before the
 * threads start, read-only then; shared by engine and store. */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* What one channel may hold, after inheritance. Before it, in an entry, 0 is
 * "as the wider entry says" and below 0 "unlimited". */
struct channel_limits {
    int64_t max_subscriptions;
    int64_t max_messages;
    int64_t max_bytes;
    int64_t max_age;        /* ns */
    int64_t max_inactivity; /* ns */
};

/* Those of one channel, or of many: a name may have wildcards. */
struct limits_entry {
    char *name; /* owned */
    struct channel_limits limits;
    struct channel_limits parent; /* what was inherited from */
    size_t level;                 /* count of wider entries that match name */
    size_t tokens;                /* of name */
};

struct limits_entries; /* sorted widest first, literal names by bytes */

struct limits {
    int64_t max_channels;
    struct channel_limits global;
    struct limits_entries *entries; /* NULL: none */
};

/* Entries of one configuration. */
enum { LIMITS_ENTRIES_MAX = 10000 };

/* The built-in defaults (delivery.md 14.1). */
extern const struct limits limits_default;

/* Adds an entry; a second one of the same name replaces the first. name is
 * copied. Errors: STATUS_INVALID (invalid channel name), STATUS_LIMIT (too
 * many entries), STATUS_NO_MEMORY. */
MUST_CHECK enum status limits_add(struct limits *limits, struct bytes name,
                                  const struct channel_limits *entry,
                                  struct error *err);

/* Works out, once and after the last limits_add(), what each entry inherits
 * from the wider ones and from limits->global. */
void limits_inherit(struct limits *limits);

/* Frees the entries. */
void limits_release(struct limits *limits);

/* Errors: STATUS_INVALID with the text of stores.md 3.1, first broken rule. */
MUST_CHECK enum status limits_check(const struct limits *limits,
                                    struct error *err);

/* Those of the channel called name. */
struct channel_limits limits_channel(const struct limits *limits,
                                     struct bytes name);

/* The entries in the order of the printout, in *count how many; NULL if there
 * are none. */
const struct limits_entry *limits_entries(const struct limits *limits,
                                          size_t *count);

#endif
