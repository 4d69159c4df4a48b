/* mode_live.c - subscribers receive while others publish: latency from the
 * publisher to them, and the shares of a queue group. */
#include "streamd/base/clock.h"
#include "tests/bench/flow.h"
#include "tests/bench/mode.h"
#include "tests/bench/patience.h"

#include <stdlib.h>

/* Clients: the publishers, then the subscribers. One channel. */
struct live {
    const struct load_options *options;
    struct flow flow;
    struct histogram latency;
    uint64_t *last;    /* sequence received, by subscriber */
    uint8_t *received; /* by message: how often, with a group */
    uint64_t deliveries, wanted;
    uint64_t out_of_order, damaged, redelivered, repeated;
};

static bool in_group(const struct live *live)
{
    return live->options->group[0] != '\0';
}

static void acked(void *context, struct client *client, struct bytes guid,
                  struct bytes error)
{
    struct live *live = context;
    flow_acked(&live->flow, client, guid, error);
}

/* A subscriber must miss none; a member of a group has them in order, and no
 * two members have the same. */
static void check_order(struct live *live, const struct client *client,
                        uint64_t sequence, uint64_t number)
{
    uint64_t *last = &live->last[client->index - live->options->publishers];
    if (in_group(live)) {
        if (sequence <= *last)
            live->out_of_order++;
        if (live->received[number]++ > 0)
            live->repeated++;
    } else if (*last != 0 && sequence != *last + 1) {
        live->out_of_order++;
    }
    *last = sequence;
}

static void delivered(void *context, struct client *client,
                      const struct msg_proto *message)
{
    struct live *live = context;
    uint64_t number;
    int64_t sent_at;
    if (message == NULL ||
        !payload_read(&live->flow.payload, message->data, &number, &sent_at) ||
        number >= live->options->messages ||
        client->index < live->options->publishers) {
        live->damaged++;
        return;
    }
    client_ack(client, message);
    if (message->redelivered) {
        live->redelivered++;
        return;
    }
    live->deliveries++;
    histogram_add(&live->latency, clock_monotonic(&clock_system) - sent_at);
    check_order(live, client, message->sequence, number);
}

static bool subscribe_all(const struct live *live, struct clients *clients)
{
    const struct load_options *options = live->options;
    const struct client_subscription wanted = {
        .channel = options->channel,
        .group = options->group,
        .max_in_flight = options->max_in_flight,
        .start_position = START_POSITION_NEW_ONLY,
    };
    for (uint64_t i = options->publishers; i < clients->count; i++) {
        if (!client_subscribe(&clients->all[i], &wanted)) {
            (void)fprintf(stderr, "stanload: subscribe: %s\n",
                          clients->all[i].error);
            return false;
        }
    }
    return true;
}

static bool run(struct live *live, struct clients *clients)
{
    struct patience patience;
    patience_init(&patience, live->options, clock_monotonic(&clock_system));
    while (!flow_done(&live->flow) || live->deliveries < live->wanted) {
        if (!patience_left(&patience, live->flow.acked + live->deliveries,
                           clock_monotonic(&clock_system),
                           "nothing comes any more"))
            return false;
        int64_t wait = flow_pump(&live->flow);
        if (!clients_serve(clients, wait))
            return false;
    }
    return true;
}

static bool live_ok(const struct live *live)
{
    return flow_ok(&live->flow) && live->deliveries == live->wanted &&
           live->out_of_order == 0 && live->damaged == 0 && live->repeated == 0;
}

static void print(const struct live *live, const struct meter *meter, bool ok)
{
    const struct load_options *options = live->options;
    (void)printf(
        "{\"mode\":\"live\",\"ok\":%s,\"messages\":%llu,\"size\":%llu"
        ",\"subscribers\":%llu,\"group\":%s,\"offered_rate\":%llu"
        ",\"deliveries\":%llu,\"missing\":%lld,\"out_of_order\":%llu"
        ",\"damaged\":%llu,\"repeated\":%llu,\"redelivered\":%llu",
        ok ? "true" : "false", (unsigned long long)options->messages,
        (unsigned long long)options->size,
        (unsigned long long)options->subscribers,
        in_group(live) ? "true" : "false", (unsigned long long)options->rate,
        (unsigned long long)live->deliveries,
        (long long)(live->wanted - live->deliveries),
        (unsigned long long)live->out_of_order,
        (unsigned long long)live->damaged, (unsigned long long)live->repeated,
        (unsigned long long)live->redelivered);
    flow_print(&live->flow);
    histogram_print(&live->latency);
    meter_print(meter, live->deliveries, options->size);
    (void)printf("}\n");
}

static bool live_init(struct live *live, struct clients *clients)
{
    const struct load_options *options = live->options;
    live->wanted =
        options->messages * (in_group(live) ? 1 : options->subscribers);
    live->last = calloc(options->subscribers, sizeof *live->last);
    live->received = calloc(options->messages, sizeof *live->received);
    return live->last != NULL && live->received != NULL &&
           flow_init(&live->flow, options, clients);
}

bool mode_live(const struct load_options *options, struct meter *meter)
{
    struct clients clients;
    struct live live = {.options = options};
    const struct client_handlers handlers = {acked, delivered, &live};
    if (options->channels != 1) {
        (void)fprintf(stderr, "stanload: live has one channel\n");
        return false;
    }
    bool ok =
        clients_init(&clients, options->publishers + options->subscribers,
                     options, &handlers) &&
        clients_connect(&clients, (int64_t)options->timeout * CLOCK_SECOND, 0);
    if (ok) {
        ok = live_init(&live, &clients) && subscribe_all(&live, &clients);
        meter_start(meter);
        ok = ok && run(&live, &clients);
        meter_stop(meter);
        ok = ok && clients_settle(&clients) && live_ok(&live);
        print(&live, meter, ok);
        flow_release(&live.flow);
    }
    clients_release(&clients);
    free(live.last);
    free(live.received);
    return ok;
}
