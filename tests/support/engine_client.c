#include "tests/support/engine_client.h"

#include "streamd/base/clock.h"
#include "tests/support/engine_messages.h"

#include <stdio.h>

/* Injects what out holds, which is then released. */
static const char *send_request(struct fixture *fixture, enum inbound kind,
                                const char *subject, struct blob *out)
{
    const char *reply = fixture_text(fixture, "reply.%u", ++fixture->requests);
    fixture_inject(fixture, kind, subject, reply, blob_bytes(out));
    blob_release(out);
    return reply;
}

const char *client_send_connect_as(struct fixture *fixture, const char *id,
                                   const char *heartbeat_inbox,
                                   const char *conn_id)
{
    struct blob out = {0};
    field_text(&out, FIELD_CONNECT_CLIENT_ID, id);
    field_text(&out, FIELD_CONNECT_HEARTBEAT_INBOX, heartbeat_inbox);
    field_number(&out, FIELD_CONNECT_PROTOCOL, 1);
    field_text(&out, FIELD_CONNECT_CONN_ID, conn_id);
    field_number(&out, FIELD_CONNECT_PING_INTERVAL, 5);
    field_number(&out, FIELD_CONNECT_PING_MAX_OUT, 88);
    return send_request(fixture, INBOUND_CONNECT, "_STAN.discover.test-cluster",
                        &out);
}

const char *client_send_connect(struct fixture *fixture, const char *id)
{
    return client_send_connect_as(fixture, id,
                                  fixture_text(fixture, "hb.%s", id),
                                  fixture_text(fixture, "conn.%s", id));
}

const char *client_send_publish(struct fixture *fixture, const char *id,
                                const char *channel, const char *text)
{
    struct blob out = {0};
    field_text(&out, FIELD_PUB_CLIENT_ID, id);
    field_text(&out, FIELD_PUB_GUID, "guid");
    field_text(&out, FIELD_PUB_SUBJECT, channel);
    field_text(&out, FIELD_PUB_DATA, text);
    field_text(&out, FIELD_PUB_CONN_ID, fixture_text(fixture, "conn.%s", id));
    return send_request(
        fixture, INBOUND_PUBLISH,
        fixture_text(fixture, "_STAN.pub.test-cluster.%s", channel), &out);
}

const char *client_send_close(struct fixture *fixture, const char *id)
{
    struct blob out = {0};
    field_text(&out, FIELD_CLOSE_CLIENT_ID, id);
    return send_request(fixture, INBOUND_CLOSE, "_STAN.close.test-cluster",
                        &out);
}

const char *client_send_ping(struct fixture *fixture, const char *conn_id)
{
    struct blob out = {0};
    field_text(&out, FIELD_PING_CONN_ID, conn_id);
    return send_request(fixture, INBOUND_PING,
                        "_STAN.discover.test-cluster.pings", &out);
}

static const char *or_default(const char *text, const char *otherwise)
{
    return text == NULL ? otherwise : text;
}

const char *client_send_subscribe(struct fixture *fixture,
                                  const struct subscribe_request *request)
{
    struct blob out = {0};
    int most = request->max_in_flight == 0 ? 100 : request->max_in_flight;
    int wait = request->ack_wait == 0 ? 30 : request->ack_wait;
    field_text(&out, FIELD_SUBSCRIBE_CLIENT_ID,
               or_default(request->client, "me"));
    field_text(&out, FIELD_SUBSCRIBE_SUBJECT,
               or_default(request->channel, "foo"));
    field_text(&out, FIELD_SUBSCRIBE_GROUP, request->group);
    field_text(&out, FIELD_SUBSCRIBE_INBOX, or_default(request->inbox, "in"));
    field_number(&out, FIELD_SUBSCRIBE_MAX_IN_FLIGHT, (uint64_t)most);
    field_number(&out, FIELD_SUBSCRIBE_ACK_WAIT, (uint64_t)wait);
    field_text(&out, FIELD_SUBSCRIBE_DURABLE, request->durable);
    field_number(&out, FIELD_SUBSCRIBE_POSITION, (uint64_t)request->position);
    field_number(&out, FIELD_SUBSCRIBE_SEQUENCE, request->sequence);
    field_number(&out, FIELD_SUBSCRIBE_DELTA, (uint64_t)request->delta);
    return send_request(fixture, INBOUND_SUBSCRIBE, "_STAN.sub.test-cluster",
                        &out);
}

