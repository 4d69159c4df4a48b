#include "monitor/nats_pages.h"

#include "monitor/forward.h"
#include "monitor/gotext.h"
#include "monitor/jsonp.h"
#include "monitor/process.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A probe gives up after a second or two: it must get an answer before. */
static const int64_t PROBE_TIMEOUT = CLOCK_SECOND;
static const int64_t PAGE_TIMEOUT = 10 * CLOCK_SECOND;

static const char open_header[] = "Access-Control-Allow-Origin";
static const char json_type[] = "application/json";

static const char root_page[] =
    "<html lang=\"en\">\n"
    "  <head>\n"
    "    <meta charset=\"utf-8\">\n"
    "    <title>NATS</title>\n"
    "  </head>\n"
    "  <body>\n"
    "    <a href=\"./streaming\">Streaming</a><br>\n"
    "    <a href=\"./varz\">General</a><br>\n"
    "    <a href=\"./connz\">Connections</a><br>\n"
    "    <a href=\"./routez\">Routes</a><br>\n"
    "    <a href=\"./subsz\">Subscriptions</a><br>\n"
    "    <a href=\"./healthz\">Health Probe</a>\n"
    "  </body>\n"
    "</html>\n";

/* ---- the child's ---- */

/* Like the Go server's, whose newer NATS pages say so themselves. */
static void open_to_all(struct reply *reply)
{
    bool is_json = false;
    for (size_t i = 0; i < reply->headers_size; i++) {
        if (strcmp(reply->headers[i].name, open_header) == 0)
            return;
        is_json = is_json || strcmp(reply->headers[i].value, json_type) == 0;
    }
    if (is_json && !http_add_header(reply, open_header, "*"))
        http_no_memory(reply);
}

static void forward(const struct nats_pages *pages, const char *target,
                    int64_t timeout, struct reply *reply)
{
    struct error err = {.detail = ""};
    enum status status =
        forward_get(pages->child, target, timeout, reply, &err);
    if (status != STATUS_OK) {
        http_error(reply, status == STATUS_UNAVAILABLE ? 504 : 502,
                   "NATS server: ", bytes_text(err.detail), "\n");
    } else {
        open_to_all(reply);
    }
}

/* ---- our own, when there is no child ---- */

