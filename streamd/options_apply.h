/* options_apply.h - what a configuration file says, put over the options. */
#ifndef STREAMD_OPTIONS_APPLY_H
#define STREAMD_OPTIONS_APPLY_H

#include "streamd/conf/value.h"
#include "streamd/options.h"

/* Applies the streaming section of conf, or its top level if it has none. The
 * strings that come into options are borrowed from conf. Errors:
 * STATUS_INVALID with the text of cli-config.md 7 and the place. */
MUST_CHECK enum status options_apply_streaming(struct options *options,
                                               struct conf *conf,
                                               struct error *err);

/* Applies the keys of the NATS side that we read ourselves (cli-config.md 8).
 * Errors likewise. */
MUST_CHECK enum status options_apply_nats(struct options *options,
                                          struct conf *conf, struct error *err);

#endif
