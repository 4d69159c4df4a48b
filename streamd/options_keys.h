/* options_keys.h - the keys of a configuration file (cli-config.md 7 and 8) and
 * what each of them is.
 *
 * The option that a key sets, its type, place and range, stands in
 * options_table.c only; here are the maps around them. */
#ifndef STREAMD_OPTIONS_KEYS_H
#define STREAMD_OPTIONS_KEYS_H

#include "streamd/options.h"

enum options_key_type {
    OPTIONS_KEY_OPTION,  /* sets the option entry */
    OPTIONS_KEY_MAP,     /* holds the keys of section inner */
    OPTIONS_KEY_ADDRESS, /* port or host:port, for the port entry */
};

struct options_key {
    enum options_key_type type;
    const struct option_entry *entry; /* of OPTION and ADDRESS */
    enum options_section inner;       /* of a map */
    const char *what;                 /* of a map, for errors */
};

/* The key called name, in any case; false if there is none. */
bool options_key_find(enum options_section section, const char *name,
                      struct options_key *key);

#endif
