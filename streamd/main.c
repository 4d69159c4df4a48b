/* main.c - the process: what it is told, its log, its signals; then the
 * server. */
#include "natsclient/connection.h"
#include "natsclient/server_process.h"
#include "streamd/base/log.h"
#include "streamd/harden.h"
#include "streamd/help.h"
#include "streamd/log_settings.h"
#include "streamd/nats_config.h"
#include "streamd/options.h"
#include "streamd/options_check.h"
#include "streamd/options_file.h"
#include "streamd/server.h"
#include "streamd/signal_command.h"
#include "streamd/signals.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Started without a standard descriptor, the next file opened would get its
 * number, and what is meant for stderr would be written into a store. */
static bool standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}

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

static enum status open_log(const struct options *options, struct log **log,
                            struct error *err)
{
    const struct log_options settings = log_settings(options);
    if (!settings.json && strcmp(options->log_format, "text") != 0) {
        return fail(err, STATUS_INVALID,
                    "unknown log format \"%s\": text or json",
                    options->log_format);
    }
    return log_new(&settings, log, err);
}

static void warn(void *context, const char *text)
{
    log_warn((struct log *)context, "%s", text);
}

static int run(const struct configuration *configuration)
{
    const struct options *options = &configuration->options;
    struct error err = {0};
    struct log *log = NULL;
    int signals = -1;
    if (harden_process(&err) != STATUS_OK ||
        harden_secrets(options, &err) != STATUS_OK ||
        signals_open(&signals, &err) != STATUS_OK ||
        open_log(options, &log, &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        if (signals >= 0)
            (void)close(signals);
        return 1;
    }
    if (configuration->files.warning[0] != '\0')
        warn(log, configuration->files.warning);
    options_idle(options, warn, log);
    int result = server_run(configuration, signals, log);
    if (!connection_end_all())
        log_warn(log, "threads of the NATS client do not end");
    log_free(log);
    (void)close(signals);
    return result;
}

/* What is for a nats-server of our own it judges itself. */
static enum status check_nats(const struct configuration *configuration,
                              struct error *err)
{
    const struct options *options = &configuration->options;
    struct blob config = {0};
    if (options->nats_server[0] != '\0')
        return STATUS_OK;
    enum status status =
        nats_config_write(options, configuration->files.nats, &config, err);
    if (status != STATUS_OK)
        return status;
    status = server_process_check(options->nats_server_binary,
                                  bytes_of(config.data, config.size),
                                  options->nats_config, err);
    blob_release(&config);
    return status;
}

/* -t: both files are right for us if it comes to this. */
static int print_verdict(const char *program,
                         const struct configuration *configuration)
{
    const struct options *options = &configuration->options;
    const char *slash = strrchr(program, '/');
    const char *name = slash == NULL ? program : slash + 1;
    struct error err = {0};
    if (options->nats_config[0] == '\0') {
        (void)fputs("must specify [-c, --config] option to check "
                    "configuration file syntax\n",
                    stderr);
        return 1;
    }
    if (check_nats(configuration, &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        return 1;
    }
    (void)fprintf(stderr, "%s: configuration file %s is valid\n", name,
                  options->nats_config);
    if (options->stan_config[0] != '\0') {
        (void)fprintf(stderr, "%s: configuration file %s is valid\n", name,
                      options->stan_config);
    }
    return 0;
}

static int refuse(const struct error *err)
{
    bool as_go = err->status == STATUS_INVALID; /* it says so on stdout */
    (void)fprintf(as_go ? stdout : stderr, "%s\n", err->detail);
    return 1;
}

static int configure_and_run(int argc, char **argv)
{
    struct configuration configuration;
    const struct options *options = &configuration.options;
    struct error err = {0};
    int result = 1;
    if (configuration_load(&configuration, argc, argv, &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
    } else if (options->action == OPTIONS_CHECK) {
        result = print_verdict(argv[0], &configuration);
    } else if (options_check_modes(options, &err) != STATUS_OK) {
        result = refuse(&err);
    } else {
        result = run(&configuration);
    }
    configuration_release(&configuration);
    return result;
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {0};
    if (!standard_descriptors())
        return 1;
    options_default(&options);
    if (options_parse(&options, argc, argv, &err) != STATUS_OK)
        return help_failure(stdout, stderr, &err);
    switch (options.action) {
    case OPTIONS_VERSION:
        return print_version(argv[0], &options);
    case OPTIONS_HELP:
        help_usage(stdout);
        return 0;
    case OPTIONS_HELP_TLS:
        help_tls(stdout);
        return 0;
    case OPTIONS_RUN:
    case OPTIONS_CHECK:
        break;
    }
    if (options.signal_command[0] != '\0')
        return signal_command(options.signal_command, argv[0], stderr);
    return configure_and_run(argc, argv);
}
