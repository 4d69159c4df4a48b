#include "monitor/endpoints.h"

#include "monitor/json.h"
#include "monitor/jsonp.h"
#include "monitor/process.h"
#include "monitor/query.h"

#include <string.h>

enum { LIMIT_DEFAULT = 1024 };

static const char index_page[] =
    "<html lang=\"en\">\n"
    "  <head>\n"
    "    <meta charset=\"utf-8\">\n"
    "    <title>Streaming</title>\n"
    "    <style>\n"
    "      body { font-family: sans-serif; margin: 2em; }\n"
    "      li { margin: 0.5em 0; }\n"
    "    </style>\n"
    "  </head>\n"
    "  <body>\n"
    "    <h1>Streaming</h1>\n"
    "    <ul>\n"
    "      <li><a href=\"./streaming/serverz\">server</a></li>\n"
    "      <li><a href=\"./streaming/storez\">store</a></li>\n"
    "      <li><a href=\"./streaming/clientsz\">clients</a></li>\n"
    "      <li><a href=\"./streaming/channelsz\">channels</a></li>\n"
    "      <li><a href=\"./streaming/ui\">console</a></li>\n"
    "    </ul>\n"
    "    <a href=\"https://docs.nats.io/legacy/stan/intro/monitoring/\">help"
    "</a>\n"
    "  </body>\n"
    "</html>\n";

/* One request under way. */
struct exchange {
    const struct endpoints *endpoints;
    const char *target;
    struct reply *reply;
};

static void answer_index(void *context, const struct request *request,
                         struct reply *reply)
{
    (void)context;
    (void)request;
    http_text(reply, "text/html; charset=utf-8", index_page);
}

/* ---- views ---- */

static void answer_failure(struct reply *reply, enum status status,
                           const struct error *err)
{
    if (status == STATUS_CLOSED) {
        http_error(reply, 503, "Server is shutting down\n", bytes_of(NULL, 0),
                   "");
    } else {
        http_error(reply, 500,
                   "Error getting information about channels state: ",
                   bytes_text(err->detail[0] != '\0' ? err->detail
                                                     : status_text(status)),
                   "\n");
    }
}

/* Asks the engine. STATUS_NOT_FOUND: the one asked for is not there;
 * STATUS_UNAVAILABLE: no view, and the request is answered. */
static enum status view_get(const struct exchange *exchange,
                            const struct view_query *query, struct view **view)
{
    const struct view_source *source = exchange->endpoints->source;
    struct error err = {.detail = ""};
    *view = NULL;
    enum status status = source->get(source->context, query, view, &err);
    if (status == STATUS_OK ||
        (status == STATUS_NOT_FOUND && query->name != NULL))
        return status;
    *view = NULL;
    answer_failure(exchange->reply, status, &err);
    return STATUS_UNAVAILABLE;
}

/* The parameter, empty if there is none; false if out of memory (answered). */
static bool parameter_get(const struct exchange *exchange, const char *name,
                          struct blob *value)
{
    if (query_parameter(exchange->target, name, value) == STATUS_OK)
        return true;
    http_no_memory(exchange->reply);
    return false;
}

static bool json_begin(const struct exchange *exchange, bool *wrapped)
{
    return jsonp_begin(exchange->target, exchange->reply, wrapped);
}

static void json_end(const struct exchange *exchange, bool wrapped,
                     enum status status)
{
    jsonp_end(exchange->reply, wrapped, status);
}

/* ---- serverz, storez, isFTActive ---- */

static int64_t now_of(const struct exchange *exchange)
{
    return clock_wall(exchange->endpoints->clock);
}

static void answer_serverz(const struct exchange *exchange)
{
    const struct view_query query = {.kind = VIEW_SERVER};
    struct view *view;
    if (view_get(exchange, &query, &view) != STATUS_OK)
        return;
    const struct json_server server = {
        .version = exchange->endpoints->version,
        .streamd_version = exchange->endpoints->streamd_version,
        .open_descriptors = process_open_descriptors(),
        .max_descriptors = process_max_descriptors(),
    };
    bool wrapped;
    if (json_begin(exchange, &wrapped)) {
        json_end(exchange, wrapped,
                 json_serverz(view, now_of(exchange), &server,
                              &exchange->reply->body));
    }
    view_free(view);
}

static const struct limits *limits_now(const struct endpoints *endpoints)
{
    return __atomic_load_n(&endpoints->limits, __ATOMIC_ACQUIRE);
}

static void answer_storez(const struct exchange *exchange)
{
    const struct view_query query = {.kind = VIEW_SERVER};
    struct view *view;
    if (view_get(exchange, &query, &view) != STATUS_OK)
        return;
    bool wrapped;
    if (json_begin(exchange, &wrapped)) {
        json_end(exchange, wrapped,
                 json_storez(view, now_of(exchange),
                             limits_now(exchange->endpoints),
                             &exchange->reply->body));
    }
    view_free(view);
}

static void answer_ft_active(const struct exchange *exchange)
{
    const struct view_query query = {.kind = VIEW_SERVER};
    struct view *view;
    if (view_get(exchange, &query, &view) != STATUS_OK)
        return;
    bool active = strcmp(view->state, "FT_ACTIVE") == 0;
    *exchange->reply = (struct reply){.status = active ? 200 : 204};
    view_free(view);
}

