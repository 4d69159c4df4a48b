/* admin_work.h - one request of administration while it is done: how the
 * verbs (admin_*.c) begin and end it. Engine thread. */
#ifndef STREAMD_ENGINE_ADMIN_WORK_H
#define STREAMD_ENGINE_ADMIN_WORK_H

#include "streamd/engine/admin.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/core.h"

/* All memory a request needs, got before anything is changed. */
struct admin_work {
    struct effect effect; /* while it waits for a batch */
    struct event event;   /* and read: while it waits for the store */
    struct read read;
    struct engine *engine;
    struct admin_request *request;
    uint64_t channel, subscription; /* ids: they may be gone by then */
    const char *standing; /* what is to be said when the batch fails; or NULL */
    struct pending_entry dropped; /* [drop] to be put back */
    struct text group_key;        /* [move] of a queue group */
};

/* Each ends work, with the answer or an error; it is freed. */
void admin_done(struct admin_work *work, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void admin_refuse(struct admin_work *work, enum status status,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void admin_refuse_with(struct admin_work *work, const struct error *err);
/* Its batch failed: says so, and behind it work->standing. */
void admin_not_stored(struct admin_work *work, const struct error *failure);

/* finish is called when what is in the batch now is durable, or failed. */
void admin_wait(struct admin_work *work,
                void (*finish)(struct engine *engine, struct effect *effect,
                               const struct error *failure));
/* Asks the store for work->read; finish is called when it is there. */
void admin_read(struct admin_work *work, struct channel *channel,
                void (*finish)(struct engine *engine, struct event *event));

/* The channel asked for; NULL: refused. To be changed: not one that is being
 * deleted. */
struct channel *admin_channel(struct admin_work *work, bool to_change);
/* The subscription asked for, of that channel; NULL: refused. */
struct subscription *admin_subscription(struct admin_work *work,
                                        const struct channel *channel);
/* The queue group of the name asked for; NULL: refused. */
struct queue_group *admin_group(struct admin_work *work,
                                const struct channel *channel);

/* ---- the verbs ---- */

void admin_messages(struct admin_work *work); /* admin_messages.c */
void admin_message(struct admin_work *work);
void admin_publish(struct admin_work *work);

void admin_purge(struct admin_work *work); /* admin_channel.c */
void admin_delete_channel(struct admin_work *work);

void admin_subscriptions(struct admin_work *work); /* admin_subscription.c */
void admin_delete_subscription(struct admin_work *work);
void admin_delete_group(struct admin_work *work);
void admin_close_client(struct admin_work *work);

void admin_move(struct admin_work *work); /* admin_position.c */

void admin_pending(struct admin_work *work); /* admin_pending.c */
void admin_release(struct admin_work *work);
void admin_drop(struct admin_work *work);

#endif
