/* admin_http.h - administration over HTTP: the routes below
 * /streaming/admin/v1, as openapi.json says. */
#ifndef MONITOR_ADMIN_HTTP_H
#define MONITOR_ADMIN_HTTP_H

#include "monitor/admin_access.h"
#include "monitor/router.h"
#include "streamd/engine/admin.h"

/* All must outlive the monitor. */
struct admin_http {
    struct admin_access *access; /* NULL: only who is trusted comes */
    struct admin_source source;
    struct log *log;
};

/* The routes, for monitor_options; *admin must outlive the monitor. */
struct route_set admin_http_routes(struct admin_http *admin);

/* openapi.json, built in. */
extern const struct bytes admin_openapi;

#endif
