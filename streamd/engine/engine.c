#include "streamd/engine/engine.h"

#include "streamd/engine/acks.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/connect.h"
#include "streamd/engine/core.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/inquiry.h"
#include "streamd/engine/publish.h"
#include "streamd/engine/recovery.h"
#include "streamd/engine/removal.h"
#include "streamd/engine/start.h"
#include "streamd/engine/subscribe.h"
#include "streamd/engine/trace.h"

#include <stdlib.h>

enum { TIMERS = 2 }; /* failed_timer, and that of start_inquiry */

static void read_clocks(struct engine *engine)
{
    engine->now = clock_monotonic(engine->clock);
    engine->wall = clock_wall(engine->clock);
}

/* Every event ends with this: who is ready gets a turn, what changed goes to
 * the store. */
static void settle(struct engine *engine)
{
    if (engine->phase == ENGINE_SERVING)
        delivery_run(engine);
    commit_submit(engine);
}

static bool make_tables(struct engine *engine)
{
    engine->inquiries = table_new();
    engine->clients = table_new();
    engine->conn_ids = table_new();
    engine->channels = table_new();
    engine->channel_ids = table_new();
    engine->channel_folds = table_new();
    engine->damaged = table_new();
    engine->acks = table_new();
    engine->clients_by_id = ordered_new();
    engine->channels_by_name = ordered_new();
    return engine->inquiries != NULL && engine->clients != NULL &&
           engine->conn_ids != NULL && engine->channels != NULL &&
           engine->channel_ids != NULL && engine->channel_folds != NULL &&
           engine->damaged != NULL && engine->acks != NULL &&
           engine->clients_by_id != NULL && engine->channels_by_name != NULL;
}

enum status engine_new(const struct engine_config *config, struct engine **out,
                       struct error *err)
{
    *out = NULL;
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return fail(err, STATUS_NO_MEMORY, "engine: new");
    engine->config = *config;
    engine->log = config->log;
    engine->clock = config->clock;
    list_init(&engine->ready);
    list_init(&engine->failed);
    list_init(&engine->dirty);
    cache_init(&engine->cache, config->cache_size);
    read_clocks(engine);
    engine->start_time = engine->wall;
    enum status status = STATUS_OK;
    if (!make_tables(engine) || !timers_reserve(&engine->timers, TIMERS))
        status = fail(err, STATUS_NO_MEMORY, "engine: tables");
    if (status == STATUS_OK)
        status = commit_init(engine, err);
    if (status == STATUS_OK)
        status = start_default_subjects(engine, err);
    if (status != STATUS_OK) {
        engine_free(engine);
        return status;
    }
    *out = engine;
    return STATUS_OK;
}

static void free_tables(struct engine *engine)
{
    table_free(engine->inquiries);
    table_free(engine->clients);
    table_free(engine->conn_ids);
    table_free(engine->channels);
    table_free(engine->channel_ids);
    table_free(engine->channel_folds);
    table_free(engine->damaged);
    table_free(engine->acks);
    ordered_free(engine->clients_by_id);
    ordered_free(engine->channels_by_name);
}

static void free_subjects(struct engine *engine)
{
    struct text *const texts[] = {
        &engine->cluster_id, &engine->discovery,   &engine->publish,
        &engine->subscribe,  &engine->unsubscribe, &engine->close,
        &engine->sub_close,  &engine->pings,       &engine->acks_subs,
        &engine->node_id,    &engine->ack_prefix,  &engine->reply_prefix,
    };
    for (size_t i = 0; i < sizeof texts / sizeof(texts[0]); i++)
        text_release(texts[i]);
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    inquiry_cancel(&engine->start_inquiry);
    commit_abandon(engine);
    cache_clear(&engine->cache);
    while (engine->channels != NULL && table_count(engine->channels) > 0)
        channel_remove(engine, table_value(table_first(engine->channels)));
    while (engine->clients != NULL && table_count(engine->clients) > 0) {
        struct client *client = table_value(table_first(engine->clients));
        connect_rival_free(client->rival);
        client_remove(engine, client);
    }
    commit_release(engine);
    cache_release(&engine->cache);
    timers_release(&engine->timers);
    free_tables(engine);
    free_subjects(engine);
    blob_release(&engine->scratch);
    free(engine);
}

