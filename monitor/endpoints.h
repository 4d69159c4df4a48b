/* endpoints.h - the pages of the Go server (monitoring.md 4 to 11). */
#ifndef MONITOR_ENDPOINTS_H
#define MONITOR_ENDPOINTS_H

#include "monitor/router.h"
#include "store/limits.h"
#include "streamd/base/clock.h"
#include "streamd/engine/view.h"

struct endpoints {
    const struct view_source *source;
    const struct limits *limits; /* atomic; after inheritance; not NULL */
    const struct clock *clock;
    const char *version, *streamd_version;
};

/* The routes, for a router; *endpoints must outlive it. */
struct route_set endpoints_routes(struct endpoints *endpoints);

#endif
