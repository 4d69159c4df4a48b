/* options_keys.h - the keys of a configuration file (cli-config.md 7 and 8) and
 * the option each of them sets.
 *
 * What an option is, its type, place and range, stands in options_table.c only;
 * a key names the flag. */
#ifndef STREAMD_OPTIONS_KEYS_H
#define STREAMD_OPTIONS_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* The maps in which keys stand. */
enum options_section {
    OPTIONS_STREAMING,
    OPTIONS_TLS,
    OPTIONS_LIMITS,
    OPTIONS_CHANNELS, /* its keys are names of channels */
    OPTIONS_CHANNEL,  /* the limits of one of them */
    OPTIONS_FILE,
    OPTIONS_SQL,
    OPTIONS_CLUSTER,
    OPTIONS_NATS, /* the top level, for the NATS side */
};

enum options_key_type {
    OPTIONS_KEY_FLAG,    /* sets the option called flag */
    OPTIONS_KEY_MAP,     /* holds the keys of section inner */
    OPTIONS_KEY_ADDRESS, /* port or host:port, for the flag of a port */
    OPTIONS_KEY_PREFIX,  /* discover_prefix, which has no flag */
    OPTIONS_KEY_IGNORED, /* of no meaning here */
    OPTIONS_KEY_ACCESS,  /* guards a NATS server of our own: not there yet */
    OPTIONS_KEY_STRING,  /* these: known, checked, not there yet; unless the */
    OPTIONS_KEY_BOOLEAN, /* value is `same`, or "", which changes nothing */
    OPTIONS_KEY_INTEGER,
    OPTIONS_KEY_DURATION,
    OPTIONS_KEY_STRINGS,
};

struct options_key {
    enum options_section section;
    const char *names; /* lower case, separated by blanks */
    enum options_key_type type;
    const char *flag; /* of FLAG and ADDRESS */
    int64_t same;     /* of the types not there yet; durations in ns */
    enum options_section inner;
    const char *what; /* of a map, for errors */
};

/* The key called name, in any case; NULL if there is none. */
const struct options_key *options_key_find(enum options_section section,
                                           const char *name);

/* All of them, in *count how many. */
const struct options_key *options_keys(size_t *count);

#endif
