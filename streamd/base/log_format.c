#include "streamd/base/log_format.h"

#include "streamd/base/clock.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    CONTROL_DELETE = 0x7f, /* the one control character above the space */
    ESCAPE_SIZE = 6,       /* "\u001b" */
    END_SIZE = 3,          /* "}, LF */
};

static const struct {
    const char *label, *colour, *word;
} levels[] = {
    [LOG_LEVEL_INFO] = {"INF", "\x1b[32m", "info"},
    [LOG_LEVEL_WARN] = {"WRN", "\x1b[0;93m", "warn"},
    [LOG_LEVEL_ERROR] = {"ERR", "\x1b[31m", "error"},
    [LOG_LEVEL_FATAL] = {"FTL", "\x1b[31m", "fatal"},
    [LOG_LEVEL_DEBUG] = {"DBG", "\x1b[36m", "debug"},
    [LOG_LEVEL_TRACE] = {"TRC", "\x1b[33m", "trace"},
};

size_t log_format_room(const struct log_format *format, size_t size)
{
    return LOG_FORMAT_FRAME + size * (format->json ? ESCAPE_SIZE : 1);
}

/* What snprintf() wrote, given what it returned. */
static size_t written(int result, size_t capacity)
{
    if (result < 0)
        return 0;
    return (size_t)result < capacity ? (size_t)result : capacity - 1;
}

static bool is_on(const bool *setting)
{
    return __atomic_load_n(setting, __ATOMIC_RELAXED);
}

/* "YYYY/MM/DD hh:mm:ss.uuuuuu " or, with a zone, as RFC 3339 has it. */
static void format_time(const struct log_format *format, char *out, size_t size)
{
    int64_t now = clock_wall(&clock_system);
    time_t seconds = (time_t)(now / CLOCK_SECOND);
    struct tm tm = {0};
    char zone[8] = "Z";
    if ((is_on(&format->utc) ? gmtime_r : localtime_r)(&seconds, &tm) == NULL)
        return;
    size_t used =
        strftime(out, size,
                 format->json ? "%Y-%m-%dT%H:%M:%S" : "%Y/%m/%d %H:%M:%S", &tm);
    long minutes = tm.tm_gmtoff / 60;
    if (!is_on(&format->utc)) {
        (void)snprintf(zone, sizeof zone, "%c%02d:%02d",
                       minutes < 0 ? '-' : '+',
                       (int)((minutes < 0 ? -minutes : minutes) / 60 % 24),
                       (int)((minutes < 0 ? -minutes : minutes) % 60));
    }
    (void)snprintf(out + used, size - used, ".%06d%s",
                   (int)(now % CLOCK_SECOND / CLOCK_MICROSECOND),
                   format->json ? zone : " ");
}

/* ---- text ---- */

static char printable(char c)
{
    unsigned char byte = (unsigned char)c;
    if ((byte < ' ' && byte != '\t') || byte == CONTROL_DELETE)
        return '?';
    return c;
}

static size_t text_line(const struct log_format *format, enum log_level level,
                        const char *subject, const char *text, size_t size,
                        char *out, size_t capacity)
{
    char when[64] = "";
    size_t used = 0;
    if (is_on(&format->time) && !format->bare)
        format_time(format, when, sizeof when);
    if (!format->bare) {
        used = written(
            snprintf(out, capacity, "[%ld] %s[%s%s%s] ", (long)getpid(), when,
                     format->colour ? levels[level].colour : "",
                     levels[level].label, format->colour ? "\x1b[0m" : ""),
            capacity);
    }
    used += written(snprintf(out + used, capacity - used, "%s", subject),
                    capacity - used);
    for (size_t i = 0; i < size && used + 1 < capacity; i++)
        out[used++] = printable(text[i]);
    out[used++] = '\n';
    return used;
}

/* ---- JSON ---- */

/* Bytes of the UTF-8 sequence at text, 0 if there is none: neither an overlong
 * form nor a surrogate nor anything above U+10FFFF is one. */
static size_t sequence_size(const unsigned char *text, size_t size)
{
    static const struct {
        unsigned char first, last; /* of the first byte */
        unsigned char low, high;   /* of the second */
        unsigned char size;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t form = 0;
    while (form < sizeof forms / sizeof forms[0] &&
           (text[0] < forms[form].first || text[0] > forms[form].last))
        form++;
    if (form == sizeof forms / sizeof forms[0] || forms[form].size > size)
        return 0;
    for (size_t i = 1; i < forms[form].size; i++) {
        unsigned char low = i == 1 ? forms[form].low : 0x80;
        unsigned char high = i == 1 ? forms[form].high : 0xbf;
        if (text[i] < low || text[i] > high)
            return 0;
    }
    return forms[form].size;
}

/* Writes what stands for the character at text; *taken are its bytes. */
static size_t escape(const char *text, size_t size, size_t *taken,
                     char out[ESCAPE_SIZE + 1])
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    static const char named[] = "\b\f\n\r\t\"\\";
    static const char names[] = "bfnrt\"\\";
    size_t sequence = sequence_size((const unsigned char *)text, size);
    *taken = sequence == 0 ? 1 : sequence;
    if (sequence == 0) {
        memcpy(out, replacement, sizeof replacement - 1);
        return sizeof replacement - 1;
    }
    const char *name = text[0] == '\0' ? NULL : strchr(named, text[0]);
    if (name != NULL) {
        out[0] = '\\';
        out[1] = names[name - named];
        return 2;
    }
    unsigned char byte = (unsigned char)text[0];
    if (byte < ' ' || byte == CONTROL_DELETE)
        return (size_t)snprintf(out, ESCAPE_SIZE + 1, "\\u%04x", byte);
    memcpy(out, text, sequence);
    return sequence;
}

static size_t append_escaped(char *out, size_t used, size_t capacity,
                             const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        char shown[ESCAPE_SIZE + 1];
        size_t taken = 0;
        size_t length = escape(text + i, size - i, &taken, shown);
        if (used + length + END_SIZE > capacity)
            break;
        memcpy(out + used, shown, length);
        used += length;
        i += taken;
    }
    return used;
}

static size_t json_line(const struct log_format *format, enum log_level level,
                        const char *subject, const char *text, size_t size,
                        char *out, size_t capacity)
{
    char when[64] = "";
    if (is_on(&format->time))
        format_time(format, when, sizeof when);
    size_t used =
        written(snprintf(out, capacity,
                         "{%s%s%s\"level\":\"%s\",\"pid\":%ld,\"message\":\"",
                         when[0] == '\0' ? "" : "\"time\":\"", when,
                         when[0] == '\0' ? "" : "\",", levels[level].word,
                         (long)getpid()),
                capacity);
    used = append_escaped(out, used, capacity, subject, strlen(subject));
    used = append_escaped(out, used, capacity, text, size);
    memcpy(out + used, "\"}\n", END_SIZE);
    return used + END_SIZE;
}

size_t log_format_line(const struct log_format *format, enum log_level level,
                       const char *subject, const char *text, size_t size,
                       char *out, size_t capacity)
{
    return (format->json ? json_line : text_line)(format, level, subject, text,
                                                  size, out, capacity);
}
