#include "monitor/admin_http.h"

#include "monitor/admin_json.h"
#include "monitor/admin_parse.h"
#include "monitor/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char prefix[] = "/streaming/admin/v1/";
static const char json_type[] = "application/json";

enum { CAPTURES_MAX = 3 };

/* ---- replies ---- */

static void reply_begin(struct reply *reply, int status)
{
    http_release(reply);
    *reply = (struct reply){.status = status, .content_type = json_type};
    if (!http_add_header(reply, "Cache-Control", "no-store") ||
        !http_add_header(reply, "X-Content-Type-Options", "nosniff"))
        http_no_memory(reply);
}

static void reply_error(struct reply *reply, int status, const char *text)
{
    reply_begin(reply, status);
    if (!admin_json_error(text, &reply->body))
        http_no_memory(reply);
}

static void add_header(struct reply *reply, const char *name, const char *value)
{
    if (!http_add_header(reply, name, value))
        http_no_memory(reply);
}

static int code_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return 200;
    case STATUS_INVALID:
        return 400;
    case STATUS_NOT_FOUND:
        return 404;
    case STATUS_CONFLICT:
    case STATUS_EXISTS:
    case STATUS_LIMIT:
        return 409;
    case STATUS_TOO_BIG:
        return 413;
    case STATUS_NO_MEMORY:
    case STATUS_IO:
    case STATUS_CORRUPT:
    case STATUS_UNAVAILABLE:
    case STATUS_CLOSED:
        return 503;
    }
    return 500;
}

static void reply_failure(struct reply *reply, const struct error *err)
{
    reply_error(reply, code_of(err->status), err->detail);
}

/* ---- the token ---- */