__attribute__((format(printf, 2, 3))) static enum status
print(struct reply *reply, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return size >= 0 && (size_t)size < sizeof text && http_append(reply, text)
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

static const char *id_of(const struct view *view)
{
    return view->server_id.text == NULL ? "" : view->server_id.text;
}

/* Percent of one processor, on average since the start, in tenths. */
static int64_t cpu_tenths(int64_t span)
{
    return span <= 0 ? 0 : process_cpu() / (span / 1000 + 1);
}

static enum status varz_print(const struct nats_pages *pages,
                              const struct view *view, struct reply *reply)
{
    int64_t now = clock_wall(pages->clock);
    int64_t cpu = cpu_tenths(now - view->start_time);
    char time[GOTEXT_TIME_MAX];
    char start[GOTEXT_TIME_MAX];
    char uptime[GOTEXT_UPTIME_MAX];
    gotext_time(now, time);
    gotext_time(view->start_time, start);
    gotext_uptime(now - view->start_time, uptime);
    return print(
        reply,
        "{\n  \"server_id\": \"%s\",\n  \"server_name\": \"%s\",\n"
        "  \"version\": \"%s\",\n  \"proto\": 1,\n  \"go\": \"cc\",\n"
        "  \"start\": \"%s\",\n  \"now\": \"%s\",\n  \"uptime\": \"%s\",\n"
        "  \"mem\": %" PRId64 ",\n  \"cores\": %" PRId64 ",\n"
        "  \"gomaxprocs\": %" PRId64 ",\n  \"cpu\": %" PRId64 ".%" PRId64 ",\n"
        "  \"connections\": 0,\n  \"total_connections\": 0,\n"
        "  \"routes\": 0,\n  \"remotes\": 0,\n  \"leafnodes\": 0,\n"
        "  \"in_msgs\": %" PRIu64 ",\n  \"out_msgs\": %" PRIu64 ",\n"
        "  \"in_bytes\": %" PRIu64 ",\n  \"out_bytes\": %" PRIu64 ",\n"
        "  \"slow_consumers\": 0,\n  \"subscriptions\": 0\n}",
        id_of(view), id_of(view), pages->version, start, time, uptime,
        process_memory(), process_cores(), process_cores(), cpu / 10, cpu % 10,
        view->in_messages, view->out_messages, view->in_bytes, view->out_bytes);
}

/* A list that is empty here, with what its page has around it. */
static enum status list_print(const struct nats_pages *pages,
                              const struct view *view, const char *fields,
                              struct reply *reply)
{
    char time[GOTEXT_TIME_MAX];
    gotext_time(clock_wall(pages->clock), time);
    return print(reply,
                 "{\n  \"server_id\": \"%s\",\n  \"now\": \"%s\",\n%s\n}",
                 id_of(view), time, fields);
}

static enum status routez_print(const struct nats_pages *pages,
                                const struct view *view, struct reply *reply)
{
    return list_print(pages, view, "  \"num_routes\": 0,\n  \"routes\": []",
                      reply);
}

static enum status connz_print(const struct nats_pages *pages,
                               const struct view *view, struct reply *reply)
{
    return list_print(pages, view,
                      "  \"num_connections\": 0,\n  \"total\": 0,\n"
                      "  \"offset\": 0,\n  \"limit\": 1024,\n"
                      "  \"connections\": []",
                      reply);
}

static enum status subsz_print(const struct nats_pages *pages,
                               const struct view *view, struct reply *reply)
{
    (void)pages;
    (void)view;
    return print(reply, "{\n  \"num_subscriptions\": 0,\n  \"num_cache\": 0,\n"
                        "  \"num_inserts\": 0,\n  \"num_removes\": 0,\n"
                        "  \"num_matches\": 0,\n  \"cache_hit_rate\": 0,\n"
                        "  \"max_fanout\": 0,\n  \"avg_fanout\": 0\n}");
}

static const struct {
    const char *path;
    enum status (*page)(const struct nats_pages *pages, const struct view *view,
                        struct reply *reply);
} own_pages[] = {
    {"/varz", varz_print},
    {"/connz", connz_print},
    {"/routez", routez_print},
    {"/subsz", subsz_print},
    {"/subscriptionsz", subsz_print},
};

static void answer_own(const struct nats_pages *pages,
                       const struct request *request, size_t number,
                       struct reply *reply)
{
    const struct view_query query = {.kind = VIEW_SERVER};
    struct view *view = NULL;
    struct error err = {.detail = ""};
    bool wrapped = false;
    if (pages->source->get(pages->source->context, &query, &view, &err) !=
        STATUS_OK) {
        http_error(reply, 503, err.detail, bytes_of(NULL, 0), "\n");
        return;
    }
    if (jsonp_begin(request->target, reply, &wrapped))
        jsonp_end(reply, wrapped, own_pages[number].page(pages, view, reply));
    view_free(view);
}

/* ---- routes ---- */

static void answer_root(void *context, const struct request *request,
                        struct reply *reply)
{
    const struct nats_pages *pages = context;
    if (pages->child[0] != '\0') {
        forward(pages, request->target, PROBE_TIMEOUT, reply);
    } else {
        http_text(reply, "text/html; charset=utf-8", root_page);
    }
}

static void answer_health(void *context, const struct request *request,
                          struct reply *reply)
{
    const struct nats_pages *pages = context;
    if (pages->child[0] != '\0') {
        forward(pages, request->target, PROBE_TIMEOUT, reply);
    } else {
        http_text(reply, "application/json", "{\"status\":\"ok\"}");
    }
}

/* The rest; what begins with our own name is not theirs. */
static void answer_page(void *context, const struct request *request,
                        struct reply *reply)
{
    const struct nats_pages *pages = context;
    static const char ours[] = "/streaming/";
    if (strncmp(request->path, ours, sizeof ours - 1) == 0) {
        http_not_found(reply);
    } else if (pages->child[0] != '\0') {
        forward(pages, request->target, PAGE_TIMEOUT, reply);
    } else {
        for (size_t i = 0; i < sizeof own_pages / sizeof own_pages[0]; i++) {
            if (strcmp(request->path, own_pages[i].path) == 0) {
                answer_own(pages, request, i, reply);
                return;
            }
        }
        http_not_found(reply);
    }
}

static const struct route routes[] = {
    {.path = "/", .answer = answer_root},
    {.path = "/healthz", .answer = answer_health},
    {.path = "/", .prefix = true, .answer = answer_page, .cost = ROUTE_BULK},
};

struct route_set nats_pages_routes(struct nats_pages *pages)
{
    return (struct route_set){.routes = routes,
                              .size = sizeof routes / sizeof routes[0],
                              .context = pages};
}
