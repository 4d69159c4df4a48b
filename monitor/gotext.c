#include "monitor/gotext.h"

#include "streamd/base/clock.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void gotext_time(int64_t wall, char out[GOTEXT_TIME_MAX])
{
    int64_t seconds = wall / CLOCK_SECOND;
    int64_t rest = wall % CLOCK_SECOND;
    if (rest < 0) {
        rest += CLOCK_SECOND;
        seconds--;
    }
    struct tm local = {0};
    const time_t at = (time_t)seconds;
    if (localtime_r(&at, &local) == NULL)
        local = (struct tm){.tm_year = 70, .tm_mday = 1};
    size_t used = strftime(out, GOTEXT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &local);
    char fraction[16];
    int size = snprintf(fraction, sizeof fraction, ".%09" PRId64, rest);
    while (size > 1 && fraction[size - 1] == '0')
        size--;
    if (size > 1) {
        memcpy(out + used, fraction, (size_t)size);
        used += (size_t)size;
    }
    long offset = local.tm_gmtoff / 60;
    if (offset == 0) {
        (void)snprintf(out + used, GOTEXT_TIME_MAX - used, "Z");
        return;
    }
    (void)snprintf(out + used, GOTEXT_TIME_MAX - used, "%c%02ld:%02ld",
                   offset < 0 ? '-' : '+', labs(offset) / 60,
                   labs(offset) % 60);
}

void gotext_uptime(int64_t span, char out[GOTEXT_UPTIME_MAX])
{
    static const struct {
        int64_t seconds;
        char name;
    } units[] = {{365 * INT64_C(86400), 'y'},
                 {86400, 'd'},
                 {3600, 'h'},
                 {60, 'm'},
                 {1, 's'}};
    int64_t rest = span > 0 ? span / CLOCK_SECOND : 0;
    size_t used = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        int64_t count = rest / units[i].seconds;
        rest %= units[i].seconds;
        if (count == 0 && used == 0 && units[i].seconds > 1)
            continue;
        used += (size_t)snprintf(out + used, GOTEXT_UPTIME_MAX - used,
                                 "%" PRId64 "%c", count, units[i].name);
    }
}

/* What may follow a first byte of UTF-8 (RFC 3629): no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
struct utf8_form {
    uint8_t first_low, first_high;
    uint8_t second_low, second_high;
    uint8_t size;
};

static const struct utf8_form utf8_forms[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
    {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

/* Bytes of the character at the front; 0 if there is none. */
static size_t utf8_size(const uint8_t *data, size_t size)
{
    if (data[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof utf8_forms / sizeof utf8_forms[0]; i++) {
        const struct utf8_form *form = &utf8_forms[i];
        if (data[0] < form->first_low || data[0] > form->first_high)
            continue;
        if (size < form->size || data[1] < form->second_low ||
            data[1] > form->second_high)
            return 0;
        for (size_t j = 2; j < form->size; j++) {
            if ((data[j] & 0xC0) != 0x80)
                return 0;
        }
        return form->size;
    }
    return 0;
}

bool gotext_utf8(struct bytes bytes, struct blob *out)
{
    for (size_t i = 0; i < bytes.size;) {
        size_t size = utf8_size(bytes.data + i, bytes.size - i);
        if (!(size > 0 ? blob_append(out, bytes.data + i, size)
                       : blob_append(out, "\xEF\xBF\xBD", 3)))
            return false;
        i += size > 0 ? size : 1;
    }
    return true;
}

struct replacement {
    const char *from;
    const char *to;
};

/* Outside of strings none of these occurs in JSON text. */
static const struct replacement replacements[] = {
    {"<", "\\u003c"},
    {">", "\\u003e"},
    {"&", "\\u0026"},
    {"\xE2\x80\xA8", "\\u2028"},
    {"\xE2\x80\xA9", "\\u2029"},
    {"\xEF\xBF\xBD", "\\ufffd"},
};

static const struct replacement *replacement_at(struct bytes rest)
{
    for (size_t i = 0; i < sizeof replacements / sizeof replacements[0]; i++) {
        size_t size = strlen(replacements[i].from);
        if (size <= rest.size &&
            memcmp(rest.data, replacements[i].from, size) == 0)
            return &replacements[i];
    }
    return NULL;
}

/* The escape at the front, as Go spells it; returns its size in the input. */
static size_t escape_convert(struct bytes rest, char out[8])
{
    const char *text = (const char *)rest.data;
    if (rest.size >= 2 && (text[1] == 'b' || text[1] == 'f')) {
        (void)snprintf(out, 8, "\\u%04x", text[1] == 'b' ? '\b' : '\f');
        return 2;
    }
    size_t size = rest.size >= 6 && text[1] == 'u' ? 6 : 2;
    if (size > rest.size)
        size = rest.size;
    for (size_t i = 0; i < size; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[size] = '\0';
    return size;
}

/* How many bytes at the front stay as they are. */
static size_t plain_size(struct bytes rest)
{
    size_t size = 0;
    while (size < rest.size && strchr("\\<>&\xE2\xEF", rest.data[size]) == NULL)
        size++;
    return size;
}

bool gotext_json(struct bytes json, struct blob *out)
{
    while (json.size > 0) {
        char escape[8];
        const char *text = escape;
        size_t taken = plain_size(json);
        if (!blob_append(out, json.data, taken))
            return false;
        json = bytes_of(json.data + taken, json.size - taken);
        if (json.size == 0)
            return true;
        const struct replacement *replacement = replacement_at(json);
        if (replacement != NULL) {
            text = replacement->to;
            taken = strlen(replacement->from);
        } else if (json.data[0] == '\\') {
            taken = escape_convert(json, escape);
        } else { /* another character with that first byte */
            taken = 1;
            (void)snprintf(escape, sizeof escape, "%c", json.data[0]);
        }
        if (!blob_append(out, text, strlen(text)))
            return false;
        json = bytes_of(json.data + taken, json.size - taken);
    }
    return true;
}
