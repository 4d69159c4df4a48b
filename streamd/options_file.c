#include "streamd/options_file.h"

#include "streamd/conf/parser.h"
#include "streamd/nats_config.h"
#include "streamd/options_apply.h"

#include <stdio.h>
#include <stdlib.h>
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

/* What counts once the command line has had the last word. */
static enum status settle(struct options *options, struct options_files *files,
                          struct error *err)
{
    char names[OPTIONS_WARNING_MAX / 2];
    const char *key = getenv("NATS_STREAMING_ENCRYPTION_KEY");
    if (options->encrypt && key != NULL && key[0] != '\0')
        options->encryption_key = key;
    if (options->port == 0)
        options->port = OPTIONS_PORT;
    limits_inherit(&options->limits);
    if (options->nats_server[0] == '\0')
        return nats_config_check(options, files->nats, err);
    if (files->nats == NULL)
        return STATUS_OK;
    nats_config_names(files->nats, names, sizeof names);
    if (names[0] != '\0') {
        (void)snprintf(files->warning, sizeof files->warning,
                       "Configuration keys that mean nothing to a NATS server "
                       "in use (-ns): %s",
                       names);
    }
    return STATUS_OK;
}

/* True if the file of the NATS side has one of these two keys there. */
static bool authorizes_by(const struct conf *conf, const char *key,
                          const char *other)
{
    const struct conf_value *map = conf_find(conf_root(conf), "authorization");
    return map != NULL && map->type == CONF_MAP &&
           (conf_find(map, key) != NULL || conf_find(map, other) != NULL);
}

/* A user of the command line takes the place of a token of the file, and the
 * other way round: a server takes one of them. */
static void settle_user(struct options *options, const struct conf *conf)
{
    if (options->user[0] == '\0' || options->token[0] == '\0' || conf == NULL)
        return;
    bool user = authorizes_by(conf, "user", "username");
    bool token = authorizes_by(conf, "token", "token");
    if (token && !user) {
        options->token = "";
    } else if (user && !token) {
        options->user = options->password = "";
    }
}

/* Both documents; without any file both are NULL. */
static enum status documents_load(const struct options *options,
                                  struct options_files *files,
                                  struct error *err)
{
    const char *streaming = or_else(options->stan_config, options->nats_config);
    const char *nats = or_else(options->nats_config, options->stan_config);
    if (streaming[0] == '\0')
        return STATUS_OK;
    enum status status = file_load(nats, &files->nats, err);
    if (status != STATUS_OK)
        return status;
    if (strcmp(nats, streaming) != 0)
        return file_load(streaming, &files->streaming, err);
    files->streaming = files->nats;
    return STATUS_OK;
}

enum status options_files_load(struct options *options, int argc,
                               char *const *argv, struct options_files *files,
                               struct error *err)
{
    *files = (struct options_files){0};
    enum status status = documents_load(options, files, err);
    if (status == STATUS_OK && files->nats != NULL)
        status = options_apply_nats(options, files->nats, err);
    if (status == STATUS_OK && files->streaming != NULL)
        status = options_apply_streaming(options, files->streaming, err);
    if (status != STATUS_OK)
        return status;
    status = options_parse(options, argc, argv, err);
    if (status != STATUS_OK)
        return status;
    settle_user(options, files->nats);
    return settle(options, files, err);
}

void options_files_release(struct options_files *files)
{
    if (files->streaming != files->nats)
        conf_free(files->streaming);
    conf_free(files->nats);
    *files = (struct options_files){0};
}

enum status configuration_load(struct configuration *configuration, int argc,
                               char *const *argv, struct error *err)
{
    *configuration = (struct configuration){.argc = argc, .argv = argv};
    options_default(&configuration->options);
    enum status status =
        options_parse(&configuration->options, argc, argv, err);
    if (status != STATUS_OK)
        return status;
    return options_files_load(&configuration->options, argc, argv,
                              &configuration->files, err);
}

void configuration_release(struct configuration *configuration)
{
    limits_release(&configuration->options.limits);
    options_files_release(&configuration->files);
}