enum status engine_recover(struct engine *engine, struct error *err)
{
    read_clocks(engine);
    return recovery_run(engine, err);
}

void engine_start(struct engine *engine)
{
    read_clocks(engine);
    start_begin(engine);
    settle(engine);
}

bool engine_stop(struct engine *engine)
{
    read_clocks(engine);
    engine->phase = ENGINE_STOPPING;
    commit_submit(engine);
    bool stuck = timer_is_set(&engine->retry_timer); /* the store fails */
    return engine->flying == NULL && engine->reads == 0 &&
           (stuck || commit_is_idle(engine));
}

/* ---- events ---- */

static void dispatch(struct engine *engine,
                     const struct inbound_message *message)
{
    switch (message->kind) {
    case INBOUND_PUBLISH:
        publish_message(engine, message);
        commit_submit_early(engine);
        break;
    case INBOUND_ACK:
        acks_message(engine, message);
        break;
    case INBOUND_CONNECT:
        connect_message(engine, message);
        break;
    case INBOUND_PING:
        connect_ping(engine, message);
        break;
    case INBOUND_SUBSCRIBE:
        subscribe_message(engine, message);
        break;
    case INBOUND_UNSUBSCRIBE:
        removal_unsubscribe(engine, message);
        break;
    case INBOUND_SUB_CLOSE:
        removal_sub_close(engine, message);
        break;
    case INBOUND_CLOSE:
        removal_close(engine, message);
        break;
    case INBOUND_ADMIN:
        if (engine->config.admin != NULL)
            engine->config.admin(engine->config.context, message);
        break;
    case INBOUND_REPLY:
    case INBOUND_KINDS:
        break;
    }
}

void engine_message(struct engine *engine,
                    const struct inbound_message *message)
{
    if (!engine->in_burst) {
        engine->in_burst = true;
        read_clocks(engine);
    }
    if (message->kind == INBOUND_REPLY) {
        inquiry_answer(engine, message);
    } else if (engine->phase == ENGINE_SERVING) {
        if (trace_enabled(engine))
            trace_message(engine, message);
        dispatch(engine, message);
    }
}

void engine_burst_end(struct engine *engine)
{
    if (!engine->in_burst)
        read_clocks(engine);
    engine->in_burst = false;
    settle(engine);
}

void engine_event(struct engine *engine, struct event *event)
{
    read_clocks(engine);
    event->run(engine, event);
    settle(engine);
}

void engine_timers(struct engine *engine)
{
    read_clocks(engine);
    if (engine->phase != ENGINE_STOPPING)
        timers_run(&engine->timers, engine->now);
    settle(engine);
}

void engine_drained(struct engine *engine)
{
    read_clocks(engine);
    settle(engine);
}

void engine_disconnected(struct engine *engine)
{
    engine->counters.connection_losses++;
}

unsigned engine_health(const struct engine *engine)
{
    const struct transport *transport = &engine->config.transport;
    unsigned health = 0;
    if (transport->is_up(transport->context))
        health |= VIEW_CONNECTED;
    if (engine->phase == ENGINE_SERVING)
        health |= VIEW_SERVING;
    if (!timer_is_set(&engine->retry_timer))
        health |= VIEW_WRITABLE;
    return health;
}

void engine_reconnected(struct engine *engine)
{
    read_clocks(engine);
    engine->connected++;
    for (struct slot *at = table_first(engine->channels); at != NULL;
         at = table_next(at))
        delivery_channel_grew(engine, table_value(at));
    settle(engine);
}

bool engine_next_timer(const struct engine *engine, int64_t *due)
{
    const struct transport *transport = &engine->config.transport;
    if (engine->phase == ENGINE_SERVING && !list_empty(&engine->ready) &&
        !transport->congested(transport->context)) {
        *due = engine->now;
        return true;
    }
    return engine->phase != ENGINE_STOPPING &&
           timers_next(&engine->timers, due);
}
