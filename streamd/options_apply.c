#include "streamd/options_apply.h"

#include "streamd/base/duration.h"
#include "streamd/base/text.h"
#include "streamd/options_keys.h"
#include "streamd/options_value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    SECTIONS_MAX = 32, /* maps inside of one streaming section */
    SHOWN_KEY_MAX = 64,
    REASON_MAX = 200,
};

/* A value on its way into an option. */
struct setting {
    struct options_key key;
    enum options_section section; /* in which it stands */
    const struct conf_value *value;
    struct options *options;
};

/* ---- errors ---- */

/* text, and where the value stands. */
static enum status refuse(const struct conf_value *value, const char *text,
                          struct error *err)
{
    return fail(err, STATUS_INVALID, "%.200s (%s:%d:%d)", text, value->file,
                value->line, value->column);
}

static const char *key_show(const struct setting *setting,
                            char out[SHOWN_KEY_MAX])
{
    (void)snprintf(out, SHOWN_KEY_MAX, "%s",
                   (const char *)setting->value->key.data);
    if (setting->section == OPTIONS_SQL) { /* as the Go server does */
        for (char *at = out; *at != '\0'; at++)
            *at = (char)tolower((unsigned char)*at);
    }
    return out;
}

static enum status wrong_type(const struct setting *setting,
                              const struct conf_value *found,
                              enum conf_type want, struct error *err)
{
    char shown[SHOWN_KEY_MAX];
    char text[REASON_MAX];
    (void)snprintf(text, sizeof text,
                   "parameter \"%s\" value is expected to be %s, got %s",
                   key_show(setting, shown), conf_type_name(want),
                   conf_type_name(found->type));
    return refuse(setting->value, text, err);
}

static enum status wrong_value(const struct setting *setting,
                               const char *reason, struct error *err)
{
    char shown[SHOWN_KEY_MAX];
    char text[REASON_MAX];
    (void)snprintf(text, sizeof text, "parameter \"%s\" %s",
                   key_show(setting, shown), reason);
    return refuse(setting->value, text, err);
}

static enum status map_expected(const struct conf_value *value,
                                const char *what, struct error *err)
{
    char shown[CONF_SHOWN_MAX];
    char text[REASON_MAX];
    (void)snprintf(text, sizeof text, "expected %s to be a map/struct, got %s",
                   what, conf_show(value, shown));
    return refuse(value, text, err);
}

/* ---- scalars ---- */

static enum status expect(const struct setting *setting, enum conf_type want,
                          struct error *err)
{
    if (setting->value->type == want)
        return STATUS_OK;
    return wrong_type(setting, setting->value, want, err);
}

static enum status string_read(const struct setting *setting,
                               const char **string, struct error *err)
{
    enum status status = expect(setting, CONF_STRING, err);
    if (status != STATUS_OK)
        return status;
    struct bytes bytes = setting->value->as.string;
    *string = (const char *)bytes.data;
    if (strlen(*string) != bytes.size)
        return wrong_value(setting, "value holds a NUL", err);
    return STATUS_OK;
}

static enum status duration_read(const struct setting *setting, int64_t *ns,
                                 struct error *err)
{
    const char *text = NULL;
    struct error failure = {0};
    enum status status = string_read(setting, &text, err);
    if (status != STATUS_OK)
        return status;
    if (duration_parse(text, ns, &failure) != STATUS_OK)
        return refuse(setting->value, failure.detail, err);
    return STATUS_OK;
}

static enum status store_check(const struct setting *setting, const char *store,
                               struct error *err)
{
    static const char *const known[] = {"MEMORY", "FILE", "SQL"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcasecmp(store, known[i]) == 0)
            return STATUS_OK;
    }
    char text[REASON_MAX];
    (void)snprintf(text, sizeof text, "unknown store type: %s", store);
    return refuse(setting->value, text, err);
}

static enum status string_put(const struct setting *setting, size_t place,
                              struct error *err)
{
    const char *string = "";
    enum status status = string_read(setting, &string, err);
    if (status == STATUS_OK && place == offsetof(struct options, store))
        status = store_check(setting, string, err);
    if (status == STATUS_OK)
        *(const char **)(void *)((char *)setting->options + place) = string;
    return status;
}

