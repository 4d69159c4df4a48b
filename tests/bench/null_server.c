/* null_server.c - the ceiling: a streaming server that keeps nothing.
 *
 * It acks every message at once, hands it to who is subscribed, and replays a
 * channel by making its messages up (what one stanload publisher sent). What
 * is slower than this beside the same nats-server is slower by its own work.
 * It holds max in flight in a replay, and not for new messages; a channel has
 * one queue group. Ended by a signal. */
#include "proto/codec.h"
#include "streamd/base/clock.h"
#include "streamd/base/list.h"
#include "streamd/base/table.h"
#include "tests/bench/link.h"
#include "tests/bench/numbers.h"
#include "tests/bench/payload.h"

#include <stdio.h>
#include <stdlib.h>

enum sid {
    SID_DISCOVER = 1,
    SID_PUBLISH,
    SID_ACK,
    SID_SUBSCRIBE,
    SID_CLOSE,
    SID_REST, /* unsubscribe, subscription close, ping: answered with nothing */
};

enum { SUBSCRIPTIONS_MAX = 65536, SUBJECT_MAX = 256 };

struct channel {
    char *name;
    uint64_t last; /* sequence */
    struct payload payload;
    struct list live; /* subscriptions that take new messages */
    uint64_t members; /* of them, in the queue group */
};

struct subscription {
    struct list link;
    struct channel *channel;
    char *client_id, *inbox;
    bool is_live, is_member;
    uint64_t member;                     /* its number in the group */
    uint64_t next, acked, max_in_flight; /* of a replay */
};

struct server {
    struct link link;
    const char *cluster;
    struct table *channels;
    struct subscription **subscriptions; /* ack inboxes end with the index */
    size_t count;
};

static const struct bytes nothing;

static void die(const char *why)
{
    (void)fprintf(stderr, "null_server: %s\n", why);
    exit(1);
}

static void *must(void *memory)
{
    if (memory == NULL)
        die("out of memory");
    return memory;
}

static struct channel *get_channel(struct server *server, struct bytes name)
{
    struct channel *channel = table_get(server->channels, name.data, name.size);
    if (channel != NULL)
        return channel;
    channel = must(calloc(1, sizeof *channel));
    channel->name = must(bytes_copy(name));
    list_init(&channel->live);
    if (!table_put(server->channels, name.data, name.size, channel))
        die("out of memory");
    return channel;
}

/* ---- deliveries ---- */

static void deliver(struct server *server, const struct subscription *to,
                    const struct msg_proto *message)
{
    struct bytes inbox = bytes_text(to->inbox);
    size_t size = msg_proto_size(message);
    size_t most = link_head_size(inbox, nothing) + size + 2;
    uint8_t *frame = link_frame(&server->link, most);
    if (frame == NULL)
        return;
    uint8_t *end = link_put_head(frame, inbox, nothing, size);
    end += msg_proto_encode(message, end);
    *end++ = '\r';
    *end++ = '\n';
    server->link.out.size -= most - (size_t)(end - frame);
}

static void deliver_new(struct server *server, struct channel *channel,
                        const struct msg_proto *message)
{
    for (struct list *at = channel->live.next; at != &channel->live;
         at = at->next) {
        const struct subscription *to =
            list_entry(at, struct subscription, link);
        if (!to->is_member ||
            message->sequence % channel->members == to->member)
            deliver(server, to, message);
    }
}

static void replay(struct server *server, struct subscription *to)
{
    static const int64_t made_up_time = 1700000000000000000;
    const struct channel *channel = to->channel;
    const struct payload *payload = &channel->payload;
    while (to->next <= channel->last &&
           to->next - to->acked <= to->max_in_flight) {
        payload_stamp(to->next - 1, 0, payload->pattern);
        deliver(server, to,
                &(struct msg_proto){
                    .sequence = to->next,
                    .subject = bytes_text(channel->name),
                    .data = bytes_of(payload->pattern, payload->size),
                    .timestamp = made_up_time,
                });
        to->next++;
    }
}

/* ---- what comes ---- */

static void take_publish(struct server *server, struct bytes reply,
                         struct bytes payload)
{
    struct pub_msg message;
    uint8_t ack[SUBJECT_MAX];
    if (!pub_msg_decode(payload, &message) ||
        pub_ack_size(message.guid, nothing) > sizeof ack)
        return;
    struct channel *channel = get_channel(server, message.subject);
    channel->last++;
    if (message.data.size != channel->payload.size) {
        payload_release(&channel->payload);
        if (!payload_init(&channel->payload, message.data.size))
            channel->last = 0; /* not stanload's: nothing to replay */
    }
    deliver_new(server, channel,
                &(struct msg_proto){
                    .sequence = channel->last,
                    .subject = message.subject,
                    .data = message.data,
                    .timestamp = clock_wall(&clock_system),
                });
    size_t size = pub_ack_encode(message.guid, nothing, ack);
    link_publish(&server->link, reply, nothing, bytes_of(ack, size));
}

static void take_ack(struct server *server, struct bytes subject)
{
    const uint8_t *dot = memrchr(subject.data, '.', subject.size);
    uint64_t index;
    if (dot == NULL)
        return;
    size_t before = (size_t)(dot + 1 - subject.data);
    if (!number_read_decimal(bytes_of(dot + 1, subject.size - before),
                             &index) ||
        index >= server->count || server->subscriptions[index]->is_live)
        return;
    server->subscriptions[index]->acked++;
    replay(server, server->subscriptions[index]);
}

static void reply_subject(const struct server *server, const char *kind,
                          char subject[SUBJECT_MAX])
{
    (void)snprintf(subject, SUBJECT_MAX, "_STAN.null.%s.%s", server->cluster,
                   kind);
}

