#include "monitor/exchange.h"

#include "monitor/router.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADERS_MAX = 64,        /* more get 431 */
    DROPPED_MAX = 64 * 1024, /* a body nobody takes is read, as Go does */
};

struct exchange {
    char *target; /* as it stood in the request line; NULL: out of memory */
    bool begun;
    bool keep_body;
    size_t body_max, body_size;
    struct blob body;
    struct header headers[HEADERS_MAX];
    size_t headers_size;
};

void *exchange_new(void *context, const char *target,
                   struct MHD_Connection *connection)
{
    (void)context;
    (void)connection;
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange != NULL)
        exchange->target = strdup(target);
    return exchange;
}

void exchange_end(void *context, struct MHD_Connection *connection,
                  void **request, enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    struct exchange *exchange = *request;
    if (exchange == NULL)
        return;
    blob_release(&exchange->body);
    free(exchange->target);
    free(exchange);
    *request = NULL;
}

/* ---- replies ---- */

static bool headers_add(struct MHD_Response *response,
                        const struct reply *reply)
{
    if (reply->content_type != NULL &&
        MHD_add_response_header(response, "Content-Type",
                                reply->content_type) != MHD_YES)
        return false;
    for (size_t i = 0; i < reply->headers_size; i++) {
        /* An empty value is refused: nothing is said then. */
        if (reply->headers[i].value[0] != '\0' &&
            MHD_add_response_header(response, reply->headers[i].name,
                                    reply->headers[i].value) != MHD_YES)
            return false;
    }
    return true;
}

/* libmicrohttpd promises not to change what is persistent. */
static void *built_in(const uint8_t *data)
{
    union {
        const uint8_t *in;
        void *out;
    } cast = {.in = data};
    return cast.out;
}

static struct MHD_Response *response_new(struct reply *reply)
{
    if (reply->body.size == 0 && reply->fixed.size > 0) {
        return MHD_create_response_from_buffer(reply->fixed.size,
                                               built_in(reply->fixed.data),
                                               MHD_RESPMEM_PERSISTENT);
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.size, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        reply->body = (struct blob){0}; /* the response's now */
    return response;
}

/* Sends it off and releases it. MHD_NO makes MHD close the connection. */
static enum MHD_Result reply_send(struct MHD_Connection *connection,
                                  const char *version, struct reply *reply)
{
    enum MHD_Result result = MHD_NO;
    struct MHD_Response *response = response_new(reply);
    if (response == NULL)
        goto out;
    if (!headers_add(response, reply))
        goto out;
    if (strcmp(version, MHD_HTTP_VERSION_1_0) == 0 &&
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_SERVER,
                                 MHD_RO_END) != MHD_YES)
        goto out;
    result = MHD_queue_response(connection, (unsigned)reply->status, response);
out:
    if (response != NULL)
        MHD_destroy_response(response);
    http_release(reply);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection,
                              const char *version, int status)
{
    struct reply reply = {.status = status};
    return reply_send(connection, version, &reply);
}

/* ---- requests ---- */

static enum MHD_Result header_take(void *context, enum MHD_ValueKind kind,
                                   const char *name, const char *value)
{
    (void)kind;
    struct exchange *exchange = context;
    if (exchange->headers_size < HEADERS_MAX) {
        exchange->headers[exchange->headers_size] =
            (struct header){.name = name, .value = value == NULL ? "" : value};
    }
    return ++exchange->headers_size > HEADERS_MAX ? MHD_NO : MHD_YES;
}

/* True if the headers announce a longer body than we are willing to read. */
static bool body_too_long(const struct exchange *exchange,
                          struct MHD_Connection *connection)
{
    const char *text = MHD_lookup_connection_value(
        connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text != NULL && strtoumax(text, NULL, 10) > exchange->body_max;
}

/* With the headers: may the body come? */
static enum MHD_Result begin(const struct router *router,
                             struct exchange *exchange,
                             struct MHD_Connection *connection,
                             const char *version)
{
    void *context = NULL;
    const struct route *route = router_find(router, exchange->target, &context);
    exchange->begun = true;
    exchange->keep_body = route != NULL && route->body_max > 0;
    exchange->body_max = exchange->keep_body ? route->body_max : DROPPED_MAX;
    if (body_too_long(exchange, connection))
        return refuse(connection, version, MHD_HTTP_CONTENT_TOO_LARGE);
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, header_take,
                                    exchange);
    if (exchange->headers_size > HEADERS_MAX) {
        return refuse(connection, version,
                      MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    return MHD_YES;
}

/* A piece of the body. One that comes without announced length and grows too
 * long ends the connection. */
static enum MHD_Result take(struct exchange *exchange, const char *data,
                            size_t *size)
{
    size_t more = *size;
    *size = 0;
    if (more > exchange->body_max - exchange->body_size)
        return MHD_NO;
    exchange->body_size += more;
    if (exchange->keep_body && !blob_append(&exchange->body, data, more))
        return MHD_NO;
    return MHD_YES;
}

enum MHD_Result exchange_handle(void *context,
                                struct MHD_Connection *connection,
                                const char *url, const char *method,
                                const char *version, const char *upload,
                                size_t *upload_size, void **request)
{
    (void)url;
    const struct router *router = context;
    struct exchange *exchange = *request;
    if (exchange == NULL || exchange->target == NULL)
        return MHD_NO;
    if (!exchange->begun)
        return begin(router, exchange, connection, version);
    if (*upload_size > 0)
        return take(exchange, upload, upload_size);
    const struct request asked = {.method = method,
                                  .target = exchange->target,
                                  .headers = exchange->headers,
                                  .headers_size = exchange->headers_size,
                                  .body = blob_bytes(&exchange->body)};
    struct reply reply;
    router_answer(router, &asked, &reply);
    return reply_send(connection, version, &reply);
}
