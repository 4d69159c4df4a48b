#include "streamd/engine/subscription.h"

#include "natsclient/subjects.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/redelivery.h"

#include <assert.h>
#include <stdlib.h>

enum { TIMERS = 1 }; /* ack_timer */

/* Length in front: no client id and durable name can run into each other. */
static bool durable_key(struct bytes client_id, struct bytes durable_name,
                        struct blob *out)
{
    uint64_t size = client_id.size;
    return blob_append(out, &size, sizeof size) &&
           blob_append(out, client_id.data, client_id.size) &&
           blob_append(out, durable_name.data, durable_name.size);
}

enum status subscription_find_durable(const struct channel *channel,
                                      struct bytes client_id,
                                      struct bytes durable_name,
                                      struct subscription **out,
                                      struct error *err)
{
    struct blob key = {0};
    bool done = durable_key(client_id, durable_name, &key);
    *out = done ? table_get(channel->durables, key.data, key.size) : NULL;
    blob_release(&key);
    return done ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static bool is_plain_durable(const struct subscription *subscription)
{
    return subscription->durable_name.size > 0;
}

/* A second one of the same key in a damaged store leaves the first in the
 * table. */
static bool index_durable(struct subscription *subscription)
{
    struct blob key = {0};
    struct table *durables = subscription->channel->durables;
    bool done = durable_key(text_bytes(&subscription->client_id),
                            text_bytes(&subscription->durable_name), &key) &&
                text_set(&subscription->durable_key, blob_bytes(&key)) &&
                (table_get(durables, key.data, key.size) != NULL ||
                 table_put(durables, key.data, key.size, subscription));
    blob_release(&key);
    return done;
}

static void release(struct subscription *subscription)
{
    timers_unreserve(&subscription->channel->engine->timers, TIMERS);
    text_release(&subscription->durable_key);
    text_release(&subscription->client_id);
    text_release(&subscription->inbox);
    text_release(&subscription->ack_inbox);
    text_release(&subscription->durable_name);
    pending_release(&subscription->pending);
    free(subscription->redelivery.due);
    free(subscription);
}

enum status subscription_set_options(struct subscription *subscription,
                                     const struct subscription_record *record,
                                     struct error *err)
{
    struct text inbox = {0};
    struct text ack_inbox = {0};
    if (!text_set(&inbox, record->inbox) ||
        !text_set(&ack_inbox, record->ack_inbox)) {
        text_release(&inbox);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    text_release(&subscription->inbox);
    text_release(&subscription->ack_inbox);
    subscription->inbox = inbox;
    subscription->ack_inbox = ack_inbox;
    subscription->inbox_usable = record->inbox.size <= SUBJECTS_MAX &&
                                 subject_is_publishable(record->inbox);
    subscription->max_in_flight = record->max_in_flight;
    subscription->ack_wait_seconds = record->ack_wait_seconds;
    subscription->ack_wait = record->ack_wait_seconds * CLOCK_SECOND;
    return STATUS_OK;
}

enum status subscription_new(struct channel *channel,
                             const struct subscription_record *record,
                             struct subscription **out, struct error *err)
{
    *out = NULL;
    struct subscription *subscription = calloc(1, sizeof *subscription);
    if (subscription == NULL ||
        !timers_reserve(&channel->engine->timers, TIMERS)) {
        free(subscription);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    subscription->id = record->id;
    subscription->channel = channel;
    subscription->state = SUBSCRIPTION_OFFLINE;
    subscription->last_sent = record->last_sent;
    subscription->is_durable = record->is_durable;
    list_init(&subscription->of_channel);
    list_init(&subscription->of_client);
    list_init(&subscription->dirty);
    delivery_init(&subscription->consumer, subscription, NULL);
    redelivery_init(subscription);
    if (subscription_set_options(subscription, record, err) != STATUS_OK ||
        !text_set(&subscription->client_id, record->client_id) ||
        !text_set(&subscription->durable_name, record->durable_name) ||
        !table_put(channel->subscriptions, &subscription->id,
                   sizeof subscription->id, subscription)) {
        release(subscription);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    channel->engine->subscriptions_total++;
    if (is_plain_durable(subscription) && !index_durable(subscription)) {
        subscription_free(subscription);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (channel->last_subscription < subscription->id)
        channel->last_subscription = subscription->id;
    *out = subscription;
    return STATUS_OK;
}

/* ---- states ---- */

/* Ours are all below one prefix, which is subscribed as a whole; those of
 * stores from elsewhere may have any form. */
static bool ack_inbox_is_ours(const struct engine *engine,
                              const struct subscription *subscription)
{
    const struct text *prefix = &engine->ack_prefix;
    return subscription->ack_inbox.size > prefix->size &&
           memcmp(subscription->ack_inbox.data, prefix->data, prefix->size) ==
               0;
}

enum status subscription_begin(struct subscription *subscription,
                               struct client *client, struct error *err)
{
    struct channel *channel = subscription->channel;
    struct engine *engine = channel->engine;
    const struct transport *transport = &engine->config.transport;
    const struct text *ack_inbox = &subscription->ack_inbox;
    assert(subscription->state == SUBSCRIPTION_OFFLINE);
    if (!table_put(engine->acks, ack_inbox->data, ack_inbox->size,
                   subscription))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (!ack_inbox_is_ours(engine, subscription)) {
        enum status status = transport->subscribe(
            transport->context, INBOUND_ACK, ack_inbox->data, err);
        if (status != STATUS_OK) {
            (void)table_remove(engine->acks, ack_inbox->data, ack_inbox->size);
            return status;
        }
    }
    subscription->state = SUBSCRIPTION_STARTING;
    subscription->client = client;
    subscription->heartbeat_failed = false;
    list_append(&client->subscriptions, &subscription->of_client);
    client->subscription_count++;
    channel->active++;
    if (subscription->group == NULL)
        list_append(&channel->plain, &subscription->of_channel);
    return STATUS_OK;
}

void subscription_activate(struct subscription *subscription)
{
    assert(subscription->state == SUBSCRIPTION_STARTING);
    subscription->state = SUBSCRIPTION_ACTIVE;
}

void subscription_end(struct subscription *subscription)
{
    struct channel *channel = subscription->channel;
    struct engine *engine = channel->engine;
    const struct transport *transport = &engine->config.transport;
    const struct text *ack_inbox = &subscription->ack_inbox;
    assert(subscription_is_live(subscription));
    if (engine->recent_ack == subscription)
        engine->recent_ack = NULL;
    (void)table_remove(engine->acks, ack_inbox->data, ack_inbox->size);
    if (!ack_inbox_is_ours(engine, subscription)) {
        transport->unsubscribe(transport->context, INBOUND_ACK,
                               ack_inbox->data);
    }
    delivery_forget(&subscription->consumer);
    redelivery_stop(engine, subscription);
    timer_clear(&engine->timers, &subscription->ack_timer);
    list_remove(&subscription->of_client);
    subscription->client->subscription_count--;
    subscription->client = NULL;
    channel->active--;
    if (subscription->group == NULL)
        list_remove(&subscription->of_channel);
    subscription->state = SUBSCRIPTION_OFFLINE;
}

void subscription_free(struct subscription *subscription)
{
    assert(!subscription_is_live(subscription));
    struct table *durables = subscription->channel->durables;
    const struct text *key = &subscription->durable_key;
    list_remove(&subscription->dirty);
    if (table_get(durables, key->data, key->size) == subscription)
        (void)table_remove(durables, key->data, key->size);
    (void)table_remove(subscription->channel->subscriptions, &subscription->id,
                       sizeof subscription->id);
    subscription->channel->engine->subscriptions_total--;
    release(subscription);
}

void subscription_free_all(struct channel *channel)
{
    struct slot *at = table_first(channel->subscriptions);
    while (at != NULL) {
        struct subscription *subscription = table_value(at);
        at = table_next(at);
        struct queue_group *group = subscription->group;
        if (subscription_is_live(subscription) && group != NULL)
            queue_group_leave(subscription);
        if (subscription_is_live(subscription))
            subscription_end(subscription);
        subscription_free(subscription);
    }
    at = table_first(channel->groups);
    while (at != NULL) {
        struct queue_group *group = table_value(at);
        at = table_next(at);
        queue_group_free(group);
    }
}

/* ---- finding ---- */

struct subscription *subscription_find(const struct channel *channel,
                                       uint64_t id)
{
    return table_get(channel->subscriptions, &id, sizeof id);
}

struct subscription *subscription_find_inbox(const struct channel *channel,
                                             struct bytes inbox)
{
    struct subscription *found =
        inbox.size == 0
            ? NULL
            : table_get(channel->engine->acks, inbox.data, inbox.size);
    if (found != NULL && found->channel == channel)
        return found;
    for (struct slot *at = table_first(channel->subscriptions); at != NULL;
         at = table_next(at)) {
        struct subscription *subscription = table_value(at);
        if (subscription_is_live(subscription) &&
            bytes_equal(text_bytes(&subscription->inbox), inbox))
            return subscription;
    }
    return NULL;
}

struct subscription *subscription_find_ack(struct engine *engine,
                                           const char *ack_inbox)
{
    struct subscription *recent = engine->recent_ack;
    if (recent == NULL || strcmp(recent->ack_inbox.data, ack_inbox) != 0) {
        recent = table_get(engine->acks, ack_inbox, strlen(ack_inbox));
        engine->recent_ack = recent;
    }
    return recent;
}

/* ---- what is stored ---- */

static const struct move *move_of(const struct subscription *subscription)
{
    const struct queue_group *group = subscription->group;
    return group != NULL ? &group->move : &subscription->move;
}

struct subscription_record
subscription_record(const struct subscription *subscription)
{
    const struct queue_group *group = subscription->group;
    const struct move *move = move_of(subscription);
    bool live = subscription_is_live(subscription);
    struct subscription_record record = {
        .id = subscription->id,
        .inbox = text_bytes(&subscription->inbox),
        .ack_inbox = text_bytes(&subscription->ack_inbox),
        .durable_name = text_bytes(&subscription->durable_name),
        .max_in_flight = subscription->max_in_flight,
        .ack_wait_seconds = subscription->ack_wait_seconds,
        .last_sent =
            move->under_way ? move->last_sent : subscription->last_sent,
        .is_durable = subscription->is_durable,
    };
    if (group != NULL)
        record.group = text_bytes(&group->name);
    if (group != NULL && !live) { /* the shadow of its group */
        record.saved_client_id = text_bytes(&subscription->client_id);
    } else {
        record.client_id = text_bytes(&subscription->client_id);
        record.is_closed = !live;
    }
    return record;
}

bool subscription_reserve(struct engine *engine,
                          const struct subscription *subscription)
{
    enum { NUMBERS = 128 }; /* and the heads of all fields */
    const struct queue_group *group = subscription->group;
    size_t bytes = subscription->client_id.size + subscription->inbox.size +
                   subscription->ack_inbox.size +
                   subscription->durable_name.size +
                   (group == NULL ? 0 : group->name.size) + NUMBERS;
    engine->scratch.size = 0;
    return blob_reserve(&engine->scratch, bytes) &&
           batch_reserve(commit_batch(engine), 1, bytes);
}

bool subscription_store(struct engine *engine,
                        struct subscription *subscription)
{
    struct subscription_record record = subscription_record(subscription);
    if (subscription->channel->state == CHANNEL_DELETING)
        return true; /* the channel may be gone from the store before it comes;
                        if it stays, admin_channel.c stores them all */
    engine->scratch.size = 0;
    if (!subscription_record_encode(&record, &engine->scratch))
        return false;
    subscription_set_dirty(engine, subscription);
    return batch_subscription_put(commit_batch(engine),
                                  subscription->channel->id, subscription->id,
                                  blob_bytes(&engine->scratch));
}

bool subscription_unstore(struct engine *engine,
                          const struct subscription *subscription)
{
    return batch_subscription_delete(
        commit_batch(engine), subscription->channel->id, subscription->id);
}

void subscription_set_dirty(struct engine *engine,
                            struct subscription *subscription)
{
    if (!list_linked(&subscription->dirty))
        list_append(&engine->dirty, &subscription->dirty);
}

static bool store_progress(struct engine *engine, struct batch *batch,
                           const struct subscription *subscription)
{
    struct progress_writer writer;
    engine->scratch.size = 0;
    progress_begin(&writer, &engine->scratch);
    const struct pending *pending = &subscription->pending;
    const struct move *move = move_of(subscription);
    for (size_t i = 0; i < pending->span && !move->under_way; i++) {
        const struct pending_entry *entry =
            &pending->entries[pending->head + i];
        if (entry->live)
            progress_pending(&writer, entry->sequence);
    }
    return progress_end(&writer, move->under_way ? move->last_sent
                                                 : subscription->last_sent) &&
           batch_progress(batch, subscription->channel->id, subscription->id,
                          blob_bytes(&engine->scratch));
}

bool subscription_store_progress(struct engine *engine, struct batch *batch)
{
    size_t count = batch->count;
    for (struct list *at = engine->dirty.next; at != &engine->dirty;
         at = at->next) {
        if (!store_progress(engine, batch,
                            list_entry(at, struct subscription, dirty))) {
            batch_cut(batch, count);
            return false;
        }
    }
    while (!list_empty(&engine->dirty))
        (void)list_pop(&engine->dirty);
    return true;
}

/* ---- small changes ---- */

void subscription_set_stalled(struct subscription *subscription, bool stalled)
{
    if (subscription->stalled == stalled)
        return;
    subscription->stalled = stalled;
    struct queue_group *group = subscription->group;
    if (group == NULL || !subscription_is_live(subscription))
        return;
    if (stalled) {
        group->stalled_count++;
    } else {
        group->stalled_count--;
    }
}

bool subscription_ack(struct engine *engine, struct subscription *subscription,
                      uint64_t sequence)
{
    if (!pending_ack(&subscription->pending, sequence))
        return false;
    subscription_set_dirty(engine, subscription);
    return true;
}
