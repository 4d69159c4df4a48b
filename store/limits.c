#include "store/limits.h"

#include "streamd/base/duration.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>

const struct limits limits_default = {
    .max_channels = 100,
    .global =
        {
            .max_subscriptions = 1000,
            .max_messages = 1000000,
            .max_bytes = 1024000000,
        },
};

enum status limits_check(const struct limits *limits, struct error *err)
{
    const struct {
        const char *name;
        int64_t value;
        bool is_duration;
    } rules[] = {
        {"channels", limits->max_channels, false},
        {"subscriptions", limits->global.max_subscriptions, false},
        {"messages", limits->global.max_messages, false},
        {"bytes", limits->global.max_bytes, false},
        {"age", limits->global.max_age, true},
        {"inactivity", limits->global.max_inactivity, true},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].value >= 0)
            continue;
        if (!rules[i].is_duration) {
            return fail(err, STATUS_INVALID,
                        "max %s limit cannot be negative (%" PRId64 ")",
                        rules[i].name, rules[i].value);
        }
        char text[DURATION_TEXT_MAX];
        duration_format(rules[i].value, text);
        return fail(err, STATUS_INVALID, "max %s limit cannot be negative (%s)",
                    rules[i].name, text);
    }
    return STATUS_OK;
}

struct channel_limits limits_channel(const struct limits *limits,
                                     struct bytes name)
{
    (void)name; /* until there are entries by channel */
    return limits->global;
}
