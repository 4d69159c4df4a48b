#include "monitor/monitor.h"

#include "monitor/certificate.h"
#include "monitor/endpoints.h"
#include "monitor/exchange.h"
#include "monitor/listener.h"
#include "monitor/metrics.h"
#include "monitor/nats_pages.h"
#include "monitor/page.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* What one client, or many, may cost us. */
enum {
    CONNECTIONS_MIN = 32,
    CONNECTIONS_MAX = 512,
    IDLE_SECONDS_MAX = 15,         /* nothing read, nothing written */
    REQUEST_SECONDS_MAX = 30,      /* until a request is whole, or cut off */
    CONNECTION_MEMORY = 32 * 1024, /* request line, headers, answer headers */
    QUICK_THREADS = 2,
    BULK_THREADS = 2,
};

static const char host_default[] = "0.0.0.0";
static char priorities[] = "SECURE128:-VERS-TLS1.0:-VERS-TLS1.1";

struct monitor {
    struct MHD_Daemon *daemon;
    struct view_source source;
    struct limits limits;
    struct endpoints endpoints;
    struct metrics_page metrics;
    char metrics_id[64]; /* what an exporter beside us is told to scrape */
    struct certificate certificate; /* of HTTPS */
    bool secure;
    struct nats_pages nats_pages;
    struct route_set sets[4 + MONITOR_ROUTE_SETS_MAX];
    struct exchange_server server;
    struct listener listener; /* its socket is the daemon's once that runs */
};

/* ---- life cycle ---- */

/* Connections cost descriptors, which the store needs more than we do. */
static size_t connections_max(bool trusted)
{
    struct rlimit limit;
    if (trusted || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CONNECTIONS_MIN;
    size_t share = (size_t)limit.rlim_cur / 4;
    if (limit.rlim_cur == RLIM_INFINITY || share > CONNECTIONS_MAX)
        share = CONNECTIONS_MAX;
    return share < CONNECTIONS_MIN ? CONNECTIONS_MIN : share;
}

static void add_routes(struct monitor *monitor,
                       const struct monitor_options *options)
{
    struct router *router = &monitor->server.router;
    router->sets = monitor->sets;
    monitor->sets[router->size++] = endpoints_routes(&monitor->endpoints);
    monitor->sets[router->size++] = metrics_routes(&monitor->metrics);
    monitor->sets[router->size++] = page_routes();
    for (size_t i = 0; i < MONITOR_ROUTE_SETS_MAX; i++) {
        if (options->routes[i].size > 0)
            monitor->sets[router->size++] = options->routes[i];
    }
    monitor->sets[router->size++] = nats_pages_routes(&monitor->nats_pages);
}

static struct monitor *monitor_new(const struct monitor_options *options,
                                   const struct view_source *source)
{
    struct monitor *monitor = calloc(1, sizeof *monitor);
    if (monitor == NULL)
        return NULL;
    monitor->listener.socket = -1;
    monitor->source = *source;
    monitor->limits =
        options->limits != NULL ? *options->limits : limits_default;
    monitor->endpoints = (struct endpoints){
        .source = &monitor->source,
        .limits = &monitor->limits,
        .clock = options->clock != NULL ? options->clock : &clock_system,
        .version = options->version,
        .streamd_version = options->streamd_version,
    };
    monitor->nats_pages = (struct nats_pages){
        .source = &monitor->source,
        .clock = monitor->endpoints.clock,
        .child = options->nats_url != NULL ? options->nats_url : "",
        .version = options->version,
    };
    monitor->metrics = (struct metrics_page){
        .source = &monitor->source,
        .clock = monitor->endpoints.clock,
        .version = options->version,
        .streamd_version = options->streamd_version,
        .server_id = monitor->metrics_id,
        .max_channels = options->metrics_channels,
        .inbox = options->metrics_inbox,
    };
    monitor->secure = options->tls_cert != NULL;
    add_routes(monitor, options);
    return monitor;
}

void monitor_set_limits(struct monitor *monitor, const struct limits *limits)
{
    __atomic_store_n(&monitor->endpoints.limits, limits, __ATOMIC_RELEASE);
}

static void monitor_free(struct monitor *monitor)
{
    if (monitor == NULL)
        return;
    workers_free(monitor->server.quick);
    workers_free(monitor->server.bulk);
    connections_free(monitor->server.connections);
    certificate_release(&monitor->certificate);
    listener_release(&monitor->listener);
    free(monitor);
}

/* Clients are never asked for a certificate. */
static enum status certificate_take(struct monitor *monitor,
                                    const struct monitor_options *options,
                                    struct error *err)
{
    if (!monitor->secure)
        return STATUS_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
        return fail(err, STATUS_INVALID,
                    "this libmicrohttpd has no TLS: no HTTPS monitoring");
    }
    return certificate_load(options->tls_cert, options->tls_key,
                            &monitor->certificate, err);
}

