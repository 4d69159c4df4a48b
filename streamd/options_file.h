/* options_file.h - the configuration files, and in which order they and the
 * command line count (cli-config.md 5): defaults, NATS file, streaming file,
 * command line. */
#ifndef STREAMD_OPTIONS_FILE_H
#define STREAMD_OPTIONS_FILE_H

#include "streamd/conf/value.h"
#include "streamd/options.h"

enum { OPTIONS_WARNING_MAX = 300 };

/* Strings in the options are borrowed from the documents. Without a file both
 * are NULL. */
struct options_files {
    struct conf *streaming, *nats;
    char warning[OPTIONS_WARNING_MAX]; /* for the log; "": none */
};

/* options has been through options_parse() with the same arguments, which are
 * applied again on top of the files it names; their limits are inherited then.
 * Ended with options_files_release(), whatever is returned; limits_release()
 * is for the caller, too. Errors, with the text for the user: those of
 * conf_load(), and STATUS_INVALID. */
MUST_CHECK enum status options_files_load(struct options *options, int argc,
                                          char *const *argv,
                                          struct options_files *files,
                                          struct error *err);
void options_files_release(struct options_files *files);

/* All that the process is told, and where from. */
struct configuration {
    struct options options;
    struct options_files files;
    int argc; /* borrowed, with argv */
    char *const *argv;
};

/* From the defaults on. Ended with configuration_release(), whatever is
 * returned. Errors: those of options_parse() and options_files_load(). */
MUST_CHECK enum status configuration_load(struct configuration *configuration,
                                          int argc, char *const *argv,
                                          struct error *err);
void configuration_release(struct configuration *configuration);

#endif
