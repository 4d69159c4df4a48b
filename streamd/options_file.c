#include "streamd/options_file.h"

#include "streamd/conf/parser.h"
#include "streamd/options_apply.h"

#include <stdio.h>
#include <string.h>

static const char *or_else(const char *path, const char *other)
{
    return path[0] != '\0' ? path : other;
}

static enum status file_load(const char *path, struct conf **conf,
                             struct error *err)
{
    struct error failure = {0};
    enum status status = conf_load(path, conf, &failure);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (strstr(failure.detail, path) != NULL)
        return fail(err, status, "%s", failure.detail);
    return fail(err, status, "%.200s (%s)", failure.detail, path);
}

static enum status not_there(const struct conf_value *value, struct error *err)
{
    return fail(err, STATUS_INVALID,
                "configuration key \"%.60s\" is not supported yet (%s:%d:%d)",
                (const char *)value->key.data, value->file, value->line,
                value->column);
}

/* What can be told only when the command line has had the last word. */
static enum status settle(const struct options_apply *apply,
                          struct options_files *files, struct error *err)
{
    bool attached = apply->options->nats_server[0] != '\0';
    if (apply->refused != NULL)
        return not_there(apply->refused, err);
    if (apply->guard != NULL && !attached)
        return not_there(apply->guard, err);
    if (apply->others[0] == '\0')
        return STATUS_OK;
    (void)snprintf(files->warning, sizeof files->warning,
                   attached ? "Configuration keys that mean nothing to a NATS "
                              "server in use (-ns): %s"
                            : "Configuration keys that are not passed on to "
                              "the NATS server yet: %s",
                   apply->others);
    return STATUS_OK;
}

enum status options_files_load(struct options *options, int argc,
                               char *const *argv, struct options_files *files,
                               struct error *err)
{
    struct options_apply apply = {.options = options};
    const char *streaming = or_else(options->stan_config, options->nats_config);
    const char *nats = or_else(options->nats_config, options->stan_config);
    enum status status = STATUS_OK;
    *files = (struct options_files){0};
    if (streaming[0] == '\0')
        return STATUS_OK;
    status = file_load(nats, &files->nats, err);
    if (status == STATUS_OK && strcmp(nats, streaming) == 0) {
        files->streaming = files->nats;
    } else if (status == STATUS_OK) {
        status = file_load(streaming, &files->streaming, err);
    }
    if (status == STATUS_OK)
        status = options_apply_nats(&apply, files->nats, err);
    if (status == STATUS_OK)
        status = options_apply_streaming(&apply, files->streaming, err);
    if (status == STATUS_OK)
        status = options_parse(options, argc, argv, err);
    if (status == STATUS_OK)
        status = settle(&apply, files, err);
    if (status == STATUS_OK)
        limits_inherit(&options->limits);
    return status;
}

void options_files_release(struct options_files *files)
{
    if (files->streaming != files->nats)
        conf_free(files->streaming);
    conf_free(files->nats);
    *files = (struct options_files){0};
}
