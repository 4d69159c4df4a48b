#include "streamd/engine/connect.h"

#include "natsclient/subjects.h"
#include "proto/codec.h"
#include "streamd/engine/client.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/heartbeat.h"
#include "streamd/engine/inquiry.h"
#include "streamd/engine/removal.h"
#include "streamd/engine/reply.h"

#include <stdlib.h>

static const char taken[] = "stan: clientID already registered";
static const int64_t PROBE_TIMEOUT = 500 * CLOCK_MILLISECOND;

/* A connect request that waits. */
struct rival {
    struct text payload;
    struct text reply; /* empty: none */
};

void connect_rival_free(struct rival *rival)
{
    if (rival == NULL)
        return;
    text_release(&rival->payload);
    text_release(&rival->reply);
    free(rival);
}

static struct rival *rival_new(const struct inbound_message *message)
{
    struct rival *rival = calloc(1, sizeof *rival);
    if (rival == NULL || !text_set(&rival->payload, message->data) ||
        (message->reply != NULL &&
         !text_set(&rival->reply, bytes_text(message->reply)))) {
        connect_rival_free(rival);
        return NULL;
    }
    return rival;
}

/* ---- registering ---- */

struct registration {
    struct effect effect;
    struct text id;
    struct text reply;
};

static void registration_free(struct registration *registration)
{
    text_release(&registration->id);
    text_release(&registration->reply);
    free(registration);
}

static void registered(struct engine *engine, struct effect *effect,
                       const struct error *failure)
{
    struct registration *registration =
        list_entry(effect, struct registration, effect);
    struct client *client = client_find(engine, text_bytes(&registration->id));
    const char *reply = registration->reply.data;
    if (failure != NULL) {
        reply_connect_error(engine, reply, failure->detail);
        if (client != NULL && !removal_close_client(engine, client)) {
            log_error(engine->log, "[Client:%s] Not stored, and stays",
                      client->id.data); /* until it misses heartbeats */
        }
    } else if (client != NULL) { /* else it closed meanwhile */
        log_debug(engine->log, "[Client:%s] Connected (Inbox=%s)",
                  client->id.data, text_string(&client->heartbeat_inbox));
        reply_connected(engine, reply, client);
    }
    registration_free(registration);
}

static bool store_client(struct engine *engine,
                         const struct client_record *record)
{
    engine->scratch.size = 0;
    return client_record_encode(record, &engine->scratch) &&
           batch_client_put(commit_batch(engine), record->id,
                            blob_bytes(&engine->scratch));
}

static struct registration *registration_new(struct bytes id, const char *reply)
{
    struct registration *registration = calloc(1, sizeof *registration);
    if (registration == NULL)
        return NULL;
    registration->effect.finish = registered;
    if (!text_set(&registration->id, id) ||
        (reply != NULL && !text_set(&registration->reply, bytes_text(reply)))) {
        registration_free(registration);
        return NULL;
    }
    return registration;
}

static void register_client(struct engine *engine, const char *reply,
                            const struct connect_request *request)
{
    struct client_record record = {
        .id = request->client_id,
        .heartbeat_inbox = request->heartbeat_inbox,
        .conn_id = request->conn_id,
        .protocol = request->protocol,
        .ping_interval = request->ping_interval,
        .ping_max_out = request->ping_max_out,
    };
    struct client *client = NULL;
    struct error err = {0};
    struct registration *registration = registration_new(record.id, reply);
    if (registration == NULL ||
        client_add(engine, &record, &client, &err) != STATUS_OK) {
        if (registration != NULL)
            registration_free(registration);
        reply_connect_error(engine, reply, "out of memory");
        return;
    }
    if (!store_client(engine, &record)) {
        client_remove(engine, client);
        registration_free(registration);
        reply_connect_error(engine, reply, "out of memory");
        return;
    }
    heartbeat_begin(engine, client);
    commit_wait(engine, &registration->effect);
}

/* ---- is the old client still there? ---- */

void connect_rival(struct engine *engine, struct rival *rival)
{
    struct connect_request request;
    if (rival == NULL)
        return;
    bool valid = connect_request_decode(text_bytes(&rival->payload), &request);
    if (valid && client_find(engine, request.client_id) == NULL) {
        register_client(engine, rival->reply.data, &request);
    } else {
        reply_connect_error(engine, rival->reply.data, taken);
    }
    connect_rival_free(rival);
}

static void refuse_rival(struct engine *engine, struct client *client,
                         const char *error)
{
    struct rival *rival = client->rival;
    client->rival = NULL;
    reply_connect_error(engine, rival->reply.data, error);
    connect_rival_free(rival);
}

static void ask(struct engine *engine, struct client *client)
{
    inquiry_start(engine, &client->probe, text_string(&client->heartbeat_inbox),
                  bytes_of(NULL, 0), PROBE_TIMEOUT);
}

static void probed(struct inquiry *inquiry, enum inquiry_result result,
                   struct bytes data)
{
    (void)data;
    struct client *client = inquiry->context;
    struct engine *engine = inquiry->engine;
    const struct transport *transport = &engine->config.transport;
    bool up = transport->is_up(transport->context);
    if (result == INQUIRY_UNKNOWN && up) {
        ask(engine, client); /* the connection was lost meanwhile */
        return;
    }
    /* Still cut off: who asks does not hear us either, and asks again. */
    if (result == INQUIRY_ANSWERED || result == INQUIRY_UNKNOWN) {
        refuse_rival(engine, client, taken);
        return;
    }
    log_debug(engine->log, "[Client:%s] Replaced old client (Inbox=%s)",
              client->id.data, text_string(&client->heartbeat_inbox));
    if (!removal_close_client(engine, client)) /* else it let the rival in */
        refuse_rival(engine, client, "out of memory");
}

static void probe(struct engine *engine, struct client *client,
                  const struct inbound_message *message)
{
    client->rival = rival_new(message);
    if (client->rival == NULL) {
        reply_connect_error(engine, message->reply, "out of memory");
        return;
    }
    client->probe.ended = probed;
    client->probe.context = client;
    ask(engine, client);
}

/* ---- requests ---- */

void connect_message(struct engine *engine,
                     const struct inbound_message *message)
{
    struct connect_request request;
    if (!connect_request_decode(message->data, &request) ||
        request.heartbeat_inbox.size == 0) {
        reply_connect_error(engine, message->reply,
                            "stan: invalid connection request");
        return;
    }
    if (!client_id_is_valid(request.client_id)) {
        reply_connect_error(engine, message->reply,
                            "stan: invalid clientID: only alphanumeric and "
                            "`-` or `_` characters allowed");
        return;
    }
    struct client *client = client_find(engine, request.client_id);
    if (client == NULL) {
        register_client(engine, message->reply, &request);
    } else if (client->rival != NULL) {
        reply_connect_error(engine, message->reply, taken);
    } else {
        probe(engine, client, message);
    }
}

void connect_ping(struct engine *engine, const struct inbound_message *message)
{
    struct ping ping;
    if (!ping_decode(message->data, &ping) || ping.conn_id.size == 0)
        return;
    struct client *client = client_find_connection(engine, ping.conn_id);
    if (client == NULL) {
        reply_error(engine, message->reply,
                    "client has been replaced or is no longer registered");
        return;
    }
    reply_error(engine, message->reply, "");
    heartbeat_ping(engine, client);
}
