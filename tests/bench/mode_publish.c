/* mode_publish.c - publishes through a window; a window of 1 is synchronous. */
#include "streamd/base/clock.h"
#include "tests/bench/flow.h"
#include "tests/bench/mode.h"
#include "tests/bench/patience.h"

static void acked(void *context, struct client *client, struct bytes guid,
                  struct bytes error)
{
    flow_acked(context, client, guid, error);
}

static void delivered(void *context, struct client *client,
                      const struct msg_proto *message)
{
    (void)context;
    (void)client;
    (void)message; /* nobody subscribed: none comes */
}

/* Until all is acked, or there is no ack for the time-out. */
static bool publish_all(struct flow *flow, struct clients *clients)
{
    struct patience patience;
    patience_init(&patience, flow->options, clock_monotonic(&clock_system));
    while (!flow_done(flow)) {
        if (!patience_left(&patience, flow->acked,
                           clock_monotonic(&clock_system),
                           "no ack for a long time"))
            return false;
        int64_t wait = flow_pump(flow);
        if (!clients_serve(clients, wait))
            return false;
    }
    return true;
}

static void print(const struct flow *flow, const struct meter *meter, bool ok)
{
    const struct load_options *options = flow->options;
    (void)printf("{\"mode\":\"publish\",\"ok\":%s,\"messages\":%llu"
                 ",\"size\":%llu,\"window\":%llu,\"publishers\":%llu"
                 ",\"channels\":%llu",
                 ok ? "true" : "false", (unsigned long long)options->messages,
                 (unsigned long long)options->size,
                 (unsigned long long)options->window,
                 (unsigned long long)options->publishers,
                 (unsigned long long)options->channels);
    flow_print(flow);
    histogram_print(&flow->ack_latency);
    meter_print(meter, flow->acked, options->size);
    (void)printf("}\n");
}

bool mode_publish(const struct load_options *options, struct meter *meter)
{
    struct clients clients;
    struct flow flow = {0};
    const struct client_handlers handlers = {acked, delivered, &flow};
    bool ok =
        clients_init(&clients, options->publishers, options, &handlers) &&
        clients_connect(&clients, (int64_t)options->timeout * CLOCK_SECOND, 0);
    if (ok) {
        ok = flow_init(&flow, options, &clients);
        meter_start(meter);
        ok = ok && publish_all(&flow, &clients);
        meter_stop(meter);
        ok = ok && clients_settle(&clients) && flow_ok(&flow);
        print(&flow, meter, ok);
        flow_release(&flow);
    }
    clients_release(&clients);
    return ok;
}
