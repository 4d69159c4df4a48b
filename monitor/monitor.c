#include "monitor/monitor.h"

#include "monitor/endpoints.h"
#include "monitor/exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What one client, or many, may cost us. */
enum {
    CONNECTIONS_MAX = 128,
    IDLE_SECONDS_MAX = 15,
    CONNECTION_MEMORY = 32 * 1024, /* request line, headers, answer headers */
    BACKLOG = 128,
};

static const char host_default[] = "0.0.0.0";

struct monitor {
    struct MHD_Daemon *daemon;
    struct view_source source;
    struct limits limits;
    struct endpoints endpoints;
    struct route_set sets[1 + MONITOR_ROUTE_SETS_MAX];
    struct router router;
    int port;
};

/* ---- listening ---- */

static enum status listen_fail(struct error *err, const char *host, int port,
                               const char *what, const char *reason)
{
    bool brackets = strchr(host, ':') != NULL;
    return fail(err, STATUS_IO,
                "can't listen to the monitor port: listen tcp %s%s%s:%d: "
                "%s: %s",
                brackets ? "[" : "", host, brackets ? "]" : "", port, what,
                reason);
}

static int bound_port(int socket_number)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    memset(&address, 0, sizeof address);
    socklen_t size = sizeof address;
    if (getsockname(socket_number, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
                                                   : address.v4.sin_port);
}

/* A listening socket for the address, or -1 with errno and what failed. */
static int address_listen(const struct addrinfo *address, const char **what)
{
    *what = "socket";
    int number = socket(address->ai_family,
                        address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0)
        return -1;
    const int on = 1; /* a restart must not wait for old connections to go */
    *what = "bind";
    if (setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(number, address->ai_addr, address->ai_addrlen) == 0) {
        *what = "listen";
        if (listen(number, BACKLOG) == 0)
            return number;
    }
    int saved = errno;
    (void)close(number);
    errno = saved;
    return -1;
}

static enum status port_listen(const char *host, int port, int *out,
                               struct error *err)
{
    *out = -1;
    if (port > UINT16_MAX)
        return fail(err, STATUS_INVALID, "monitor: no port: %d", port);
    char service[8];
    (void)snprintf(service, sizeof service, "%d", port < 0 ? 0 : port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    int code = getaddrinfo(host, service, &hints, &addresses);
    if (code != 0)
        return listen_fail(err, host, port, "lookup", gai_strerror(code));
    const char *what;
    *out = address_listen(addresses, &what);
    freeaddrinfo(addresses);
    if (*out < 0)
        return listen_fail(err, host, port, what, strerror(errno));
    return STATUS_OK;
}

/* ---- life cycle ---- */

static struct monitor *monitor_new(const struct monitor_options *options,
                                   const struct view_source *source)
{
    struct monitor *monitor = calloc(1, sizeof *monitor);
    if (monitor == NULL)
        return NULL;
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
    monitor->sets[monitor->router.size++] =
        endpoints_routes(&monitor->endpoints);
    for (size_t i = 0; i < MONITOR_ROUTE_SETS_MAX; i++) {
        if (options->routes[i].size > 0)
            monitor->sets[monitor->router.size++] = options->routes[i];
    }
    monitor->router.sets = monitor->sets;
    return monitor;
}

static struct MHD_Daemon *daemon_start(struct monitor *monitor, int listener)
{
    return MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, exchange_handle,
        &monitor->router, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listener,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_new, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_end, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_END);
}

static void start_log(struct log *log, const char *host, int port)
{
    char line[320];
    bool brackets = strchr(host, ':') != NULL;
    int size =
        snprintf(line, sizeof line, "Starting http monitor on %s%.255s%s:%d",
                 brackets ? "[" : "", host, brackets ? "]" : "", port);
    if (size > 0)
        log_foreign(log, LOG_LEVEL_INFO, line, size);
}

enum status monitor_start(const struct monitor_options *options,
                          const struct view_source *source,
                          struct monitor **out, struct error *err)
{
    *out = NULL;
    const char *host = options->host == NULL || options->host[0] == '\0'
                           ? host_default
                           : options->host;
    int listener;
    enum status status = port_listen(host, options->port, &listener, err);
    if (status != STATUS_OK)
        return status;
    struct monitor *monitor = monitor_new(options, source);
    if (monitor == NULL) {
        (void)close(listener);
        return fail(err, STATUS_NO_MEMORY, "monitor: start");
    }
    monitor->port = bound_port(listener);
    monitor->daemon = daemon_start(monitor, listener); /* takes the listener */
    if (monitor->daemon == NULL) {
        free(monitor);
        return fail(err, STATUS_IO, "unable to start monitoring server");
    }
    start_log(options->log, host, monitor->port);
    *out = monitor;
    return STATUS_OK;
}

int monitor_port(const struct monitor *monitor)
{
    return monitor->port;
}

void monitor_stop(struct monitor *monitor)
{
    if (monitor == NULL)
        return;
    MHD_stop_daemon(monitor->daemon);
    free(monitor);
}
