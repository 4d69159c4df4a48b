/* flow.h - the publishing side of a load: frames, window, rate, acks.
 *
 * Message i goes to channel i mod channels and is number i / channels there.
 * Its guid ends with i, so that an ack tells which message it is for. */
#ifndef TESTS_BENCH_FLOW_H
#define TESTS_BENCH_FLOW_H

#include "tests/bench/clients.h"
#include "tests/bench/histogram.h"
#include "tests/bench/load_options.h"
#include "tests/bench/payload.h"

#include <stdbool.h>
#include <stdint.h>

/* What is in front of the payload of one publisher's messages for a channel. */
struct flow_frame {
    struct blob head;
    size_t number_at; /* of the guid's last digits */
};

struct flow_publisher {
    struct client *client;
    struct flow_frame *frames; /* one a channel */
    struct blob tail;          /* behind the payload */
    uint64_t in_flight;
    char guid_prefix[CLIENT_ID_SIZE];
};

struct flow {
    const struct load_options *options;
    struct payload payload;
    struct flow_publisher *publishers;
    int64_t *sent_at; /* by message; INT64_MAX once acked */
    int64_t started_at;
    uint64_t sent, acked;
    uint64_t refused;    /* acks with an error */
    uint64_t unexpected; /* acks of nothing that was sent, or again */
    struct histogram ack_latency;
};

/* The first options->publishers of clients, connected, publish. False when out
 * of memory; end it with flow_release() in both cases. */
MUST_CHECK bool flow_init(struct flow *flow, const struct load_options *options,
                          struct clients *clients);
void flow_release(struct flow *flow);

/* Queues what window and rate allow; returns how long (ns) there is nothing
 * more to do, unless something comes: 0 if there is more already. */
int64_t flow_pump(struct flow *flow);
/* For client_handlers.acked. */
void flow_acked(struct flow *flow, const struct client *client,
                struct bytes guid, struct bytes error);

static inline bool flow_done(const struct flow *flow)
{
    return flow->acked == flow->options->messages;
}

/* True if every message was acked once and without error. */
bool flow_ok(const struct flow *flow);
/* Prints ,"acked":..,"refused":..,"unexpected_acks":..,"missing_acks":.. */
void flow_print(const struct flow *flow);

#endif
