#include "fake_source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const client_ids[] = {"me1", "me2", "me3", "me4", "me5"};
static const char *const channel_names[] = {"bar", "baz", "foo", "foo.bar"};
enum {
    CLIENTS = sizeof client_ids / sizeof client_ids[0],
    CHANNELS = sizeof channel_names / sizeof channel_names[0],
};

static const int64_t now = INT64_C(1600000000500000000);

static int64_t fixed(void *context)
{
    (void)context;
    return now;
}

const struct clock fake_clock = {.monotonic = fixed, .wall = fixed};

static void set(struct view_string *string, const char *text)
{
    if (view_string_set(string, bytes_text(text)) != STATUS_OK)
        abort();
}

static void *array_new(size_t count, size_t size)
{
    void *array = calloc(count > 0 ? count : 1, size);
    if (array == NULL)
        abort();
    return array;
}

static void plain_subscription(struct view_subscription *subscription,
                               const char *client, const char *channel,
                               const char *inbox)
{
    set(&subscription->client_id, client);
    set(&subscription->channel, channel);
    set(&subscription->inbox, inbox);
    set(&subscription->ack_inbox, "_ACK");
    subscription->max_in_flight = 1024;
    subscription->ack_wait_seconds = 30;
    subscription->last_sent = 7;
}

/* Not in the order of their channels, as a client may subscribe. */
static void client_subscriptions(struct view_client *client)
{
    client->subscriptions_size = 3;
    client->subscriptions = array_new(3, sizeof *client->subscriptions);
    plain_subscription(&client->subscriptions[0], "me2", "foo", "i1");
    plain_subscription(&client->subscriptions[1], "me2", "bar", "i2");
    plain_subscription(&client->subscriptions[2], "me2", "foo", "i3");
}

static void channel_subscriptions(struct view_channel *channel)
{
    channel->subscriptions_size = 2;
    channel->subscriptions = array_new(2, sizeof *channel->subscriptions);
    struct view_subscription *offline = &channel->subscriptions[0];
    plain_subscription(offline, "me3", "foo.bar", "i4");
    set(&offline->durable_name, "dur");
    offline->is_durable = offline->is_offline = offline->is_stalled = true;
    offline->max_in_flight = 2;
    offline->pending_count = 2;
    struct view_subscription *member = &channel->subscriptions[1];
    plain_subscription(member, "me4", "foo.bar", "i5");
    set(&member->queue_name, "dur:queue");
    member->is_durable = true;
}

static void client_fill(const struct fake_source *fake, size_t index,
                        bool subscriptions, struct view_client *client)
{
    set(&client->id, client_ids[index]);
    set(&client->heartbeat_inbox, "hb");
    client->subscription_count = index == 1 ? 3 : 0;
    if (subscriptions && index == 1)
        client_subscriptions(client);
    if (fake->odd_id.size > 0 && index == 0 &&
        view_string_set(&client->id, fake->odd_id) != STATUS_OK)
        abort();
}

static void channel_fill(size_t index, bool subscriptions,
                         struct view_channel *channel)
{
    assert(index < CHANNELS);
    set(&channel->name, channel_names[index]);
    channel->messages = index;
    channel->bytes = index * 100;
    channel->first = index > 0 ? 1 : 0;
    channel->last = index;
    channel->subscription_count = index == 3 ? 2 : 0;
    if (subscriptions && index == 3)
        channel_subscriptions(channel);
}

/* What the query lets through of total things called names. */
static size_t selected(const struct view_query *query, const char *const *names,
                       size_t total, size_t *first)
{
    *first = 0;
    if (query->name != NULL) {
        for (; *first < total; (*first)++) {
            if (strcmp(names[*first], query->name) == 0)
                return 1;
        }
        return 0;
    }
    *first = query->offset < total ? query->offset : total;
    size_t rest = total - *first;
    return query->limit < rest ? query->limit : rest;
}

static bool is_missing(const struct view_query *query)
{
    size_t first;
    if (query->name == NULL)
        return false;
    return query->kind == VIEW_CLIENTS
               ? selected(query, client_ids, CLIENTS, &first) == 0
               : selected(query, channel_names, CHANNELS, &first) == 0;
}

static enum status get(void *context, const struct view_query *query,
                       struct view **out, struct error *err)
{
    const struct fake_source *fake = context;
    if (fake->missing_fails && is_missing(query))
        return fail(err, STATUS_NOT_FOUND, "made up");
    if (fake->fails_with != STATUS_OK)
        return fail(err, fake->fails_with, "made up");
    struct view *view = array_new(1, sizeof *view);
    set(&view->cluster_id, "test-cluster");
    set(&view->server_id, "0123456789ABCDEFGHIJKL");
    view->state = fake->state;
    view->store = "MEMORY";
    view->start_time = now - 90 * CLOCK_SECOND;
    view->clients_total = CLIENTS;
    view->channels_total = CHANNELS;
    view->subscriptions_total = 5;
    view->messages_total = 6;
    view->bytes_total = 600;
    view->in_messages = 7;
    view->in_bytes = 800;
    view->out_messages = 9;
    view->out_bytes = UINT64_C(9007199254740993); /* no float holds it */
    size_t first;
    if (query->kind == VIEW_CLIENTS) {
        view->clients_size = selected(query, client_ids, CLIENTS, &first);
        view->clients = array_new(view->clients_size, sizeof *view->clients);
        for (size_t i = 0; i < view->clients_size; i++) {
            client_fill(fake, first + i, query->subscriptions,
                        &view->clients[i]);
        }
    } else if (query->kind == VIEW_CHANNELS) {
        view->channels_size = selected(query, channel_names, CHANNELS, &first);
        view->channels = array_new(view->channels_size, sizeof *view->channels);
        for (size_t i = 0; i < view->channels_size; i++)
            channel_fill(first + i, query->subscriptions, &view->channels[i]);
    }
    *out = view;
    return STATUS_OK;
}

void fake_source_init(struct fake_source *fake)
{
    *fake = (struct fake_source){.state = "STANDALONE"};
    fake->source.context = fake;
    fake->source.get = get;
}

void endpoints_answer(struct endpoints *endpoints, const char *target,
                      struct reply *reply)
{
    const struct route_set set = endpoints_routes(endpoints);
    const struct router router = {.sets = &set, .size = 1};
    const struct request request = {.method = "GET", .target = target};
    router_answer(&router, &request, reply);
}

const char *reply_value(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->headers_size; i++) {
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    }
    return NULL;
}
