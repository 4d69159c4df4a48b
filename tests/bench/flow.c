#include "tests/bench/flow.h"

#include "proto/wire.h"
#include "streamd/base/clock.h"
#include "tests/bench/numbers.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t flow_acked_mark = INT64_MAX;

/* How many a publisher queues before the acks are looked at again. */
enum { BURST = 256 };
static const int64_t idle = 100 * CLOCK_MILLISECOND;

/* ---- frames ---- */

/* PubMsg: client ID, guid, channel | data | connection ID. */
static bool build_frame(const struct flow *flow,
                        const struct flow_publisher *publisher,
                        const char *channel, struct flow_frame *frame)
{
    enum { NAMES = 4 * CLIENT_SUBJECT_MAX };
    const struct client *client = publisher->client;
    char subject[2 * CLIENT_SUBJECT_MAX];
    char inbox[CLIENT_SUBJECT_MAX];
    uint8_t fields[NAMES];
    uint8_t line[NAMES];
    (void)snprintf(subject, sizeof subject, "%s.%s", client->publish_prefix,
                   channel);
    client_publish_inbox(client, inbox);
    uint8_t *end = wire_put_bytes_field(fields, 1, bytes_text(client->id));
    end = wire_put_bytes_field(
        end, 2, bytes_of(publisher->guid_prefix, CLIENT_ID_SIZE));
    size_t number_at = (size_t)(end - fields) - NUMBERS_HEX_SIZE;
    end = wire_put_bytes_field(end, 3, bytes_text(channel));
    *end++ = (uint8_t)WIRE_TAG(5, WIRE_BYTES);
    end = wire_put_varint(end, flow->payload.size);
    size_t fields_size = (size_t)(end - fields);
    size_t size = fields_size + flow->payload.size + publisher->tail.size - 2;
    size_t line_size = (size_t)(link_put_head(line, bytes_text(subject),
                                              bytes_text(inbox), size) -
                                line);
    frame->number_at = line_size + number_at;
    return blob_append(&frame->head, line, line_size) &&
           blob_append(&frame->head, fields, fields_size);
}

static bool build_tail(struct flow_publisher *publisher)
{
    uint8_t tail[CLIENT_SUBJECT_MAX];
    uint8_t *end = wire_put_bytes_field(
        tail, 6, bytes_text(publisher->client->connection_id));
    *end++ = '\r';
    *end++ = '\n';
    return blob_append(&publisher->tail, tail, (size_t)(end - tail));
}

static bool init_publisher(const struct flow *flow,
                           struct flow_publisher *publisher)
{
    const struct load_options *options = flow->options;
    publisher->frames = calloc(options->channels, sizeof *publisher->frames);
    if (publisher->frames == NULL || !build_tail(publisher))
        return false;
    memcpy(publisher->guid_prefix, publisher->client->connection_id,
           CLIENT_ID_SIZE);
    for (uint64_t i = 0; i < options->channels; i++) {
        char channel[CLIENT_SUBJECT_MAX];
        if (options->channels == 1) {
            (void)snprintf(channel, sizeof channel, "%s", options->channel);
        } else {
            (void)snprintf(channel, sizeof channel, "%s.%llu", options->channel,
                           (unsigned long long)i);
        }
        if (!build_frame(flow, publisher, channel, &publisher->frames[i]))
            return false;
    }
    return true;
}

bool flow_init(struct flow *flow, const struct load_options *options,
               struct clients *clients)
{
    *flow = (struct flow){.options = options};
    flow->sent_at = calloc(options->messages, sizeof *flow->sent_at);
    flow->publishers = calloc(options->publishers, sizeof *flow->publishers);
    if (flow->sent_at == NULL || flow->publishers == NULL ||
        !payload_init(&flow->payload, options->size))
        return false;
    for (uint64_t i = 0; i < options->publishers; i++) {
        flow->publishers[i].client = &clients->all[i];
        if (!init_publisher(flow, &flow->publishers[i]))
            return false;
    }
    return true;
}

static void release_publisher(const struct flow *flow,
                              struct flow_publisher *publisher)
{
    for (uint64_t i = 0;
         publisher->frames != NULL && i < flow->options->channels; i++) {
        blob_release(&publisher->frames[i].head);
    }
    free(publisher->frames);
    blob_release(&publisher->tail);
}

void flow_release(struct flow *flow)
{
    for (uint64_t i = 0;
         flow->publishers != NULL && i < flow->options->publishers; i++) {
        release_publisher(flow, &flow->publishers[i]);
    }
    free(flow->publishers);
    free(flow->sent_at);
    payload_release(&flow->payload);
}

