/* nats_pages.h - what a NATS server shows over HTTP: /, /varz, /connz and so
 * on.
 *
 * Those of our own nats-server are passed through as they are. Attached to
 * another one, which has a monitoring of its own, we show the same pages about
 * ourselves: we are no NATS server, so what only such a one has is 0 or empty;
 * messages and bytes are those of the streaming side. */
#ifndef MONITOR_NATS_PAGES_H
#define MONITOR_NATS_PAGES_H

#include "monitor/router.h"
#include "streamd/base/clock.h"
#include "streamd/engine/view.h"

struct nats_pages {
    const struct view_source *source;
    const struct clock *clock;
    const char *child;   /* URL of its monitoring; "": attached */
    const char *version; /* of the Go server we stand in for */
};

/* A wide prefix: must be the last set. *pages must outlive the router. */
struct route_set nats_pages_routes(struct nats_pages *pages);

#endif
