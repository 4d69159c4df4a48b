/* store.h - the store: three verbs, and what each promises. tests/store_suite
 * says the same and runs on every backend.
 *
 * commit and read never block: they hand over and return; done is called from
 * any thread, or from inside the call. Commits finish in the order given; one
 * may be given while another runs. Reads see every commit that finished before
 * they were asked for. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/batch.h"
#include "store/limits.h"
#include "streamd/base/buffer.h"
#include "streamd/base/clock.h"
#include "streamd/base/log.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Called during store_recover(), in this order: the server (if there is one),
 * clients, then each channel followed by its subscriptions. Bytes are borrowed
 * for the call. progress is empty if none was stored since the record. A
 * returned error ends the recovery with it. */
struct store_visitor {
    void *context;
    enum status (*server)(void *context, struct bytes record,
                          struct error *err);
    enum status (*client)(void *context, struct bytes id, struct bytes record,
                          struct error *err);
    enum status (*channel)(void *context, const struct channel_state *state,
                           struct bytes name, struct error *err);
    enum status (*subscription)(void *context, uint64_t channel,
                                uint64_t subscription, struct bytes record,
                                struct bytes progress, struct error *err);
    /* In place of a channel whose stored form is damaged. The store keeps it
     * as it is and knows it no more: neither id nor name may be used. NULL:
     * recovery fails with STATUS_CORRUPT instead. */
    enum status (*damaged)(void *context, uint64_t channel, struct bytes name,
                           struct error *err);
};

struct run_entry {
    uint64_t sequence;
    struct slice message; /* encoded MsgProto; the run holds a reference */
};

/* Messages of one channel, ascending; gaps are possible. The caller of read
 * owns it and ends it with run_free(). */
struct run {
    size_t count;
    struct run_entry entries[];
};

struct run *run_new(size_t capacity); /* NULL when out of memory */
void run_free(struct run *run);       /* NULL is allowed */

/* Read request: from the first message at or after sequence, or if by_time,
 * whose timestamp is at or after `timestamp`. Ends at max_messages, or with
 * the message that reaches max_bytes, or at the end. At least one message is
 * returned if there is one. */
struct read {
    struct list link;
    uint64_t channel;
    bool by_time;
    uint64_t sequence;
    int64_t timestamp;
    uint32_t max_messages;
    size_t max_bytes;

    void (*done)(struct read *read); /* any thread; the store's last use */
    void *context;

    /* Filled by the store before done. STATUS_OK with run NULL: nothing there
     * (or the channel is gone). STATUS_CORRUPT: damage, named in error. */
    enum status status;
    struct error error;
    struct run *run;
};

struct store;

struct store_operations {
    const char *name; /* MEMORY, FILE: what logs and monitoring show */
    enum status (*recover)(struct store *store,
                           const struct store_visitor *visitor,
                           struct error *err);
    void (*commit)(struct store *store, struct batch *batch);
    void (*read)(struct store *store, struct read *read);
    void (*close)(struct store *store);
};

/* First member of every backend's struct. */
struct store {
    const struct store_operations *operations;
};

/* Once, before the first commit; blocks. Message limits (count, bytes, age)
 * are applied to what is handed over; limits on numbers of channels and
 * subscriptions are not. */
MUST_CHECK static inline enum status
store_recover(struct store *store, const struct store_visitor *visitor,
              struct error *err)
{
    return store->operations->recover(store, visitor, err);
}

/* Makes batch durable, atomically: if batch->sync, a power cut after done
 * loses nothing of it; if not, a crash of the process loses nothing. One that
 * creates or deletes channels or appends may be synced in any case. Message
 * limits (count, then bytes; the newest message always stays) are enforced
 * after each append and what is left is reported in batch->states. On failure
 * nothing of the batch is stored and the store still serves. */
static inline void store_commit(struct store *store, struct batch *batch)
{
    store->operations->commit(store, batch);
}

static inline void store_read(struct store *store, struct read *read)
{
    store->operations->read(store, read);
}

/* Finishes what was asked for (every done is called), syncs, frees. NULL is
 * allowed. */
static inline void store_close(struct store *store)
{
    if (store != NULL)
        store->operations->close(store);
}

static inline const char *store_name(const struct store *store)
{
    return store->operations->name;
}

/* What every backend is made from. limits and clock are borrowed and must
 * outlive the store; the limits until a batch brings others. */
struct store_config {
    const struct limits *limits;
    const struct clock *clock;
    struct log *log; /* NULL: silent */

    /* FILE only. */
    bool no_sync;           /* commits are not synced, whatever they ask for */
    int64_t auto_sync;      /* ns; what is unsynced is synced then; 0: never */
    uint64_t segment_bytes; /* of one file of messages; 0: the default */
};

#endif
