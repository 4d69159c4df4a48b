#include "streamd/banner.h"

#include "streamd/base/duration.h"
#include "streamd/base/text.h"

#include <inttypes.h>
#include <stdio.h>

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
    log_info(log, "----------------------------------");
}
