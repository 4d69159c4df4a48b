#include "monitor/endpoints.h"

#include "monitor/json.h"
#include "monitor/query.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

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
    "    </ul>\n"
    "    <a href=\"https://docs.nats.io/legacy/stan/intro/monitoring/\">help"
    "</a>\n"
    "  </body>\n"
    "</html>\n";

struct request {
    const struct endpoints *endpoints;
    const char *target;
    struct reply *reply;
};

void reply_release(struct reply *reply)
{
    blob_release(&reply->location);
    blob_release(&reply->body);
}

/* ---- answers that are no JSON ---- */

static bool append_text(struct blob *blob, const char *text)
{
    return blob_append(blob, text, strlen(text));
}

/* Plain text: before, then what (as it is: nobody sniffs), then after. */
static void answer_error(struct reply *reply, int status, const char *before,
                         struct bytes what, const char *after)
{
    reply_release(reply);
    *reply = (struct reply){.status = status,
                            .content_type = "text/plain; charset=utf-8",
                            .no_sniff = true};
    if (!append_text(&reply->body, before) ||
        !blob_append(&reply->body, what.data, what.size) ||
        !append_text(&reply->body, after))
        blob_release(&reply->body); /* the status must do */
}

static void answer_no_memory(struct reply *reply)
{
    answer_error(reply, 500, "out of memory\n", bytes_of(NULL, 0), "");
}

static void answer_not_found(const struct request *request)
{
    answer_error(request->reply, 404, "404 page not found\n", bytes_of(NULL, 0),
                 "");
}

static void answer_fixed(struct reply *reply, const char *content_type,
                         const char *text)
{
    *reply = (struct reply){.status = 200, .content_type = content_type};
    if (!append_text(&reply->body, text))
        answer_no_memory(reply);
}

static void answer_index(const struct request *request)
{
    answer_fixed(request->reply, "text/html; charset=utf-8", index_page);
}

static void answer_health(const struct request *request)
{
    answer_fixed(request->reply, "application/json", "{\"status\":\"ok\"}");
}

/* The path with all escaped that could end a header or a tag. */
static bool append_escaped(struct blob *out, const struct blob *path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        "-_.~/$+=:@";
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < path->size; i++) {
        uint8_t c = path->data[i];
        const char escaped[] = {'%', digits[c >> 4], digits[c & 15]};
        bool is_plain = strchr(plain, c) != NULL;
        if (!(is_plain ? blob_append(out, &c, 1)
                       : blob_append(out, escaped, sizeof escaped)))
            return false;
    }
    return true;
}

static bool append_plain(struct blob *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text > ' ' && (unsigned char)*text < 0x7F &&
            !blob_append(out, text, 1))
            return false;
    }
    return true;
}

/* The query goes along, but for bytes that no target should have. */
static void answer_redirect(struct reply *reply, int status,
                            const struct blob *path, const char *query)
{
    *reply = (struct reply){.status = status,
                            .content_type = "text/html; charset=utf-8"};
    const char *text = status == 301 ? "Moved Permanently" : "Found";
    bool complete = append_escaped(&reply->location, path) &&
                    append_text(&reply->body, "<a href=\"") &&
                    append_escaped(&reply->body, path) &&
                    append_text(&reply->body, "\">") &&
                    append_text(&reply->body, text) &&
                    append_text(&reply->body, "</a>.\n\n") &&
                    append_plain(&reply->location, query) &&
                    blob_append(&reply->location, "", 1);
    if (complete) {
        reply->location.size--;
    } else {
        answer_no_memory(reply);
    }
}

static void answer_root(const struct request *request)
{
    char text[] = "/streaming";
    const struct blob path = {.data = (uint8_t *)text, .size = sizeof text - 1};
    answer_redirect(request->reply, 302, &path, "");
}

/* ---- views ---- */

