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
    const struct options_key *key;
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
    if (setting->key->section == OPTIONS_SQL) { /* as the Go server does */
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

static enum status flag_put(const struct setting *setting, struct error *err)
{
    const struct option_entry *entry = options_entry(setting->key->flag);
    enum status status = STATUS_OK;
    int64_t ns = 0;
    switch (entry->type) {
    case OPTION_STRING:
        return string_put(setting, entry->place, err);
    case OPTION_BOOLEAN:
    case OPTION_BOTH:
        status = expect(setting, CONF_BOOLEAN, err);
        if (status == STATUS_OK) {
            *(bool *)((char *)setting->options + entry->place) =
                setting->value->as.boolean;
        }
        return status;
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

/* ---- what is not there yet ---- */

static enum status strings_check(const struct setting *setting, bool *same,
                                 struct error *err)
{
    enum status status = expect(setting, CONF_ARRAY, err);
    if (status != STATUS_OK)
        return status;
    const struct conf_value *element = conf_first(setting->value);
    *same = element == NULL;
    for (; element != NULL; element = conf_next(setting->value, element)) {
        if (element->type != CONF_STRING)
            return wrong_type(setting, element, CONF_STRING, err);
    }
    return STATUS_OK;
}

/* Checks the type; *same: the value changes nothing. */
static enum status later_check(const struct setting *setting, bool *same,
                               struct error *err)
{
    const struct options_key *key = setting->key;
    const struct conf_value *value = setting->value;
    const char *text = "";
    int64_t ns = 0;
    enum status status = STATUS_OK;
    if (key->type == OPTIONS_KEY_BOOLEAN) {
        status = expect(setting, CONF_BOOLEAN, err);
        *same = status == STATUS_OK && value->as.boolean == (key->same != 0);
    } else if (key->type == OPTIONS_KEY_INTEGER) {
        status = expect(setting, CONF_INTEGER, err);
        *same = status == STATUS_OK && value->as.integer == key->same;
    } else if (key->type == OPTIONS_KEY_DURATION) {
        status = duration_read(setting, &ns, err);
        *same = ns == key->same;
    } else if (key->type == OPTIONS_KEY_STRINGS) {
        status = strings_check(setting, same, err);
    } else {
        status = string_read(setting, &text, err);
        *same = text[0] == '\0';
    }
    return status;
}

static enum status later(struct options_apply *apply,
                         const struct setting *setting, struct error *err)
{
    bool same = false;
    enum status status = later_check(setting, &same, err);
    if (status == STATUS_OK && !same && apply->refused == NULL)
        apply->refused = setting->value;
    return status;
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

static enum status address_put(const struct setting *setting, struct conf *conf,
                               struct error *err)
{
    const struct option_entry *entry = options_entry(setting->key->flag);
    struct options *options = setting->options;
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
    if (entry->place == offsetof(struct options, port)) {
        options->host = kept;
    } else {
        options->http_host = kept;
    }
    return STATUS_OK;
}

/* ---- limits by channel ---- */

/* 0 in an entry means unlimited, which is below 0 there. */
static void zero_is_unlimited(const struct setting *setting)
{
    const struct option_entry *entry = options_entry(setting->key->flag);
    int64_t *limit =
        (int64_t *)(void *)((char *)setting->options + entry->place);
    if (*limit == 0)
        *limit = -1;
}

static enum status channel_put(struct options_apply *apply,
                               const struct conf_value *channel,
                               struct error *err)
{
    struct options own = {0}; /* of the channel: only its limits count */
    struct error failure = {0};
    if (channel->type != CONF_MAP)
        return map_expected(channel, "channel limits", err);
    const struct conf_value *value = conf_first(channel);
    for (; value != NULL; value = conf_next(channel, value)) {
        struct setting setting = {.value = value, .options = &own};
        setting.key =
            options_key_find(OPTIONS_CHANNEL, (const char *)value->key.data);
        if (setting.key == NULL)
            continue;
        enum status status = flag_put(&setting, err);
        if (status != STATUS_OK)
            return status;
        zero_is_unlimited(&setting);
    }
    if (limits_add(&apply->options->limits, channel->key, &own.limits.global,
                   &failure) != STATUS_OK)
        return refuse(channel, failure.detail, err);
    return STATUS_OK;
}

static enum status channels_put(struct options_apply *apply,
                                const struct conf_value *channels,
                                struct error *err)
{
    const struct conf_value *channel = conf_first(channels);
    for (; channel != NULL; channel = conf_next(channels, channel)) {
        enum status status = channel_put(apply, channel, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* ---- the streaming side ---- */

/* Maps still to be gone through, in file order. */
struct sections {
    struct {
        const struct conf_value *map;
        enum options_section section;
    } list[SECTIONS_MAX];
    size_t count;
};

static enum status section_add(struct options_apply *apply,
                               struct sections *sections,
                               const struct setting *setting, struct error *err)
{
    enum options_section inner = setting->key->inner;
    if (setting->value->type != CONF_MAP)
        return map_expected(setting->value, setting->key->what, err);
    if (sections->count == SECTIONS_MAX)
        return refuse(setting->value, "too many sections", err);
    /* That it is there turns clustering on. */
    if (inner == OPTIONS_CLUSTER && apply->refused == NULL)
        apply->refused = setting->value;
    sections->list[sections->count].map = setting->value;
    sections->list[sections->count++].section = inner;
    return STATUS_OK;
}

static enum status streaming_put(struct options_apply *apply,
                                 struct sections *sections,
                                 const struct setting *setting,
                                 struct error *err)
{
    if (setting->key->type == OPTIONS_KEY_MAP)
        return section_add(apply, sections, setting, err);
    if (setting->key->type == OPTIONS_KEY_FLAG)
        return flag_put(setting, err);
    if (setting->key->type == OPTIONS_KEY_PREFIX) {
        return string_put(setting, offsetof(struct options, discover_prefix),
                          err);
    }
    return later(apply, setting, err);
}

static enum status section_put(struct options_apply *apply,
                               struct sections *sections, size_t index,
                               struct error *err)
{
    const struct conf_value *map = sections->list[index].map;
    enum options_section section = sections->list[index].section;
    if (section == OPTIONS_CHANNELS)
        return channels_put(apply, map, err);
    const struct conf_value *value = conf_first(map);
    for (; value != NULL; value = conf_next(map, value)) {
        struct setting setting = {.value = value, .options = apply->options};
        setting.key = options_key_find(section, (const char *)value->key.data);
        if (setting.key == NULL)
            continue; /* as the Go server does, at every level */
        enum status status = streaming_put(apply, sections, &setting, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status options_apply_streaming(struct options_apply *apply,
                                    struct conf *conf, struct error *err)
{
    struct sections sections = {.count = 1};
    const struct conf_value *map = conf_find(conf_root(conf), "streaming");
    if (map == NULL)
        map = conf_root(conf);
    if (map->type != CONF_MAP)
        return map_expected(map, "streaming section", err);
    sections.list[0].map = map;
    sections.list[0].section = OPTIONS_STREAMING;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sections.count && status == STATUS_OK; i++)
        status = section_put(apply, &sections, i, err);
    return status;
}

/* ---- the NATS side ---- */

static void other_add(struct options_apply *apply,
                      const struct conf_value *value)
{
    size_t used = strlen(apply->others);
    (void)snprintf(apply->others + used, sizeof apply->others - used, "%s%s",
                   used == 0 ? "" : ", ", (const char *)value->key.data);
}

static enum status nats_put(struct options_apply *apply, struct conf *conf,
                            const struct setting *setting, struct error *err)
{
    if (setting->key->type == OPTIONS_KEY_FLAG)
        return flag_put(setting, err);
    if (setting->key->type == OPTIONS_KEY_ADDRESS)
        return address_put(setting, conf, err);
    if (setting->key->type == OPTIONS_KEY_IGNORED)
        return STATUS_OK;
    if (setting->key->type != OPTIONS_KEY_ACCESS)
        return later(apply, setting, err);
    if (apply->guard == NULL)
        apply->guard = setting->value;
    return STATUS_OK;
}

enum status options_apply_nats(struct options_apply *apply, struct conf *conf,
                               struct error *err)
{
    const struct conf_value *root = conf_root(conf);
    const struct conf_value *value = conf_first(root);
    for (; value != NULL; value = conf_next(root, value)) {
        const char *name = (const char *)value->key.data;
        struct setting setting = {.value = value, .options = apply->options};
        setting.key = options_key_find(OPTIONS_NATS, name);
        if (setting.key != NULL) {
            enum status status = nats_put(apply, conf, &setting, err);
            if (status != STATUS_OK)
                return status;
        } else if (strcasecmp(name, "cluster") == 0 ||
                   options_key_find(OPTIONS_STREAMING, name) == NULL) {
            other_add(apply, value);
        }
    }
    return STATUS_OK;
}
