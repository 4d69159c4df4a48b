#include "streamd/options_keys.h"

#include <ctype.h>
#include <string.h>

enum { KEY_MAX = 64 };

static const struct {
    enum options_section in, inner;
    const char *keys, *what;
} maps[] = {
    {OPTIONS_STREAMING, OPTIONS_CLIENT_TLS, "tls", "TLS"},
    {OPTIONS_STREAMING, OPTIONS_LIMITS, "limits store_limits storelimits",
     "store limits"},
    {OPTIONS_STREAMING, OPTIONS_FILE, "file file_options", "file options"},
    {OPTIONS_STREAMING, OPTIONS_SQL, "sql sql_options", "SQL options"},
    {OPTIONS_STREAMING, OPTIONS_CLUSTER, "cluster", "cluster"},
    {OPTIONS_LIMITS, OPTIONS_CHANNELS,
     "channels channels_limits channelslimits per_channel per_channel_limits",
     "per channel limits"},
    {OPTIONS_NATS, OPTIONS_AUTHORIZATION, "authorization", "authorization"},
    {OPTIONS_NATS, OPTIONS_SERVER_TLS, "tls", "TLS"},
};

static const struct {
    const char *key, *flag;
} addresses[] = {
    {"listen", "port"}, {"http", "http_port"}, {"https", "https_port"}};

static bool map_find(enum options_section section, const char *name,
                     size_t size, struct options_key *key)
{
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        if (maps[i].in == section && options_named(maps[i].keys, name, size)) {
            *key = (struct options_key){.type = OPTIONS_KEY_MAP,
                                        .inner = maps[i].inner,
                                        .what = maps[i].what};
            return true;
        }
    }
    return false;
}

static bool address_find(const char *name, struct options_key *key)
{
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        if (strcmp(addresses[i].key, name) == 0) {
            *key =
                (struct options_key){.type = OPTIONS_KEY_ADDRESS,
                                     .entry = options_entry(addresses[i].flag)};
            return true;
        }
    }
    return false;
}

/* A channel has the limits of all but their number. */
static bool stands_in(const struct option_entry *entry,
                      enum options_section section)
{
    if (section != OPTIONS_CHANNEL)
        return entry->in == section;
    return entry->in == OPTIONS_LIMITS &&
           entry->place != offsetof(struct options, limits.max_channels);
}

bool options_key_find(enum options_section section, const char *name,
                      struct options_key *key)
{
    char lower[KEY_MAX];
    size_t size = strlen(name);
    if (size >= sizeof lower)
        return false;
    for (size_t i = 0; i <= size; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    if (map_find(section, lower, size, key) ||
        (section == OPTIONS_NATS && address_find(lower, key)))
        return true;
    size_t count;
    const struct option_entry *table = options_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].keys != NULL && stands_in(&table[i], section) &&
            options_named(table[i].keys, lower, size)) {
            *key = (struct options_key){.type = OPTIONS_KEY_OPTION,
                                        .entry = &table[i]};
            return true;
        }
    }
    return false;
}
