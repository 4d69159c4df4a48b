/* view_build.c - engine_view(): the engine's state copied into plain structs
 * (view.h). Engine thread. */
#include "streamd/engine/client.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/core.h"
#include "streamd/engine/subscription.h"

#include <stdlib.h>

/* ---- one subscription ---- */

static enum status copy_text(struct view_string *to, const struct text *from)
{
    return view_string_set(to, text_bytes(from));
}

/* How long ago the pending message with the lowest sequence was sent first:
 * each sending moved its expiration on by the ack wait. */
static int64_t oldest_pending(const struct subscription *subscription,
                              int64_t now)
{
    const struct pending_entry *entry =
        pending_after(&subscription->pending, 0);
    if (entry == NULL || entry->expiration == 0)
        return 0;
    int64_t waits = 0;
    if (__builtin_mul_overflow(subscription->ack_wait,
                               (int64_t)entry->redelivery + 1, &waits) ||
        __builtin_add_overflow(waits, now, &waits))
        return 0;
    return waits > entry->expiration ? waits - entry->expiration : 0;
}

static enum status copy_subscription(struct view_subscription *to,
                                     const struct subscription *from)
{
    const struct queue_group *group = from->group;
    enum status status = copy_text(&to->client_id, &from->client_id);
    if (status == STATUS_OK)
        status = copy_text(&to->channel, &from->channel->name);
    if (status == STATUS_OK)
        status = copy_text(&to->inbox, &from->inbox);
    if (status == STATUS_OK)
        status = copy_text(&to->ack_inbox, &from->ack_inbox);
    if (status == STATUS_OK)
        status = copy_text(&to->durable_name, &from->durable_name);
    if (status == STATUS_OK && group != NULL)
        status = copy_text(&to->queue_name, &group->name);
    to->is_durable = from->is_durable;
    to->is_offline = !subscription_is_live(from);
    to->is_stalled = from->stalled;
    to->max_in_flight = from->max_in_flight;
    to->ack_wait_seconds = from->ack_wait_seconds;
    to->last_sent = from->last_sent;
    to->pending_count = pending_count(&from->pending);
    to->oldest_pending = oldest_pending(from, from->channel->engine->now);
    to->redeliveries = from->redeliveries;
    return status;
}

/* ---- the subscriptions of a channel, in order (monitoring.md 8.2) ---- */

static int compare_text(const struct text *a, const struct text *b)
{
    size_t size = a->size < b->size ? a->size : b->size;
    int order = size == 0 ? 0 : memcmp(a->data, b->data, size);
    if (order == 0 && a->size != b->size)
        order = a->size < b->size ? -1 : 1;
    return order;
}

/* Live plain ones, offline durables, groups. */
static int rank(const struct subscription *subscription)
{
    if (subscription->group != NULL)
        return 2;
    return subscription_is_live(subscription) ? 0 : 1;
}

static int compare_subscriptions(const void *a, const void *b)
{
    const struct subscription *left = *(struct subscription *const *)a;
    const struct subscription *right = *(struct subscription *const *)b;
    int order = rank(left) - rank(right);
    if (order == 0 && left->group != NULL)
        order = compare_text(&left->group->name, &right->group->name);
    if (order == 0 && left->id != right->id)
        order = left->id < right->id ? -1 : 1;
    return order;
}

static enum status copy_channel_subscriptions(struct view_channel *to,
                                              const struct channel *from)
{
    size_t count = table_count(from->subscriptions);
    if (count == 0)
        return STATUS_OK;
    void **sorted = calloc(count, sizeof(void *));
    to->subscriptions = calloc(count, sizeof *to->subscriptions);
    enum status status = sorted == NULL || to->subscriptions == NULL
                             ? STATUS_NO_MEMORY
                             : STATUS_OK;
    size_t found = 0;
    for (struct slot *at = table_first(from->subscriptions);
         status == STATUS_OK && at != NULL; at = table_next(at))
        sorted[found++] = table_value(at);
    if (status == STATUS_OK)
        qsort(sorted, count, sizeof(void *), compare_subscriptions);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = copy_subscription(&to->subscriptions[to->subscriptions_size++],
                                   sorted[i]);
    }
    free(sorted);
    return status;
}

static enum status copy_channel(struct view_channel *to,
                                const struct channel *from, bool details)
{
    to->messages = from->messages;
    to->bytes = from->bytes;
    to->first = from->first;
    to->last = from->durable;
    to->subscription_count = table_count(from->subscriptions);
    enum status status = copy_text(&to->name, &from->name);
    if (status == STATUS_OK && details)
        status = copy_channel_subscriptions(to, from);
    return status;
}

/* ---- one client ---- */

static enum status copy_client(struct view_client *to,
                               const struct client *from, bool details)
{
    to->subscription_count = from->subscription_count;
    enum status status = copy_text(&to->id, &from->id);
    if (status == STATUS_OK)
        status = copy_text(&to->heartbeat_inbox, &from->heartbeat_inbox);
    if (status != STATUS_OK || !details || from->subscription_count == 0)
        return status;
    to->subscriptions =
        calloc(from->subscription_count, sizeof *to->subscriptions);
    if (to->subscriptions == NULL)
        return STATUS_NO_MEMORY;
    for (const struct list *at = from->subscriptions.next;
         status == STATUS_OK && at != &from->subscriptions; at = at->next) {
        status =
            copy_subscription(&to->subscriptions[to->subscriptions_size++],
                              list_entry(at, struct subscription, of_client));
    }
    return status;
}

/* ---- lists ---- */