/* What stands behind "Bearer"; empty if there is none. */
static struct bytes bearer(const struct request *request)
{
    static const char scheme[] = "bearer";
    const char *value = http_header(request, "Authorization");
    if (value == NULL || strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return bytes_of(NULL, 0);
    value += sizeof scheme - 1;
    if (*value != ' ')
        return bytes_of(NULL, 0);
    value += strspn(value, " ");
    size_t size = strlen(value);
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        size--;
    return bytes_of(value, size);
}

static const char *peer_of(const struct request *request)
{
    return request->peer == NULL ? "" : request->peer;
}

static bool keeps_body(void *context, const struct request *request)
{
    const struct admin_http *admin = context;
    return request->trusted ||
           admin_access_knows(admin->access, bearer(request));
}

static bool may(const struct admin_http *admin, const struct request *request,
                struct reply *reply)
{
    if (request->trusted)
        return true;
    switch (
        admin_access_check(admin->access, bearer(request), peer_of(request))) {
    case ADMIN_GRANTED:
        return true;
    case ADMIN_DENIED:
        reply_error(reply, 401, "no token, or a wrong one");
        add_header(reply, "WWW-Authenticate", "Bearer");
        break;
    case ADMIN_LIMITED:
        reply_error(reply, 429, "too many wrong tokens");
        add_header(reply, "Retry-After", "1");
        break;
    }
    return false;
}

/* ---- from a path to a verb ---- */

#define CHANNEL "channels/{channel}"
#define SUBSCRIPTION CHANNEL "/subscriptions/{id}"
#define GROUP CHANNEL "/queue_groups/{queue_group}"

static const struct path {
    const char *method, *pattern; /* names of members in braces */
    enum admin_verb verb;
    const char *query[4]; /* members that may stand in there */
} paths[] = {
    {"GET", CHANNEL "/messages", ADMIN_MESSAGES, {"start", "time", "limit"}},
    {"POST", CHANNEL "/messages", ADMIN_PUBLISH, {NULL}},
    {"GET", CHANNEL "/messages/{sequence}", ADMIN_MESSAGE, {NULL}},
    {"POST", CHANNEL "/purge", ADMIN_PURGE, {NULL}},
    {"DELETE", CHANNEL, ADMIN_DELETE_CHANNEL, {"force"}},
    {"GET", CHANNEL "/subscriptions", ADMIN_SUBSCRIPTIONS, {"offset", "limit"}},
    {"DELETE", SUBSCRIPTION, ADMIN_DELETE_SUBSCRIPTION, {"force"}},
    {"POST", SUBSCRIPTION "/position", ADMIN_MOVE, {NULL}},
    {"GET", SUBSCRIPTION "/pending", ADMIN_PENDING, {"start", "limit"}},
    {"POST", SUBSCRIPTION "/pending/{sequence}/release", ADMIN_RELEASE, {NULL}},
    {"POST", SUBSCRIPTION "/pending/{sequence}/drop", ADMIN_DROP, {NULL}},
    {"DELETE", GROUP, ADMIN_DELETE_QUEUE_GROUP, {"force"}},
    {"POST", GROUP "/position", ADMIN_MOVE, {NULL}},
    {"DELETE", "clients/{client_id}", ADMIN_CLOSE_CLIENT, {NULL}},
};

/* A part of a path that a pattern has a name for; both borrowed. */
struct capture {
    struct bytes name, value;
};

/* True if the raw path is of this pattern. Parts are told apart before they
 * are unescaped: a name may hold anything. */
static bool matches(const char *pattern, struct bytes path,
                    struct capture captures[CAPTURES_MAX], size_t *count)
{
    const char *at = (const char *)path.data;
    const char *end = at + path.size;
    *count = 0;
    for (;;) {
        size_t part = strcspn(pattern, "/");
        size_t size = 0;
        while (at + size < end && at[size] != '/')
            size++;
        if (pattern[0] == '{' && size > 0) {
            captures[(*count)++] =
                (struct capture){.name = bytes_of(pattern + 1, part - 2),
                                 .value = bytes_of(at, size)};
        } else if (!bytes_equal(bytes_of(pattern, part), bytes_of(at, size))) {
            return false;
        }
        pattern += part;
        at += size;
        if (*pattern == '\0' || at == end)
            return *pattern == '\0' && at == end;
        pattern++;
        at++;
    }
}

/* What the target asks for; NULL: answered, 404 or 405. */
static const struct path *find(const struct request *request,
                               struct capture captures[CAPTURES_MAX],
                               size_t *count, struct reply *reply)
{
    struct bytes target =
        bytes_of(request->target, strcspn(request->target, "?"));
    char allowed[32] = "";
    size_t skip = sizeof prefix - 1;
    /* The router compared what is unescaped. */
    if (target.size < skip || memcmp(target.data, prefix, skip) != 0) {
        reply_error(reply, 404, "no such path");
        return NULL;
    }
    struct bytes path = bytes_of(target.data + skip, target.size - skip);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (!matches(paths[i].pattern, path, captures, count))
            continue;
        if (strcmp(paths[i].method, request->method) == 0)
            return &paths[i];
        size_t size = strlen(allowed);
        (void)snprintf(allowed + size, sizeof allowed - size, "%s%s",
                       size > 0 ? ", " : "", paths[i].method);
    }
    if (allowed[0] == '\0') {
        reply_error(reply, 404, "no such path");
    } else {
        reply_error(reply, 405, "method not allowed");
        add_header(reply, "Allow", allowed);
    }
    return NULL;
}

/* ---- the request ---- */

static enum status add_capture(struct admin_document *document,
                               const struct capture *capture, struct error *err)
{
    char name[32];
    struct blob value = {0};
    (void)snprintf(name, sizeof name, "%.*s", (int)capture->name.size,
                   (const char *)capture->name.data);
    enum status status = query_unescape(capture->value, &value);
    if (status == STATUS_OK) {
        status = admin_document_add(document, name, blob_bytes(&value), err);
    } else {
        (void)fail(err, status, "%s: %s", name, status_text(status));
    }
    blob_release(&value);
    return status;
}

