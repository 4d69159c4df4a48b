#include "streamd/engine/removal.h"

#include "proto/codec.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/connect.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/expiry.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/redelivery.h"
#include "streamd/engine/reply.h"
#include "streamd/engine/subscribe.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>

static void log_store_failure(struct engine *engine,
                              const struct subscription *subscription)
{
    char shown[TEXT_QUOTED_MAX];
    log_error(engine->log,
              "Error deleting subscription subid=%" PRIu64
              ", subject=%s, err=out of memory",
              subscription->id,
              text_quote(text_bytes(&subscription->channel->name), shown));
}

static void drop(struct engine *engine, struct subscription *subscription)
{
    if (!subscription_unstore(engine, subscription))
        log_store_failure(engine, subscription);
    subscription_free(subscription);
}

static void keep(struct engine *engine, struct subscription *subscription)
{
    if (!subscription_store(engine, subscription))
        log_store_failure(engine, subscription);
}

/* ---- a member leaves others behind (10.4) ---- */

static struct subscription *next_member(const struct queue_group *group,
                                        const struct list *after)
{
    struct list *next = after->next;
    if (next == &group->members)
        next = group->members.next;
    return list_entry(next, struct subscription, of_channel);
}

static void transfer(struct engine *engine, const struct subscription *from,
                     const struct pending_entry *entry, struct subscription *to)
{
    struct error err = {0};
    if (pending_add(&to->pending, entry->sequence, entry->sent_at,
                    engine->now - CLOCK_SECOND, entry->redelivery,
                    &err) == STATUS_NO_MEMORY) {
        log_error(engine->log,
                  "[Client:%s] Unable to transfer message to subid=%" PRIu64
                  ", subid=%" PRIu64 ", seq=%" PRIu64 ", err=%s",
                  text_string(&from->client_id), to->id, from->id,
                  entry->sequence, err.detail);
        return;
    }
    if (to->last_sent < entry->sequence)
        to->last_sent = entry->sequence;
    subscription_set_dirty(engine, to);
    redelivery_soon(engine, to, 100 * CLOCK_MILLISECOND);
}

/* Round robin, from the head of the list, in order of expiration, then of
 * sequence: what entries are sorted by when they were never redelivered. */
static void deal_pending(struct engine *engine, struct queue_group *group,
                         struct subscription *leaving)
{
    const struct list *at = &group->members;
    for (const struct pending_entry *entry =
             pending_after(&leaving->pending, 0);
         entry != NULL;
         entry = pending_after(&leaving->pending, entry->sequence)) {
        struct subscription *to = next_member(group, at);
        transfer(engine, leaving, entry, to);
        at = &to->of_channel;
    }
}

/* A restart takes the highest last_sent of the records: none may be lost with
 * the record that goes. */
static void hand_on_position(struct engine *engine,
                             const struct queue_group *group)
{
    struct subscription *first =
        list_entry(group->members.next, struct subscription, of_channel);
    if (first->last_sent < group->last_sent)
        first->last_sent = group->last_sent;
    subscription_set_dirty(engine, first);
}

/* Room with all who stay, so that no message is lost on its way. */
static bool reserve_transfer(const struct subscription *leaving)
{
    const struct queue_group *group = leaving->group;
    if (group == NULL || group->member_count < 2)
        return true;
    size_t share =
        pending_count(&leaving->pending) / (group->member_count - 1) + 1;
    for (const struct list *at = group->members.next; at != &group->members;
         at = at->next) {
        struct subscription *member =
            list_entry(at, struct subscription, of_channel);
        if (member != leaving && !pending_reserve(&member->pending, share))
            return false;
    }
    return true;
}

void removal_end_member(struct engine *engine,
                        struct subscription *subscription, bool unsubscribed)
{
    struct queue_group *group = subscription->group;
    queue_group_leave(subscription);
    subscription_end(subscription);
    if (group->member_count > 0) {
        deal_pending(engine, group, subscription);
        hand_on_position(engine, group);
        drop(engine, subscription);
        queue_group_update_hold(group);
        delivery_ready(engine, &group->consumer);
    } else if (group->is_durable && !unsubscribed) {
        subscription->last_sent = group->last_sent;
        group->shadow = subscription;
        group->is_stored = true;
        group->hold = false;
        keep(engine, subscription);
    } else {
        drop(engine, subscription);
        queue_group_free(group);
    }
}

/* ---- for good ---- */

bool removal_delete_offline(struct engine *engine,
                            struct subscription *subscription)
{
    struct channel *channel = subscription->channel;
    struct queue_group *group = subscription->group;
    if (!subscription_reserve(engine, subscription))
        return false;
    subscribe_log(engine, subscription,
                  group != NULL ? "Removed durable queue" : "Removed durable",
                  "");
    if (group != NULL)
        group->shadow = NULL;
    drop(engine, subscription);
    if (group != NULL && group->member_count == 0)
        queue_group_free(group);
    expiry_idle_begin(channel);
    return true;
}

