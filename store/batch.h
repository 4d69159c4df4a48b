/* batch.h - what one commit makes durable: operations, in order.
 *
 * Filled by the engine thread, handed to store_commit(), the engine's again
 * when done is called. It owns copies of all bytes given to it, except message
 * slices, whose buffers it holds references to. A failed call (NO_MEMORY)
 * leaves the batch as it was. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "streamd/base/buffer.h"
#include "streamd/base/list.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits;

enum operation_type {
    OPERATION_SERVER,              /* record: replaces the server record */
    OPERATION_CLIENT_PUT,          /* name = client id, record */
    OPERATION_CLIENT_DELETE,       /* name = client id; unknown is fine */
    OPERATION_CHANNEL_PUT,         /* channel, name; a new id, a new channel */
    OPERATION_CHANNEL_DELETE,      /* channel; messages, subscriptions too */
    OPERATION_APPEND,              /* channel, sequence, timestamp, message */
    OPERATION_EXPIRE,              /* channel; timestamp <= this is removed */
    OPERATION_SUBSCRIPTION_PUT,    /* channel, subscription, record */
    OPERATION_SUBSCRIPTION_DELETE, /* channel, subscription; progress too */
    OPERATION_PROGRESS,            /* channel, subscription, record */
};

struct operation {
    enum operation_type type;
    uint64_t channel;
    union {
        struct { /* offsets into batch->bytes */
            size_t name, name_size;
            size_t record, record_size;
            uint64_t subscription;
        };
        struct {
            uint64_t sequence; /* above all before it in the channel */
            int64_t timestamp; /* ns, wall */
            struct slice message;
        };
    };
};

/* What a store tells of a channel: after recovery, and after each commit of
 * each channel that the commit appended to or expired from. */
struct channel_state {
    uint64_t channel;
    uint64_t first, last; /* 0,0 never stored; first = last+1 when emptied */
    uint64_t messages;
    uint64_t bytes;             /* as the byte limit counts them */
    int64_t first_timestamp;    /* of the oldest message; 0 if there is none */
    int64_t last_timestamp;     /* highest ever given to a message; 0 if none */
    uint64_t last_subscription; /* highest id ever used; recovery only */
    bool limit_reached; /* this commit dropped messages for count or bytes */
};

struct batch {
    struct list link; /* of whoever has it */
    struct operation *operations;
    size_t count, capacity;
    struct blob bytes;    /* names and records */
    size_t message_bytes; /* sum over appends */
    bool sync;            /* somebody waits for it: must survive a power cut */
    /* From the operations of this batch on these limits hold, if not NULL; a
     * channel above smaller ones is cut with its next message. Borrowed for
     * the life of the store, or until others took their place. Nothing stored
     * depends on it, so it holds though the batch fails. */
    const struct limits *limits;

    void (*done)(struct batch *batch); /* any thread; the store's last use */
    void *context;

    /* Filled by the store before done. */
    enum status status; /* on failure nothing of the batch is stored */
    struct error error;
    int64_t sync_time; /* ns that it waited for the disk; 0: not synced */
    struct channel_state *states;
    size_t state_count, state_capacity;
};

struct batch *batch_new(void);         /* NULL when out of memory */
void batch_free(struct batch *batch);  /* NULL is allowed */
void batch_clear(struct batch *batch); /* empty again, memory kept */

/* Makes room, so that adding so many operations with so many bytes of names and
 * records cannot fail. */
MUST_CHECK bool batch_reserve(struct batch *batch, size_t operations,
                              size_t bytes);

MUST_CHECK bool batch_server(struct batch *batch, struct bytes record);
MUST_CHECK bool batch_client_put(struct batch *batch, struct bytes id,
                                 struct bytes record);
MUST_CHECK bool batch_client_delete(struct batch *batch, struct bytes id);
MUST_CHECK bool batch_channel_put(struct batch *batch, uint64_t channel,
                                  struct bytes name);
MUST_CHECK bool batch_channel_delete(struct batch *batch, uint64_t channel);
/* Takes its own reference to message.buffer. */
MUST_CHECK bool batch_append(struct batch *batch, uint64_t channel,
                             uint64_t sequence, int64_t timestamp,
                             struct slice message);
MUST_CHECK bool batch_expire(struct batch *batch, uint64_t channel,
                             int64_t timestamp);
MUST_CHECK bool batch_subscription_put(struct batch *batch, uint64_t channel,
                                       uint64_t subscription,
                                       struct bytes record);
MUST_CHECK bool batch_subscription_delete(struct batch *batch, uint64_t channel,
                                          uint64_t subscription);
MUST_CHECK bool batch_progress(struct batch *batch, uint64_t channel,
                               uint64_t subscription, struct bytes record);

/* The operation added last comes before all others. */
void batch_bring_to_front(struct batch *batch);
/* Takes back what was added since there were `count` operations. */
void batch_cut(struct batch *batch, size_t count);

/* For stores: the bytes of an operation, and one more state to report. */
struct bytes operation_name(const struct batch *batch,
                            const struct operation *operation);
struct bytes operation_record(const struct batch *batch,
                              const struct operation *operation);
MUST_CHECK bool batch_report(struct batch *batch,
                             const struct channel_state *state);

#endif
