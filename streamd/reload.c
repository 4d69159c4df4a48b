#include "streamd/reload.h"

#include "streamd/banner.h"
#include "streamd/log_settings.h"
#include "streamd/options_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 512 };

struct old_limits {
    struct old_limits *next;
    struct limits limits;
};

void reload_init(struct reload *reload,
                 const struct configuration *configuration)
{
    *reload = (struct reload){.started = configuration,
                              .current = configuration->options};
}

void reload_release(struct reload *reload)
{
    while (reload->limits != NULL) {
        struct old_limits *next = reload->limits->next;
        limits_release(&reload->limits->limits);
        free(reload->limits);
        reload->limits = next;
    }
    free(reload->log_file);
}

/* ---- what is new ---- */

static bool same_limits(const struct channel_limits *a,
                        const struct channel_limits *b)
{
    return a->max_subscriptions == b->max_subscriptions &&
           a->max_messages == b->max_messages && a->max_bytes == b->max_bytes &&
           a->max_age == b->max_age && a->max_inactivity == b->max_inactivity;
}

/* What channels have of their own; the rest is options of the table. */
static bool same_entries(const struct limits *a, const struct limits *b)
{
    size_t count;
    size_t other_count;
    const struct limits_entry *entries = limits_entries(a, &count);
    const struct limits_entry *others = limits_entries(b, &other_count);
    if (count != other_count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].name, others[i].name) != 0 ||
            !same_limits(&entries[i].limits, &others[i].limits))
            return false;
    }
    return true;
}

/* Names of options, separated by ", ". */
struct news {
    char changed[NAMES_MAX]; /* and taken over */
    char stuck[NAMES_MAX];
    bool limits;
};

static void name_add(char names[NAMES_MAX], const char *name)
{
    size_t used = strlen(names);
    (void)snprintf(names + used, NAMES_MAX - used, "%s%s",
                   used == 0 ? "" : ", ", name);
}

/* From a file to stderr, or the other way, is no other file. */
static bool is_taken_over(const struct option_entry *entry,
                          const struct options *a, const struct options *b)
{
    bool to_other = a->log_file[0] != '\0' && b->log_file[0] != '\0';
    return entry->reloads &&
           (entry->place != offsetof(struct options, log_file) || to_other);
}

static void news_find(struct news *news, const struct options *current,
                      const struct options *fresh)
{
    size_t count;
    const struct option_entry *table = options_table(&count);
    bool attached = current->nats_server[0] != '\0';
    *news = (struct news){0};
    for (size_t i = 0; i < count; i++) {
        char name[OPTIONS_NAME_MAX];
        if (options_same(&table[i], current, fresh) ||
            (attached && table[i].idle == OPTIONS_FOR_EMBEDDED))
            continue;
        bool taken = is_taken_over(&table[i], current, fresh);
        name_add(taken ? news->changed : news->stuck,
                 options_name(&table[i], name));
        news->limits |= taken && table[i].in == OPTIONS_LIMITS;
    }
    if (!same_entries(&current->limits, &fresh->limits)) {
        name_add(news->changed, "limits of channels");
        news->limits = true;
    }
}

static void news_tell(const struct news *news, const struct limits *limits,
                      struct log *log)
{
    if (news->changed[0] != '\0')
        log_info(log, "Reloaded: %s", news->changed);
    if (news->limits)
        banner_limits(log, limits);
    if (news->stuck[0] != '\0') {
        log_warn(log, "Reload: cannot change without a restart: %s",
                 news->stuck);
    }
}

/* ---- taking over ---- */

/* Where they are from now on; NULL: out of memory. */
static const struct limits *keep_limits(struct reload *reload,
                                        struct limits *limits)
{
    struct old_limits *old = calloc(1, sizeof *old);
    if (old == NULL)
        return NULL;
    old->limits = *limits;
    limits->entries = NULL; /* they have moved */
    old->next = reload->limits;
    reload->limits = old;
    return &old->limits;
}

