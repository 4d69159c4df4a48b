#include "streamd/engine/start.h"

#include "proto/codec.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/inquiry.h"
#include "streamd/engine/recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t ALONE_TIMEOUT = 250 * CLOCK_MILLISECOND;
static const int64_t SELF_TIMEOUT = 10 * CLOCK_SECOND;
enum { SUBJECT_MAX = 512 };

static bool set_subject(struct text *text, const char *prefix,
                        const char *cluster)
{
    char subject[SUBJECT_MAX];
    int size = snprintf(subject, sizeof subject, "%s.%s", prefix, cluster);
    return size > 0 && (size_t)size < sizeof subject &&
           text_set(text, bytes_text(subject));
}

enum status start_default_subjects(struct engine *engine, struct error *err)
{
    char nuid[NUID_SIZE + 1];
    char reply[NUID_SIZE + 1];
    const char *cluster = engine->config.cluster_id;
    nuid_next(nuid);
    nuid_next(reply);
    if (strlen(cluster) > SUBJECT_MAX / 2)
        return fail(err, STATUS_INVALID, "cluster ID is too long");
    if (!text_set(&engine->cluster_id, bytes_text(cluster)) ||
        !set_subject(&engine->discovery, engine->config.discover_prefix,
                     cluster) ||
        !set_subject(&engine->publish, "_STAN.pub", cluster) ||
        !set_subject(&engine->subscribe, "_STAN.sub", cluster) ||
        !set_subject(&engine->unsubscribe, "_STAN.unsub", cluster) ||
        !set_subject(&engine->close, "_STAN.close", cluster) ||
        !set_subject(&engine->sub_close, "_STAN.subclose", cluster) ||
        !set_subject(&engine->acks_subs, "_STAN.ack", cluster) ||
        !set_subject(&engine->ack_prefix, "_INBOX", nuid) ||
        !set_subject(&engine->reply_prefix, "_INBOX", reply))
        return fail(err, STATUS_NO_MEMORY, "engine: subjects");
    return STATUS_OK;
}

static void give_up(struct engine *engine, const struct error *failure)
{
    engine->config.started(engine->config.context, failure);
}

/* ---- 4: the subscriptions have reached the NATS server ---- */

static void hear_self(struct engine *engine);

static void heard_self(struct inquiry *inquiry, enum inquiry_result result,
                       struct bytes data)
{
    (void)data;
    struct engine *engine = inquiry->engine;
    struct error err = {0};
    const struct transport *transport = &engine->config.transport;
    if (result == INQUIRY_UNKNOWN && transport->is_up(transport->context)) {
        hear_self(engine); /* the connection was lost meanwhile */
    } else if (result != INQUIRY_ANSWERED) {
        (void)fail(&err, STATUS_UNAVAILABLE, "the NATS server does not answer");
        give_up(engine, &err);
    } else {
        engine->config.started(engine->config.context, NULL);
    }
}

/* What we publish comes back behind our subscriptions: once it is here they
 * are in force. */
static void hear_self(struct engine *engine)
{
    char subject[SUBJECT_MAX];
    (void)snprintf(subject, sizeof subject, "%s.%" PRIx64,
                   text_string(&engine->reply_prefix),
                   engine->last_inquiry + 1);
    engine->start_inquiry.ended = heard_self;
    inquiry_start(engine, &engine->start_inquiry, subject, bytes_of(NULL, 0),
                  SELF_TIMEOUT);
}

/* ---- 3: our subjects ---- */

static enum status subscribe(struct engine *engine, enum inbound kind,
                             const struct text *subject, const char *below,
                             const char *what, struct error *err)
{
    char full[SUBJECT_MAX + 4];
    const struct transport *transport = &engine->config.transport;
    if (subject->size > SUBJECT_MAX)
        return fail(err, STATUS_CORRUPT, "a stored subject is too long");
    (void)snprintf(full, sizeof full, "%s%s", text_string(subject), below);
    log_debug(engine->log, "%s subject: %s", what, full);
    return transport->subscribe(transport->context, kind, full, err);
}

/* _STAN.admin.<cluster>.<verb> */
static enum status subscribe_admin(struct engine *engine, struct error *err)
{
    struct text subject = {0};
    if (engine->config.admin == NULL)
        return STATUS_OK;
    if (!set_subject(&subject, "_STAN.admin", text_string(&engine->cluster_id)))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    enum status status =
        subscribe(engine, INBOUND_ADMIN, &subject, ".*", "Admin", err);
    text_release(&subject);
    return status;
}

