/* metrics.h - /metrics for Prometheus, and /readyz.
 *
 * The metrics of the exporter for the Go server, by the same names and labels
 * (conventions.md 6.3), and those of our own, which begin with streamd_. */
#ifndef MONITOR_METRICS_H
#define MONITOR_METRICS_H

#include "monitor/router.h"
#include "streamd/base/clock.h"
#include "streamd/engine/view.h"

struct metrics_page {
    const struct view_source *source;
    const struct clock *clock;
    const char *version, *streamd_version;
    const char *server_id; /* label: what the exporter's was, a URL */
    size_t max_channels;   /* shown one by one, and subscriptions likewise */
    bool inbox;            /* with the inbox as a label */
};

/* *page must outlive the router. */
struct route_set metrics_routes(struct metrics_page *page);

#endif