static enum status number_put(const struct setting *setting,
                              const struct option_entry *entry, int64_t value,
                              struct error *err)
{
    bool ranged = entry->low != 0 || entry->high != 0;
    if (ranged && (value < entry->low || value > entry->high))
        return wrong_value(setting, "value is out of range", err);
    *(int64_t *)(void *)((char *)setting->options + entry->place) = value;
    return STATUS_OK;
}

/* Borrowed strings, as many as fit. */
static enum status list_put(const struct setting *setting,
                            struct options_list *list, struct error *err)
{
    enum status status = expect(setting, CONF_ARRAY, err);
    if (status != STATUS_OK)
        return status;
    const struct conf_value *element = conf_first(setting->value);
    list->count = 0;
    for (; element != NULL; element = conf_next(setting->value, element)) {
        if (element->type != CONF_STRING)
            return wrong_type(setting, element, CONF_STRING, err);
        if (list->count == OPTIONS_LIST_MAX)
            return wrong_value(setting, "has too many elements", err);
        list->items[list->count++] = element->as.string;
    }
    return STATUS_OK;
}

static enum status option_put(const struct setting *setting, struct error *err)
{
    const struct option_entry *entry = setting->key.entry;
    void *place = (char *)setting->options + entry->place;
    enum status status = STATUS_OK;
    int64_t ns = 0;
    switch (entry->type) {
    case OPTION_STRING:
        return string_put(setting, entry->place, err);
    case OPTION_CHOICE: /* no key sets one */
    case OPTION_BOOLEAN:
        status = expect(setting, CONF_BOOLEAN, err);
        if (status == STATUS_OK)
            *(bool *)place = setting->value->as.boolean;
        return status;
    case OPTION_LIST:
        return list_put(setting, place, err);
    case OPTION_INTEGER:
    case OPTION_SIZE:
        status = expect(setting, CONF_INTEGER, err);
        if (status != STATUS_OK)
            return status;
        return number_put(setting, entry, setting->value->as.integer, err);
    case OPTION_DURATION:
        break;
    }
    status = duration_read(setting, &ns, err);
    return status == STATUS_OK ? number_put(setting, entry, ns, err) : status;
}

/* ---- addresses of the NATS side ---- */

/* "host:port" or "[host]:port" with the port as a number. */
static enum status address_read(const struct setting *setting,
                                const char *address, char **host, int64_t *port,
                                struct error *err)
{
    char text[REASON_MAX];
    const char *colon = strrchr(address, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - address);
    bool bracketed = size > 1 && address[0] == '[' && address[size - 1] == ']';
    if (colon == NULL || (!bracketed && memchr(address, ':', size) != NULL)) {
        (void)snprintf(text, sizeof text,
                       "could not parse address string \"%s\"", address);
        return refuse(setting->value, text, err);
    }
    if (options_value_integer(colon + 1, port) != STATUS_OK) {
        (void)snprintf(text, sizeof text, "could not parse port \"%s\"",
                       colon + 1);
        return refuse(setting->value, text, err);
    }
    *host = bytes_copy(bracketed ? bytes_of(address + 1, size - 2)
                                 : bytes_of(address, size));
    return *host == NULL ? fail(err, STATUS_NO_MEMORY, "configuration: a host")
                         : STATUS_OK;
}

/* Where the host that belongs to this port goes. */
static const char **host_of(struct options *options,
                            const struct option_entry *port)
{
    if (port->place == offsetof(struct options, http_port))
        return &options->http_host;
    if (port->place == offsetof(struct options, https_port))
        return &options->https_host;
    return &options->host;
}

static enum status address_put(const struct setting *setting, struct conf *conf,
                               struct error *err)
{
    const struct option_entry *entry = setting->key.entry;
    const char *address = NULL;
    char *host = NULL;
    int64_t port = 0;
    if (setting->value->type == CONF_INTEGER)
        return number_put(setting, entry, setting->value->as.integer, err);
    enum status status = string_read(setting, &address, err);
    if (status == STATUS_OK)
        status = address_read(setting, address, &host, &port, err);
    if (status == STATUS_OK)
        status = number_put(setting, entry, port, err);
    if (status != STATUS_OK || host == NULL) { /* both or none */
        free(host);
        return status;
    }
    const char *kept = conf_copy(conf, bytes_text(host));
    free(host);
    if (kept == NULL)
        return fail(err, STATUS_NO_MEMORY, "configuration: a host");
    *host_of(setting->options, entry) = kept;
    return STATUS_OK;
}

/* ---- limits by channel ---- */