/* ---- sending ---- */

static bool send_next(struct flow *flow, struct flow_publisher *publisher)
{
    uint64_t channels = flow->options->channels;
    const struct flow_frame *frame = &publisher->frames[flow->sent % channels];
    uint8_t *out = link_frame(&publisher->client->link,
                              frame->head.size + flow->payload.size +
                                  publisher->tail.size);
    if (out == NULL)
        return false;
    int64_t now = clock_monotonic(&clock_system);
    memcpy(out, frame->head.data, frame->head.size);
    number_put_hex(out + frame->number_at, flow->sent);
    out += frame->head.size;
    payload_write(&flow->payload, flow->sent / channels, now, out);
    memcpy(out + flow->payload.size, publisher->tail.data,
           publisher->tail.size);
    flow->sent_at[flow->sent] = now;
    flow->sent++;
    publisher->in_flight++;
    return true;
}

/* Messages that may have been sent by now. */
static uint64_t due(const struct flow *flow, int64_t now)
{
    const struct load_options *options = flow->options;
    if (options->rate == 0)
        return options->messages;
    uint64_t elapsed = (uint64_t)(now - flow->started_at);
    uint64_t count = 1 + (uint64_t)((double)elapsed * (double)options->rate /
                                    (double)CLOCK_SECOND);
    return count < options->messages ? count : options->messages;
}

static int64_t until_next(const struct flow *flow, int64_t now)
{
    if (flow->options->rate == 0 || flow->sent == flow->options->messages)
        return idle;
    double next = (double)flow->sent / (double)flow->options->rate * 1e9;
    int64_t wait = flow->started_at + (int64_t)next - now;
    return wait < 0 ? 0 : wait;
}

/* Each has its share of the window, at least one message. */
static uint64_t share(const struct load_options *options)
{
    return (options->window + options->publishers - 1) / options->publishers;
}

int64_t flow_pump(struct flow *flow)
{
    int64_t now = clock_monotonic(&clock_system);
    if (flow->started_at == 0)
        flow->started_at = now;
    uint64_t limit = due(flow, now);
    uint64_t window = share(flow->options);
    bool more = false; /* a publisher had to stop though it might go on */
    for (uint64_t i = 0; i < flow->options->publishers; i++) {
        struct flow_publisher *publisher = &flow->publishers[i];
        int burst = 0;
        while (burst < BURST && flow->sent < limit &&
               publisher->in_flight < window &&
               !link_full(&publisher->client->link) &&
               send_next(flow, publisher))
            burst++;
        more = more || burst == BURST;
    }
    return more ? 0 : until_next(flow, now);
}

/* ---- acks ---- */

static struct flow_publisher *publisher_of(const struct flow *flow,
                                           const struct client *client)
{
    if (client->index >= flow->options->publishers)
        return NULL;
    return &flow->publishers[client->index];
}

void flow_acked(struct flow *flow, const struct client *client,
                struct bytes guid, struct bytes error)
{
    const size_t prefix = CLIENT_ID_SIZE - NUMBERS_HEX_SIZE;
    struct flow_publisher *publisher = publisher_of(flow, client);
    uint64_t number;
    if (publisher == NULL || guid.size != CLIENT_ID_SIZE ||
        memcmp(guid.data, publisher->guid_prefix, prefix) != 0 ||
        !number_read_hex(guid.data + prefix, &number) || number >= flow->sent ||
        flow->sent_at[number] == flow_acked_mark) {
        flow->unexpected++;
        return;
    }
    int64_t now = clock_monotonic(&clock_system);
    histogram_add(&flow->ack_latency, now - flow->sent_at[number]);
    flow->sent_at[number] = flow_acked_mark;
    flow->acked++;
    publisher->in_flight--;
    if (error.size > 0 && flow->refused++ == 0) {
        (void)fprintf(stderr, "stanload: refused: %.*s\n", (int)error.size,
                      (const char *)error.data);
    }
}

bool flow_ok(const struct flow *flow)
{
    return flow_done(flow) && flow->refused == 0 && flow->unexpected == 0;
}

void flow_print(const struct flow *flow)
{
    (void)printf(",\"acked\":%llu,\"refused\":%llu,\"unexpected_acks\":%llu"
                 ",\"missing_acks\":%llu",
                 (unsigned long long)flow->acked,
                 (unsigned long long)flow->refused,
                 (unsigned long long)flow->unexpected,
                 (unsigned long long)(flow->options->messages - flow->acked));
}