static enum status subscribe_all(struct engine *engine, struct error *err)
{
    const struct {
        enum inbound kind;
        const struct text *subject;
        const char *below, *what;
    } all[] = {
        {INBOUND_ACK, &engine->ack_prefix, ".*", "Acks"},
        {INBOUND_CONNECT, &engine->discovery, "", "Discover"},
        {INBOUND_PING, &engine->pings, "", "Pings"},
        {INBOUND_PUBLISH, &engine->publish, ".>", "Publish"},
        {INBOUND_SUBSCRIBE, &engine->subscribe, "", "Subscribe"},
        {INBOUND_SUB_CLOSE, &engine->sub_close, "", "Subscription Close"},
        {INBOUND_UNSUBSCRIBE, &engine->unsubscribe, "", "Unsubscribe"},
        {INBOUND_CLOSE, &engine->close, "", "Close"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        enum status status = subscribe(engine, all[i].kind, all[i].subject,
                                       all[i].below, all[i].what, err);
        if (status != STATUS_OK)
            return status;
    }
    return subscribe_admin(engine, err);
}

static void serve(struct engine *engine)
{
    struct error err = {0};
    if (subscribe_all(engine, &err) != STATUS_OK) {
        give_up(engine, &err);
        return;
    }
    /* Requests may come from now on, before we have heard ourselves. */
    engine->phase = ENGINE_SERVING;
    recovery_resume(engine);
    hear_self(engine);
}

/* ---- 2: the server record ---- */

struct server_stored {
    struct effect effect;
};

static void server_stored(struct engine *engine, struct effect *effect,
                          const struct error *failure)
{
    free(list_entry(effect, struct server_stored, effect));
    if (failure != NULL) {
        give_up(engine, failure);
    } else {
        serve(engine);
    }
}

static bool add_server(struct engine *engine)
{
    struct server_record record = {
        .cluster_id = text_bytes(&engine->cluster_id),
        .discovery = text_bytes(&engine->discovery),
        .publish = text_bytes(&engine->publish),
        .subscribe = text_bytes(&engine->subscribe),
        .unsubscribe = text_bytes(&engine->unsubscribe),
        .close = text_bytes(&engine->close),
        .sub_close = text_bytes(&engine->sub_close),
        .acks_subs = text_bytes(&engine->acks_subs),
        .node_id = text_bytes(&engine->node_id),
        .ack_prefix = text_bytes(&engine->ack_prefix),
    };
    engine->scratch.size = 0;
    return server_record_encode(&record, &engine->scratch) &&
           batch_server(commit_batch(engine), blob_bytes(&engine->scratch));
}

static void store_server(struct engine *engine)
{
    struct error err = {0};
    if (engine->server_recovered) {
        serve(engine);
        return;
    }
    struct server_stored *stored = calloc(1, sizeof *stored);
    if (stored == NULL || !add_server(engine)) {
        free(stored);
        (void)fail(&err, STATUS_NO_MEMORY, "out of memory");
        give_up(engine, &err);
        return;
    }
    stored->effect.finish = server_stored;
    commit_wait(engine, &stored->effect);
}

/* ---- 1: nobody else serves this cluster ---- */

static void somebody(struct engine *engine, struct bytes data)
{
    struct connect_response response;
    struct error err = {0};
    char shown[TEXT_QUOTED_MAX];
    const struct transport *transport = &engine->config.transport;
    (void)fail(&err, STATUS_EXISTS,
               "discovered another streaming server with cluster ID %s",
               text_quote(text_bytes(&engine->cluster_id), shown));
    if (!connect_response_decode(data, &response)) {
        give_up(engine, &err);
        return;
    }
    /* If it let us in as a client, it should forget us. */
    struct close_request request = {.client_id =
                                        text_bytes(&engine->cluster_id)};
    struct text subject = {0};
    engine->scratch.size = 0;
    if (response.close_requests.size > 0 &&
        text_set(&subject, response.close_requests) &&
        close_request_encode(&request, &engine->scratch)) {
        (void)transport->publish(transport->context, subject.data, NULL,
                                 blob_bytes(&engine->scratch));
    }
    text_release(&subject);
    give_up(engine, &err);
}

static void look_for_others(struct engine *engine);

static void looked(struct inquiry *inquiry, enum inquiry_result result,
                   struct bytes data)
{
    if (result == INQUIRY_ANSWERED) {
        somebody(inquiry->engine, data);
    } else if (result == INQUIRY_UNKNOWN) { /* there may be somebody */
        look_for_others(inquiry->engine);
    } else {
        store_server(inquiry->engine);
    }
}

static void look_for_others(struct engine *engine)
{
    struct connect_request request = {
        .client_id = text_bytes(&engine->cluster_id),
        .heartbeat_inbox = text_bytes(&engine->reply_prefix),
    };
    struct blob payload = {0};
    struct error err = {0};
    if (!connect_request_encode(&request, &payload)) {
        (void)fail(&err, STATUS_NO_MEMORY, "out of memory");
        give_up(engine, &err);
        return;
    }
    engine->start_inquiry.ended = looked;
    inquiry_start(engine, &engine->start_inquiry,
                  text_string(&engine->discovery), blob_bytes(&payload),
                  ALONE_TIMEOUT);
    blob_release(&payload);
}

void start_begin(struct engine *engine)
{
    struct error err = {0};
    engine->phase = ENGINE_STARTING;
    engine->start_inquiry = (struct inquiry){.engine = engine};
    struct blob pings = {0};
    bool named =
        blob_append(&pings, engine->discovery.data, engine->discovery.size) &&
        blob_append(&pings, ".pings", 6) &&
        text_set(&engine->pings, blob_bytes(&pings));
    blob_release(&pings);
    if (!named) {
        (void)fail(&err, STATUS_NO_MEMORY, "out of memory");
        give_up(engine, &err);
        return;
    }
    if (subscribe(engine, INBOUND_REPLY, &engine->reply_prefix, ".*", "Replies",
                  &err) != STATUS_OK) {
        give_up(engine, &err);
    } else if (engine->config.alone) {
        look_for_others(engine);
    } else {
        store_server(engine);
    }
}
