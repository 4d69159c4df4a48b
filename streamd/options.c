#include "streamd/options.h"

#include "streamd/base/duration.h"
#include "streamd/base/text.h"
#include "streamd/options_value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- one flag ---- */

struct flag {
    char name[64];     /* without dashes; cut if longer */
    const char *value; /* NULL: none */
    const struct option_entry *entry;
};

static bool entry_named(const struct option_entry *entry, const char *name,
                        size_t size)
{
    for (int i = 0; i < OPTION_NAMES_MAX; i++) {
        const char *known = entry->names[i];
        if (known != NULL && strlen(known) == size &&
            memcmp(known, name, size) == 0)
            return true;
    }
    return false;
}

static const struct option_entry *entry_find(const char *name, size_t size)
{
    size_t count;
    const struct option_entry *table = options_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (entry_named(&table[i], name, size))
            return &table[i];
    }
    return NULL;
}

const struct option_entry *options_entry(const char *flag)
{
    return entry_find(flag, strlen(flag));
}

static enum status unknown_flag(const char *name, struct error *err)
{
    if (options_unsupported(name))
        return fail(err, STATUS_INVALID, "flag -%s is not supported yet", name);
    return fail(err, STATUS_INVALID, "flag provided but not defined: -%s",
                name);
}

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
    flag->entry = entry_find(name, size);
    if (flag->entry == NULL)
        return unknown_flag(flag->name, err);
    return STATUS_OK;
}

static bool takes_no_value(enum option_type type)
{
    return type == OPTION_BOOLEAN || type == OPTION_BOTH;
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
    if (flag->entry->type == OPTION_BOTH) {
        *(int *)place = value ? OPTIONS_BOTH_ON : OPTIONS_BOTH_OFF;
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
        if (options_value_size(flag->name, flag->value, value, err) !=
            STATUS_OK)
            return STATUS_LIMIT;
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

static enum status flag_put(struct options *options, const struct flag *flag,
                            struct error *err)
{
    void *place = (char *)options + flag->entry->place;
    switch (flag->entry->type) {
    case OPTION_STRING:
        *(const char **)place = flag->value;
        return STATUS_OK;
    case OPTION_BOOLEAN:
    case OPTION_BOTH:
        return boolean_put(flag, place, err);
    case OPTION_INTEGER:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return number_put(flag, place, err);
    }
    return STATUS_OK;
}

/* ---- all of them ---- */

static void both_apply(int both, bool *first, bool *second)
{
    if (both != OPTIONS_BOTH_UNSET)
        *first = *second = both == OPTIONS_BOTH_ON;
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
    both_apply(options->streaming_both, &options->streaming_debug,
               &options->streaming_trace);
    both_apply(options->both, &options->debug, &options->trace);
    options->action = OPTIONS_RUN;
    if (options->version) {
        options->action = OPTIONS_VERSION;
    } else if (options->help) {
        options->action = OPTIONS_HELP;
    } else if (index < argc) {
        return command_read(argv[index], options, err);
    }
    return STATUS_OK;
}

enum status options_store(const struct options *options,
                          enum options_store *store, struct error *err)
{
    if (strcasecmp(options->store, "MEMORY") == 0) {
        *store = OPTIONS_STORE_MEMORY;
        return STATUS_OK;
    }
    if (strcasecmp(options->store, "FILE") == 0) {
        *store = OPTIONS_STORE_FILE;
        if (options->dir[0] == '\0') {
            return fail(err, STATUS_INVALID,
                        "for FILE stores, root directory must be specified");
        }
        return STATUS_OK;
    }
    if (strcasecmp(options->store, "SQL") == 0)
        return fail(err, STATUS_INVALID, "SQL stores are not supported yet");
    char upper[64];
    size_t size = 0;
    for (; options->store[size] != '\0' && size < sizeof upper - 1; size++)
        upper[size] = (char)toupper((unsigned char)options->store[size]);
    upper[size] = '\0';
    return fail(err, STATUS_INVALID, "unsupported store type: %s", upper);
}
