/* channel.h - what the writer knows of one channel, and the messages at its
 * front.
 *
 * Writer thread only (recovery runs before it has work), except what says
 * otherwise. */
#ifndef STORE_LEVELDB_CHANNEL_H
#define STORE_LEVELDB_CHANNEL_H

#include "store/batch.h"
#include "store/leveldb/record.h"
#include "store/leveldb/runs.h"
#include "store/limits.h"
#include "streamd/base/list.h"

struct front_message {
    uint64_t sequence;
    int64_t timestamp;
    uint64_t bytes; /* as counted */
};

/* The oldest messages of a channel, none left out: a ring. A cache only: it
 * may be emptied at any time. */
struct front {
    struct front_message *messages;
    uint32_t start, count, capacity; /* capacity: 0 or a power of two */
};

/* No index of an operation. */
static const uint32_t no_append = UINT32_MAX;

enum { FRONT_MAX = 1024, FRONT_PUSH_MAX = 32 };

/* What the batch under way did to the channel. */
enum channel_change {
    CHANNEL_UNTOUCHED,
    CHANNEL_TOUCHED,
    CHANNEL_CREATED, /* and maybe more */
    CHANNEL_DELETED, /* one that was there before the batch */
    CHANNEL_CREATED_AND_DELETED,
};

struct channel {
    uint64_t number; /* in keys */
    struct blob name;
    struct channel_limits limits;
    struct channel_state state;
    uint64_t swept; /* no page below it is left; the keeper's */
    struct front front;
    struct list dirty; /* in the store's list: not as in the database */

    struct list link; /* in the writer's list while change says touched */
    enum channel_change change;
    struct channel_state before; /* state before the batch */
    bool report;                 /* the batch appended or expired */
    bool state_due;              /* the state goes into the record */
    bool unreadable;          /* the batch met damage at the front: said once */
    uint32_t head, tail;      /* its appends in the batch; no_append: none */
    size_t places, place_end; /* its new ones, in the store's scratch */

    /* Guarded by the store's lock: as of the last finished commit. */
    uint64_t visible_first, visible_last;
    struct runs active; /* not in a checkpoint yet */
    struct runs frozen; /* borrowed from the checkpoint that is written */
};

/* NULL when out of memory. Starts as never stored. */
struct channel *channel_new(uint64_t id, uint64_t number, struct bytes name,
                            const struct channel_limits *limits);
void channel_free(struct channel *channel); /* NULL is allowed */

/* Seals the record of channel as it stands into out; false: out of memory.
 * scratch holds the payload in between. */
MUST_CHECK bool channel_seal(const struct channel *channel,
                             enum record_phase phase, struct blob *scratch,
                             struct blob *out);

void front_clear(struct front *front);
const struct front_message *front_at(const struct front *front, uint32_t at);
/* False when full (room messages) or out of memory. */
bool front_push(struct front *front, struct front_message message,
                uint32_t room);
void front_pop(struct front *front);

#endif
