#include "monitor/query.h"

#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static enum status terminate(struct blob *blob)
{
    if (!blob_append(blob, "", 1))
        return STATUS_NO_MEMORY;
    blob->size--;
    return STATUS_OK;
}

/* Appends text unescaped and a 0. STATUS_INVALID: a bad escape. */
static enum status unescape(struct bytes text, bool plus_is_space,
                            struct blob *out)
{
    const char *data = (const char *)text.data;
    if (!blob_reserve(out, text.size + 1))
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < text.size; i++) {
        char c = data[i];
        if (c == '%') {
            int high = i + 2 < text.size ? hex_value(data[i + 1]) : -1;
            int low = i + 2 < text.size ? hex_value(data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return STATUS_INVALID;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (!blob_append(out, &c, 1))
            return STATUS_NO_MEMORY;
    }
    return terminate(out);
}

enum status query_unescape(struct bytes text, struct blob *out)
{
    return unescape(text, false, out);
}

enum status query_path(const char *target, struct blob *path)
{
    *path = (struct blob){0};
    enum status status =
        unescape(bytes_of(target, strcspn(target, "?")), false, path);
    if (status == STATUS_OK && (path->size == 0 || path->data[0] != '/' ||
                                memchr(path->data, '\0', path->size) != NULL))
        status = STATUS_INVALID;
    if (status != STATUS_OK)
        blob_release(path);
    return status;
}

/* Cuts the last segment off the size bytes of a path without final slash. */
static size_t parent_size(const char *path, size_t size)
{
    while (size > 0 && path[size - 1] != '/')
        size--;
    return size > 0 ? size - 1 : 0;
}

bool query_path_clean(struct blob *path)
{
    char *data = (char *)path->data;
    size_t before = path->size;
    bool slash_last = data[before - 1] == '/';
    size_t used = 0; /* never past the segment that is read */
    for (size_t at = 0; at < before;) {
        at++; /* the slash */
        size_t size = strcspn(data + at, "/");
        const char *segment = data + at;
        at += size;
        if (size == 0 || (size == 1 && segment[0] == '.'))
            continue;
        if (size == 2 && segment[0] == '.' && segment[1] == '.') {
            used = parent_size(data, used);
            continue;
        }
        data[used++] = '/';
        memmove(data + used, segment, size);
        used += size;
    }
    if (used == 0 || slash_last)
        data[used++] = '/';
    data[used] = '\0';
    path->size = used;
    return used != before;
}

/* Unescapes the pair and tells if it is the one called name. */
static enum status pair_match(struct bytes pair, const char *name,
                              struct blob *value, bool *match)
{
    *match = false;
    const uint8_t *equals =
        pair.size == 0 ? NULL : memchr(pair.data, '=', pair.size);
    size_t key_size = equals == NULL ? pair.size : (size_t)(equals - pair.data);
    struct blob key = {0};
    enum status status = unescape(bytes_of(pair.data, key_size), true, &key);
    if (status == STATUS_OK &&
        bytes_equal(blob_bytes(&key), bytes_text(name))) {
        size_t skip = equals == NULL ? key_size : key_size + 1;
        status =
            unescape(bytes_of(pair.data + skip, pair.size - skip), true, value);
        *match = status == STATUS_OK;
    }
    blob_release(&key);
    return status;
}

enum status query_parameter(const char *target, const char *name,
                            struct blob *value)
{
    *value = (struct blob){0};
    const char *at = target + strcspn(target, "?");
    while (*at != '\0') {
        at++; /* the '?' or '&' */
        size_t size = strcspn(at, "&");
        struct bytes pair = bytes_of(at, size);
        at += size;
        if (size == 0 || memchr(pair.data, ';', size) != NULL)
            continue;
        bool match;
        enum status status = pair_match(pair, name, value, &match);
        if (match)
            return STATUS_OK;
        blob_release(value);
        if (status == STATUS_NO_MEMORY)
            return status;
    }
    return terminate(value);
}

int64_t query_number(const struct blob *value)
{
    const char *text = (const char *)value->data;
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text + digits != (const char *)value->data + value->size)
        return 0;
    int64_t number = 0;
    for (; *text != '\0'; text++) {
        int digit = negative ? '0' - *text : *text - '0';
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digit, &number))
            return negative ? INT64_MIN : INT64_MAX;
    }
    return number;
}
