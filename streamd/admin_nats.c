#include "streamd/admin_nats.h"

#include "monitor/admin_json.h"
#include "monitor/admin_parse.h"
#include "monitor/admin_token.h"

#include <stdio.h>
#include <stdlib.h>

/* One request: where its answer goes. */
struct asked {
    struct admin_request request;
    struct transport transport;
    char reply[];
};

static void send(const struct transport *transport, const char *reply,
                 const struct blob *answer)
{
    enum status status =
        transport->publish(transport->context, reply, NULL, blob_bytes(answer));
    struct blob shorter = {0};
    /* Any other failure: nobody can be told, and who asks will time out. */
    if (status == STATUS_TOO_BIG &&
        admin_json_error("done, but the answer is too large for a NATS "
                         "message: ask over HTTP, or for less",
                         &shorter)) {
        (void)transport->publish(transport->context, reply, NULL,
                                 blob_bytes(&shorter));
    }
    blob_release(&shorter);
}

static void send_error(const struct transport *transport, const char *reply,
                       const char *text)
{
    struct blob answer = {0};
    if (admin_json_error(text, &answer))
        send(transport, reply, &answer);
    blob_release(&answer);
}

static void answered(struct admin_request *request)
{
    struct asked *asked = request->context;
    struct error err = {0};
    struct blob answer = {0};
    if (request->status != STATUS_OK) {
        send_error(&asked->transport, asked->reply, request->error.detail);
    } else if (admin_json(request, true, &answer, &err) == STATUS_OK) {
        send(&asked->transport, asked->reply, &answer);
    } else {
        send_error(&asked->transport, asked->reply, err.detail);
    }
    blob_release(&answer);
    admin_request_release(request);
    free(asked);
}

/* ---- the request ---- */

static struct asked *asked_new(const struct transport *transport,
                               const struct inbound_message *message)
{
    size_t size = strlen(message->reply) + 1;
    struct asked *asked = calloc(1, sizeof *asked + size);
    if (asked == NULL)
        return NULL;
    memcpy(asked->reply, message->reply, size);
    asked->transport = *transport;
    asked->request.done = answered;
    asked->request.context = asked;
    if (!text_set(&asked->request.who, bytes_text(message->reply))) {
        free(asked);
        return NULL;
    }
    return asked;
}

enum { PEER_MAX = 256 };

/* "nats:" and the inbox. What stands before the last ':' is counted as one. */
static void peer_of(const char *reply, char peer[PEER_MAX])
{
    (void)snprintf(peer, PEER_MAX, "nats:%s", reply);
    for (char *at = strchr(peer, ':') + 1; *at != '\0'; at++) {
        if (*at == ':')
            *at = '.';
    }
}

/* Before anything else is looked at. */
static enum status check_token(struct admin_access *access, struct bytes data,
                               const char *peer, struct error *err)
{
    char token[ADMIN_TOKEN_MAX];
    size_t size = admin_token_find(data, token);
    enum admin_verdict verdict =
        admin_access_check(access, bytes_of(token, size), peer);
    if (verdict == ADMIN_GRANTED)
        return STATUS_OK;
    return fail(err, STATUS_INVALID,
                verdict == ADMIN_DENIED ? "no token, or a wrong one"
                                        : "too many wrong tokens");
}

/* The members but for the token. */
static enum status read_members(struct bytes data,
                                struct admin_document **document,
                                struct error *err)
{
    struct text token = {0};
    enum status status = admin_document_new(data, document, err);
    if (status == STATUS_OK && !admin_document_take(*document, "token", &token))
        status = fail(err, STATUS_NO_MEMORY, "out of memory");
    text_release(&token);
    return status;
}

static enum status find_verb(const char *subject, enum admin_verb *verb,
                             struct error *err)
{
    const char *dot = strrchr(subject, '.');
    struct bytes name = bytes_text(dot == NULL ? subject : dot + 1);
    char shown[TEXT_QUOTED_MAX];
    if (admin_verb_find(name, verb))
        return STATUS_OK;
    return fail(err, STATUS_INVALID, "unknown verb: %s",
                text_quote(name, shown));
}

static enum status read_request(struct admin_access *access, struct log *log,
                                const struct inbound_message *message,
                                struct admin_request *request,
                                struct error *err)
{
    struct admin_document *document = NULL;
    enum admin_verb verb = ADMIN_VERBS;
    char peer[PEER_MAX];
    peer_of(message->reply, peer);
    enum status status = check_token(access, message->data, peer, err);
    bool may = status == STATUS_OK;
    if (status == STATUS_OK)
        status = find_verb(message->subject, &verb, err);
    if (status == STATUS_OK)
        status = read_members(message->data, &document, err);
    if (status == STATUS_OK)
        status = admin_document_request(document, verb, request, err);
    admin_document_free(document);
    if (may && status != STATUS_OK)
        admin_note(log, peer, message->subject, err->detail);
    return status;
}

void admin_nats_message(struct admin_access *access, struct log *log,
                        struct engine *engine,
                        const struct transport *transport,
                        const struct inbound_message *message)
{
    struct error err = {0};
    if (message->reply == NULL)
        return;
    struct asked *asked = asked_new(transport, message);
    if (asked == NULL) {
        send_error(transport, message->reply, "out of memory");
        return;
    }
    if (read_request(access, log, message, &asked->request, &err) !=
        STATUS_OK) {
        send_error(transport, message->reply, err.detail);
        admin_request_release(&asked->request);
        free(asked);
        return;
    }
    engine_admin(engine, &asked->request);
}
