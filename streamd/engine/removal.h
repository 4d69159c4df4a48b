/* removal.h - what ends: subscriptions and clients (delivery.md sections 10.4,
 * 11 and 12). Engine thread. */
#ifndef STREAMD_ENGINE_REMOVAL_H
#define STREAMD_ENGINE_REMOVAL_H

#include "streamd/engine/core.h"

/* The requests. */
void removal_unsubscribe(struct engine *engine,
                         const struct inbound_message *message);
void removal_sub_close(struct engine *engine,
                       const struct inbound_message *message);
void removal_close(struct engine *engine,
                   const struct inbound_message *message);

/* Ends a live subscription: unsubscribed deletes a durable too. The pointer is
 * not valid afterwards unless it is a durable that goes on offline. False when
 * out of memory: nothing has changed. */
MUST_CHECK bool removal_end_subscription(struct engine *engine,
                                         struct subscription *subscription,
                                         bool unsubscribed);

/* Takes a member out of its group: those who remain get its pending messages;
 * the last of a durable group becomes the shadow, unless it unsubscribed. */
void removal_end_member(struct engine *engine,
                        struct subscription *subscription, bool unsubscribed);

/* Deletes a durable that is offline, or the shadow of a durable group (which
 * goes with it); it is freed. False when out of memory: nothing has changed. */
MUST_CHECK bool removal_delete_offline(struct engine *engine,
                                       struct subscription *subscription);
/* Deletes group with all its members: nobody gets what they have pending,
 * *pending messages. False when out of memory: nothing has changed. */
MUST_CHECK bool removal_delete_group(struct engine *engine,
                                     struct queue_group *group,
                                     uint64_t *pending);

/* Closes the subscriptions of client and unregisters it; client is freed.
 * False when out of memory: it is still there, perhaps with less. */
MUST_CHECK bool removal_close_client(struct engine *engine,
                                     struct client *client);

#endif
