#include "streamd/engine/trace.h"

#include "proto/codec.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>
#include <string.h>

/* A name from a client, without what would look like another line. */
struct shown {
    char text[TEXT_QUOTED_MAX];
};

static const char *show(struct bytes name, struct shown *shown)
{
    return text_quote(name, shown->text);
}

/* The same without the quotes, as clients are named everywhere. */
static const char *show_client(struct bytes id, struct shown *shown)
{
    (void)text_quote(id, shown->text);
    size_t size = strlen(shown->text);
    if (size > 1 && shown->text[size - 1] == '"')
        shown->text[size - 1] = '\0';
    return shown->text + (shown->text[0] == '"' ? 1 : 0);
}

static void publish(const struct engine *engine, struct bytes data)
{
    struct pub_msg request;
    struct shown client;
    struct shown channel;
    struct shown guid;
    if (!pub_msg_decode(data, &request))
        return;
    log_trace(engine->log,
              "[Client:%s] Received message from publisher subj=%s guid=%s",
              show_client(request.client_id, &client),
              show(request.subject, &channel), show(request.guid, &guid));
}

static void ack(struct engine *engine, const struct inbound_message *message)
{
    struct ack request;
    struct shown channel;
    if (!ack_decode(message->data, &request))
        return;
    const struct subscription *subscription =
        subscription_find_ack(engine, message->subject);
    if (subscription == NULL) {
        log_trace(engine->log,
                  "Received ack of no subscription, subject=%s, seq=%" PRIu64,
                  show(request.subject, &channel), request.sequence);
        return;
    }
    log_trace(engine->log,
              "[Client:%s] Processing ack for subid=%" PRIu64
              ", subject=%s, seq=%" PRIu64,
              text_string(&subscription->client_id), subscription->id,
              show(request.subject, &channel), request.sequence);
}

static void connect(const struct engine *engine, struct bytes data)
{
    struct connect_request request;
    struct shown client;
    struct shown inbox;
    if (connect_request_decode(data, &request)) {
        log_trace(engine->log, "[Client:%s] Received connect request, inbox=%s",
                  show_client(request.client_id, &client),
                  show(request.heartbeat_inbox, &inbox));
    }
}

static void subscribe(const struct engine *engine, struct bytes data)
{
    struct subscription_request request;
    struct shown client;
    struct shown channel;
    struct shown inbox;
    struct shown group;
    struct shown durable;
    if (!subscription_request_decode(data, &request))
        return;
    log_trace(engine->log,
              "[Client:%s] Received subscribe request, subject=%s, inbox=%s, "
              "queue=%s, durable=%s, start=%" PRId32 ", seq=%" PRIu64,
              show_client(request.client_id, &client),
              show(request.subject, &channel), show(request.inbox, &inbox),
              show(request.group, &group), show(request.durable_name, &durable),
              request.start_position, request.start_sequence);
}

static void unsubscribe(const struct engine *engine, const char *what,
                        struct bytes data)
{
    struct unsubscribe_request request;
    struct shown client;
    struct shown channel;
    struct shown inbox;
    if (!unsubscribe_request_decode(data, &request))
        return;
    log_trace(engine->log,
              "[Client:%s] Received %s request, subject=%s, inbox=%s",
              show_client(request.client_id, &client), what,
              show(request.subject, &channel), show(request.inbox, &inbox));
}

static void close_client(const struct engine *engine, struct bytes data)
{
    struct close_request request;
    struct shown client;
    if (close_request_decode(data, &request)) {
        log_trace(engine->log, "[Client:%s] Received close request",
                  show_client(request.client_id, &client));
    }
}

void trace_message(struct engine *engine, const struct inbound_message *message)
{
    switch (message->kind) {
    case INBOUND_PUBLISH:
        publish(engine, message->data);
        break;
    case INBOUND_ACK:
        ack(engine, message);
        break;
    case INBOUND_CONNECT:
        connect(engine, message->data);
        break;
    case INBOUND_SUBSCRIBE:
        subscribe(engine, message->data);
        break;
    case INBOUND_UNSUBSCRIBE:
        unsubscribe(engine, "unsubscribe", message->data);
        break;
    case INBOUND_SUB_CLOSE:
        unsubscribe(engine, "close subscription", message->data);
        break;
    case INBOUND_CLOSE:
        close_client(engine, message->data);
        break;
    case INBOUND_PING:
        log_trace(engine->log, "Received ping request");
        break;
    case INBOUND_ADMIN:
    case INBOUND_REPLY:
    case INBOUND_KINDS:
        break;
    }
}

void trace_delivery(const struct engine *engine,
                    const struct subscription *subscription, uint64_t sequence,
                    uint32_t redelivery)
{
    struct shown channel;
    log_trace(
        engine->log,
        "[Client:%s] %s msg to subid=%" PRIu64 ", subject=%s, seq=%" PRIu64,
        text_string(&subscription->client_id),
        redelivery > 0 ? "Redelivering" : "Delivering", subscription->id,
        show(text_bytes(&subscription->channel->name), &channel), sequence);
}

void trace_pub_ack(const struct engine *engine, struct bytes guid,
                   const char *failure)
{
    struct shown shown;
    log_trace(
        engine->log, "Acking publisher guid=%s%s%s", show(guid, &shown),
        failure == NULL ? "" : ", error: ", failure == NULL ? "" : failure);
}
