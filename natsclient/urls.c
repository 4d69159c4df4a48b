#include "natsclient/urls.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status malformed(const char *url, struct error *err)
{
    char text[200];
    url_redact(url, text, sizeof text);
    return fail(err, STATUS_INVALID, "malformed url: %s", text);
}

enum status urls_add(struct urls *urls, const char *url, struct error *err)
{
    for (int i = 0; i < urls->count; i++) {
        if (strcmp(urls->items[i], url) == 0)
            return STATUS_OK;
    }
    if (urls->count == URL_COUNT_MAX)
        return fail(err, STATUS_LIMIT, "more than %d urls", URL_COUNT_MAX);
    size_t count = (size_t)urls->count + 1;
    char *copy = strdup(url);
    char **items = realloc(urls->items, count * sizeof *items);
    if (items != NULL)
        urls->items = items;
    if (copy == NULL || items == NULL) {
        free(copy);
        return fail(err, STATUS_NO_MEMORY, "urls: one more");
    }
    urls->items[urls->count++] = copy;
    return STATUS_OK;
}

void urls_release(struct urls *urls)
{
    for (int i = 0; i < urls->count; i++)
        free(urls->items[i]);
    free((void *)urls->items);
    *urls = (struct urls){0};
}

static enum status parse_list(const char *text, struct urls *out,
                              struct error *err)
{
    for (const char *item = text;;) {
        const char *end = item + strcspn(item, ",");
        const char *next = *end == ',' ? end + 1 : NULL;
        while (*item == ' ')
            item++;
        while (end > item && end[-1] == ' ')
            end--;
        size_t size = (size_t)(end - item);
        if (size == 0 || size > URL_LENGTH_MAX)
            return malformed(text, err);
        char url[URL_LENGTH_MAX + 1];
        memcpy(url, item, size);
        url[size] = '\0';
        enum status status = urls_add(out, url, err);
        if (status != STATUS_OK || next == NULL)
            return status;
        item = next;
    }
}

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    return port > 0 && port <= 65535;
}

static enum status parse_one(const char *text, struct urls *out,
                             struct error *err)
{
    const char *address = strstr(text, "://");
    if (address == NULL || address == text || strlen(text) > URL_LENGTH_MAX ||
        strstr(address + 3, "://") != NULL)
        return malformed(text, err);
    address += 3;
    const char *colon = strrchr(address, ':');
    const char *bracket = strrchr(address, ']');
    if (colon == NULL || (bracket != NULL && colon < bracket)) {
        return fail(err, STATUS_INVALID, "address %s: missing port in address",
                    address);
    }
    bool is_ip6 = address[0] == '[' && bracket == colon - 1;
    if (!is_ip6 && memchr(address, ':', (size_t)(colon - address)) != NULL) {
        return fail(err, STATUS_INVALID, "address %s: too many colons",
                    address);
    }
    if (colon == address || !is_port(colon + 1) ||
        strpbrk(address, " \t\r\n/?#") != NULL)
        return malformed(text, err);
    char url[URL_LENGTH_MAX + 8];
    (void)snprintf(url, sizeof url, "nats://%s", address);
    return urls_add(out, url, err);
}

enum status urls_parse(const char *text, struct urls *out, struct error *err)
{
    *out = (struct urls){0};
    enum status status = strpbrk(text, "@,") != NULL
                             ? parse_list(text, out, err)
                             : parse_one(text, out, err);
    if (status != STATUS_OK)
        urls_release(out);
    return status;
}

/* The end of the part of url, which starts behind ://, that is secret: the
 * last @ before the host ends, or url itself. */
static const char *secret_end(const char *url)
{
    const char *end = url;
    for (const char *at = url; *at != '\0' && *at != ','; at++) {
        if (*at == '@')
            end = at;
    }
    return end;
}

void url_redact(const char *url, char *out, size_t capacity)
{
    static const char MARK[] = "[REDACTED]";
    size_t used = 0;
    while (*url != '\0' && used + 1 < capacity) {
        bool is_start = strncmp(url, "://", 3) == 0;
        out[used++] = *url++;
        if (!is_start)
            continue;
        const char *end = secret_end(url + 2);
        bool is_secret = end != url + 2;
        int wrote = snprintf(out + used, capacity - used, "//%s",
                             is_secret ? MARK : "");
        if (wrote < 0 || (size_t)wrote >= capacity - used)
            return; /* cut, and terminated */
        used += (size_t)wrote;
        url = end;
    }
    out[used] = '\0';
}
