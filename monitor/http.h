/* http.h - one request and its reply, without sockets.
 *
 * What a handler gets and what it gives back. A request and all it points to
 * is borrowed for the call; a reply belongs to the caller, who ends it with
 * http_release(). */
#ifndef MONITOR_HTTP_H
#define MONITOR_HTTP_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct header {
    const char *name, *value;
};

struct request {
    const char *method; /* as it was sent: "GET" */
    const char *target; /* raw, with the query: monitor/query.h reads it */
    const char *path;   /* unescaped and clean, without the query */
    const char *peer; /* "127.0.0.1:1234", ..., as peer.h says; "": not known */
    bool trusted;     /* came where only the owner of the process comes */
    const struct header *headers;
    size_t headers_size;
    struct bytes body; /* empty unless the route takes one */
};

/* The first header of that name, in any case; NULL: it was not sent. */
const char *http_header(const struct request *request, const char *name);

enum { REPLY_HEADERS_MAX = 12 };

/* Zero-initialised, a reply has status 0: fill in at least that. */
struct reply {
    int status;
    const char *content_type; /* static; NULL: none */
    struct {
        const char *name; /* static */
        char *value;      /* owned */
    } headers[REPLY_HEADERS_MAX];
    size_t headers_size;
    struct blob body;
    struct bytes fixed; /* sent if body is empty; never freed: built in */
};

void http_release(struct reply *reply);

/* Adds a header; value is copied without the bytes that must not stand in one
 * (controls). False when out of memory or there is no more room. */
MUST_CHECK bool http_add_header(struct reply *reply, const char *name,
                                const char *value);

/* Appends text to the body; false when out of memory. */
MUST_CHECK bool http_append(struct reply *reply, const char *text);

/* Each drops what the reply held. Out of memory becomes a 500, in the worst
 * case with an empty body.
 *
 * 200 with text, which is copied. */
void http_text(struct reply *reply, const char *content_type, const char *text);
/* Plain text that nobody sniffs: before, then what, then after. Both are to
 * end with a newline, as Go's errors do. */
void http_error(struct reply *reply, int status, const char *before,
                struct bytes what, const char *after);
void http_no_memory(struct reply *reply);
/* 404, "404 page not found" */
void http_not_found(struct reply *reply);
/* status is 301 or 302; the path is escaped; query is "" or begins with '?'
 * and goes along, but for bytes no target should have. */
void http_redirect(struct reply *reply, int status, struct bytes path,
                   const char *query);

#endif