/* ---- clientsz, channelsz ---- */

/* One number; false if out of memory (answered). */
static bool number_get(const struct exchange *exchange, const char *name,
                       int64_t *number)
{
    struct blob value;
    if (!parameter_get(exchange, name, &value))
        return false;
    *number = query_number(&value);
    blob_release(&value);
    return true;
}

/* The parameters of a list or a single one; false if answered already. name is
 * to be released by the caller in any case. */
static bool list_query(const struct exchange *exchange, const char *single,
                       struct view_query *query, struct blob *name)
{
    int64_t subs;
    int64_t offset;
    int64_t limit;
    *name = (struct blob){0};
    if (!number_get(exchange, "subs", &subs) ||
        !number_get(exchange, "offset", &offset) ||
        !number_get(exchange, "limit", &limit) ||
        !parameter_get(exchange, single, name))
        return false;
    query->subscriptions = subs == 1;
    query->offset = offset > 0 ? (size_t)offset : 0;
    query->limit = limit > 0 ? (size_t)limit : LIMIT_DEFAULT;
    query->name = name->size > 0 ? (const char *)name->data : NULL;
    return true;
}

struct list {
    enum view_kind kind;
    const char *parameter; /* that asks for one alone */
    const char *missing;   /* what a 404 begins with */
    enum status (*all)(const struct view *view, int64_t now,
                       const struct view_query *query, struct blob *out);
    bool (*found)(const struct view *view);
    enum status (*one)(const struct view *view, struct blob *out);
};

static bool client_found(const struct view *view)
{
    return view->clients_size > 0;
}

static enum status client_one(const struct view *view, struct blob *out)
{
    return json_client(&view->clients[0], out);
}

static bool channel_found(const struct view *view)
{
    return view->channels_size > 0;
}

static enum status channel_one(const struct view *view, struct blob *out)
{
    return json_channel(&view->channels[0], out);
}

static const struct list clients_list = {
    .kind = VIEW_CLIENTS,
    .parameter = "client",
    .missing = "Client ",
    .all = json_clientsz,
    .found = client_found,
    .one = client_one,
};

static const struct list channels_list = {
    .kind = VIEW_CHANNELS,
    .parameter = "channel",
    .missing = "Channel ",
    .all = json_channelsz,
    .found = channel_found,
    .one = channel_one,
};

static void answer_view(const struct exchange *exchange,
                        const struct list *list, const struct view_query *query,
                        const struct blob *name)
{
    struct view *view = NULL;
    /* A name with a NUL inside must not find the one that ends there. */
    enum status status = STATUS_NOT_FOUND;
    if (memchr(name->data, '\0', name->size) == NULL)
        status = view_get(exchange, query, &view);
    if (status == STATUS_OK && query->name != NULL && !list->found(view))
        status = STATUS_NOT_FOUND;
    bool wrapped;
    if (status == STATUS_NOT_FOUND) {
        http_error(exchange->reply, 404, list->missing, blob_bytes(name),
                   " not found\n");
    } else if (status == STATUS_OK && json_begin(exchange, &wrapped)) {
        json_end(exchange, wrapped,
                 query->name != NULL ? list->one(view, &exchange->reply->body)
                                     : list->all(view, now_of(exchange), query,
                                                 &exchange->reply->body));
    }
    view_free(view);
}

static void answer_list(const struct exchange *exchange,
                        const struct list *list)
{
    struct view_query query = {.kind = list->kind};
    struct blob name;
    if (list_query(exchange, list->parameter, &query, &name))
        answer_view(exchange, list, &query, &name);
    blob_release(&name);
}

static void answer_clientsz(const struct exchange *exchange)
{
    answer_list(exchange, &clients_list);
}

static void answer_channelsz(const struct exchange *exchange)
{
    answer_list(exchange, &channels_list);
}

/* ---- routes ---- */

/* A handler as the router calls it, around one of those above. */
#define HANDLER(name, answer)                                                  \
    static void name(void *context, const struct request *request,             \
                     struct reply *reply)                                      \
    {                                                                          \
        const struct exchange exchange = {                                     \
            .endpoints = context, .target = request->target, .reply = reply};  \
        answer(&exchange);                                                     \
    }

HANDLER(serverz, answer_serverz)
HANDLER(storez, answer_storez)
HANDLER(clientsz, answer_clientsz)
HANDLER(channelsz, answer_channelsz)
HANDLER(ft_active, answer_ft_active)

static const struct route routes[] = {
    {.path = "/streaming", .answer = answer_index, .cost = ROUTE_AT_ONCE},
    {.path = "/streaming/serverz", .answer = serverz},
    {.path = "/streaming/storez", .answer = storez},
    {.path = "/streaming/clientsz", .answer = clientsz, .cost = ROUTE_BULK},
    {.path = "/streaming/channelsz", .answer = channelsz, .cost = ROUTE_BULK},
    {.path = "/streaming/isFTActive", .answer = ft_active},
};

struct route_set endpoints_routes(struct endpoints *endpoints)
{
    return (struct route_set){.routes = routes,
                              .size = sizeof routes / sizeof routes[0],
                              .context = endpoints};
}