static void answer_failure(struct reply *reply, enum status status,
                           const struct error *err)
{
    if (status == STATUS_CLOSED) {
        answer_error(reply, 503, "Server is shutting down\n", bytes_of(NULL, 0),
                     "");
    } else {
        answer_error(reply, 500,
                     "Error getting information about channels state: ",
                     bytes_text(err->detail[0] != '\0' ? err->detail
                                                       : status_text(status)),
                     "\n");
    }
}

/* Asks the engine. STATUS_NOT_FOUND: the one asked for is not there;
 * STATUS_UNAVAILABLE: no view, and the request is answered. */
static enum status view_get(const struct request *request,
                            const struct view_query *query, struct view **view)
{
    const struct view_source *source = request->endpoints->source;
    struct error err = {.detail = ""};
    *view = NULL;
    enum status status = source->get(source->context, query, view, &err);
    if (status == STATUS_OK ||
        (status == STATUS_NOT_FOUND && query->name != NULL))
        return status;
    *view = NULL;
    answer_failure(request->reply, status, &err);
    return STATUS_UNAVAILABLE;
}

/* The parameter, empty if there is none; false if out of memory (answered). */
static bool parameter_get(const struct request *request, const char *name,
                          struct blob *value)
{
    if (query_parameter(request->target, name, value) == STATUS_OK)
        return true;
    answer_no_memory(request->reply);
    return false;
}

/* A name a script may be made of; anything else would let a link run code. */
static bool callback_valid(const struct blob *callback)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$[]";
    return strspn((const char *)callback->data, allowed) == callback->size;
}

/* Begins a JSON or JSONP answer. False if it is answered already. */
static bool json_begin(const struct request *request, bool *wrapped)
{
    struct blob callback;
    if (!parameter_get(request, "callback", &callback))
        return false;
    struct reply *reply = request->reply;
    *wrapped = callback.size > 0;
    bool begun = false;
    if (!callback_valid(&callback)) {
        answer_error(reply, 400, "Invalid callback name\n", bytes_of(NULL, 0),
                     "");
    } else {
        *reply =
            (struct reply){.status = 200,
                           .content_type = *wrapped ? "application/javascript"
                                                    : "application/json",
                           .cross_origin = !*wrapped};
        begun = !*wrapped ||
                (blob_append(&reply->body, callback.data, callback.size) &&
                 append_text(&reply->body, "("));
        if (!begun)
            answer_no_memory(reply);
    }
    blob_release(&callback);
    return begun;
}

static void json_end(const struct request *request, bool wrapped,
                     enum status status)
{
    if (status != STATUS_OK ||
        (wrapped && !append_text(&request->reply->body, ")")))
        answer_no_memory(request->reply);
}

/* ---- serverz, storez, isFTActive ---- */

static int64_t now_of(const struct request *request)
{
    return clock_wall(request->endpoints->clock);
}

/* 0 where there is no /proc. */
static int64_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    int64_t count = -1; /* its own */
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.')
            count++;
    }
    (void)closedir(directory);
    return count;
}

static int64_t max_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    return limit.rlim_cur == RLIM_INFINITY ? -1 : (int64_t)limit.rlim_cur;
}

static void answer_serverz(const struct request *request)
{
    const struct view_query query = {.kind = VIEW_SERVER};
    struct view *view;
    if (view_get(request, &query, &view) != STATUS_OK)
        return;
    const struct json_server server = {
        .version = request->endpoints->version,
        .streamd_version = request->endpoints->streamd_version,
        .open_descriptors = open_descriptors(),
        .max_descriptors = max_descriptors(),
    };
    bool wrapped;
    if (json_begin(request, &wrapped)) {
        json_end(request, wrapped,
                 json_serverz(view, now_of(request), &server,
                              &request->reply->body));
    }
    view_free(view);
}

static void answer_storez(const struct request *request)
{
    const struct view_query query = {.kind = VIEW_SERVER};
    struct view *view;
    if (view_get(request, &query, &view) != STATUS_OK)
        return;
    bool wrapped;
    if (json_begin(request, &wrapped)) {
        json_end(request, wrapped,
                 json_storez(view, now_of(request), request->endpoints->limits,
                             &request->reply->body));
    }
    view_free(view);
}

