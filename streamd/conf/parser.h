/* parser.h - a configuration file, with what it includes, into a document.
 *
 * The grammar is that of the NATS server (cli-config.md 6): nearly JSON, with
 * includes and variables, which are looked up in the maps around them and then
 * in the environment. Reads only the files named; keeps nothing open. */
#ifndef STREAMD_CONF_PARSER_H
#define STREAMD_CONF_PARSER_H

#include "streamd/conf/value.h"

/* Of one file, in bytes, and of includes and variables inside each other. */
enum { CONF_FILE_MAX = 4 << 20, CONF_NESTING_MAX = 32 };

/* On STATUS_OK the caller owns *out (conf_free()), else it is NULL. Errors:
 * STATUS_IO ("error opening config file: open s.conf: ..."), STATUS_INVALID
 * with the text of cli-config.md 6.8, STATUS_TOO_BIG, STATUS_NO_MEMORY. */
MUST_CHECK enum status conf_load(const char *path, struct conf **out,
                                 struct error *err);

/* The same with text at hand; path is what it is called, and includes are
 * looked for beside it. */
MUST_CHECK enum status conf_parse(struct bytes text, const char *path,
                                  struct conf **out, struct error *err);

#endif