const char *client_send_unsubscribe(struct fixture *fixture, enum inbound kind,
                                    const char *id, const char *channel,
                                    const char *inbox)
{
    struct blob out = {0};
    field_text(&out, FIELD_UNSUBSCRIBE_CLIENT_ID, id);
    field_text(&out, FIELD_UNSUBSCRIBE_SUBJECT, channel);
    field_text(&out, FIELD_UNSUBSCRIBE_INBOX, inbox);
    return send_request(fixture, kind,
                        kind == INBOUND_UNSUBSCRIBE
                            ? "_STAN.unsub.test-cluster"
                            : "_STAN.subclose.test-cluster",
                        &out);
}

void client_send_ack(struct fixture *fixture, const char *ack_inbox,
                     const char *channel, uint64_t sequence)
{
    struct blob out = {0};
    field_text(&out, FIELD_ACK_SUBJECT, channel);
    field_number(&out, FIELD_ACK_SEQUENCE, sequence);
    fixture_inject(fixture, INBOUND_ACK, ack_inbox, NULL, blob_bytes(&out));
    blob_release(&out);
}

const char *client_error(struct fixture *fixture, const char *reply,
                         unsigned field)
{
    const struct sent *sent = fixture_take(fixture, reply);
    if (sent == NULL)
        return NULL;
    struct bytes error = field_of(sent->data, field);
    return fixture_text(fixture, "%.*s", (int)error.size,
                        error.size == 0 ? "" : (const char *)error.data);
}

const char *client_connect(struct fixture *fixture, const char *id)
{
    const char *reply = client_send_connect(fixture, id);
    fixture_run(fixture);
    return client_error(fixture, reply, FIELD_CONNECTED_ERROR);
}

const char *client_publish(struct fixture *fixture, const char *id,
                           const char *channel, const char *text)
{
    const char *reply = client_send_publish(fixture, id, channel, text);
    fixture_run(fixture);
    return client_error(fixture, reply, FIELD_PUB_ACK_ERROR);
}

const char *client_close(struct fixture *fixture, const char *id)
{
    const char *reply = client_send_close(fixture, id);
    fixture_run(fixture);
    return client_error(fixture, reply, FIELD_ERROR);
}

const char *client_ping(struct fixture *fixture, const char *conn_id)
{
    const char *reply = client_send_ping(fixture, conn_id);
    fixture_run(fixture);
    return client_error(fixture, reply, FIELD_ERROR);
}

const char *client_subscribe(struct fixture *fixture,
                             const struct subscribe_request *request,
                             const char **ack_inbox)
{
    const char *reply = client_send_subscribe(fixture, request);
    fixture_run(fixture);
    const struct sent *sent = fixture_take(fixture, reply);
    if (sent == NULL)
        return NULL;
    struct bytes found = field_of(sent->data, FIELD_SUBSCRIBED_ACK_INBOX);
    struct bytes error = field_of(sent->data, FIELD_SUBSCRIBED_ERROR);
    if (ack_inbox != NULL && found.size > 0) {
        *ack_inbox = fixture_text(fixture, "%.*s", (int)found.size,
                                  (const char *)found.data);
    }
    return fixture_text(fixture, "%.*s", (int)error.size,
                        error.size == 0 ? "" : (const char *)error.data);
}

const char *client_unsubscribe(struct fixture *fixture, const char *id,
                               const char *channel, const char *inbox)
{
    const char *reply = client_send_unsubscribe(fixture, INBOUND_UNSUBSCRIBE,
                                                id, channel, inbox);
    fixture_run(fixture);
    return client_error(fixture, reply, FIELD_SUBSCRIBED_ERROR);
}

const char *client_sub_close(struct fixture *fixture, const char *id,
                             const char *channel, const char *inbox)
{
    const char *reply =
        client_send_unsubscribe(fixture, INBOUND_SUB_CLOSE, id, channel, inbox);
    fixture_run(fixture);
    return client_error(fixture, reply, FIELD_SUBSCRIBED_ERROR);
}

void client_ack(struct fixture *fixture, const char *ack_inbox,
                const char *channel, uint64_t sequence)
{
    client_send_ack(fixture, ack_inbox, channel, sequence);
    fixture_run(fixture);
}
