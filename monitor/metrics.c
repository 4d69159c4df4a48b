#include "monitor/metrics.h"

#include "monitor/gotext.h"
#include "monitor/metrics_channels.h"
#include "monitor/openmetrics.h"
#include "monitor/process.h"
#include "monitor/query.h"

#include <string.h>

static const char type_text[] = "text/plain; version=0.0.4; charset=utf-8";
static const char type_open[] =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/* ---- one number of the server ---- */

struct number {
    const char *name;
    enum metric_type type;
    const char *help;
    uint64_t value;
};

#define NUMBERS(metrics, labels, size, numbers)                                \
    numbers_write(metrics, labels, size, numbers,                              \
                  sizeof(numbers) / sizeof(numbers)[0])

static void numbers_write(struct metrics *metrics, const struct label *labels,
                          size_t labels_size, const struct number *numbers,
                          size_t size)
{
    for (size_t i = 0; i < size; i++) {
        metrics_family(metrics, numbers[i].name, numbers[i].type,
                       numbers[i].help);
        metrics_count(metrics, labels, labels_size, numbers[i].value);
    }
}

static struct bytes text_of(const struct view_string *string)
{
    return bytes_of(string->text, string->size);
}

/* ---- as the exporter ---- */

static void write_nss_info(struct metrics *metrics,
                           const struct metrics_page *page,
                           const struct view *view)
{
    char start[GOTEXT_TIME_MAX];
    gotext_time(view->start_time, start);
    const struct label labels[] = {
        {"server_id", bytes_text(page->server_id)},
        {"cluster_id", text_of(&view->cluster_id)},
        {"version", bytes_text(page->version)},
        {"go_version", bytes_text("cc " __VERSION__)},
        {"state", bytes_text(view->state)},
        {"role", bytes_text("")},
        {"start_time", bytes_text(start)},
    };
    metrics_family(metrics, "nss_server_info", METRIC_GAUGE,
                   "What the server is, in its labels");
    metrics_count(metrics, labels, sizeof labels / sizeof labels[0], 1);
}

static void write_nss(struct metrics *metrics, const struct metrics_page *page,
                      const struct view *view)
{
    const struct label id = {"server_id", bytes_text(page->server_id)};
    const struct number numbers[] = {
        {"nss_server_bytes", METRIC_COUNTER, "Bytes stored", view->bytes_total},
        {"nss_server_msgs", METRIC_COUNTER, "Messages stored",
         view->messages_total},
        {"nss_server_bytes_in", METRIC_BARE_COUNTER,
         "Bytes of publish requests", view->in_bytes},
        {"nss_server_bytes_out", METRIC_BARE_COUNTER,
         "Bytes sent to subscriptions", view->out_bytes},
        {"nss_server_msgs_in", METRIC_BARE_COUNTER, "Publish requests",
         view->in_messages},
        {"nss_server_msgs_out", METRIC_BARE_COUNTER,
         "Messages sent to subscriptions", view->out_messages},
        {"nss_server_channels", METRIC_BARE_COUNTER, "Channels",
         view->channels_total},
        {"nss_server_subscriptions", METRIC_BARE_COUNTER,
         "Subscriptions, offline durables too", view->subscriptions_total},
        {"nss_server_clients", METRIC_BARE_COUNTER, "Clients",
         view->clients_total},
        {"nss_server_active", METRIC_GAUGE,
         "1 if it is the active one of a fault-tolerant group",
         strcmp(view->state, "FT_ACTIVE") == 0},
    };
    NUMBERS(metrics, &id, 1, numbers);
    write_nss_info(metrics, page, view);
}

/* ---- our own ---- */

static void write_health(struct metrics *metrics,
                         const struct metrics_page *page,
                         const struct view *view)
{
    const struct view_source *source = page->source;
    unsigned health =
        source->health == NULL ? 0 : source->health(source->context);
    const struct label info[] = {
        {"version", bytes_text(page->streamd_version)},
        {"compatible_version", bytes_text(page->version)},
        {"cluster_id", text_of(&view->cluster_id)},
        {"server_id", text_of(&view->server_id)},
        {"store", bytes_text(view->store)},
    };
    const struct number numbers[] = {
        {"streamd_ready", METRIC_GAUGE, "1 if clients are served",
         health == VIEW_HEALTHY},
        {"streamd_recovered", METRIC_GAUGE,
         "1 if the stored state is in memory", (health & VIEW_RECOVERED) != 0},
        {"streamd_connected", METRIC_GAUGE, "1 if connected to NATS",
         (health & VIEW_CONNECTED) != 0},
        {"streamd_store_writable", METRIC_GAUGE,
         "0 from a commit that failed until the next try",
         (health & VIEW_WRITABLE) != 0},
        {"streamd_recovery_channels", METRIC_GAUGE,
         "Channels recovered at the start", view->recovery.channels},
        {"streamd_recovery_messages", METRIC_GAUGE,
         "Messages recovered at the start", view->recovery.messages},
    };
    metrics_family(metrics, "streamd", METRIC_INFO, "What runs here");
    metrics_count(metrics, info, sizeof info / sizeof info[0], 1);
    NUMBERS(metrics, NULL, 0, numbers);
    metrics_family(metrics, "streamd_recovery_duration_seconds", METRIC_GAUGE,
                   "How long the recovery took; 0 while it goes on");
    metrics_seconds(metrics, NULL, 0, view->recovery.duration);
}