/* How many entries of ordered the slice may have, and where it begins. */
static size_t slice_begin(const struct ordered *ordered,
                          const struct view_query *query,
                          struct ordered_place *place)
{
    *place = query->behind != NULL
                 ? ordered_behind(ordered, bytes_of(query->behind->text,
                                                    query->behind->size))
                 : ordered_at(ordered, query->offset);
    size_t most = ordered_count(ordered);
    most = most < query->limit ? most : query->limit;
    return most < VIEW_SLICE_ENTRIES ? most : VIEW_SLICE_ENTRIES;
}

/* Ends a slice that has so many entries and subscriptions; more tells if there
 * are entries behind it. */
static bool slice_ends(const struct ordered *ordered,
                       const struct ordered_place *place,
                       const struct view_query *query, size_t entries,
                       size_t subscriptions, bool *more)
{
    if (entries < query->limit && entries < VIEW_SLICE_ENTRIES &&
        subscriptions < VIEW_SLICE_SUBSCRIPTIONS)
        return false;
    struct ordered_place next = *place;
    *more = entries < query->limit && ordered_next(ordered, &next) != NULL;
    return true;
}

static enum status list_clients(const struct engine *engine,
                                const struct view_query *query,
                                struct view *view)
{
    const struct ordered *ordered = engine->clients_by_id;
    struct ordered_place place;
    size_t room = slice_begin(ordered, query, &place);
    if (room == 0)
        return STATUS_OK;
    view->clients = calloc(room, sizeof *view->clients);
    if (view->clients == NULL)
        return STATUS_NO_MEMORY;
    size_t subscriptions = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK &&
           !slice_ends(ordered, &place, query, view->clients_size,
                       subscriptions, &view->more)) {
        const struct client *client = ordered_next(ordered, &place);
        if (client == NULL)
            break;
        struct view_client *to = &view->clients[view->clients_size++];
        status = copy_client(to, client, query->subscriptions);
        subscriptions += to->subscriptions_size;
    }
    return status;
}

static enum status list_channels(const struct engine *engine,
                                 const struct view_query *query,
                                 struct view *view)
{
    const struct ordered *ordered = engine->channels_by_name;
    struct ordered_place place;
    size_t room = slice_begin(ordered, query, &place);
    if (room == 0)
        return STATUS_OK;
    view->channels = calloc(room, sizeof *view->channels);
    if (view->channels == NULL)
        return STATUS_NO_MEMORY;
    size_t subscriptions = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK &&
           !slice_ends(ordered, &place, query, view->channels_size,
                       subscriptions, &view->more)) {
        const struct channel *channel = ordered_next(ordered, &place);
        if (channel == NULL)
            break;
        struct view_channel *to = &view->channels[view->channels_size++];
        status = copy_channel(to, channel, query->subscriptions);
        subscriptions += to->subscriptions_size;
    }
    return status;
}

/* ---- one by name ---- */

static enum status one_client(const struct engine *engine,
                              const struct view_query *query, struct view *view)
{
    const struct client *client = client_find(engine, bytes_text(query->name));
    if (client == NULL)
        return STATUS_NOT_FOUND;
    view->clients = calloc(1, sizeof *view->clients);
    if (view->clients == NULL)
        return STATUS_NO_MEMORY;
    view->clients_size = 1;
    return copy_client(view->clients, client, query->subscriptions);
}

static enum status one_channel(const struct engine *engine,
                               const struct view_query *query,
                               struct view *view)
{
    const struct channel *channel =
        table_get(engine->channels, query->name, strlen(query->name));
    if (channel == NULL)
        return STATUS_NOT_FOUND;
    view->channels = calloc(1, sizeof *view->channels);
    if (view->channels == NULL)
        return STATUS_NO_MEMORY;
    view->channels_size = 1;
    return copy_channel(view->channels, channel, query->subscriptions);
}

static enum status fill(const struct engine *engine,
                        const struct view_query *query, struct view *view)
{
    switch (query->kind) {
    case VIEW_CLIENTS:
        return query->name != NULL ? one_client(engine, query, view)
                                   : list_clients(engine, query, view);
    case VIEW_CHANNELS:
        return query->name != NULL ? one_channel(engine, query, view)
                                   : list_channels(engine, query, view);
    case VIEW_SERVER:
        break;
    }
    return STATUS_OK;
}

static void fill_totals(const struct engine *engine, struct view *view)
{
    view->subscriptions_total = engine->subscriptions_total;
    view->clients_total = table_count(engine->clients);
    view->channels_total = table_count(engine->channels);
    view->messages_total = engine->messages_total;
    view->bytes_total = engine->bytes_total;
    view->in_messages = engine->in_messages;
    view->in_bytes = engine->in_bytes;
    view->out_messages = engine->out_messages;
    view->out_bytes = engine->out_bytes;
    view->cache_bytes = engine->cache.chunk_bytes + engine->cache.run_bytes;
    view->uncommitted_bytes = commit_uncommitted(engine);
    view->counters = engine->counters;
    if (engine->config.recovery != NULL)
        view->recovery = *engine->config.recovery;
}

enum status engine_view(struct engine *engine, const struct view_query *query,
                        struct view **out, struct error *err)
{
    *out = NULL;
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL)
        return fail(err, STATUS_NO_MEMORY, "view: new");
    view->state = engine->phase == ENGINE_STOPPING ? "SHUTDOWN" : "STANDALONE";
    view->store = store_name(engine->config.store);
    view->start_time = engine->start_time;
    fill_totals(engine, view);
    enum status status = copy_text(&view->cluster_id, &engine->cluster_id);
    if (status == STATUS_OK) {
        status = view_string_set(&view->server_id,
                                 bytes_text(engine->config.server_id));
    }
    if (status == STATUS_OK)
        status = fill(engine, query, view);
    if (status != STATUS_OK) {
        view_free(view);
        return fail(err, status, "view: %s", status_text(status));
    }
    *out = view;
    return STATUS_OK;
}