/* 0 in an entry means unlimited, which is below 0 there. */
static void zero_is_unlimited(const struct setting *setting)
{
    size_t place = setting->key.entry->place;
    int64_t *limit = (int64_t *)(void *)((char *)setting->options + place);
    if (*limit == 0)
        *limit = -1;
}

static enum status channel_put(struct options *options,
                               const struct conf_value *channel,
                               struct error *err)
{
    struct options own = {0}; /* of the channel: only its limits count */
    struct error failure = {0};
    if (channel->type != CONF_MAP)
        return map_expected(channel, "channel limits", err);
    const struct conf_value *value = conf_first(channel);
    for (; value != NULL; value = conf_next(channel, value)) {
        struct setting setting = {
            .section = OPTIONS_CHANNEL, .value = value, .options = &own};
        if (!options_key_find(OPTIONS_CHANNEL, (const char *)value->key.data,
                              &setting.key))
            continue;
        enum status status = option_put(&setting, err);
        if (status != STATUS_OK)
            return status;
        zero_is_unlimited(&setting);
    }
    if (limits_add(&options->limits, channel->key, &own.limits.global,
                   &failure) != STATUS_OK)
        return refuse(channel, failure.detail, err);
    return STATUS_OK;
}

static enum status channels_put(struct options *options,
                                const struct conf_value *channels,
                                struct error *err)
{
    const struct conf_value *channel = conf_first(channels);
    for (; channel != NULL; channel = conf_next(channels, channel)) {
        enum status status = channel_put(options, channel, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* ---- maps inside of each other ---- */

/* Maps still to be gone through, in file order. */
struct sections {
    struct {
        const struct conf_value *map;
        enum options_section section;
    } list[SECTIONS_MAX];
    size_t count;
};

static enum status section_add(struct sections *sections,
                               const struct setting *setting, struct error *err)
{
    enum options_section inner = setting->key.inner;
    if (setting->value->type != CONF_MAP)
        return map_expected(setting->value, setting->key.what, err);
    if (sections->count == SECTIONS_MAX)
        return refuse(setting->value, "too many sections", err);
    if (inner == OPTIONS_CLUSTER) /* that it is there turns clustering on */
        setting->options->cluster.enabled = true;
    sections->list[sections->count].map = setting->value;
    sections->list[sections->count++].section = inner;
    return STATUS_OK;
}

static enum status key_put(struct sections *sections, struct conf *conf,
                           const struct setting *setting, struct error *err)
{
    switch (setting->key.type) {
    case OPTIONS_KEY_OPTION:
        return option_put(setting, err);
    case OPTIONS_KEY_MAP:
        return section_add(sections, setting, err);
    case OPTIONS_KEY_ADDRESS:
        return address_put(setting, conf, err);
    }
    return STATUS_OK;
}

static enum status section_put(struct options *options,
                               struct sections *sections, size_t index,
                               struct conf *conf, struct error *err)
{
    const struct conf_value *map = sections->list[index].map;
    enum options_section section = sections->list[index].section;
    if (section == OPTIONS_CHANNELS)
        return channels_put(options, map, err);
    const struct conf_value *value = conf_first(map);
    for (; value != NULL; value = conf_next(map, value)) {
        struct setting setting = {
            .section = section, .value = value, .options = options};
        if (!options_key_find(section, (const char *)value->key.data,
                              &setting.key))
            continue; /* as the Go server does, at every level */
        enum status status = key_put(sections, conf, &setting, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status all_put(struct options *options, struct conf *conf,
                           const struct conf_value *map,
                           enum options_section section, struct error *err)
{
    struct sections sections = {.count = 1};
    sections.list[0].map = map;
    sections.list[0].section = section;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sections.count && status == STATUS_OK; i++)
        status = section_put(options, &sections, i, conf, err);
    return status;
}

enum status options_apply_streaming(struct options *options, struct conf *conf,
                                    struct error *err)
{
    const struct conf_value *map = conf_find(conf_root(conf), "streaming");
    if (map == NULL)
        map = conf_root(conf);
    if (map->type != CONF_MAP)
        return map_expected(map, "streaming section", err);
    return all_put(options, conf, map, OPTIONS_STREAMING, err);
}

enum status options_apply_nats(struct options *options, struct conf *conf,
                               struct error *err)
{
    return all_put(options, conf, conf_root(conf), OPTIONS_NATS, err);
}
