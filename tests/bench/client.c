#include "tests/bench/client.h"

#include "proto/wire.h"
#include "streamd/base/clock.h"
#include "streamd/base/nuid.h"
#include "tests/bench/numbers.h"

#include <stdio.h>

enum sid { SID_REPLY = 1, SID_HEARTBEAT, SID_PUBLISH_ACK, SID_DELIVERY };

enum {
    ACK_WAIT_SECONDS = 30,
    PING_INTERVAL_SECONDS = 3600, /* we do not ping */
    PING_MAX_OUT = 10,
};
static const int64_t reply_timeout = 20 * CLOCK_SECOND;

static void inbox(const struct client *client, const char *kind,
                  char subject[CLIENT_SUBJECT_MAX])
{
    (void)snprintf(subject, CLIENT_SUBJECT_MAX, "_INBOX.%s.%s",
                   client->connection_id, kind);
}

void client_publish_inbox(const struct client *client,
                          char subject[CLIENT_SUBJECT_MAX])
{
    inbox(client, "acks", subject);
}

/* ---- what comes ---- */

static bool copy_text(char out[CLIENT_SUBJECT_MAX], struct bytes text)
{
    if (text.size >= CLIENT_SUBJECT_MAX)
        return false;
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

static bool take_connect_response(struct client *client, struct bytes payload)
{
    struct connect_response response;
    if (!connect_response_decode(payload, &response))
        return false;
    client->connected = response.error.size == 0;
    return copy_text(client->error, response.error) &&
           copy_text(client->publish_prefix, response.pub_prefix) &&
           copy_text(client->subscribe, response.sub_requests) &&
           copy_text(client->close, response.close_requests);
}

struct two_texts {
    struct bytes first, second;
};

/* PubAck (guid, error) and SubscriptionResponse (ack inbox, error) are two
 * strings, at other numbers. */
static bool decode_texts(struct bytes payload, uint32_t first, uint32_t second,
                         struct two_texts *out)
{
    const struct wire_field fields[] = {
        WIRE_FIELD(first, BYTES, struct two_texts, first),
        WIRE_FIELD(second, BYTES, struct two_texts, second),
    };
    *out = (struct two_texts){0};
    return wire_decode(payload, fields, WIRE_COUNT(fields), out);
}

static bool take_subscription_response(struct client *client,
                                       struct bytes payload)
{
    struct two_texts texts;
    return decode_texts(payload, 2, 3, &texts) &&
           copy_text(client->ack_inbox, texts.first) &&
           copy_text(client->error, texts.second);
}

/* False for a second answer to an earlier question. */
static bool is_answer(const struct client *client, struct bytes subject)
{
    const uint8_t *dot = memrchr(subject.data, '.', subject.size);
    uint64_t number;
    if (dot == NULL || client->answered)
        return false;
    size_t before = (size_t)(dot + 1 - subject.data);
    return number_read_decimal(bytes_of(dot + 1, subject.size - before),
                               &number) &&
           number == client->questions;
}

static bool take_reply(struct client *client, struct bytes payload)
{
    switch (client->question) {
    case CLIENT_ASKS_CONNECT:
        return take_connect_response(client, payload);
    case CLIENT_ASKS_SUBSCRIBE:
        return take_subscription_response(client, payload);
    case CLIENT_ASKS_CLOSE:
    case CLIENT_ASKS_NOTHING:
        break;
    }
    return true;
}

static void take_message(void *context, const struct link_message *message)
{
    struct client *client = context;
    const struct client_handlers *handlers = client->handlers;
    struct two_texts texts;
    struct msg_proto delivery;
    switch (message->sid) {
    case SID_DELIVERY:
        handlers->delivered(
            handlers->context, client,
            msg_proto_decode(message->payload, &delivery) ? &delivery : NULL);
        break;
    case SID_PUBLISH_ACK:
        if (!decode_texts(message->payload, 1, 2, &texts))
            texts.first.size = 0;
        handlers->acked(handlers->context, client, texts.first, texts.second);
        break;
    case SID_HEARTBEAT:
        link_publish(&client->link, message->reply, bytes_of(NULL, 0),
                     bytes_of(NULL, 0));
        break;
    case SID_REPLY:
        if (!is_answer(client, message->subject))
            break;
        if (!take_reply(client, message->payload)) {
            (void)snprintf(client->error, sizeof client->error,
                           "damaged reply");
        }
        client->answered = true;
        break;
    default:
        break;
    }
}

/* ---- what goes ---- */

static void ask(struct client *client, enum client_question question,
                const char *subject, struct bytes request)
{
    char kind[64];
    char reply[CLIENT_SUBJECT_MAX];
    if (question != client->question) /* and not asked again */
        client->questions++;
    (void)snprintf(kind, sizeof kind, "reply.%llu",
                   (unsigned long long)client->questions);
    inbox(client, kind, reply);
    client->question = question;
    client->answered = false;
    client->error[0] = '\0';
    link_publish(&client->link, bytes_text(subject), bytes_text(reply),
                 request);
}

/* True if there is an answer without an error. */
static bool wait_answer(struct client *client, int64_t timeout)
{
    int64_t end = clock_monotonic(&clock_system) + timeout;
    while (!client->answered && client->link.trouble == NULL) {
        int64_t left = end - clock_monotonic(&clock_system);
        if (left <= 0) {
            (void)snprintf(client->error, sizeof client->error, "no answer");
            return false;
        }
        link_serve(&client->link, left);
    }
    return client->link.trouble == NULL && client->error[0] == '\0';
}

bool client_subscribe(struct client *client,
                      const struct client_subscription *wanted)
{
    char deliveries[CLIENT_SUBJECT_MAX];
    uint8_t request[4 * CLIENT_SUBJECT_MAX];
    inbox(client, "deliveries", deliveries);
    uint8_t *end = wire_put_bytes_field(request, 1, bytes_text(client->id));
    end = wire_put_bytes_field(end, 2, bytes_text(wanted->channel));
    end = wire_put_bytes_field(end, 3, bytes_text(wanted->group));
    end = wire_put_bytes_field(end, 4, bytes_text(deliveries));
    end = wire_put_uint64_field(end, 5, wanted->max_in_flight);
    end = wire_put_uint64_field(end, 6, ACK_WAIT_SECONDS);
    end = wire_put_uint64_field(end, 10, wanted->start_position);
    ask(client, CLIENT_ASKS_SUBSCRIBE, client->subscribe,
        bytes_of(request, (size_t)(end - request)));
    return wait_answer(client, reply_timeout);
}

void client_ack(struct client *client, const struct msg_proto *message)
{
    struct bytes subject = bytes_text(client->ack_inbox);
    size_t size = wire_bytes_field_size(message->subject) +
                  wire_uint64_field_size(message->sequence);
    size_t most = link_head_size(subject, bytes_of(NULL, 0)) + size + 2;
    uint8_t *frame = link_frame(&client->link, most);
    if (frame == NULL)
        return;
    uint8_t *end = link_put_head(frame, subject, bytes_of(NULL, 0), size);
    end = wire_put_bytes_field(end, 1, message->subject);
    end = wire_put_uint64_field(end, 2, message->sequence);
    *end++ = '\r';
    *end++ = '\n';
    client->link.out.size -= most - (size_t)(end - frame);
}

/* ---- its life ---- */

bool client_open(struct client *client, uint16_t port)
{
    char subject[CLIENT_SUBJECT_MAX];
    nuid_next(client->connection_id);
    (void)snprintf(client->id, sizeof client->id, "load-%s",
                   client->connection_id);
    if (!link_open(&client->link, port, take_message, client))
        return false;
    inbox(client, "reply.*", subject);
    link_subscribe(&client->link, subject, SID_REPLY);
    inbox(client, "heartbeats", subject);
    link_subscribe(&client->link, subject, SID_HEARTBEAT);
    inbox(client, "deliveries", subject);
    link_subscribe(&client->link, subject, SID_DELIVERY);
    client_publish_inbox(client, subject);
    link_subscribe(&client->link, subject, SID_PUBLISH_ACK);
    return true;
}

/* Whoever asks again may be refused as registered by an earlier question before
 * the answer to that one, which waits for the store: then that is waited for.
 */
static bool wait_connected(struct client *client, int64_t timeout,
                           bool asks_again)
{
    int64_t end = clock_monotonic(&clock_system) + timeout;
    int64_t left = timeout;
    while (left > 0 && client->link.trouble == NULL) {
        client->answered = false;
        if (wait_answer(client, left))
            return true;
        if (!asks_again)
            return false;
        left = end - clock_monotonic(&clock_system);
    }
    return false;
}

bool client_connect(struct client *client, const char *cluster, int64_t timeout,
                    int64_t again)
{
    char subject[CLIENT_SUBJECT_MAX];
    char heartbeats[CLIENT_SUBJECT_MAX];
    uint8_t request[4 * CLIENT_SUBJECT_MAX];
    (void)snprintf(subject, sizeof subject, "_STAN.discover.%s", cluster);
    inbox(client, "heartbeats", heartbeats);
    uint8_t *end = wire_put_bytes_field(request, 1, bytes_text(client->id));
    end = wire_put_bytes_field(end, 2, bytes_text(heartbeats));
    end = wire_put_uint64_field(end, 3, 1);
    end = wire_put_bytes_field(end, 4, bytes_text(client->connection_id));
    end = wire_put_uint64_field(end, 5, PING_INTERVAL_SECONDS);
    end = wire_put_uint64_field(end, 6, PING_MAX_OUT);
    int64_t last = clock_monotonic(&clock_system) + timeout;
    do {
        ask(client, CLIENT_ASKS_CONNECT, subject,
            bytes_of(request, (size_t)(end - request)));
        if (wait_connected(client, again == 0 ? timeout : again, again != 0))
            return true;
    } while (again != 0 && client->link.trouble == NULL &&
             clock_monotonic(&clock_system) < last);
    return false;
}

static void close_client(struct client *client)
{
    uint8_t request[CLIENT_SUBJECT_MAX];
    uint8_t *end = wire_put_bytes_field(request, 1, bytes_text(client->id));
    ask(client, CLIENT_ASKS_CLOSE, client->close,
        bytes_of(request, (size_t)(end - request)));
    (void)wait_answer(client, reply_timeout);
}

void client_release(struct client *client)
{
    if (client->connected && client->link.trouble == NULL)
        close_client(client);
    link_release(&client->link);
}
