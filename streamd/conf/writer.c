#include "streamd/conf/writer.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    NESTING_MAX = 64,
    PADDING_MAX = 10000, /* lines added at once to keep the numbers */
    NUMBER_MAX = 800,
    REAL_STEP = 16, /* digits behind the point */
    REAL_DIGITS = 360,
};

static void put(struct conf_writer *writer, const void *data, size_t size)
{
    if (writer->status != STATUS_OK)
        return;
    if (size > writer->most - writer->out->size) {
        writer->status = STATUS_LIMIT;
    } else if (!blob_append(writer->out, data, size)) {
        writer->status = STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < size; i++)
        writer->line += ((const char *)data)[i] == '\n' ? 1 : 0;
}

static void put_text(struct conf_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

/* No escape is needed but these; a new line would shift the lines. */
static void put_string(struct conf_writer *writer, struct bytes string)
{
    put_text(writer, "\"");
    for (size_t i = 0; i < string.size; i++) {
        char escaped[8];
        uint8_t c = string.data[i];
        if (c == '"' || c == '\\') {
            (void)snprintf(escaped, sizeof escaped, "\\%c", c);
            put_text(writer, escaped);
        } else if (iscntrl(c)) {
            (void)snprintf(escaped, sizeof escaped, "\\x%02x", c);
            put_text(writer, escaped);
        } else {
            put(writer, &c, 1);
        }
    }
    put_text(writer, "\"");
}

/* Keys have no escapes. */
static void put_key(struct conf_writer *writer, struct bytes key)
{
    bool single = memchr(key.data, '\'', key.size) != NULL;
    bool both = single && memchr(key.data, '"', key.size) != NULL;
    if (both && writer->status == STATUS_OK) {
        writer->status = STATUS_INVALID;
        writer->problem = "a key with both kinds of quotes";
    }
    put_text(writer, single ? "\"" : "'");
    put(writer, key.data, key.size);
    put_text(writer, single ? "\": " : "': ");
}

/* The grammar knows no exponents: as many digits as it takes. */
static void put_real(struct conf_writer *writer, double real)
{
    char text[NUMBER_MAX];
    int digits = 1;
    do {
        (void)snprintf(text, sizeof text, "%.*f", digits, real);
        digits += REAL_STEP;
    } while (strtod(text, NULL) != real && digits < REAL_DIGITS);
    put_text(writer, text);
}

static void put_datetime(struct conf_writer *writer, int64_t seconds)
{
    char text[NUMBER_MAX];
    struct tm parts;
    time_t when = (time_t)seconds;
    if (gmtime_r(&when, &parts) == NULL) {
        writer->status = STATUS_INVALID;
        writer->problem = "a date";
        return;
    }
    (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                   parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                   parts.tm_hour, parts.tm_min, parts.tm_sec);
    put_text(writer, text);
}

static void put_integer(struct conf_writer *writer, int64_t integer)
{
    char text[NUMBER_MAX];
    (void)snprintf(text, sizeof text, "%" PRId64, integer);
    put_text(writer, text);
}

/* Also opens a container. */
static void put_value(struct conf_writer *writer,
                      const struct conf_value *value)
{
    switch (value->type) {
    case CONF_STRING:
        put_string(writer, value->as.string);
        return;
    case CONF_BOOLEAN:
        put_text(writer, value->as.boolean ? "true" : "false");
        return;
    case CONF_INTEGER:
        put_integer(writer, value->as.integer);
        return;
    case CONF_FLOAT:
        put_real(writer, value->as.real);
        return;
    case CONF_DATETIME:
        put_datetime(writer, value->as.datetime);
        return;
    case CONF_ARRAY:
        put_text(writer, "[");
        return;
    case CONF_MAP:
        put_text(writer, "{");
        return;
    }
}

/* Within a map that was opened entries share a line, as lines count. */
static void end_entry(struct conf_writer *writer)
{
    put_text(writer, writer->depth > 0 ? " , " : "\n");
}

/* Empty lines, so that what the nats-server says of a line is true of the
 * file. */
static void keep_line(struct conf_writer *writer,
                      const struct conf_value *entry)
{
    if (writer->file == NULL || entry->file == NULL ||
        strcmp(writer->file, entry->file) != 0)
        return;
    for (int i = 0; i < PADDING_MAX && writer->line + 1 < entry->line; i++)
        put_text(writer, "\n");
}

/* ---- containers inside each other ---- */

struct open {
    const struct conf_value *container, *next;
};

struct walk {
    struct open open[NESTING_MAX];
    size_t depth;
};

static bool is_container(const struct conf_value *value)
{
    return value->type == CONF_ARRAY || value->type == CONF_MAP;
}

static void enter(struct conf_writer *writer, struct walk *walk,
                  const struct conf_value *container)
{
    if (walk->depth == NESTING_MAX) {
        writer->status = STATUS_INVALID;
        writer->problem = "too much inside each other";
        return;
    }
    walk->open[walk->depth++] =
        (struct open){.container = container, .next = conf_first(container)};
}

/* One element, or the end of the innermost container. */
static void step(struct conf_writer *writer, struct walk *walk)
{
    struct open *open = &walk->open[walk->depth - 1];
    const struct conf_value *value = open->next;
    bool map = open->container->type == CONF_MAP;
    if (value == NULL) {
        put_text(writer, map ? " }" : " ]");
        walk->depth--;
    } else {
        if (value != conf_first(open->container))
            put_text(writer, " ,");
        if (map) {
            keep_line(writer, value);
            put_text(writer, " ");
            put_key(writer, value->key);
        }
        open->next = conf_next(open->container, value);
        put_value(writer, value);
        if (is_container(value))
            enter(writer, walk, value);
    }
}

void conf_write_entry(struct conf_writer *writer,
                      const struct conf_value *entry)
{
    struct walk walk = {0};
    keep_line(writer, entry);
    put_key(writer, entry->key);
    put_value(writer, entry);
    if (is_container(entry))
        enter(writer, &walk, entry);
    while (writer->status == STATUS_OK && walk.depth > 0)
        step(writer, &walk);
    end_entry(writer);
}

static bool is_word(const char *words, struct bytes key)
{
    while (*words != '\0') {
        size_t size = strcspn(words, " ");
        if (size == key.size &&
            strncasecmp(words, (const char *)key.data, size) == 0)
            return true;
        words += size;
        words += strspn(words, " ");
    }
    return false;
}

void conf_write_others(struct conf_writer *writer, const struct conf_value *map,
                       const char *words)
{
    const struct conf_value *entry = conf_first(map);
    for (; entry != NULL; entry = conf_next(map, entry)) {
        if (!is_word(words, entry->key))
            conf_write_entry(writer, entry);
    }
}

void conf_write_string(struct conf_writer *writer, const char *key,
                       const char *value)
{
    put_key(writer, bytes_text(key));
    put_string(writer, bytes_text(value));
    end_entry(writer);
}

void conf_write_integer(struct conf_writer *writer, const char *key,
                        int64_t value)
{
    put_key(writer, bytes_text(key));
    put_integer(writer, value);
    end_entry(writer);
}

void conf_write_boolean(struct conf_writer *writer, const char *key, bool value)
{
    put_key(writer, bytes_text(key));
    put_text(writer, value ? "true" : "false");
    end_entry(writer);
}

void conf_write_open(struct conf_writer *writer, const char *key, char open)
{
    put_key(writer, bytes_text(key));
    put(writer, &open, 1);
    put_text(writer, " ");
    writer->depth++;
}

void conf_write_close(struct conf_writer *writer, char close)
{
    put(writer, &close, 1);
    writer->depth--;
    end_entry(writer);
}

void conf_write_element(struct conf_writer *writer, struct bytes value)
{
    put_string(writer, value);
    end_entry(writer);
}
