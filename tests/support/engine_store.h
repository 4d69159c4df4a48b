/* engine_store.h - a store for tests of the engine: keeps what was committed
 * over restarts of the engine, is slow or fails when the test says so, and is
 * as strict as a store may be (an operation on an unknown channel fails).
 *
 * One thread. done is called inside the call, or when the test releases it. */
#ifndef TESTS_SUPPORT_ENGINE_STORE_H
#define TESTS_SUPPORT_ENGINE_STORE_H

#include "store/store.h"
#include "streamd/base/table.h"
#include "streamd/base/text.h"

struct stored_message {
    uint64_t sequence;
    int64_t timestamp;
    struct slice bytes; /* a copy: its own buffer */
};

struct stored_subscription {
    uint64_t id;
    struct text record, progress;
};

struct stored_client {
    struct text id, record;
};

struct stored_channel {
    uint64_t id;
    struct text name;
    bool exists, will_exist; /* will: after the batch being checked */
    struct stored_message *messages;
    size_t start, count, capacity; /* messages[start..start+count) */
    struct channel_state state;
    struct table *subscriptions; /* by id */
};

struct engine_store {
    struct store store;
    const struct limits *limits;
    const struct clock *clock;
    bool has_server;
    struct text server;
    struct table *clients;  /* by id: struct stored_client */
    struct table *channels; /* by id */

    bool hold_commits, hold_reads;     /* they wait for a release */
    struct list commits, reads;        /* that wait */
    unsigned fail_commits, fail_reads; /* how many of the next fail */
    const char *failure;               /* their text */
    bool dead;                         /* everything fails */
    size_t commit_count, read_count;   /* asked for so far */
    size_t failed_reads;
    size_t refusals; /* batches that made no sense: a bug of the engine */
};

/* Aborts when out of memory, as all of this does. */
struct engine_store *engine_store_new(const struct limits *limits,
                                      const struct clock *clock);
void engine_store_free(struct engine_store *store);

/* Lets the oldest that waits finish; false if there is none. */
bool engine_store_release_commit(struct engine_store *store);
bool engine_store_release_read(struct engine_store *store);
/* All that wait, and nothing is held any more. */
void engine_store_release(struct engine_store *store);

/* The process dies: of what waits the first `kept` commits were in time, the
 * rest and all reads fail, as does what is asked for until revived. */
void engine_store_kill(struct engine_store *store, size_t kept);
void engine_store_revive(struct engine_store *store);

/* NULL if there is none. */
struct stored_channel *engine_store_channel(const struct engine_store *store,
                                            const char *name);
const struct stored_message *
engine_store_message(const struct stored_channel *channel, uint64_t sequence);
struct stored_subscription *
engine_store_subscription(const struct stored_channel *channel, uint64_t id);
/* Adds a record as another server may have left it; id not in use. */
void engine_store_add_subscription(struct stored_channel *channel, uint64_t id,
                                   struct bytes record);
/* Takes a message out of the middle: a gap, as a repair may leave. */
void engine_store_lose(struct stored_channel *channel, uint64_t sequence);

#endif