static enum status take_engine(struct reload *reload, struct options *fresh,
                               const struct reload_parts *parts,
                               struct error *err)
{
    struct options *current = &reload->current;
    const struct limits *limits = keep_limits(reload, &fresh->limits);
    if (limits == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    const struct engine_settings settings = {
        .limits = limits,
        .heartbeat_interval = fresh->heartbeat_interval,
        .heartbeat_timeout = fresh->heartbeat_timeout,
        .heartbeat_fail_count = fresh->heartbeat_fail_count,
    };
    if (!loop_reload(parts->loop, &settings))
        return fail(err, STATUS_UNAVAILABLE, "the server is still starting");
    for (size_t i = 0; i < RELOAD_MONITORS; i++) {
        if (parts->monitors[i] != NULL)
            monitor_set_limits(parts->monitors[i], limits);
    }
    current->limits = *limits;
    current->heartbeat_interval = fresh->heartbeat_interval;
    current->heartbeat_timeout = fresh->heartbeat_timeout;
    current->heartbeat_fail_count = fresh->heartbeat_fail_count;
    return STATUS_OK;
}

static enum status take_log(struct reload *reload, const struct options *fresh,
                            struct log *log, struct error *err)
{
    struct options *current = &reload->current;
    const struct log_options settings = log_settings(fresh);
    char *file = strdup(fresh->log_file);
    if (file == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    enum status status = log_adjust(log, &settings, err);
    if (status != STATUS_OK) {
        free(file);
        return status;
    }
    current->log_time = fresh->log_time;
    current->log_time_utc = fresh->log_time_utc;
    current->log_size_limit = fresh->log_size_limit;
    current->streaming_debug = fresh->streaming_debug;
    current->streaming_trace = fresh->streaming_trace;
    bool moved = current->log_file[0] != '\0' && file[0] != '\0';
    if (!moved) { /* from or to stderr, which cannot be */
        free(file);
        return STATUS_OK;
    }
    free(reload->log_file);
    current->log_file = reload->log_file = file;
    return STATUS_OK;
}

/* The user of the start is ours, too, as long as we run. */
static enum status take_nats(struct reload *reload, struct options *fresh,
                             const struct conf *conf,
                             const struct reload_parts *parts,
                             struct error *err)
{
    struct options *current = &reload->current;
    if (parts->nats == NULL) {
        log_warn(parts->log, "Reload supported only for embedded NATS Server's "
                             "configuration");
        return STATUS_OK;
    }
    fresh->user = current->user;
    fresh->password = current->password;
    fresh->token = current->token;
    enum status status = embedded_reload(parts->nats, fresh, conf, err);
    current->debug = fresh->debug;
    current->trace = fresh->trace;
    current->trace_verbose = fresh->trace_verbose;
    return status;
}

static enum status check(const struct options *fresh, struct error *err)
{
    enum options_store store;
    enum status status = options_check_modes(fresh, err);
    if (status == STATUS_OK)
        status = options_store(fresh, &store, err);
    if (status == STATUS_OK)
        status = limits_check(&fresh->limits, err);
    return status;
}

static enum status take_all(struct reload *reload, struct configuration *fresh,
                            const struct reload_parts *parts, struct error *err)
{
    struct news news;
    enum status status = check(&fresh->options, err);
    if (status != STATUS_OK)
        return status;
    news_find(&news, &reload->current, &fresh->options);
    status = take_engine(reload, &fresh->options, parts, err);
    if (status == STATUS_OK)
        status = take_log(reload, &fresh->options, parts->log, err);
    if (status != STATUS_OK)
        return status;
    news_tell(&news, &reload->current.limits, parts->log);
    return take_nats(reload, &fresh->options, fresh->files.nats, parts, err);
}

void reload_run(struct reload *reload, const struct reload_parts *parts)
{
    const struct configuration *started = reload->started;
    struct configuration fresh;
    struct error err = {0};
    enum status status =
        configuration_load(&fresh, started->argc, started->argv, &err);
    if (status == STATUS_OK)
        status = take_all(reload, &fresh, parts, &err);
    if (status != STATUS_OK)
        log_error(parts->log, "Reload: %s", err.detail);
    configuration_release(&fresh);
}
