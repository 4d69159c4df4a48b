/* help.h - what -h and -v print (cli-config.md 1). */
#ifndef STREAMD_HELP_H
#define STREAMD_HELP_H

#include "streamd/base/status.h"
#include "streamd/options.h"

#include <stdio.h>

/* All options with their defaults, in 80 columns. */
void help_usage(FILE *out);

/* The default of an option as text, "" if there is nothing to say. */
enum { HELP_DEFAULT_MAX = 256 };
void help_default(const struct option_entry *entry, char out[HELP_DEFAULT_MAX]);

/* How to set up TLS: -help_tls. */
void help_tls(FILE *out);

/* One line. program is argv[0]: under the Go server's name the line is that
 * server's. nats is "nats-server: v2.9.10", or NULL if it is not known. */
void help_version(FILE *out, const char *program, const char *nats);

/* Tells the user what options_parse() did not like: the text on err, and for
 * a bad flag the usage on out. Returns the status to exit with. */
int help_failure(FILE *out, FILE *err, const struct error *error);

#endif
