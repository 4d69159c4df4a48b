#include "streamd/options.h"

#include "streamd/base/duration.h"
#include "streamd/base/text.h"
#include "streamd/options_value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- one flag ---- */

struct flag {
    char name[64];     /* without dashes; cut if longer */
    const char *value; /* NULL: none */
    const struct option_entry *entry;
};

/* Takes word, which begins with a dash, apart. */
static enum status flag_read(const char *word, struct flag *flag,
                             struct error *err)
{
    const char *name = word + (word[1] == '-' ? 2 : 1);
    if (*name == '\0' || *name == '-' || *name == '=')
        return fail(err, STATUS_INVALID, "bad flag syntax: %s", word);
    size_t size = strcspn(name, "=");
    (void)snprintf(
        flag->name, sizeof flag->name, "%.*s",
        size < sizeof flag->name ? (int)size : (int)sizeof flag->name, name);
    flag->value = name[size] == '=' ? name + size + 1 : NULL;
    flag->entry = options_entry(flag->name);
    if (flag->entry == NULL) {
        return fail(err, STATUS_INVALID, "flag provided but not defined: -%s",
                    flag->name);
    }
    return STATUS_OK;
}

static bool takes_no_value(enum option_type type)
{
    return type == OPTION_BOOLEAN || type == OPTION_CHOICE;
}

static enum status bad_value(const struct flag *flag, const char *reason,
                             struct error *err)
{
    char quoted[TEXT_QUOTED_MAX];
    return fail(err, STATUS_INVALID, "invalid value %s for flag -%s: %s",
                text_quote(bytes_text(flag->value), quoted), flag->name,
                reason);
}

static enum status boolean_put(const struct flag *flag, void *place,
                               struct error *err)
{
    bool value = true;
    if (flag->value != NULL && !options_value_boolean(flag->value, &value)) {
        char quoted[TEXT_QUOTED_MAX];
        return fail(err, STATUS_INVALID,
                    "invalid boolean value %s for -%s: parse error",
                    text_quote(bytes_text(flag->value), quoted), flag->name);
    }
    if (flag->entry->type == OPTION_CHOICE) {
        *(int *)place = value ? OPTIONS_ON : OPTIONS_OFF;
    } else {
        *(bool *)place = value;
    }
    return STATUS_OK;
}

static enum status number_read(const struct flag *flag, int64_t *value,
                               struct error *err)
{
    enum status status = STATUS_OK;
    if (flag->entry->type == OPTION_SIZE) {
        struct error failure = {0};
        if (options_value_size(flag->name, flag->value, value, &failure) !=
            STATUS_OK)
            return fail(err, STATUS_LIMIT, "%s", failure.detail);
        return STATUS_OK;
    }
    if (flag->entry->type == OPTION_DURATION) {
        status = duration_parse(flag->value, value, NULL);
    } else {
        status = options_value_integer(flag->value, value);
    }
    if (status == STATUS_OK)
        return STATUS_OK;
    return bad_value(
        flag, status == STATUS_TOO_BIG ? "value out of range" : "parse error",
        err);
}

static enum status number_put(const struct flag *flag, void *place,
                              struct error *err)
{
    const struct option_entry *entry = flag->entry;
    int64_t value = 0;
    enum status status = number_read(flag, &value, err);
    if (status != STATUS_OK)
        return status;
    bool ranged = entry->low != 0 || entry->high != 0;
    if (ranged && (value < entry->low || value > entry->high))
        return bad_value(flag, "value out of range", err);
    *(int64_t *)place = value;
    return STATUS_OK;
}

static struct bytes trimmed(const char *text, size_t size)
{
    static const char blanks[] = " \t";
    for (; size > 0 && strchr(blanks, text[0]) != NULL; size--)
        text++;
    while (size > 0 && strchr(blanks, text[size - 1]) != NULL)
        size--;
    return bytes_of(text, size);
}

/* Words between commas, without the blanks around them. */
static enum status list_put(const struct flag *flag, struct options_list *list,
                            struct error *err)
{
    const char *at = flag->value;
    list->count = 0;
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        struct bytes word = trimmed(at, size);
        if (word.size > 0 && list->count == OPTIONS_LIST_MAX)
            return bad_value(flag, "too many of them", err);
        if (word.size > 0)
            list->items[list->count++] = word;
        at += size + (at[size] == ',' ? 1 : 0);
    }
    return STATUS_OK;
}

