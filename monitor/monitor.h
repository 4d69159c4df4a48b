/* monitor.h - the HTTP server in front of the endpoints: start, stop.
 *
 * Requests are served by threads of its own, which block while the view source
 * works on a view; so stop the monitor before what the source needs. */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "monitor/router.h"
#include "store/limits.h"
#include "streamd/base/clock.h"
#include "streamd/base/log.h"
#include "streamd/base/status.h"
#include "streamd/engine/view.h"

#include <stdbool.h>

enum { MONITOR_ROUTE_SETS_MAX = 4 };

struct monitor_options {
    const char *host; /* NULL or "": 0.0.0.0 */
    int port;         /* 1 to 65535; -1 or 0: any free one */
    /* Not NULL: instead of host and port the path of a Unix socket. Whoever
     * comes there is trusted: its mode is 0600. */
    const char *socket;
    struct log *log;             /* NULL: none */
    const struct limits *limits; /* for storez; NULL: the built-in ones */
    const struct clock *clock;   /* NULL: the system's */
    const char *version;         /* of the Go server we stand in for */
    const char *streamd_version; /* both must outlive the monitor */
    /* Files: HTTPS with this certificate and key. NULL: HTTP. */
    const char *tls_cert, *tls_key;
    /* Of /metrics: channels (and as many subscriptions) shown one by one, and
     * whether their inboxes are labels. */
    size_t metrics_channels;
    bool metrics_inbox;
    /* Where our own nats-server shows its pages, "http://127.0.0.1:<port>";
     * must outlive the monitor. NULL or "": there is none. */
    const char *nats_url;
    /* Pages of others, asked behind our own; unused ones of size 0. Their
     * arrays and contexts must outlive the monitor. */
    struct route_set routes[MONITOR_ROUTE_SETS_MAX];
};

struct monitor;

/* Listens, says so in the log, and serves from then on. The options and
 * *source (but not its context) are copied. On STATUS_OK the caller owns *out;
 * otherwise it is NULL. Errors: STATUS_INVALID (host, port, path), STATUS_IO
 * ("can't listen to the monitor port: ...", or certificate and key),
 * STATUS_TOO_BIG (one of these), STATUS_NO_MEMORY. */
MUST_CHECK enum status monitor_start(const struct monitor_options *options,
                                     const struct view_source *source,
                                     struct monitor **out, struct error *err);

/* Any thread: other limits for storez, borrowed like the first ones. */
void monitor_set_limits(struct monitor *monitor, const struct limits *limits);

/* The port it listens on; 0: a Unix socket. */
int monitor_port(const struct monitor *monitor);

/* Closes all connections, waits for a request being answered, frees. NULL is
 * allowed. */
void monitor_stop(struct monitor *monitor);

#endif
