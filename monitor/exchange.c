#include "monitor/exchange.h"

#include "monitor/peer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADERS_MAX = 64,            /* more get 431 */
    DROPPED_MAX = 64 * 1024,     /* a body nobody takes is read, as in Go */
    REPLY_BYTES_MAX = 256 << 20, /* with more on their way bulk gets 503 */
};

/*  NEW --headers--> BODY --all of it--> WORKING --by a worker--> ANSWERED
 *                     `-------- if it needs none ------------------^        */
enum exchange_state {
    EXCHANGE_NEW,
    EXCHANGE_BODY,
    EXCHANGE_WORKING, /* the worker's: nobody else touches it */
    EXCHANGE_ANSWERED,
};

struct exchange {
    struct job job;
    struct exchange_server *server;
    struct MHD_Connection *connection;
    enum exchange_state state;
    char peer[PEER_MAX];
    char *target;       /* as it stood in the request line; NULL: no memory */
    const char *method; /* libmicrohttpd's, as are the headers */
    enum route_cost cost;
    bool keep_body;
    size_t body_max, body_size;
    struct blob body;
    struct header headers[HEADERS_MAX];
    size_t headers_size;
    struct reply reply;
    size_t reply_size; /* counted in server->reply_bytes */
};

/* ---- connections ---- */

static struct connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

void exchange_connection(void *context, struct MHD_Connection *connection,
                         void **kept, enum MHD_ConnectionNotificationCode code)
{
    const struct exchange_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        connections_remove(server->connections, *kept);
        *kept = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *kept = info == NULL
                ? NULL
                : connections_add(server->connections, info->connect_fd);
}

void *exchange_new(void *context, const char *target,
                   struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->server = context;
    exchange->connection = connection;
    peer_text(connection, exchange->peer);
    exchange->target = strdup(target);
    return exchange;
}

void exchange_end(void *context, struct MHD_Connection *connection,
                  void **request, enum MHD_RequestTerminationCode code)
{
    struct exchange_server *server = context;
    struct exchange *exchange = *request;
    (void)code;
    connections_waiting(server->connections, connection_of(connection));
    if (exchange == NULL)
        return;
    (void)__atomic_sub_fetch(&server->reply_bytes, exchange->reply_size,
                             __ATOMIC_RELAXED);
    http_release(&exchange->reply);
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

/* Says why, as all errors do. */
static enum MHD_Result refuse(struct MHD_Connection *connection,
                              const char *version, int status, const char *why)
{
    struct reply reply = {0};
    http_error(&reply, status, why, bytes_of(NULL, 0), "\n");
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

static struct request request_of(const struct exchange *exchange)
{
    return (struct request){.method = exchange->method,
                            .target = exchange->target,
                            .peer = exchange->peer,
                            .trusted = exchange->server->trusted,
                            .headers = exchange->headers,
                            .headers_size = exchange->headers_size,
                            .body = blob_bytes(&exchange->body)};
}

static bool body_wanted(const struct exchange *exchange,
                        const struct route *route, void *context)
{
    if (route == NULL || route->body_max == 0)
        return false;
    const struct request asked = request_of(exchange);
    return route->keeps_body == NULL || route->keeps_body(context, &asked);
}

/* With the headers: may the body come? */
static enum MHD_Result begin(struct exchange *exchange, const char *method,
                             const char *version)
{
    struct MHD_Connection *connection = exchange->connection;
    void *context = NULL;
    const struct route *route =
        router_find(&exchange->server->router, exchange->target, &context);
    exchange->state = EXCHANGE_BODY;
    exchange->method = method;
    exchange->cost = route == NULL ? ROUTE_AT_ONCE : route->cost;
    exchange->body_max =
        route != NULL && route->body_max > 0 ? route->body_max : DROPPED_MAX;
    if (body_too_long(exchange, connection)) {
        return refuse(connection, version, MHD_HTTP_CONTENT_TOO_LARGE,
                      "413 Content Too Large");
    }
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, header_take,
                                    exchange);
    if (exchange->headers_size > HEADERS_MAX) {
        return refuse(connection, version,
                      MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
                      "431 Request Header Fields Too Large");
    }
    exchange->keep_body = body_wanted(exchange, route, context);
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

/* ---- answers ---- */

static void answer(struct exchange *exchange)
{
    const struct request asked = request_of(exchange);
    router_answer(&exchange->server->router, &asked, &exchange->reply);
}

/* True, and the exchange is answered, if there is no time or room for it. */
static bool turned_away(struct exchange *exchange)
{
    const struct exchange_server *server = exchange->server;
    if (__atomic_load_n(&server->stopping, __ATOMIC_ACQUIRE)) {
        http_error(&exchange->reply, 503, "Server is shutting down\n",
                   bytes_of(NULL, 0), "");
        return true;
    }
    if (exchange->cost == ROUTE_BULK &&
        __atomic_load_n(&server->reply_bytes, __ATOMIC_RELAXED) >
            REPLY_BYTES_MAX) {
        http_error(&exchange->reply, 503, "Too many answers on their way\n",
                   bytes_of(NULL, 0), "");
        return true;
    }
    return false;
}

/* On a worker. libmicrohttpd has put the connection aside and takes it up
 * again, with another call of the handler. */
static void work(struct job *job)
{
    struct exchange *exchange = list_entry(job, struct exchange, job);
    if (!turned_away(exchange))
        answer(exchange);
    exchange->state = EXCHANGE_ANSWERED;
    MHD_resume_connection(exchange->connection);
}

static void hand_over(struct exchange *exchange)
{
    struct exchange_server *server = exchange->server;
    struct workers *workers =
        exchange->cost == ROUTE_BULK ? server->bulk : server->quick;
    exchange->state = EXCHANGE_WORKING;
    exchange->job.run = work;
    MHD_suspend_connection(exchange->connection);
    if (!workers_add(workers, &exchange->job))
        work(&exchange->job); /* stopping: says so */
}

static enum MHD_Result send_off(struct exchange *exchange, const char *version)
{
    struct exchange_server *server = exchange->server;
    exchange->reply_size = exchange->reply.body.size;
    (void)__atomic_add_fetch(&server->reply_bytes, exchange->reply_size,
                             __ATOMIC_RELAXED);
    return reply_send(exchange->connection, version, &exchange->reply);
}

enum MHD_Result exchange_handle(void *context,
                                struct MHD_Connection *connection,
                                const char *url, const char *method,
                                const char *version, const char *upload,
                                size_t *upload_size, void **request)
{
    (void)url;
    const struct exchange_server *server = context;
    struct exchange *exchange = *request;
    if (exchange == NULL || exchange->target == NULL)
        return MHD_NO;
    if (exchange->state == EXCHANGE_NEW)
        return begin(exchange, method, version);
    if (exchange->state == EXCHANGE_ANSWERED)
        return send_off(exchange, version);
    assert(exchange->state == EXCHANGE_BODY);
    if (*upload_size > 0)
        return take(exchange, upload, upload_size);
    connections_busy(server->connections, connection_of(connection));
    if (exchange->cost != ROUTE_AT_ONCE) {
        hand_over(exchange);
        return MHD_YES;
    }
    answer(exchange);
    return send_off(exchange, version);
}
