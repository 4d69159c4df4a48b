#include "monitor/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- requests ---- */

const char *http_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->headers_size; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

/* ---- replies ---- */

void http_release(struct reply *reply)
{
    for (size_t i = 0; i < reply->headers_size; i++)
        free(reply->headers[i].value);
    reply->headers_size = 0;
    blob_release(&reply->body);
}

static void reply_begin(struct reply *reply, int status,
                        const char *content_type)
{
    http_release(reply);
    *reply = (struct reply){.status = status, .content_type = content_type};
}

bool http_append(struct reply *reply, const char *text)
{
    return blob_append(&reply->body, text, strlen(text));
}

/* A name ends where the value of a header could end or a terminal would obey.
 */
static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && c != 0x7F;
}

bool http_add_header(struct reply *reply, const char *name, const char *value)
{
    if (reply->headers_size == REPLY_HEADERS_MAX)
        return false;
    char *copy = malloc(strlen(value) + 1);
    if (copy == NULL)
        return false;
    size_t size = 0;
    for (; *value != '\0'; value++) {
        if (is_plain(*value))
            copy[size++] = *value;
    }
    copy[size] = '\0';
    reply->headers[reply->headers_size].name = name;
    reply->headers[reply->headers_size].value = copy;
    reply->headers_size++;
    return true;
}

void http_text(struct reply *reply, const char *content_type, const char *text)
{
    reply_begin(reply, 200, content_type);
    if (!http_append(reply, text))
        http_no_memory(reply);
}

void http_error(struct reply *reply, int status, const char *before,
                struct bytes what, const char *after)
{
    reply_begin(reply, status, "text/plain; charset=utf-8");
    if (!http_add_header(reply, "X-Content-Type-Options", "nosniff") ||
        !http_append(reply, before) ||
        !blob_append(&reply->body, what.data, what.size) ||
        !http_append(reply, after))
        blob_release(&reply->body); /* the status must do */
}

void http_no_memory(struct reply *reply)
{
    http_error(reply, 500, "out of memory\n", bytes_of(NULL, 0), "");
}

void http_not_found(struct reply *reply)
{
    http_error(reply, 404, "404 page not found\n", bytes_of(NULL, 0), "");
}

/* ---- redirects ---- */

/* The path with all escaped that could end a header or a tag. */
static bool append_escaped(struct blob *out, struct bytes path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        "-_.~/$+=:@";
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < path.size; i++) {
        uint8_t c = path.data[i];
        const char escaped[] = {'%', digits[c >> 4], digits[c & 15]};
        bool as_it_is = c != '\0' && strchr(plain, c) != NULL;
        if (!(as_it_is ? blob_append(out, &c, 1)
                       : blob_append(out, escaped, sizeof escaped)))
            return false;
    }
    return true;
}

static bool append_graphic(struct blob *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text > ' ' && (unsigned char)*text < 0x7F &&
            !blob_append(out, text, 1))
            return false;
    }
    return true;
}

void http_redirect(struct reply *reply, int status, struct bytes path,
                   const char *query)
{
    struct blob location = {0};
    reply_begin(reply, status, "text/html; charset=utf-8");
    const char *text = status == 301 ? "Moved Permanently" : "Found";
    bool complete =
        http_append(reply, "<a href=\"") &&
        append_escaped(&reply->body, path) && http_append(reply, "\">") &&
        http_append(reply, text) && http_append(reply, "</a>.\n\n") &&
        append_escaped(&location, path) && append_graphic(&location, query) &&
        blob_append(&location, "", 1) &&
        http_add_header(reply, "Location", (char *)location.data);
    blob_release(&location);
    if (!complete)
        http_no_memory(reply);
}
