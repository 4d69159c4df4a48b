#include "streamd/engine/recovery.h"

#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/expiry.h"
#include "streamd/engine/heartbeat.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/redelivery.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- server, clients, channels ---- */

static enum status on_server(void *context, struct bytes input,
                             struct error *err)
{
    struct engine *engine = context;
    struct server_record record;
    if (!server_record_decode(input, &record))
        return fail(err, STATUS_CORRUPT, "server record is damaged");
    struct bytes cluster = bytes_text(engine->config.cluster_id);
    if (!bytes_equal(record.cluster_id, cluster)) {
        char given[TEXT_QUOTED_MAX];
        char stored[TEXT_QUOTED_MAX];
        return fail(err, STATUS_INVALID,
                    "cluster ID %s does not match recovered value of %s",
                    text_quote(cluster, given),
                    text_quote(record.cluster_id, stored));
    }
    engine->server_recovered =
        record.sub_close.size > 0 && record.ack_prefix.size > 0;
    if (!text_set(&engine->discovery, record.discovery) ||
        !text_set(&engine->publish, record.publish) ||
        !text_set(&engine->subscribe, record.subscribe) ||
        !text_set(&engine->unsubscribe, record.unsubscribe) ||
        !text_set(&engine->close, record.close) ||
        !text_set(&engine->acks_subs, record.acks_subs) ||
        !text_set(&engine->node_id, record.node_id) ||
        (record.sub_close.size > 0 &&
         !text_set(&engine->sub_close, record.sub_close)) ||
        (record.ack_prefix.size > 0 &&
         !text_set(&engine->ack_prefix, record.ack_prefix)))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

static enum status on_client(void *context, struct bytes id, struct bytes input,
                             struct error *err)
{
    struct engine *engine = context;
    struct client_record record;
    struct client *client = NULL;
    if (!client_record_decode(input, &record) || !bytes_equal(record.id, id) ||
        client_find(engine, id) != NULL)
        return fail(err, STATUS_CORRUPT, "client record is damaged");
    return client_add(engine, &record, &client, err);
}

static void note_progress(const struct engine *engine,
                          const struct channel_state *state)
{
    struct view_recovery *recovery = engine->config.recovery;
    if (recovery == NULL)
        return;
    (void)__atomic_add_fetch(&recovery->channels, 1, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&recovery->messages, state->messages,
                             __ATOMIC_RELAXED);
}

static bool is_stopping(const struct engine *engine)
{
    const bool *stopping = engine->config.stopping;
    return stopping != NULL && __atomic_load_n(stopping, __ATOMIC_ACQUIRE);
}

static enum status on_channel(void *context, const struct channel_state *state,
                              struct bytes name, struct error *err)
{
    struct engine *engine = context;
    if (is_stopping(engine))
        return fail(err, STATUS_CLOSED, "the server is stopping");
    if (channel_find_id(engine, state->channel) != NULL ||
        channel_find(engine, name) != NULL)
        return fail(err, STATUS_CORRUPT, "channel record is damaged");
    note_progress(engine, state);
    return channel_restore(engine, name, state, err);
}

static enum status on_damaged(void *context, uint64_t id, struct bytes name,
                              struct error *err)
{
    return channel_block(context, name, id, err);
}

/* ---- subscriptions ---- */

struct pending_run {
    struct subscription *subscription;
    bool failed;
};

static void on_pending(void *context, uint64_t first, uint64_t count)
{
    struct pending_run *run = context;
    struct pending *pending = &run->subscription->pending;
    int64_t now = run->subscription->channel->engine->now;
    for (uint64_t i = 0; i < count && !run->failed; i++) {
        run->failed =
            pending_add(pending, first + i, now, 0, 0, NULL) != STATUS_OK;
    }
}

static enum status take_progress(struct subscription *subscription,
                                 struct bytes progress, struct error *err)
{
    struct pending_run run = {.subscription = subscription};
    uint64_t most = subscription->channel->last; /* what there was to send */
    uint64_t last_sent = 0;
    if (progress.size == 0)
        return STATUS_OK;
    if (!progress_decode(progress, most, &last_sent, on_pending, &run)) {
        return fail(err, STATUS_CORRUPT,
                    "progress of subscription %" PRIu64 " is damaged",
                    subscription->id);
    }
    if (run.failed)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (subscription->last_sent < last_sent)
        subscription->last_sent = last_sent;
    return STATUS_OK;
}

/* "<durable>:<group>" of a durable group in its two parts. */
static void split_group(const struct subscription_record *record,
                        struct bytes *durable, struct bytes *name)
{
    *durable = bytes_of(NULL, 0);
    *name = record->group;
    const uint8_t *colon =
        record->is_durable ? memchr(record->group.data, ':', record->group.size)
                           : NULL;
    if (colon == NULL)
        return;
    size_t size = (size_t)(colon - record->group.data);
    *durable = bytes_of(record->group.data, size);
    *name = bytes_of(colon + 1, record->group.size - size - 1);
}

static enum status begin_recovered(struct subscription *subscription,
                                   struct client *client, struct error *err)
{
    enum status status = subscription_begin(subscription, client, err);
    if (status != STATUS_OK)
        return status;
    subscription_activate(subscription);
    subscription->hold = pending_count(&subscription->pending) > 0;
    if (subscription->group != NULL) {
        queue_group_join(subscription->group, subscription);
        queue_group_update_hold(subscription->group);
    }
    subscription_set_stalled(subscription,
                             pending_count(&subscription->pending) >=
                                 (size_t)subscription->max_in_flight);
    return STATUS_OK;
}

static bool unstore(struct engine *engine, struct subscription *subscription)
{
    bool done = subscription_unstore(engine, subscription);
    subscription_free(subscription);
    return done;
}

static enum status make_shadow(struct engine *engine, struct queue_group *group,
                               struct subscription *subscription,
                               struct error *err)
{
    struct subscription *other = group->shadow;
    group->shadow = subscription;
    if (other == NULL)
        return STATUS_OK;
    log_warn(engine->log,
             "Duplicate shadow durable queue consumer (subid=%" PRIu64
             ") for group \"%s\"",
             subscription->id, group->name.data);
    if (other->last_sent > subscription->last_sent) {
        group->shadow = other;
        other = subscription;
    }
    return unstore(engine, other)
               ? STATUS_OK
               : fail(err, STATUS_NO_MEMORY, "out of memory");
}

/* Whether the client of a group member's record is unknown: a leftover of a
 * crash between two records, or of another server. */
static enum status drop_ghost(struct engine *engine,
                              struct subscription *subscription,
                              struct error *err)
{
    if (subscription->is_durable) {
        log_warn(engine->log,
                 "Not recovering ghost durable queue subscriber: [%s]:[%" PRIu64
                 "] subject=%s inbox=%s",
                 text_string(&subscription->client_id), subscription->id,
                 subscription->channel->name.data,
                 text_string(&subscription->inbox));
    }
    return unstore(engine, subscription)
               ? STATUS_OK
               : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status recover_member(struct engine *engine,
                                  const struct subscription_record *record,
                                  struct subscription *subscription,
                                  struct error *err)
{
    struct bytes durable;
    struct bytes name;
    struct client *client = client_find(engine, record->client_id);
    bool shadow = record->is_durable && record->client_id.size == 0;
    if (client == NULL && !shadow)
        return drop_ghost(engine, subscription, err);
    split_group(record, &durable, &name);
    struct queue_group *group = NULL;
    enum status status =
        queue_group_find(subscription->channel, durable, name, &group, err);
    if (status == STATUS_OK && group == NULL) {
        status =
            queue_group_new(subscription->channel, durable, name, &group, err);
    }
    if (status != STATUS_OK)
        return status;
    subscription->group = group;
    group->is_stored = true;
    if (group->last_sent < subscription->last_sent)
        group->last_sent = subscription->last_sent;
    if (!shadow)
        return begin_recovered(subscription, client, err);
    if (!text_set(&subscription->client_id, record->saved_client_id))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return make_shadow(engine, group, subscription, err);
}

static enum status recover_plain(struct engine *engine,
                                 const struct subscription_record *record,
                                 struct subscription *subscription,
                                 struct error *err)
{
    struct client *client = client_find(engine, record->client_id);
    bool durable = record->durable_name.size > 0;
    if (durable && (record->is_closed || client == NULL))
        return STATUS_OK; /* it stays offline */
    if (client == NULL)
        return drop_ghost(engine, subscription, err);
    return begin_recovered(subscription, client, err);
}

static enum status on_subscription(void *context, uint64_t channel_id,
                                   uint64_t id, struct bytes input,
                                   struct bytes progress, struct error *err)
{
    struct engine *engine = context;
    struct channel *channel = channel_find_id(engine, channel_id);
    struct subscription_record record;
    struct subscription *subscription = NULL;
    if (channel == NULL || !subscription_record_decode(input, &record) ||
        record.id != id || subscription_find(channel, id) != NULL)
        return fail(err, STATUS_CORRUPT, "subscription record is damaged");
    if (record.durable_name.size > 0)
        record.is_durable = true; /* old records may lack it */
    enum status status = subscription_new(channel, &record, &subscription, err);
    if (status == STATUS_OK)
        status = take_progress(subscription, progress, err);
    if (status != STATUS_OK)
        return status;
    if (record.group.size > 0)
        return recover_member(engine, &record, subscription, err);
    return recover_plain(engine, &record, subscription, err);
}

enum status recovery_run(struct engine *engine, struct error *err)
{
    const struct store_visitor visitor = {.context = engine,
                                          .server = on_server,
                                          .client = on_client,
                                          .channel = on_channel,
                                          .damaged = on_damaged,
                                          .subscription = on_subscription};
    log_info(engine->log, "Recovering the state...");
    enum status status = store_recover(engine->config.store, &visitor, err);
    if (status != STATUS_OK)
        return status;
    size_t channels = table_count(engine->channels);
    if (!engine->server_recovered && channels > 0) {
        log_warn(engine->log,
                 "Server information was not recovered, however channels are "
                 "present. Will initialize server and restart recovery!");
    }
    if (!engine->server_recovered && channels == 0) {
        log_info(engine->log, "No recovered state");
    } else {
        log_info(engine->log, "Recovered %zu channel(s)", channels);
    }
    return STATUS_OK;
}

static void resume_channel(struct engine *engine, struct channel *channel)
{
    for (struct slot *at = table_first(channel->subscriptions); at != NULL;
         at = table_next(at)) {
        struct subscription *subscription = table_value(at);
        if (!subscription_is_live(subscription))
            continue;
        if (subscription->hold)
            redelivery_start(engine, subscription, REDELIVERY_STARTUP);
        delivery_ready_for(engine, subscription);
    }
    expiry_idle_begin(channel);
}

void recovery_resume(struct engine *engine)
{
    for (struct slot *at = table_first(engine->clients); at != NULL;
         at = table_next(at))
        heartbeat_begin(engine, table_value(at));
    for (struct slot *at = table_first(engine->channels); at != NULL;
         at = table_next(at))
        resume_channel(engine, table_value(at));
}