static enum status daemon_start(struct monitor *monitor, struct error *err)
{
    struct exchange_server *server = &monitor->server;
    size_t most = connections_max(server->trusted);
    const struct connections_limits limits = {
        .narrow = most - most / 4,
        .grace = CLOCK_SECOND,
        .patience = REQUEST_SECONDS_MAX * CLOCK_SECOND,
    };
    server->connections = connections_new(&limits, &clock_system);
    if (server->connections == NULL)
        return fail(err, STATUS_NO_MEMORY, "monitor: start");
    enum status status = connections_watch(server->connections, err);
    if (status == STATUS_OK) {
        status =
            workers_start(QUICK_THREADS, "monitor-quick", &server->quick, err);
    }
    if (status == STATUS_OK) {
        status =
            workers_start(BULK_THREADS, "monitor-bulk", &server->bulk, err);
    }
    if (status != STATUS_OK)
        return status;
    struct certificate *certificate = &monitor->certificate;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, certificate->chain},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, certificate->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem *none = &tls[3];
    monitor->daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
            (monitor->secure ? MHD_USE_TLS : 0),
        0, NULL, NULL, exchange_handle, server, MHD_OPTION_ARRAY,
        monitor->secure ? tls : none, MHD_OPTION_LISTEN_SOCKET,
        (MHD_socket)monitor->listener.socket, MHD_OPTION_URI_LOG_CALLBACK,
        exchange_new, server, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, server,
        MHD_OPTION_NOTIFY_CONNECTION, exchange_connection, server,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)most,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_END);
    if (monitor->daemon == NULL) {
        return fail(err, STATUS_IO, "unable to start monitoring server%s",
                    monitor->secure ? " (is it the key of the certificate?)"
                                    : "");
    }
    monitor->listener.socket = -1; /* closed by the daemon */
    return STATUS_OK;
}

static void start_log(struct log *log, const struct monitor *monitor,
                      const char *host)
{
    char line[320];
    bool brackets = strchr(host, ':') != NULL;
    int size =
        snprintf(line, sizeof line, "Starting %s monitor on %s%.255s%s:%d",
                 monitor->secure ? "https" : "http", brackets ? "[" : "", host,
                 brackets ? "]" : "", monitor->listener.port);
    if (monitor->server.trusted) {
        log_info(log, "Administration on the socket %s",
                 monitor->listener.path);
    } else if (size > 0) {
        log_foreign(log, LOG_LEVEL_INFO, line, size);
    }
}

static enum status start(struct monitor *monitor,
                         const struct monitor_options *options,
                         struct error *err)
{
    const char *host = options->host == NULL || options->host[0] == '\0'
                           ? host_default
                           : options->host;
    enum status status =
        options->socket != NULL
            ? listener_unix(options->socket, &monitor->listener, err)
            : listener_tcp(host, options->port, &monitor->listener, err);
    if (status != STATUS_OK)
        return status;
    monitor->server.trusted = options->socket != NULL;
    (void)snprintf(monitor->metrics_id, sizeof monitor->metrics_id,
                   "%s://localhost:%d", monitor->secure ? "https" : "http",
                   monitor->listener.port);
    status = certificate_take(monitor, options, err);
    if (status == STATUS_OK)
        status = daemon_start(monitor, err);
    if (status == STATUS_OK)
        start_log(options->log, monitor, host);
    return status;
}

enum status monitor_start(const struct monitor_options *options,
                          const struct view_source *source,
                          struct monitor **out, struct error *err)
{
    *out = NULL;
    struct monitor *monitor = monitor_new(options, source);
    if (monitor == NULL)
        return fail(err, STATUS_NO_MEMORY, "monitor: start");
    enum status status = start(monitor, options, err);
    if (status != STATUS_OK) {
        monitor_free(monitor);
        return status;
    }
    *out = monitor;
    return STATUS_OK;
}

int monitor_port(const struct monitor *monitor)
{
    return monitor->listener.port;
}

void monitor_stop(struct monitor *monitor)
{
    if (monitor == NULL)
        return;
    /* libmicrohttpd ends only when no connection is put aside any more. */
    __atomic_store_n(&monitor->server.stopping, true, __ATOMIC_RELEASE);
    workers_stop(monitor->server.quick);
    workers_stop(monitor->server.bulk);
    MHD_stop_daemon(monitor->daemon);
    monitor_free(monitor);
}
