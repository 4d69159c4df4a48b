/* mode_replay.c - receives a channel from its first message to its last. */
#include "streamd/base/clock.h"
#include "tests/bench/clients.h"
#include "tests/bench/mode.h"
#include "tests/bench/patience.h"
#include "tests/bench/payload.h"

struct replay {
    const struct load_options *options;
    struct payload payload;
    uint64_t received;
    uint64_t out_of_order, damaged, redelivered, unexpected;
};

static void acked(void *context, struct client *client, struct bytes guid,
                  struct bytes error)
{
    struct replay *replay = context;
    (void)client;
    (void)guid;
    (void)error;
    replay->unexpected++; /* nothing was published */
}

/* The publisher's number n is sequence n + 1. */
static void delivered(void *context, struct client *client,
                      const struct msg_proto *message)
{
    struct replay *replay = context;
    uint64_t number;
    int64_t sent_at;
    if (message == NULL) {
        replay->damaged++;
        return;
    }
    client_ack(client, message);
    if (message->redelivered) {
        replay->redelivered++;
        return;
    }
    replay->received++;
    if (message->sequence != replay->received)
        replay->out_of_order++;
    if (!payload_read(&replay->payload, message->data, &number, &sent_at) ||
        number + 1 != message->sequence ||
        !bytes_equal(message->subject, bytes_text(replay->options->channel)))
        replay->damaged++;
}

static bool receive_all(struct replay *replay, struct clients *clients)
{
    static const int64_t idle = 100 * CLOCK_MILLISECOND;
    struct patience patience;
    patience_init(&patience, replay->options, clock_monotonic(&clock_system));
    const struct client_subscription wanted = {
        .channel = replay->options->channel,
        .group = "",
        .max_in_flight = replay->options->max_in_flight,
        .start_position = START_POSITION_FIRST,
    };
    if (!client_subscribe(&clients->all[0], &wanted)) {
        (void)fprintf(stderr, "stanload: subscribe: %s\n",
                      clients->all[0].error);
        return false;
    }
    while (replay->received < replay->options->messages) {
        if (!patience_left(&patience, replay->received,
                           clock_monotonic(&clock_system),
                           "no message for a long time"))
            return false;
        if (!clients_serve(clients, idle))
            return false;
    }
    return true;
}

/* A redelivery is no fault: acks may be slow. */
static bool replay_ok(const struct replay *replay)
{
    return replay->received == replay->options->messages &&
           replay->out_of_order == 0 && replay->damaged == 0 &&
           replay->unexpected == 0;
}

static void print(const struct replay *replay, const struct meter *meter,
                  bool ok)
{
    const struct load_options *options = replay->options;
    (void)printf(
        "{\"mode\":\"replay\",\"ok\":%s,\"messages\":%llu,\"size\":%llu"
        ",\"max_in_flight\":%llu,\"received\":%llu,\"out_of_order\":%llu"
        ",\"damaged\":%llu,\"redelivered\":%llu",
        ok ? "true" : "false", (unsigned long long)options->messages,
        (unsigned long long)options->size,
        (unsigned long long)options->max_in_flight,
        (unsigned long long)replay->received,
        (unsigned long long)replay->out_of_order,
        (unsigned long long)replay->damaged,
        (unsigned long long)replay->redelivered);
    meter_print(meter, replay->received, options->size);
    (void)printf("}\n");
}

bool mode_replay(const struct load_options *options, struct meter *meter)
{
    struct clients clients;
    struct replay replay = {.options = options};
    const struct client_handlers handlers = {acked, delivered, &replay};
    bool ok = payload_init(&replay.payload, options->size);
    ok = clients_init(&clients, 1, options, &handlers) && ok &&
         clients_connect(&clients, (int64_t)options->timeout * CLOCK_SECOND, 0);
    if (ok) {
        meter_start(meter);
        ok = receive_all(&replay, &clients);
        meter_stop(meter);
        ok = ok && clients_settle(&clients) && replay_ok(&replay);
        print(&replay, meter, ok);
    }
    clients_release(&clients);
    payload_release(&replay.payload);
    return ok;
}