static enum status add_query(struct admin_document *document,
                             const char *target, const char *name,
                             struct error *err)
{
    struct blob value = {0};
    enum status status = query_parameter(target, name, &value);
    if (status != STATUS_OK) {
        (void)fail(err, status, "out of memory");
    } else if (value.size > 0) {
        status = admin_document_add(document, name, blob_bytes(&value), err);
    }
    blob_release(&value);
    return status;
}

static enum status read_document(const struct request *request,
                                 const struct path *path,
                                 const struct capture *captures, size_t count,
                                 struct admin_request *asked, struct error *err)
{
    struct admin_document *document = NULL;
    enum status status = admin_document_new(request->body, &document, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_capture(document, &captures[i], err);
    for (size_t i = 0; path->query[i] != NULL && status == STATUS_OK; i++)
        status = add_query(document, request->target, path->query[i], err);
    if (status == STATUS_OK)
        status = admin_document_request(document, path->verb, asked, err);
    admin_document_free(document);
    return status;
}

static void discard(struct admin_request *asked)
{
    admin_request_release(asked);
    free(asked);
}

/* NULL: answered. */
static struct admin_request *read_request(const struct request *request,
                                          struct reply *reply)
{
    struct capture captures[CAPTURES_MAX];
    struct error err = {0};
    size_t count = 0;
    const struct path *path = find(request, captures, &count, reply);
    if (path == NULL)
        return NULL;
    struct admin_request *asked = calloc(1, sizeof *asked);
    if (asked == NULL || !text_set(&asked->who, bytes_text(peer_of(request)))) {
        free(asked);
        http_no_memory(reply);
        return NULL;
    }
    if (read_document(request, path, captures, count, asked, &err) !=
        STATUS_OK) {
        reply_failure(reply, &err);
        discard(asked);
        return NULL;
    }
    return asked;
}

static void reply_answer(struct reply *reply, const struct admin_request *asked)
{
    struct error err = {0};
    if (asked->status != STATUS_OK) {
        reply_failure(reply, &asked->error);
        return;
    }
    reply_begin(reply, 200);
    if (admin_json(asked, false, &reply->body, &err) != STATUS_OK)
        reply_failure(reply, &err);
}

static void note(const struct admin_http *admin, const struct request *request,
                 int status)
{
    char what[TEXT_QUOTED_MAX];
    char refused[16];
    (void)snprintf(what, sizeof what, "%.16s %s", request->method,
                   request->target);
    (void)snprintf(refused, sizeof refused, "%d", status);
    admin_note(admin->log, peer_of(request), what, refused);
}

static void answer_admin(void *context, const struct request *request,
                         struct reply *reply)
{
    const struct admin_http *admin = context;
    struct error err = {0};
    if (!may(admin, request, reply))
        return;
    struct admin_request *asked = read_request(request, reply);
    if (asked == NULL) {
        note(admin, request, reply->status);
        return;
    }
    struct admin_request *answered = NULL;
    enum status status =
        admin->source.call(admin->source.context, asked, &answered, &err);
    if (status == STATUS_OK) {
        reply_answer(reply, answered);
        discard(answered);
    } else if (status == STATUS_CLOSED) {
        reply_error(reply, 504, err.detail);
    } else {
        reply_failure(reply, &err);
    }
}

static void answer_openapi(void *context, const struct request *request,
                           struct reply *reply)
{
    (void)context;
    (void)request;
    reply_begin(reply, 200);
    reply->fixed = admin_openapi;
}

static const struct route routes[] = {
    {.path = "/streaming/admin/v1/openapi.json",
     .methods = "GET, HEAD",
     .cost = ROUTE_AT_ONCE,
     .answer = answer_openapi},
    {.path = prefix,
     .prefix = true,
     .cost = ROUTE_BULK,
     .body_max = ADMIN_BODY_MAX,
     .keeps_body = keeps_body,
     .answer = answer_admin},
};

struct route_set admin_http_routes(struct admin_http *admin)
{
    return (struct route_set){.routes = routes,
                              .size = sizeof routes / sizeof routes[0],
                              .context = admin};
}