static void write_failures(struct metrics *metrics,
                           const struct view_counters *counters)
{
    static const char *const causes[PUBLISH_FAILURES] = {
        [PUBLISH_INVALID] = "invalid",
        [PUBLISH_LIMIT] = "limit",
        [PUBLISH_STORE] = "store",
        [PUBLISH_RESOURCE] = "resource",
    };
    metrics_family(metrics, "streamd_publish_errors", METRIC_COUNTER,
                   "Publish requests refused, by cause");
    for (size_t i = 0; i < PUBLISH_FAILURES; i++) {
        const struct label cause = {"cause", bytes_text(causes[i])};
        metrics_count(metrics, &cause, 1, counters->publish_failures[i]);
    }
}

static void write_histograms(struct metrics *metrics,
                             const struct view_counters *counters)
{
    const struct {
        const char *name, *help;
        const struct histogram *histogram;
        const struct histogram_bounds *bounds;
        bool seconds;
    } families[] = {
        {"streamd_commit_duration_seconds",
         "Time from a commit's start to its end", &counters->commit_durations,
         &histogram_durations, true},
        {"streamd_commit_size_bytes", "Bytes in a commit",
         &counters->commit_bytes, &histogram_bytes, false},
        {"streamd_commit_operations", "Messages and records in a commit",
         &counters->commit_messages, &histogram_numbers, false},
        {"streamd_store_sync_duration_seconds",
         "Time that a commit waited for the disk to sync it",
         &counters->sync_durations, &histogram_durations, true},
    };
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        metrics_family(metrics, families[i].name, METRIC_HISTOGRAM,
                       families[i].help);
        metrics_histogram(metrics, families[i].histogram, families[i].bounds,
                          families[i].seconds);
    }
}

static void write_counters(struct metrics *metrics, const struct view *view)
{
    const struct view_counters *counters = &view->counters;
    const struct number numbers[] = {
        {"streamd_redeliveries", METRIC_COUNTER, "Messages sent again",
         counters->redeliveries},
        {"streamd_acks", METRIC_COUNTER, "Acks of pending messages",
         counters->acks},
        {"streamd_expired_messages", METRIC_COUNTER,
         "Messages deleted for their age, or purged", counters->expired},
        {"streamd_trimmed_messages", METRIC_COUNTER,
         "Messages deleted to keep a limit of count or bytes",
         counters->trimmed},
        {"streamd_commit_failures", METRIC_COUNTER,
         "Commits that the store refused", counters->commit_failures},
        {"streamd_cache_hits", METRIC_COUNTER,
         "Messages for delivery found in memory", counters->cache_hits},
        {"streamd_cache_misses", METRIC_COUNTER,
         "Times a delivery had to wait for the store", counters->cache_misses},
        {"streamd_nats_connection_losses", METRIC_COUNTER,
         "Times the connection to NATS was lost", counters->connection_losses},
        {"streamd_heartbeat_closed_clients", METRIC_COUNTER,
         "Clients closed since they did not answer heartbeats",
         counters->heartbeat_closes},
        {"streamd_cache_bytes", METRIC_GAUGE, "Messages kept in memory",
         (uint64_t)view->cache_bytes},
        {"streamd_uncommitted_bytes", METRIC_GAUGE,
         "Messages on their way to the store",
         (uint64_t)view->uncommitted_bytes},
    };
    write_failures(metrics, counters);
    NUMBERS(metrics, NULL, 0, numbers);
    write_histograms(metrics, counters);
}

