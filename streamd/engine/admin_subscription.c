/* Administration: subscriptions are listed and deleted, clients closed. */
#include "streamd/engine/admin_work.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/removal.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>
#include <stdlib.h>

static bool copy(struct text *to, const struct text *from)
{
    return text_set(to, text_bytes(from));
}

/* ---- listing ---- */

static int64_t oldest_age(const struct engine *engine,
                          const struct subscription *subscription)
{
    const struct pending *pending = &subscription->pending;
    int64_t oldest = -1;
    for (size_t i = 0; i < pending->span; i++) {
        const struct pending_entry *entry =
            &pending->entries[pending->head + i];
        if (entry->live && engine->now - entry->sent_at > oldest)
            oldest = engine->now - entry->sent_at;
    }
    return oldest;
}

static bool describe(const struct engine *engine,
                     const struct subscription *from,
                     struct admin_subscription *to)
{
    *to = (struct admin_subscription){
        .id = from->id,
        .is_durable = from->is_durable,
        .is_offline = !subscription_is_live(from),
        .is_stalled = from->stalled,
        .max_in_flight = from->max_in_flight,
        .ack_wait_seconds = from->ack_wait_seconds,
        .last_sent = from->last_sent,
        .pending_count = pending_count(&from->pending),
        .oldest_pending_age = oldest_age(engine, from),
    };
    return copy(&to->client_id, &from->client_id) &&
           copy(&to->inbox, &from->inbox) &&
           copy(&to->durable_name, &from->durable_name) &&
           (from->group == NULL || copy(&to->queue_name, &from->group->name));
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left == right ? 0 : left < right ? -1 : 1;
}

/* The ids of all, ascending; NULL when out of memory. */
static uint64_t *sorted_ids(const struct channel *channel)
{
    size_t count = 0;
    uint64_t *ids =
        calloc(table_count(channel->subscriptions) + 1, sizeof *ids);
    if (ids == NULL)
        return NULL;
    for (struct slot *at = table_first(channel->subscriptions); at != NULL;
         at = table_next(at))
        ids[count++] = ((const struct subscription *)table_value(at))->id;
    qsort(ids, count, sizeof *ids, compare_ids);
    return ids;
}

/* Those with ids[0..count). */
static bool describe_all(const struct engine *engine,
                         const struct channel *channel, const uint64_t *ids,
                         size_t count, struct admin_answer *answer)
{
    answer->subscriptions = calloc(count + 1, sizeof *answer->subscriptions);
    if (answer->subscriptions == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        answer->subscription_count++;
        if (!describe(engine, subscription_find(channel, ids[i]),
                      &answer->subscriptions[i]))
            return false;
    }
    return true;
}

void admin_subscriptions(struct admin_work *work)
{
    const struct admin_request *request = work->request;
    struct admin_answer *answer = &work->request->answer;
    const struct channel *channel = admin_channel(work, false);
    if (channel == NULL)
        return;
    size_t total = table_count(channel->subscriptions);
    size_t offset = request->offset < total ? request->offset : total;
    size_t count = total - offset;
    if (count > request->limit)
        count = request->limit;
    uint64_t *ids = sorted_ids(channel);
    bool done = ids != NULL && describe_all(work->engine, channel, ids + offset,
                                            count, answer);
    free(ids);
    answer->total = total;
    if (done) {
        admin_done(work, "%zu of %zu subscriptions", count, total);
    } else {
        admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
    }
}

/* ---- deletion of one ---- */

/* Of a group and a client, too. */
static void removed(struct engine *engine, struct effect *effect,
                    const struct error *failure)
{
    (void)engine;
    struct admin_work *work = list_entry(effect, struct admin_work, effect);
    const struct admin_answer *answer = &work->request->answer;
    if (failure != NULL) {
        admin_not_stored(work, failure);
    } else if (work->request->verb == ADMIN_CLOSE_CLIENT) {
        admin_done(work,
                   "%" PRIu64 " subscriptions ended, %" PRIu64
                   " durables offline",
                   answer->ended, answer->offline);
    } else {
        admin_done(work,
                   "%" PRIu64 " subscriptions deleted, pending messages: "
                   "%" PRIu64 " forgotten, %" PRIu64 " to other members",
                   answer->ended, answer->dropped, answer->transferred);
    }
}

