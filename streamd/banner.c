#include "streamd/banner.h"

#include "streamd/base/duration.h"
#include "streamd/base/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 64 };
_Static_assert((int)VALUE_MAX >= (int)DURATION_TEXT_MAX, "a duration fits");
_Static_assert((int)VALUE_MAX >= (int)FRIENDLY_MAX, "a size fits");

static void count_show(int64_t value, char out[VALUE_MAX])
{
    (void)snprintf(out, VALUE_MAX, "%" PRId64, value);
}

static void bytes_show(int64_t value, char out[VALUE_MAX])
{
    (void)text_friendly((uint64_t)value, out);
}

static void line(struct log *log, const char *label, int64_t value,
                 int64_t built_in, void (*show)(int64_t, char *))
{
    char out[VALUE_MAX] = "unlimited";
    if (value != 0)
        show(value, out);
    log_info(log, "%s%13s%s", label, out, value == built_in ? " *" : "");
}

/* ---- the entries by channel ---- */

enum {
    WIDTH_MIN = 34,
    LIMITS_COUNT = 5,
    LABEL_SIZE = 19, /* " |-> Subscriptions " */
    COLUMN_SIZE = 13,
};

struct shown {
    const char *label;
    int64_t value, parent;
    void (*show)(int64_t, char *);
};

static void entry_limits(const struct limits_entry *entry,
                         struct shown out[LIMITS_COUNT])
{
    const struct channel_limits *own = &entry->limits;
    const struct channel_limits *parent = &entry->parent;
    out[0] = (struct shown){"Subscriptions", own->max_subscriptions,
                            parent->max_subscriptions, count_show};
    out[1] = (struct shown){"Messages     ", own->max_messages,
                            parent->max_messages, count_show};
    out[2] = (struct shown){"Bytes        ", own->max_bytes, parent->max_bytes,
                            bytes_show};
    out[3] = (struct shown){"Age          ", own->max_age, parent->max_age,
                            duration_format};
    out[4] = (struct shown){"Inactivity   ", own->max_inactivity,
                            parent->max_inactivity, duration_format};
}

static bool is_shown(const struct shown *shown)
{
    return shown->value != shown->parent;
}

/* Columns of the widest line. All limits stand below each other, so how deep
 * an entry is does not count for them. */
static size_t entries_width(const struct limits_entry *entries, size_t count,
                            size_t deepest)
{
    size_t width = WIDTH_MIN;
    for (size_t i = 0; i < count; i++) {
        struct shown shown[LIMITS_COUNT];
        size_t size = entries[i].level + strlen(entries[i].name);
        entry_limits(&entries[i], shown);
        for (size_t j = 0; j < LIMITS_COUNT; j++) {
            size_t limit = deepest + LABEL_SIZE + COLUMN_SIZE;
            if (is_shown(&shown[j]) && limit > size)
                size = limit;
        }
        if (size > width)
            width = size;
    }
    return width;
}

static void entry_print(struct log *log, const struct limits_entry *entry,
                        size_t deepest)
{
    struct shown shown[LIMITS_COUNT];
    int level = (int)entry->level;
    entry_limits(entry, shown);
    log_info(log, "%*s%s", level, "", entry->name);
    for (size_t i = 0; i < LIMITS_COUNT; i++) {
        char value[VALUE_MAX] = "unlimited";
        if (!is_shown(&shown[i]))
            continue;
        if (shown[i].value != 0)
            shown[i].show(shown[i].value, value);
        log_info(log, "%*s |-> %s %*s%*s", level, "", shown[i].label,
                 (int)deepest - level, "", COLUMN_SIZE, value);
    }
}

/* width dashes, in the middle of them the title. */
static void rule_print(struct log *log, size_t width, const char *title)
{
    char line[512];
    size_t size = strlen(title);
    if (width >= sizeof line)
        width = sizeof line - 1;
    memset(line, '-', width);
    line[width] = '\0';
    memcpy(line + (width - size) / 2, title, size);
    log_info(log, "%s", line);
}

/* Returns the width of the printout. */
static size_t entries_print(struct log *log, const struct limits *limits)
{
    size_t count;
    const struct limits_entry *entries = limits_entries(limits, &count);
    size_t deepest = 0;
    if (count == 0)
        return WIDTH_MIN;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].tokens > deepest)
            deepest = entries[i].tokens;
    }
    size_t width = entries_width(entries, count, deepest);
    rule_print(log, width, " List of Channels ");
    for (size_t i = 0; i < count; i++)
        entry_print(log, &entries[i], deepest);
    return width;
}

void banner_limits(struct log *log, const struct limits *limits)
{
    const struct channel_limits *now = &limits->global;
    const struct channel_limits *built_in = &limits_default.global;
    log_info(log, "---------- Store Limits ----------");
    line(log, "Channels:        ", limits->max_channels,
         limits_default.max_channels, count_show);
    log_info(log, "--------- Channels Limits --------");
    line(log, "  Subscriptions: ", now->max_subscriptions,
         built_in->max_subscriptions, count_show);
    line(log, "  Messages     : ", now->max_messages, built_in->max_messages,
         count_show);
    line(log, "  Bytes        : ", now->max_bytes, built_in->max_bytes,
         bytes_show);
    line(log, "  Age          : ", now->max_age, built_in->max_age,
         duration_format);
    line(log, "  Inactivity   : ", now->max_inactivity,
         built_in->max_inactivity, duration_format);
    rule_print(log, entries_print(log, limits), "");
}

void banner_sync(struct log *log, const struct store_config *config)
{
    char time[DURATION_TEXT_MAX];
    if (!config->no_sync)
        return;
    if (config->auto_sync == 0) {
        log_warn(log, "Messages are acked before they are on the disk (sync: "
                      "false, auto_sync: 0): a power cut loses many of them");
    } else {
        (void)duration_format(config->auto_sync, time);
        log_warn(log,
                 "Messages are acked before they are on the disk (sync: "
                 "false): a power cut loses those of the last %s",
                 time);
    }
}
