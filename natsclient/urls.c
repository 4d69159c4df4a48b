#include "natsclient/urls.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PORT 4222

/* Hides all up to the last @, as it may be a comma in a password that makes a
 * list out of one url. */
static enum status malformed(const char *text, struct error *err)
{
    const char *at = strrchr(text, '@');
    const char *scheme_end = strstr(text, "://");
    int shown = at == NULL || scheme_end == NULL || scheme_end > at
                    ? 0
                    : (int)(scheme_end + 3 - text);
    return fail(err, STATUS_INVALID, "malformed url: %.*s%s%s", shown, text,
                at != NULL ? "[REDACTED]" : "", at != NULL ? at : text);
}

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    return port > 0 && port <= 65535;
}

static bool is_tls(const char *url)
{
    return strncasecmp(url, "tls://", strlen("tls://")) == 0;
}

/* ---- one url ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Copies size bytes, each %XX as the byte it stands for; false if one of them
 * is none, or NUL. */
static bool decode(const char *text, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
            c = (char)(high * 16 + low);
            if (high < 0 || low < 0 || c == '\0')
                return false;
            i += 2;
        }
        *out++ = c;
    }
    *out = '\0';
    return true;
}

static bool parse_user(const char *text, size_t size, struct url *out)
{
    const char *colon = memchr(text, ':', size);
    size_t user_size = colon != NULL ? (size_t)(colon - text) : size;
    out->has_password = colon != NULL;
    if (!decode(text, user_size, out->user))
        return false;
    return colon == NULL ||
           decode(colon + 1, size - user_size - 1, out->password);
}

/* host, host:port, [host] or [host]:port; a slash at the end is allowed. */
static bool parse_address(const char *text, struct url *out)
{
    char address[URL_LENGTH_MAX + 1];
    (void)snprintf(address, sizeof address, "%s", text);
    size_t size = strlen(address);
    if (size > 0 && address[size - 1] == '/')
        address[--size] = '\0';
    char *host = address;
    char *end = address + strcspn(address, ":");
    if (address[0] == '[') {
        host++;
        end = strchr(address, ']');
        if (end == NULL)
            return false;
        *end++ = '\0';
    }
    const char *port = *end == ':' ? end + 1 : NULL;
    if ((*end != '\0' && port == NULL) || (port != NULL && !is_port(port)))
        return false;
    *end = '\0';
    (void)snprintf(out->host, sizeof out->host, "%s", host);
    out->port = port != NULL ? (int)strtol(port, NULL, 10) : DEFAULT_PORT;
    return host[0] != '\0' && strpbrk(host, " \t\r\n/?#[]") == NULL;
}

enum status url_parse(const char *text, struct url *out, struct error *err)
{
    *out = (struct url){0};
    const char *scheme_end = strstr(text, "://");
    const char *rest = scheme_end != NULL ? scheme_end + 3 : text;
    if (strlen(text) > URL_LENGTH_MAX)
        return malformed(text, err);
    out->tls = scheme_end != NULL && is_tls(text);
    if (scheme_end != NULL && !out->tls &&
        strncasecmp(text, "nats://", strlen("nats://")) != 0)
        return malformed(text, err);
    const char *at = strrchr(rest, '@');
    if (at != NULL && !parse_user(rest, (size_t)(at - rest), out))
        return malformed(text, err);
    if (!parse_address(at != NULL ? at + 1 : rest, out))
        return malformed(text, err);
    return STATUS_OK;
}

/* ---- the list ---- */

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
    for (int i = 0; i < urls->count; i++) { /* passwords may be in them */
        OPENSSL_cleanse(urls->items[i], strlen(urls->items[i]));
        free(urls->items[i]);
    }
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
        struct url parts;
        enum status status = url_parse(url, &parts, NULL);
        OPENSSL_cleanse(&parts, sizeof parts);
        status = status == STATUS_OK ? urls_add(out, url, err)
                                     : malformed(text, err);
        OPENSSL_cleanse(url, sizeof url);
        if (status != STATUS_OK || next == NULL)
            return status;
        item = next;
    }
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
    (void)snprintf(url, sizeof url, "%s://%s", is_tls(text) ? "tls" : "nats",
                   address);
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

/* Appends text of size, as far as there is room for it and a NUL. */
static void append(char *out, size_t capacity, size_t *used, const char *text,
                   size_t size)
{
    size_t room = capacity - 1 - *used;
    size_t taken = size < room ? size : room;
    memcpy(out + *used, text, taken);
    *used += taken;
    out[*used] = '\0';
}

/* Where text, a list, has what is secret of its first item: from *start to the
 * last @ before the item's end; both the same if there is none. */
static void find_secret(const char *item, const char *end, const char **start,
                        const char **stop)
{
    *start = item;
    for (const char *at = item; at + 3 <= end; at++) {
        if (strncmp(at, "://", 3) == 0) {
            *start = at + 3;
            break;
        }
    }
    *stop = *start;
    for (const char *at = *start; at < end; at++) {
        if (*at == '@')
            *stop = at;
    }
}

void url_redact(const char *url, char *out, size_t capacity)
{
    static const char MARK[] = "[REDACTED]";
    size_t used = 0;
    out[0] = '\0';
    for (const char *item = url; *item != '\0';) {
        const char *end = item + strcspn(item, ",");
        if (*end == ',')
            end++;
        const char *start = item;
        const char *stop = item;
        find_secret(item, end, &start, &stop);
        append(out, capacity, &used, item, (size_t)(start - item));
        if (start != stop)
            append(out, capacity, &used, MARK, strlen(MARK));
        append(out, capacity, &used, stop, (size_t)(end - stop));
        item = end;
    }
}