static void write_process(struct metrics *metrics,
                          const struct metrics_page *page,
                          const struct view *view)
{
    const struct {
        const char *name;
        enum metric_type type;
        const char *help;
        void (*write)(struct metrics *metrics, const struct label *labels,
                      size_t size, int64_t value);
        int64_t value;
    } numbers[] = {
        {"streamd_memory_bytes", METRIC_GAUGE, "Resident memory of the process",
         metrics_signed, process_memory()},
        {"streamd_cpu_seconds", METRIC_COUNTER, "Processor time of the process",
         metrics_seconds, process_cpu()},
        {"streamd_open_fds", METRIC_GAUGE, "Open file descriptors",
         metrics_signed, process_open_descriptors()},
        {"streamd_max_fds", METRIC_GAUGE,
         "Limit of open file descriptors; -1: none", metrics_signed,
         process_max_descriptors()},
        {"streamd_start_time_seconds", METRIC_GAUGE,
         "When it was started, since 1970", metrics_seconds, view->start_time},
        {"streamd_uptime_seconds", METRIC_GAUGE, "Since the start",
         metrics_seconds, clock_wall(page->clock) - view->start_time},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        metrics_family(metrics, numbers[i].name, numbers[i].type,
                       numbers[i].help);
        numbers[i].write(metrics, NULL, 0, numbers[i].value);
    }
}

/* ---- pages ---- */

static bool wants_openmetrics(const struct request *request)
{
    const char *accept = http_header(request, "Accept");
    return accept != NULL &&
           strstr(accept, "application/openmetrics-text") != NULL;
}

/* How many channels to show: fewer, if "max_channels" asks for that. False: out
 * of memory. */
static bool most_channels(const struct metrics_page *page, const char *target,
                          size_t *most)
{
    struct blob value;
    if (query_parameter(target, "max_channels", &value) != STATUS_OK)
        return false;
    int64_t asked = query_number(&value); /* 0: no number, too */
    bool given = value.size > 0 && (asked > 0 || value.data[0] == '0');
    *most = page->max_channels;
    if (given && (uint64_t)asked < *most)
        *most = (size_t)asked;
    blob_release(&value);
    return true;
}

static void write_all(struct metrics *metrics, const struct metrics_page *page,
                      size_t most, const struct view *view)
{
    const struct metrics_channels settings = {
        .server_id = page->server_id,
        .role = "",
        .most = most,
        .inbox = page->inbox,
    };
    write_nss(metrics, page, view);
    write_health(metrics, page, view);
    write_counters(metrics, view);
    write_process(metrics, page, view);
    metrics_channels_write(metrics, &settings, view);
    metrics_end(metrics);
}

static void answer_metrics(void *context, const struct request *request,
                           struct reply *reply)
{
    const struct metrics_page *page = context;
    struct view_query query = {.kind = VIEW_CHANNELS, .subscriptions = true};
    struct view *view = NULL;
    struct error err = {.detail = ""};
    if (!most_channels(page, request->target, &query.limit)) {
        http_no_memory(reply);
        return;
    }
    if (page->source->get(page->source->context, &query, &view, &err) !=
        STATUS_OK) {
        http_error(reply, 503, err.detail, bytes_of(NULL, 0), "\n");
        return;
    }
    struct metrics metrics = {.out = &reply->body,
                              .openmetrics = wants_openmetrics(request)};
    reply->status = 200;
    reply->content_type = metrics.openmetrics ? type_open : type_text;
    write_all(&metrics, page, query.limit, view);
    if (metrics.failed)
        http_no_memory(reply);
    view_free(view);
}

static void answer_ready(void *context, const struct request *request,
                         struct reply *reply)
{
    (void)request;
    static const struct {
        unsigned bit;
        const char *reason; /* why not, first one first */
    } needs[] = {
        {VIEW_RECOVERED, "the stored state is being recovered"},
        {VIEW_CONNECTED, "not connected to NATS"},
        {VIEW_SERVING, "starting, or shutting down"},
        {VIEW_WRITABLE, "the store refused the last commit"},
    };
    const struct metrics_page *page = context;
    const struct view_source *source = page->source;
    unsigned health =
        source->health == NULL ? 0 : source->health(source->context);
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if ((health & needs[i].bit) == 0) {
            http_text(reply, "application/json",
                      "{\"status\":\"unavailable\",\"error\":\"");
            reply->status = 503;
            if (!http_append(reply, needs[i].reason) ||
                !http_append(reply, "\"}"))
                http_no_memory(reply);
            return;
        }
    }
    http_text(reply, "application/json", "{\"status\":\"ok\"}");
}

static const struct route routes[] = {
    {.path = "/metrics", .answer = answer_metrics, .cost = ROUTE_BULK},
    {.path = "/readyz", .answer = answer_ready, .cost = ROUTE_AT_ONCE},
};

struct route_set metrics_routes(struct metrics_page *page)
{
    return (struct route_set){.routes = routes,
                              .size = sizeof routes / sizeof routes[0],
                              .context = page};
}
