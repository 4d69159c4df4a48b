/* subscription.h - one subscription: its record, its state, its indexes.
 *
 * Engine thread. Every stored subscription, offline ones too, is in
 * channel.subscriptions; a live one also with its client, by ack inbox, and in
 * channel.plain or among the members of its group. */
#ifndef STREAMD_ENGINE_SUBSCRIPTION_H
#define STREAMD_ENGINE_SUBSCRIPTION_H

#include "proto/records.h"
#include "streamd/engine/core.h"

/* Makes one, offline, from record (record->id too) and adds it to the tables
 * of channel; record->group is left to queue_group.h. Errors:
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status
subscription_new(struct channel *channel,
                 const struct subscription_record *record,
                 struct subscription **out, struct error *err);

/* What a resume takes from its request: inbox, ack inbox, max in flight, ack
 * wait. On STATUS_NO_MEMORY nothing changed. */
MUST_CHECK enum status
subscription_set_options(struct subscription *subscription,
                         const struct subscription_record *record,
                         struct error *err);

/* OFFLINE -> STARTING, of client. Errors: STATUS_NO_MEMORY (still offline). */
MUST_CHECK enum status subscription_begin(struct subscription *subscription,
                                          struct client *client,
                                          struct error *err);
/* STARTING -> ACTIVE. */
void subscription_activate(struct subscription *subscription);
/* STARTING or ACTIVE -> OFFLINE: nothing is sent any more, its acks are not
 * known any more; pending stays. The group is the caller's affair. */
void subscription_end(struct subscription *subscription);

/* Takes an offline one out of the tables and frees it. */
void subscription_free(struct subscription *subscription);
/* All of a channel, whatever their state, and its groups. */
void subscription_free_all(struct channel *channel);

struct subscription *subscription_find(const struct channel *channel,
                                       uint64_t id);
/* Among the ack inboxes of channel, then among its delivery inboxes. */
struct subscription *subscription_find_inbox(const struct channel *channel,
                                             struct bytes inbox);
/* By ack inbox; NULL if it is known no more. */
struct subscription *subscription_find_ack(struct engine *engine,
                                           const char *ack_inbox);
/* The plain durable of this client id and name, live or offline; *out is NULL
 * if there is none. Errors: STATUS_NO_MEMORY (there may be one). */
MUST_CHECK enum status subscription_find_durable(const struct channel *channel,
                                                 struct bytes client_id,
                                                 struct bytes durable_name,
                                                 struct subscription **out,
                                                 struct error *err);

struct subscription_record
subscription_record(const struct subscription *subscription);

/* Adds its record (and soon its progress), or its deletion, to the batch.
 * False when out of memory. */
MUST_CHECK bool subscription_reserve(struct engine *engine,
                                     const struct subscription *subscription);
MUST_CHECK bool subscription_store(struct engine *engine,
                                   struct subscription *subscription);
MUST_CHECK bool subscription_unstore(struct engine *engine,
                                     const struct subscription *subscription);

/* Its progress is to be in the next batch. */
void subscription_set_dirty(struct engine *engine,
                            struct subscription *subscription);
/* Adds the progress of all that are dirty to batch. All or, out of memory,
 * none: a message that moved is never stored as gone here and not as there. */
MUST_CHECK bool subscription_store_progress(struct engine *engine,
                                            struct batch *batch);

/* Keeps the count of its group right. */
void subscription_set_stalled(struct subscription *subscription, bool stalled);

static inline bool subscription_is_live(const struct subscription *subscription)
{
    return subscription->state != SUBSCRIPTION_OFFLINE;
}

/* Forgets a pending sequence: an ack, or the message is gone or elsewhere.
 * False if it was not pending. */
bool subscription_ack(struct engine *engine, struct subscription *subscription,
                      uint64_t sequence);

#endif
