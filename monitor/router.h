/* router.h - the table from paths to handlers.
 *
 * A room that serves pages keeps a static array of routes and hands it over as
 * a route set, with a context that every handler of it gets; monitor_options
 * takes several sets. The first route that fits answers, so sets are asked in
 * order and a wide prefix stands last. Read-only once it serves. */
#ifndef MONITOR_ROUTER_H
#define MONITOR_ROUTER_H

#include "monitor/http.h"

/* What a handler may do to others by taking its time. */
enum route_cost {
    ROUTE_WAITS,   /* may wait for the engine; short */
    ROUTE_BULK,    /* may take long: large lists, disk, other servers */
    ROUTE_AT_ONCE, /* never waits for anything: probes, built-in files */
};

struct route {
    const char *path; /* matched exactly, case and all */
    bool prefix;      /* path ends with '/': all paths below it, too */
    /* NULL: any method, as in Go; else separated by ", ", and others get 405 */
    const char *methods;
    enum route_cost cost;
    size_t body_max; /* bytes, longer ones get 413; 0: bodies are dropped */
    /* With the headers, on libmicrohttpd's thread: false, and the body is
     * dropped as it comes, so that who is refused costs no memory. NULL: true.
     */
    bool (*keeps_body)(void *context, const struct request *request);
    /* Several threads at a time. Fills *reply, which is zero-initialised. */
    void (*answer)(void *context, const struct request *request,
                   struct reply *reply);
};

struct route_set {
    const struct route *routes;
    size_t size;
    void *context;
};

struct router {
    const struct route_set *sets;
    size_t size;
};

/* The route of target and its context; NULL if it has none: its path is not
 * there, not clean or no path at all, or memory ran out. */
const struct route *router_find(const struct router *router, const char *target,
                                void **context);

/* Answers always: request->path is not looked at but made from the target.
 * 400: no path; 301: to the clean path; 404, 405. The caller ends *reply with
 * http_release(). */
void router_answer(const struct router *router, const struct request *request,
                   struct reply *reply);

#endif