bool removal_delete_group(struct engine *engine, struct queue_group *group,
                          uint64_t *pending)
{
    struct channel *channel = group->channel;
    *pending = 0;
    if (!batch_reserve(commit_batch(engine), group->member_count + 1, 0))
        return false;
    while (!list_empty(&group->members)) {
        struct subscription *member =
            list_entry(group->members.next, struct subscription, of_channel);
        subscribe_log(engine, member,
                      group->is_durable ? "Removed member from durable queue"
                                        : "Removed member from queue",
                      "");
        *pending += pending_count(&member->pending);
        queue_group_leave(member);
        subscription_end(member);
        drop(engine, member);
    }
    if (group->shadow != NULL) {
        *pending += pending_count(&group->shadow->pending);
        drop(engine, group->shadow);
    }
    queue_group_free(group);
    expiry_idle_begin(channel);
    return true;
}

/* ---- one subscription ---- */

static const char *removal_action(const struct subscription *subscription,
                                  bool unsubscribed)
{
    const struct queue_group *group = subscription->group;
    bool durable = subscription->is_durable;
    if (group == NULL && !durable)
        return "Removed";
    if (group == NULL)
        return unsubscribed ? "Removed durable" : "Suspended durable";
    if (group->member_count > 1) {
        return durable ? "Removed member from durable queue"
                       : "Removed member from queue";
    }
    if (!durable)
        return "Removed queue";
    return unsubscribed ? "Removed durable queue" : "Suspended durable queue";
}

bool removal_end_subscription(struct engine *engine,
                              struct subscription *subscription,
                              bool unsubscribed)
{
    struct channel *channel = subscription->channel;
    if (!subscription_reserve(engine, subscription)) {
        log_store_failure(engine, subscription);
        return false;
    }
    if (!reserve_transfer(subscription)) {
        log_error(engine->log,
                  "[Client:%s] Unable to transfer messages of subid=%" PRIu64
                  ": out of memory",
                  text_string(&subscription->client_id), subscription->id);
        return false;
    }
    subscribe_log(engine, subscription,
                  removal_action(subscription, unsubscribed), "");
    if (subscription->group != NULL) {
        removal_end_member(engine, subscription, unsubscribed);
    } else {
        subscription_end(subscription);
        if (subscription->is_durable && !unsubscribed) {
            keep(engine, subscription);
        } else {
            drop(engine, subscription);
        }
    }
    expiry_idle_begin(channel);
    return true;
}

static void remove_by_request(struct engine *engine,
                              const struct inbound_message *message,
                              bool unsubscribe)
{
    struct unsubscribe_request request;
    if (!unsubscribe_request_decode(message->data, &request)) {
        reply_subscription(engine, message->reply, "",
                           "stan: invalid unsubscribe request");
        return;
    }
    struct channel *channel = channel_find(engine, request.subject);
    if (channel == NULL) {
        reply_subscription(engine, message->reply, "", "stan: unknown channel");
        return;
    }
    struct subscription *subscription =
        subscription_find_inbox(channel, request.inbox);
    if (subscription == NULL) {
        reply_subscription(engine, message->reply, "",
                           "stan: invalid subscription");
        return;
    }
    const struct client *client = client_find(engine, request.client_id);
    if (client == NULL || client != subscription->client) {
        reply_subscription(engine, message->reply, "",
                           "stan: unknown clientID");
        return;
    }
    struct late_reply *late = reply_late_subscription(message->reply);
    if (late != NULL &&
        removal_end_subscription(engine, subscription, unsubscribe)) {
        reply_when_durable(engine, late);
    } else {
        reply_late_free(late);
        reply_subscription(engine, message->reply, "", "out of memory");
    }
}

void removal_unsubscribe(struct engine *engine,
                         const struct inbound_message *message)
{
    remove_by_request(engine, message, true);
}

void removal_sub_close(struct engine *engine,
                       const struct inbound_message *message)
{
    remove_by_request(engine, message, false);
}

/* ---- a client ---- */

static bool close_subscriptions(struct engine *engine, struct client *client)
{
    while (!list_empty(&client->subscriptions)) {
        struct subscription *first = list_entry(client->subscriptions.next,
                                                struct subscription, of_client);
        if (!removal_end_subscription(engine, first, false))
            return false;
    }
    return true;
}

/* All in one event and one batch: that the client goes last, since it cannot
 * go without its subscriptions, nobody sees. */
bool removal_close_client(struct engine *engine, struct client *client)
{
    if (!close_subscriptions(engine, client) ||
        !batch_client_delete(commit_batch(engine), text_bytes(&client->id))) {
        log_error(engine->log,
                  "Error unregistering client \"%s\": out of memory",
                  client->id.data);
        return false;
    }
    struct rival *rival = client->rival;
    client_remove(engine, client);
    connect_rival(engine, rival);
    return true;
}

void removal_close(struct engine *engine, const struct inbound_message *message)
{
    struct close_request request;
    if (!close_request_decode(message->data, &request)) {
        reply_error(engine, message->reply, "stan: invalid close request");
        return;
    }
    struct client *client = client_find(engine, request.client_id);
    if (client == NULL) {
        reply_error(engine, message->reply, "stan: unknown clientID");
        return;
    }
    log_debug(engine->log, "[Client:%s] Closed (Inbox=%s)", client->id.data,
              text_string(&client->heartbeat_inbox));
    struct late_reply *late = reply_late_closed(message->reply);
    if (late != NULL && removal_close_client(engine, client)) {
        reply_when_durable(engine, late);
    } else {
        reply_late_free(late);
        reply_error(engine, message->reply, "out of memory");
    }
}