static void answer_ft_active(const struct request *request)
{
    const struct view_query query = {.kind = VIEW_SERVER};
    struct view *view;
    if (view_get(request, &query, &view) != STATUS_OK)
        return;
    bool active = strcmp(view->state, "FT_ACTIVE") == 0;
    *request->reply = (struct reply){.status = active ? 200 : 204};
    view_free(view);
}

/* ---- clientsz, channelsz ---- */

/* One number; false if out of memory (answered). */
static bool number_get(const struct request *request, const char *name,
                       int64_t *number)
{
    struct blob value;
    if (!parameter_get(request, name, &value))
        return false;
    *number = query_number(&value);
    blob_release(&value);
    return true;
}

/* The parameters of a list or a single one; false if answered already. name is
 * to be released by the caller in any case. */
static bool list_query(const struct request *request, const char *single,
                       struct view_query *query, struct blob *name)
{
    int64_t subs;
    int64_t offset;
    int64_t limit;
    *name = (struct blob){0};
    if (!number_get(request, "subs", &subs) ||
        !number_get(request, "offset", &offset) ||
        !number_get(request, "limit", &limit) ||
        !parameter_get(request, single, name))
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

static void answer_view(const struct request *request, const struct list *list,
                        const struct view_query *query, const struct blob *name)
{
    struct view *view = NULL;
    /* A name with a NUL inside must not find the one that ends there. */
    enum status status = STATUS_NOT_FOUND;
    if (memchr(name->data, '\0', name->size) == NULL)
        status = view_get(request, query, &view);
    if (status == STATUS_OK && query->name != NULL && !list->found(view))
        status = STATUS_NOT_FOUND;
    bool wrapped;
    if (status == STATUS_NOT_FOUND) {
        answer_error(request->reply, 404, list->missing, blob_bytes(name),
                     " not found\n");
    } else if (status == STATUS_OK && json_begin(request, &wrapped)) {
        json_end(request, wrapped,
                 query->name != NULL ? list->one(view, &request->reply->body)
                                     : list->all(view, now_of(request), query,
                                                 &request->reply->body));
    }
    view_free(view);
}

static void answer_list(const struct request *request, const struct list *list)
{
    struct view_query query = {.kind = list->kind};
    struct blob name;
    if (list_query(request, list->parameter, &query, &name))
        answer_view(request, list, &query, &name);
    blob_release(&name);
}

static void answer_clientsz(const struct request *request)
{
    answer_list(request, &clients_list);
}

static void answer_channelsz(const struct request *request)
{
    answer_list(request, &channels_list);
}

/* ---- routing ---- */

static const struct {
    const char *path;
    void (*answer)(const struct request *request);
} routes[] = {
    {"/", answer_root},
    {"/healthz", answer_health},
    {"/streaming", answer_index},
    {"/streaming/serverz", answer_serverz},
    {"/streaming/storez", answer_storez},
    {"/streaming/clientsz", answer_clientsz},
    {"/streaming/channelsz", answer_channelsz},
    {"/streaming/isFTActive", answer_ft_active},
};

static void route(const struct request *request, const struct blob *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (bytes_equal(blob_bytes(path), bytes_text(routes[i].path))) {
            routes[i].answer(request);
            return;
        }
    }
    answer_not_found(request);
}

void endpoints_answer(const struct endpoints *endpoints, const char *target,
                      struct reply *reply)
{
    const struct request request = {
        .endpoints = endpoints, .target = target, .reply = reply};
    *reply = (struct reply){0};
    struct blob path;
    enum status status = query_path(target, &path);
    if (status == STATUS_NO_MEMORY) {
        answer_no_memory(reply);
    } else if (status != STATUS_OK) {
        answer_error(reply, 400, "400 Bad Request\n", bytes_of(NULL, 0), "");
    } else if (query_path_clean(&path)) {
        answer_redirect(reply, 301, &path, target + strcspn(target, "?"));
    } else {
        route(&request, &path);
    }
    blob_release(&path);
}