static void take_connect(struct server *server, struct bytes reply)
{
    enum { PING_SECONDS = 3600, PINGS_OUT = 3, PROTOCOL = 1 };
    struct blob answer = {0};
    char publish[SUBJECT_MAX];
    char subscribe[SUBJECT_MAX];
    char close[SUBJECT_MAX];
    char rest[SUBJECT_MAX];
    reply_subject(server, "publish", publish);
    reply_subject(server, "subscribe", subscribe);
    reply_subject(server, "close", close);
    reply_subject(server, "rest", rest);
    const struct connect_response response = {
        .pub_prefix = bytes_text(publish),
        .sub_requests = bytes_text(subscribe),
        .unsub_requests = bytes_text(rest),
        .close_requests = bytes_text(close),
        .sub_close_requests = bytes_text(rest),
        .ping_requests = bytes_text(rest),
        .ping_interval = PING_SECONDS,
        .ping_max_out = PINGS_OUT,
        .protocol = PROTOCOL,
    };
    if (!connect_response_encode(&response, &answer))
        die("out of memory");
    link_publish(&server->link, reply, nothing, blob_bytes(&answer));
    blob_release(&answer);
}

static struct subscription *
new_subscription(struct server *server,
                 const struct subscription_request *request)
{
    struct subscription *subscription = must(calloc(1, sizeof *subscription));
    struct channel *channel = get_channel(server, request->subject);
    subscription->channel = channel;
    subscription->client_id = must(bytes_copy(request->client_id));
    subscription->inbox = must(bytes_copy(request->inbox));
    subscription->next = 1;
    subscription->max_in_flight = (uint64_t)request->max_in_flight;
    subscription->is_live = request->start_position != START_POSITION_FIRST;
    subscription->is_member = request->group.size > 0;
    list_init(&subscription->link);
    if (subscription->is_live) {
        list_append(&channel->live, &subscription->link);
        if (subscription->is_member)
            subscription->member = channel->members++;
    }
    server->subscriptions[server->count++] = subscription;
    return subscription;
}

static void take_subscribe(struct server *server, struct bytes reply,
                           struct bytes payload)
{
    struct subscription_request request;
    struct blob answer = {0};
    char ack_inbox[SUBJECT_MAX];
    if (!subscription_request_decode(payload, &request) ||
        request.max_in_flight <= 0 || server->count == SUBSCRIPTIONS_MAX)
        return;
    (void)snprintf(ack_inbox, sizeof ack_inbox, "_STAN.null.%s.ack.%zu",
                   server->cluster, server->count);
    struct subscription *subscription = new_subscription(server, &request);
    if (!subscription_response_encode(bytes_text(ack_inbox), nothing, &answer))
        die("out of memory");
    link_publish(&server->link, reply, nothing, blob_bytes(&answer));
    blob_release(&answer);
    if (!subscription->is_live)
        replay(server, subscription);
}

/* The numbers of a group's members are given anew when all have gone. */
static void take_close(struct server *server, struct bytes reply,
                       struct bytes payload)
{
    struct close_request request;
    if (!close_request_decode(payload, &request))
        return;
    for (size_t i = 0; i < server->count; i++) {
        struct subscription *subscription = server->subscriptions[i];
        if (!list_linked(&subscription->link) ||
            !bytes_equal(bytes_text(subscription->client_id),
                         request.client_id))
            continue;
        list_remove(&subscription->link);
        if (list_empty(&subscription->channel->live))
            subscription->channel->members = 0;
    }
    link_publish(&server->link, reply, nothing, nothing);
}

static void take_message(void *context, const struct link_message *message)
{
    struct server *server = context;
    switch (message->sid) {
    case SID_PUBLISH:
        take_publish(server, message->reply, message->payload);
        break;
    case SID_ACK:
        take_ack(server, message->subject);
        break;
    case SID_DISCOVER:
        take_connect(server, message->reply);
        break;
    case SID_SUBSCRIBE:
        take_subscribe(server, message->reply, message->payload);
        break;
    case SID_CLOSE:
        take_close(server, message->reply, message->payload);
        break;
    default:
        link_publish(&server->link, message->reply, nothing, nothing);
    }
}

static void subscribe(struct server *server, const char *kind, uint64_t sid)
{
    char subject[SUBJECT_MAX];
    reply_subject(server, kind, subject);
    link_subscribe(&server->link, subject, sid);
}

/* Everything lives as long as the process, which a signal ends. */
int main(int argc, char **argv)
{
    static const int64_t idle = CLOCK_SECOND;
    struct server server = {0};
    uint64_t port;
    char discover[SUBJECT_MAX];
    if (argc != 3 || !number_read_decimal(bytes_text(argv[1]), &port) ||
        port > UINT16_MAX) {
        (void)fprintf(stderr, "Usage: null_server PORT CLUSTER\n");
        return 2;
    }
    server.cluster = argv[2];
    server.channels = must(table_new());
    server.subscriptions =
        must(calloc(SUBSCRIPTIONS_MAX, sizeof(struct subscription *)));
    if (!link_open(&server.link, (uint16_t)port, take_message, &server))
        die(server.link.trouble);
    (void)snprintf(discover, sizeof discover, "_STAN.discover.%s",
                   server.cluster);
    subscribe(&server, "publish.>", SID_PUBLISH);
    subscribe(&server, "ack.*", SID_ACK);
    subscribe(&server, "subscribe", SID_SUBSCRIBE);
    subscribe(&server, "close", SID_CLOSE);
    subscribe(&server, "rest", SID_REST);
    link_subscribe(&server.link, discover, SID_DISCOVER);
    while (server.link.trouble == NULL)
        link_serve(&server.link, idle);
    die(server.link.trouble);
}
