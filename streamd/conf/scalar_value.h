/* scalar_value.h - the token of a value that is no container, as a value. */
#ifndef STREAMD_CONF_SCALAR_VALUE_H
#define STREAMD_CONF_SCALAR_VALUE_H

#include "streamd/conf/lexer.h"
#include "streamd/conf/value.h"

/* token is a string, a boolean, a number or a date. The value belongs to conf.
 * Errors: STATUS_INVALID (the text is no such value: see cli-config.md 6.8),
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status scalar_value(struct conf *conf,
                                    const struct token *token,
                                    struct conf_value **out, struct error *err);

/* The factor of the suffix of a size: 1000 for "k", 1024 for "kb", "ki", "kib"
 * and so on, in any case; 1 for none; 0 if there is no such suffix. */
int64_t scalar_factor(struct bytes suffix);

#endif
