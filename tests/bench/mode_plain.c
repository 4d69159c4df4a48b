/* mode_plain.c - the same as live with one subscriber, without a streaming
 * server between: what the nats-server alone takes. */
#include "streamd/base/clock.h"
#include "tests/bench/histogram.h"
#include "tests/bench/link.h"
#include "tests/bench/mode.h"
#include "tests/bench/patience.h"
#include "tests/bench/payload.h"

#include <poll.h>
#include <stdlib.h>

struct plain {
    const struct load_options *options;
    struct payload payload;
    struct link publisher, subscriber;
    struct blob frame; /* of one message */
    struct histogram latency;
    uint64_t sent, received;
    uint64_t out_of_order, damaged;
};

static void delivered(void *context, const struct link_message *message)
{
    struct plain *plain = context;
    uint64_t number;
    int64_t sent_at;
    if (!payload_read(&plain->payload, message->payload, &number, &sent_at)) {
        plain->damaged++;
        return;
    }
    histogram_add(&plain->latency, clock_monotonic(&clock_system) - sent_at);
    if (number != plain->received)
        plain->out_of_order++;
    plain->received++;
}

static void nothing(void *context, const struct link_message *message)
{
    (void)context;
    (void)message;
}

/* What the rate allows by now. */
static uint64_t due(const struct plain *plain, int64_t elapsed)
{
    uint64_t rate = plain->options->rate, all = plain->options->messages;
    uint64_t count =
        (uint64_t)((double)rate * (double)elapsed / (double)CLOCK_SECOND) + 1;
    return rate == 0 || count > all ? all : count;
}

static void publish(struct plain *plain, uint64_t until)
{
    const struct load_options *options = plain->options;
    while (plain->sent < until && !link_full(&plain->publisher)) {
        payload_write(&plain->payload, plain->sent,
                      clock_monotonic(&clock_system), plain->frame.data);
        link_publish(&plain->publisher, bytes_text(options->channel),
                     bytes_of(NULL, 0), blob_bytes(&plain->frame));
        plain->sent++;
    }
}

/* Sends, and reads what comes within a part of the way to the next message. */
static bool serve(struct plain *plain)
{
    struct pollfd fds[] = {
        {.fd = plain->publisher.fd, .events = POLLIN},
        {.fd = plain->subscriber.fd, .events = POLLIN},
    };
    if (link_flush(&plain->publisher))
        fds[0].events |= POLLOUT;
    int64_t gap = CLOCK_MILLISECOND;
    if (plain->options->rate > 0)
        gap = CLOCK_SECOND / (int64_t)plain->options->rate / 4;
    const struct timespec wait = {.tv_sec = gap / CLOCK_SECOND,
                                  .tv_nsec = gap % CLOCK_SECOND};
    if (ppoll(fds, 2, &wait, NULL) > 0) {
        if (fds[0].revents & POLLIN)
            link_read(&plain->publisher);
        if (fds[1].revents & POLLIN)
            link_read(&plain->subscriber);
    }
    const char *trouble = plain->publisher.trouble != NULL
                              ? plain->publisher.trouble
                              : plain->subscriber.trouble;
    if (trouble != NULL)
        (void)fprintf(stderr, "stanload: %s\n", trouble);
    return trouble == NULL;
}

static bool run(struct plain *plain)
{
    int64_t start = clock_monotonic(&clock_system);
    struct patience patience;
    patience_init(&patience, plain->options, start);
    while (plain->received < plain->options->messages) {
        int64_t now = clock_monotonic(&clock_system);
        if (!patience_left(&patience, plain->sent + plain->received, now,
                           "nothing comes any more"))
            return false;
        publish(plain, due(plain, now - start));
        if (!serve(plain))
            return false;
    }
    return true;
}

static bool ready(struct plain *plain)
{
    const struct load_options *options = plain->options;
    int64_t patience = (int64_t)options->timeout * CLOCK_SECOND;
    uint16_t port = (uint16_t)options->port;
    bool open = link_open(&plain->publisher, port, nothing, plain) &&
                link_open(&plain->subscriber, port, delivered, plain);
    if (open) {
        link_subscribe(&plain->subscriber, options->channel, 1);
        open = link_round_trip(&plain->subscriber, patience);
    }
    if (!open)
        (void)fprintf(stderr, "stanload: no answer from the nats-server\n");
    return open && payload_init(&plain->payload, options->size) &&
           blob_reserve(&plain->frame, options->size);
}

static void print(const struct plain *plain, const struct meter *meter, bool ok)
{
    const struct load_options *options = plain->options;
    (void)printf("{\"mode\":\"plain\",\"ok\":%s,\"messages\":%llu"
                 ",\"size\":%llu,\"offered_rate\":%llu,\"received\":%llu"
                 ",\"out_of_order\":%llu,\"damaged\":%llu",
                 ok ? "true" : "false", (unsigned long long)options->messages,
                 (unsigned long long)options->size,
                 (unsigned long long)options->rate,
                 (unsigned long long)plain->received,
                 (unsigned long long)plain->out_of_order,
                 (unsigned long long)plain->damaged);
    histogram_print(&plain->latency);
    meter_print(meter, plain->received, options->size);
    (void)printf("}\n");
}

bool mode_plain(const struct load_options *options, struct meter *meter)
{
    struct plain plain = {
        .options = options, .publisher = {.fd = -1}, .subscriber = {.fd = -1}};
    bool ok = ready(&plain);
    if (ok) {
        plain.frame.size = options->size;
        meter_start(meter);
        ok = run(&plain);
        meter_stop(meter);
        ok = ok && plain.out_of_order == 0 && plain.damaged == 0;
        print(&plain, meter, ok);
    }
    link_release(&plain.publisher);
    link_release(&plain.subscriber);
    payload_release(&plain.payload);
    blob_release(&plain.frame);
    return ok;
}
