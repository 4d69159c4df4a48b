/* options_check.h - options that are well-formed each but wrong together, that
 * ask for what is not there yet, or that have no effect. */
#ifndef STREAMD_OPTIONS_CHECK_H
#define STREAMD_OPTIONS_CHECK_H

#include "streamd/options.h"

/* What the Go server says before it has a log (cli-config.md 7.7), on standard
 * output, and what is refused as nothing here does it. Errors: STATUS_INVALID;
 * STATUS_UNAVAILABLE: not there yet. */
MUST_CHECK enum status options_check_modes(const struct options *options,
                                           struct error *err);

/* The checks of start-up, apart from those of limits_check(): the kind of
 * store and what it needs (stores.md 4). Errors: STATUS_INVALID with the text
 * for the log. */
MUST_CHECK enum status options_store(const struct options *options,
                                     enum options_store *store,
                                     struct error *err);

/* The checks of monitoring.md 1. Errors: likewise. */
MUST_CHECK enum status options_check_monitoring(const struct options *options,
                                                struct error *err);

/* Of one file of messages of a FILE store: as wanted, but from 1 MiB to 256
 * MiB; 0: as built in. */
uint64_t options_segment_bytes(const struct options *options);

/* Calls say, once for each reason, with a line that names the options that
 * have a value of their own but no effect, or another than was given. */
void options_idle(const struct options *options,
                  void (*say)(void *context, const char *text), void *context);

#endif