static const char removal_stands[] =
    "it has ended, and its removal is stored as soon as the store works again";

/* What is told of it, before it goes. False when out of memory. */
static bool note(struct admin_answer *answer,
                 const struct subscription *subscription)
{
    const struct queue_group *group = subscription->group;
    size_t pending = pending_count(&subscription->pending);
    bool alone = group != NULL && group->member_count <= 1;
    answer->was_offline = !subscription_is_live(subscription);
    answer->group_deleted = alone;
    answer->ended = 1;
    if (group != NULL && !alone) {
        answer->transferred = pending;
    } else {
        answer->dropped = pending;
    }
    return copy(&answer->client_id, &subscription->client_id) &&
           copy(&answer->durable_name, &subscription->durable_name) &&
           (group == NULL || copy(&answer->queue_name, &group->name));
}

void admin_delete_subscription(struct admin_work *work)
{
    struct engine *engine = work->engine;
    const struct channel *channel = admin_channel(work, true);
    if (channel == NULL)
        return;
    struct subscription *subscription = admin_subscription(work, channel);
    if (subscription == NULL)
        return;
    bool live = subscription_is_live(subscription);
    if (live && !work->request->force) {
        admin_refuse(work, STATUS_CONFLICT,
                     "the subscription is online: force ends it, and its "
                     "client is not told");
        return;
    }
    if (!note(&work->request->answer, subscription) ||
        !(live ? removal_end_subscription(engine, subscription, true)
               : removal_delete_offline(engine, subscription))) {
        admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    work->standing = removal_stands;
    admin_wait(work, removed);
}

/* ---- deletion of a queue group ---- */

void admin_delete_group(struct admin_work *work)
{
    struct admin_answer *answer = &work->request->answer;
    const struct channel *channel = admin_channel(work, true);
    if (channel == NULL)
        return;
    struct queue_group *group = admin_group(work, channel);
    if (group == NULL)
        return;
    if (group->member_count > 0 && !work->request->force) {
        admin_refuse(work, STATUS_CONFLICT,
                     "the queue group has %zu members online: force ends "
                     "them, and their clients are not told",
                     group->member_count);
        return;
    }
    answer->is_durable = group->is_durable;
    answer->last = group->last_sent;
    answer->ended = group->member_count + (group->shadow != NULL);
    if (!removal_delete_group(work->engine, group, &answer->dropped)) {
        admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    work->standing = removal_stands;
    admin_wait(work, removed);
}

/* ---- the end of a client ---- */

/* Whether closing its client leaves it (or its group, counted with the first
 * member) as an offline durable. */
static bool goes_offline(const struct subscription *subscription)
{
    const struct queue_group *group = subscription->group;
    if (!subscription->is_durable || group == NULL)
        return subscription->is_durable;
    for (const struct list *at = group->members.next; at != &group->members;
         at = at->next) {
        if (list_entry(at, struct subscription, of_channel)->client !=
            subscription->client)
            return false;
    }
    return group->members.next == &subscription->of_channel;
}

void admin_close_client(struct admin_work *work)
{
    struct bytes id = text_bytes(&work->request->client_id);
    struct admin_answer *answer = &work->request->answer;
    struct client *client = client_find(work->engine, id);
    if (client == NULL) {
        char shown[TEXT_QUOTED_MAX];
        admin_refuse(work, STATUS_NOT_FOUND, "client %s not found",
                     text_quote(id, shown));
        return;
    }
    for (const struct list *at = client->subscriptions.next;
         at != &client->subscriptions; at = at->next) {
        if (goes_offline(list_entry(at, struct subscription, of_client)))
            answer->offline++;
    }
    answer->ended = client->subscription_count - answer->offline;
    if (!removal_close_client(work->engine, client)) {
        admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    work->standing = "it is closed, which is stored as soon as the store "
                     "works again";
    admin_wait(work, removed);
}