static enum status flag_put(struct options *options, const struct flag *flag,
                            struct error *err)
{
    void *place = (char *)options + flag->entry->place;
    switch (flag->entry->type) {
    case OPTION_STRING:
        *(const char **)place = flag->value;
        return STATUS_OK;
    case OPTION_BOOLEAN:
    case OPTION_CHOICE:
        return boolean_put(flag, place, err);
    case OPTION_INTEGER:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return number_put(flag, place, err);
    case OPTION_LIST:
        return list_put(flag, place, err);
    }
    return STATUS_OK;
}

/* ---- all of them ---- */

static void choice_apply(int choice, bool *out)
{
    if (choice != OPTIONS_UNSET)
        *out = choice == OPTIONS_ON;
}

/* The flags that stand for several, whatever came before. */
static void combined_apply(struct options *options)
{
    choice_apply(options->streaming_both, &options->streaming_debug);
    choice_apply(options->streaming_both, &options->streaming_trace);
    choice_apply(options->both, &options->debug);
    choice_apply(options->both, &options->trace);
    choice_apply(options->verbose_trace, &options->trace);
    choice_apply(options->verbose_trace, &options->trace_verbose);
    choice_apply(options->verbose_both, &options->debug);
    choice_apply(options->verbose_both, &options->trace);
    choice_apply(options->verbose_both, &options->trace_verbose);
}

/* A member is no peer of its own. */
static void peers_settle(struct options_cluster *cluster)
{
    size_t kept = 0;
    for (size_t i = 0; i < cluster->peers.count; i++) {
        struct bytes peer = cluster->peers.items[i];
        if (!bytes_equal(peer, bytes_text(cluster->node_id)))
            cluster->peers.items[kept++] = peer;
    }
    cluster->peers.count = kept;
}

static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

static enum status command_read(const char *word, struct options *options,
                                struct error *err)
{
    if (strcasecmp(word, "version") == 0) {
        options->action = OPTIONS_VERSION;
    } else if (strcasecmp(word, "help") == 0) {
        options->action = OPTIONS_HELP;
    } else {
        char quoted[TEXT_QUOTED_MAX];
        return fail(err, STATUS_NOT_FOUND, "unrecognized command: %s",
                    text_quote(bytes_text(word), quoted));
    }
    return STATUS_OK;
}

/* The flags from *index on; *index is then that of the first other word. */
static enum status flags_parse(struct options *options, int argc,
                               char *const *argv, int *index, struct error *err)
{
    while (*index < argc && is_flag(argv[*index])) {
        const char *word = argv[(*index)++];
        if (strcmp(word, "--") == 0)
            return STATUS_OK;
        struct flag flag = {0};
        enum status status = flag_read(word, &flag, err);
        if (flag.entry == NULL) /* if and only if that failed */
            return status;
        if (flag.value == NULL && !takes_no_value(flag.entry->type)) {
            if (*index >= argc) {
                return fail(err, STATUS_INVALID, "flag needs an argument: -%s",
                            flag.name);
            }
            flag.value = argv[(*index)++];
        }
        status = flag_put(options, &flag, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status options_parse(struct options *options, int argc, char *const *argv,
                          struct error *err)
{
    int index = 1;
    enum status status = flags_parse(options, argc, argv, &index, err);
    if (status != STATUS_OK)
        return status;
    combined_apply(options);
    peers_settle(&options->cluster);
    if (options->encryption_key[0] != '\0')
        options->encrypt = true;
    options->action = OPTIONS_RUN;
    if (options->version) {
        options->action = OPTIONS_VERSION;
    } else if (options->help) {
        options->action = OPTIONS_HELP;
    } else if (options->help_tls) {
        options->action = OPTIONS_HELP_TLS;
    } else if (index < argc) {
        return command_read(argv[index], options, err);
    } else if (options->check) {
        options->action = OPTIONS_CHECK;
    }
    return STATUS_OK;
}
