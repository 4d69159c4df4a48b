/* main.c - the process: what it is told, its log, its signals; then the
 * server. */
#include "natsclient/server_process.h"
#include "streamd/base/log.h"
#include "streamd/help.h"
#include "streamd/options.h"
#include "streamd/server.h"
#include "streamd/signals.h"

#include <stdio.h>
#include <unistd.h>

static int print_version(const char *program, const struct options *options)
{
    char nats[128];
    const char *binary = options->nats_server_binary[0] == '\0'
                             ? NULL
                             : options->nats_server_binary;
    bool known = server_process_version(binary, nats, sizeof nats);
    help_version(stdout, program, known ? nats : NULL);
    return 0;
}

static int run(const struct options *options)
{
    const struct log_options settings = {
        .file = options->log_file[0] == '\0' ? NULL : options->log_file,
        .time = options->log_time,
        .utc = options->log_time_utc,
        .debug = options->streaming_debug,
        .trace = options->streaming_trace,
    };
    struct error err = {0};
    struct log *log = NULL;
    int signals = -1;
    if (signals_open(&signals, &err) != STATUS_OK ||
        log_new(&settings, &log, &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        if (signals >= 0)
            (void)close(signals);
        return 1;
    }
    int result = server_run(options, signals, log);
    log_free(log);
    (void)close(signals);
    return result;
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {0};
    options_default(&options);
    if (options_parse(&options, argc, argv, &err) != STATUS_OK)
        return help_failure(stdout, stderr, &err);
    switch (options.action) {
    case OPTIONS_VERSION:
        return print_version(argv[0], &options);
    case OPTIONS_HELP:
        help_usage(stdout);
        return 0;
    case OPTIONS_RUN:
        break;
    }
    return run(&options);
}
