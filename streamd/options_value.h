/* options_value.h - the value grammars of the command line (cli-config.md 2):
 * text in, number out. Durations are in streamd/base/duration.h. */
#ifndef STREAMD_OPTIONS_VALUE_H
#define STREAMD_OPTIONS_VALUE_H

#include "streamd/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* 2.1: 1 t T TRUE true True and their opposites, nothing else. */
MUST_CHECK bool options_value_boolean(const char *text, bool *value);

/* 2.2: base by prefix, underscores between digits. Errors: STATUS_INVALID (no
 * integer), STATUS_TOO_BIG (not in 64 bits). */
MUST_CHECK enum status options_value_integer(const char *text, int64_t *value);

/* 2.3: a size as the configuration file writes it (1K is 1000, 1KB 1024). The
 * error text names the flag. Errors: STATUS_INVALID. */
MUST_CHECK enum status options_value_size(const char *name, const char *text,
                                          int64_t *value, struct error *err);

#endif
