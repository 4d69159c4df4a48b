#include "monitor/router.h"

#include "monitor/query.h"

#include <string.h>

static bool route_fits(const struct route *route, const char *path)
{
    return route->prefix ? strncmp(path, route->path, strlen(route->path)) == 0
                         : strcmp(path, route->path) == 0;
}

static const struct route *find(const struct router *router, const char *path,
                                void **context)
{
    for (size_t i = 0; i < router->size; i++) {
        const struct route_set *set = &router->sets[i];
        for (size_t k = 0; k < set->size; k++) {
            if (route_fits(&set->routes[k], path)) {
                *context = set->context;
                return &set->routes[k];
            }
        }
    }
    return NULL;
}

const struct route *router_find(const struct router *router, const char *target,
                                void **context)
{
    struct blob path;
    const struct route *route = NULL;
    *context = NULL;
    if (query_path(target, &path) == STATUS_OK && !query_path_clean(&path))
        route = find(router, (const char *)path.data, context);
    blob_release(&path);
    return route;
}

/* methods: "GET, HEAD" */
static bool method_fits(const char *methods, const char *method)
{
    size_t size = strlen(method);
    for (const char *at = methods; at != NULL; at = strchr(at, ',')) {
        at += strspn(at, ", ");
        if (strncmp(at, method, size) == 0 &&
            (at[size] == ',' || at[size] == '\0'))
            return true;
    }
    return false;
}

static void answer_wrong_method(struct reply *reply, const char *methods)
{
    http_error(reply, 405, "405 method not allowed\n", bytes_of(NULL, 0), "");
    if (!http_add_header(reply, "Allow", methods))
        http_no_memory(reply);
}

static void dispatch(const struct router *router, const struct request *request,
                     struct reply *reply)
{
    void *context = NULL;
    const struct route *route = find(router, request->path, &context);
    if (route == NULL) {
        http_not_found(reply);
    } else if (route->methods != NULL &&
               !method_fits(route->methods, request->method)) {
        answer_wrong_method(reply, route->methods);
    } else {
        route->answer(context, request, reply);
    }
}

void router_answer(const struct router *router, const struct request *request,
                   struct reply *reply)
{
    const char *target = request->target;
    struct blob path;
    *reply = (struct reply){0};
    enum status status = query_path(target, &path);
    if (status == STATUS_NO_MEMORY) {
        http_no_memory(reply);
    } else if (status != STATUS_OK) {
        http_error(reply, 400, "400 Bad Request\n", bytes_of(NULL, 0), "");
    } else if (query_path_clean(&path)) {
        http_redirect(reply, 301, blob_bytes(&path),
                      target + strcspn(target, "?"));
    } else {
        struct request clean = *request;
        clean.path = (const char *)path.data;
        dispatch(router, &clean, reply);
    }
    blob_release(&path);
}
