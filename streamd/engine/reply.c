#include "streamd/engine/reply.h"

#include "proto/codec.h"
#include "streamd/engine/commit.h"

#include <stdlib.h>

static void send(struct engine *engine, const char *reply, bool encoded)
{
    const struct transport *transport = &engine->config.transport;
    if (reply != NULL && encoded) {
        (void)transport->publish(transport->context, reply, NULL,
                                 blob_bytes(&engine->scratch));
    }
}

static struct blob *scratch(struct engine *engine)
{
    engine->scratch.size = 0;
    return &engine->scratch;
}

void reply_connect_error(struct engine *engine, const char *reply,
                         const char *error)
{
    struct connect_response response = {.error = bytes_text(error)};
    send(engine, reply, connect_response_encode(&response, scratch(engine)));
}

void reply_connected(struct engine *engine, const char *reply,
                     const struct client *client)
{
    struct connect_response response = {
        .pub_prefix = text_bytes(&engine->publish),
        .sub_requests = text_bytes(&engine->subscribe),
        .unsub_requests = text_bytes(&engine->unsubscribe),
        .close_requests = text_bytes(&engine->close),
        .sub_close_requests = text_bytes(&engine->sub_close),
        .protocol = 1,
    };
    if (client->protocol >= 1) {
        response.ping_requests = text_bytes(&engine->pings);
        response.ping_interval = client->ping_interval;
        response.ping_max_out = client->ping_max_out;
    }
    send(engine, reply, connect_response_encode(&response, scratch(engine)));
}

void reply_pub_error(struct engine *engine, const char *reply,
                     struct bytes guid, const char *error)
{
    struct bytes text = bytes_text(error);
    struct blob *out = scratch(engine);
    if (!blob_reserve(out, pub_ack_size(guid, text)))
        return;
    out->size = pub_ack_encode(guid, text, out->data);
    send(engine, reply, true);
}

void reply_subscription(struct engine *engine, const char *reply,
                        const char *ack_inbox, const char *error)
{
    send(engine, reply,
         subscription_response_encode(bytes_text(ack_inbox), bytes_text(error),
                                      scratch(engine)));
}

void reply_error(struct engine *engine, const char *reply, const char *error)
{
    send(engine, reply,
         error_response_encode(bytes_text(error), scratch(engine)));
}

struct late_reply {
    struct effect effect;
    void (*answer)(struct engine *engine, const char *reply, const char *error);
    char to[];
};

static void answer_late(struct engine *engine, struct effect *effect,
                        const struct error *failure)
{
    struct late_reply *late = list_entry(effect, struct late_reply, effect);
    late->answer(engine, late->to[0] == '\0' ? NULL : late->to,
                 failure == NULL ? "" : failure->detail);
    free(late);
}

static void answer_subscription(struct engine *engine, const char *reply,
                                const char *error)
{
    reply_subscription(engine, reply, "", error);
}

/* Without a reply it still waits: what it stands for is to be durable. */
static struct late_reply *late_new(const char *reply,
                                   void (*answer)(struct engine *engine,
                                                  const char *reply,
                                                  const char *error))
{
    size_t size = reply == NULL ? 0 : strlen(reply);
    struct late_reply *late = calloc(1, sizeof *late + size + 1);
    if (late == NULL)
        return NULL;
    late->effect.finish = answer_late;
    late->answer = answer;
    if (reply != NULL)
        memcpy(late->to, reply, size + 1);
    return late;
}

struct late_reply *reply_late_subscription(const char *reply)
{
    return late_new(reply, answer_subscription);
}

/* The client is gone from memory; its record goes with the next batch that
 * succeeds (E28). */
static void answer_closed(struct engine *engine, const char *reply,
                          const char *error)
{
    if (error[0] != '\0')
        log_error(engine->log, "Error unregistering client: %s", error);
    reply_error(engine, reply, "");
}

struct late_reply *reply_late_closed(const char *reply)
{
    return late_new(reply, answer_closed);
}

void reply_when_durable(struct engine *engine, struct late_reply *late)
{
    commit_wait(engine, &late->effect);
}

void reply_late_free(struct late_reply *late)
{
    free(late);
}
