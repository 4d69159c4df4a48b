/* scalar.h - the values that are not containers: the part of the lexer that
 * tells numbers, addresses, dates and words apart (cli-config.md 6.4, 6.5). */
#ifndef STREAMD_CONF_SCALAR_H
#define STREAMD_CONF_SCALAR_H

#include "streamd/conf/lexer.h"

/* Reads the value that starts here, which is neither a map nor an array, and
 * steps behind it. token was begun with scan_begin(). */
MUST_CHECK enum status scalar_read(struct lexer *lexer, struct token *token,
                                   struct error *err);

/* Text from here up to the quote, verbatim; steps behind the closing quote. */
MUST_CHECK enum status scalar_verbatim(struct lexer *lexer, char quote,
                                       struct token *token, struct error *err);

#endif
