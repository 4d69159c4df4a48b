#include "monitor/page.h"

#include "monitor/page_files.h"

/* What a browser may do with it: our own scripts, styles and endpoints. */
static const char security_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

/* ---- has the browser got it? ---- */

/* Of the element of a list that begins at text. */
static size_t element_size(const char *text)
{
    bool quoted = false;
    size_t size = 0;
    for (; text[size] != '\0' && (quoted || text[size] != ','); size++)
        quoted ^= text[size] == '"';
    return size;
}

/* Compared weakly (RFC 9110, 13.1.2): a proxy may have made it W/"...". */
static bool element_matches(struct bytes element, const char *etag)
{
    while (element.size > 0 && (element.data[element.size - 1] == ' ' ||
                                element.data[element.size - 1] == '\t'))
        element.size--;
    if (element.size > 2 && memcmp(element.data, "W/", 2) == 0)
        element = bytes_of(element.data + 2, element.size - 2);
    return bytes_equal(element, bytes_text("*")) ||
           bytes_equal(element, bytes_text(etag));
}

bool page_etag_matches(const char *if_none_match, const char *etag)
{
    if (if_none_match == NULL)
        return false;
    const char *at = if_none_match;
    for (;;) {
        at += strspn(at, " \t,");
        if (*at == '\0')
            return false;
        size_t size = element_size(at);
        if (element_matches(bytes_of(at, size), etag))
            return true;
        at += size;
    }
}

/* ---- answers ---- */

static const struct page_file *file_find(const char *path)
{
    for (size_t i = 0; i < page_files_count; i++) {
        if (strcmp(page_files[i].path, path) == 0)
            return &page_files[i];
    }
    return NULL;
}

static bool headers_add(struct reply *reply, const struct page_file *file)
{
    return http_add_header(reply, "ETag", file->etag) &&
           http_add_header(reply, "Cache-Control", "no-cache") &&
           http_add_header(reply, "Content-Security-Policy", security_policy) &&
           http_add_header(reply, "X-Content-Type-Options", "nosniff") &&
           http_add_header(reply, "Referrer-Policy", "no-referrer");
}

static void answer_file(void *context, const struct request *request,
                        struct reply *reply)
{
    (void)context;
    const struct page_file *file = file_find(request->path);
    if (file == NULL) {
        http_not_found(reply);
        return;
    }
    *reply = (struct reply){.status = 200, .content_type = file->content_type};
    if (page_etag_matches(http_header(request, "If-None-Match"), file->etag)) {
        reply->status = 304;
    } else {
        reply->fixed = file->body;
    }
    if (!headers_add(reply, file))
        http_no_memory(reply);
}

/* The page names its files relative to /streaming/ui. */
static void answer_slash(void *context, const struct request *request,
                         struct reply *reply)
{
    (void)context;
    (void)request;
    http_redirect(reply, 301, bytes_text("/streaming/ui"), "");
}

static const struct route routes[] = {
    {.path = "/streaming/ui",
     .methods = "GET, HEAD",
     .cost = ROUTE_AT_ONCE,
     .answer = answer_file},
    {.path = "/streaming/ui/",
     .methods = "GET, HEAD",
     .cost = ROUTE_AT_ONCE,
     .answer = answer_slash},
    {.path = "/streaming/ui/",
     .prefix = true,
     .methods = "GET, HEAD",
     .cost = ROUTE_AT_ONCE,
     .answer = answer_file},
};

struct route_set page_routes(void)
{
    return (struct route_set){.routes = routes,
                              .size = sizeof routes / sizeof routes[0]};
}
