#include "streamd/embedded.h"

#include "natsclient/server_process.h"
#include "streamd/base/clock.h"
#include "streamd/nats_config.h"
#include "streamd/ports_file.h"
#include "streamd/supervisor.h"

#include <stdlib.h>

struct embedded {
    struct server_process *process;
    struct supervisor supervisor;
    char *ports_file; /* of the user; NULL: none */
};

/* ---- what the supervisor needs ---- */

static bool ended(void *context, struct error *err)
{
    return server_process_ended(context, err);
}

static bool ready(void *context)
{
    return server_process_ready(context);
}

static enum status restart(void *context, struct error *err)
{
    return server_process_restart(context, err);
}

static void kill_it(void *context)
{
    server_process_kill(context);
}

/* ---- */

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static const char *config_name(const struct options *options)
{
    const char *name = or_null(options->nats_config);
    return name != NULL ? name : or_null(options->stan_config);
}

static enum status start_process(struct embedded *embedded,
                                 const struct options *options,
                                 const struct conf *conf, struct log *log,
                                 struct error *err)
{
    struct blob config = {0};
    enum status status = nats_config_write(options, conf, &config, err);
    if (status != STATUS_OK)
        return status;
    const struct server_process_options settings = {
        .binary = or_null(options->nats_server_binary),
        .host = or_null(options->host),
        .port = (int)options->port,
        .config = bytes_of(config.data, config.size),
        .config_name = config_name(options),
        .spare_directory = or_null(options->dir),
        .log = log,
    };
    status = server_process_start(&settings, &embedded->process, err);
    blob_release(&config);
    return status;
}

enum status embedded_start(const struct options *options,
                           const struct conf *conf, struct log *log,
                           struct embedded **out, struct error *err)
{
    *out = NULL;
    struct embedded *embedded = calloc(1, sizeof *embedded);
    if (embedded == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats-server: new");
    enum status status = start_process(embedded, options, conf, log, err);
    if (status == STATUS_OK && options->ports_file_dir[0] != '\0') {
        status = ports_file_write(options->ports_file_dir,
                                  server_process_ports(embedded->process),
                                  &embedded->ports_file, err);
    }
    if (status != STATUS_OK) {
        embedded_stop(embedded);
        return status;
    }
    const struct supervised process = {.context = embedded->process,
                                       .ended = ended,
                                       .ready = ready,
                                       .restart = restart,
                                       .kill = kill_it};
    supervisor_init(&embedded->supervisor, &process, log,
                    clock_monotonic(&clock_system));
    *out = embedded;
    return STATUS_OK;
}

const char *embedded_url(const struct embedded *embedded)
{
    return server_process_url(embedded->process);
}

const char *embedded_monitor_url(const struct embedded *embedded)
{
    return server_process_monitor_url(embedded->process);
}

int embedded_descriptor(const struct embedded *embedded)
{
    if (embedded->supervisor.state == SUPERVISOR_WAITING)
        return -1;
    return server_process_descriptor(embedded->process);
}

int embedded_wait(const struct embedded *embedded)
{
    return supervisor_wait(&embedded->supervisor,
                           clock_monotonic(&clock_system));
}

bool embedded_turn(struct embedded *embedded)
{
    return supervisor_turn(&embedded->supervisor,
                           clock_monotonic(&clock_system));
}

enum status embedded_reload(struct embedded *embedded,
                            const struct options *options,
                            const struct conf *conf, struct error *err)
{
    struct blob config = {0};
    enum status status = nats_config_write(options, conf, &config, err);
    if (status != STATUS_OK)
        return status;
    status = server_process_reload(embedded->process,
                                   bytes_of(config.data, config.size), err);
    blob_release(&config);
    return status;
}

void embedded_stop(struct embedded *embedded)
{
    if (embedded == NULL)
        return;
    server_process_stop(embedded->process);
    ports_file_remove(embedded->ports_file);
    free(embedded);
}
