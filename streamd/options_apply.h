/* options_apply.h - what a configuration file says, put over the options. */
#ifndef STREAMD_OPTIONS_APPLY_H
#define STREAMD_OPTIONS_APPLY_H

#include "streamd/conf/value.h"
#include "streamd/options.h"

enum { OPTIONS_OTHERS_MAX = 200 };

/* Zero-initialise and set options. Values of others are borrowed from the
 * documents, and so are the strings that come into options. */
struct options_apply {
    struct options *options;

    /* The first key that asks for what is not there yet, NULL if none: the
     * caller refuses to start, once all else is known to be right. */
    const struct conf_value *refused;
    /* The same, of what only a NATS server of our own would need. */
    const struct conf_value *guard;
    /* Keys of the NATS side that are not for us, separated by ", "; cut. */
    char others[OPTIONS_OTHERS_MAX];
};

/* Applies the streaming section of conf, or its top level if it has none.
 * Errors: STATUS_INVALID with the text of cli-config.md 7 and the place. */
MUST_CHECK enum status options_apply_streaming(struct options_apply *apply,
                                               struct conf *conf,
                                               struct error *err);

/* Applies the keys of the NATS side (cli-config.md 8). Errors likewise. */
MUST_CHECK enum status options_apply_nats(struct options_apply *apply,
                                          struct conf *conf, struct error *err);

#endif
