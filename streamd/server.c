#include "streamd/server.h"

#include "monitor/admin_http.h"
#include "monitor/monitor.h"
#include "store/leveldb/leveldb_store.h"
#include "store/memory.h"
#include "streamd/access.h"
#include "streamd/banner.h"
#include "streamd/base/nuid.h"
#include "streamd/embedded.h"
#include "streamd/loop.h"
#include "streamd/nats_config.h"
#include "streamd/notify.h"
#include "streamd/options_check.h"
#include "streamd/pid_file.h"
#include "streamd/progress.h"
#include "streamd/reload.h"
#include "streamd/signals.h"
#include "streamd/version.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_TERMINATED = 143 };

struct server {
    const struct options *options;
    const struct conf *nats_conf; /* NULL: none */
    struct reload reload;
    struct log *log;
    char id[NUID_SIZE + 1];
    struct store *store;
    struct embedded *nats; /* NULL: an external one */
    struct loop *loop;
    struct admin_http admin; /* .access NULL: not with a token */
    struct monitor *monitor, *admin_monitor; /* NULL: not wanted */
    bool is_ready;
    struct notify notify;
    struct progress progress; /* until it is ready */

    /* Written by the engine thread before it writes to the descriptor. */
    int started; /* eventfd */
    bool failed; /* atomic: covers failure */
    struct error failure;
};

static void banner(const struct server *server)
{
    log_info(server->log,
             "Starting nats-streaming-server[%s] version %s "
             "(streamd_version %s)",
             server->options->cluster_id, STREAMD_COMPATIBLE_VERSION,
             STREAMD_VERSION);
    log_info(server->log, "ServerID: %s", server->id);
    log_info(server->log, "Compiler: %s", __VERSION__);
    log_info(server->log, "Git commit: [%s]", STREAMD_COMMIT);
}

static enum status open_store(struct server *server, struct error *err)
{
    const struct options *options = server->options;
    const struct store_config config = {
        .limits = &options->limits,
        .clock = &clock_system,
        .log = server->log,
        .no_sync = !options->file.sync,
        .auto_sync = options->file.auto_sync > 0 ? options->file.auto_sync : 0,
        .segment_bytes = options_segment_bytes(options),
    };
    enum options_store kind = OPTIONS_STORE_MEMORY;
    enum status status = options_store(options, &kind, err);
    if (status == STATUS_OK)
        status = limits_check(&options->limits, err);
    if (status == STATUS_OK)
        status = options_check_monitoring(options, err);
    if (status != STATUS_OK)
        return status;
    if (kind == OPTIONS_STORE_MEMORY)
        return memory_store_open(&config, &server->store, err);
    banner_sync(server->log, &config);
    return leveldb_store_open(options->dir, &config, &server->store, err);
}

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static enum status start_nats(struct server *server, struct error *err)
{
    if (server->options->nats_server[0] != '\0')
        return STATUS_OK; /* there is one to attach to */
    return embedded_start(server->options, server->nats_conf, server->log,
                          &server->nats, err);
}

/* Engine thread. */
static void on_started(void *context, const struct error *failure)
{
    struct server *server = context;
    const struct options *options = server->options;
    if (failure != NULL) {
        server->failure = *failure;
    } else {
        log_info(server->log, "Message store is %s", store_name(server->store));
        if (options->dir[0] != '\0')
            log_info(server->log, "Store location: %s", options->dir);
        banner_limits(server->log, &options->limits);
        log_info(server->log, "Streaming Server is ready");
    }
    __atomic_store_n(&server->failed, failure != NULL, __ATOMIC_RELEASE);
    uint64_t one = 1;
    (void)!write(server->started, &one, sizeof one);
}

/* Before the engine, which asks it. */
static enum status start_admin(struct server *server, struct error *err)
{
    const char *path = or_null(server->options->admin_token_file);
    if (path == NULL)
        return STATUS_OK;
    return admin_access_new(path, server->log, &clock_system,
                            &server->admin.access, err);
}

static struct security access_of(const struct server *server)
{
    struct security security;
    if (server->nats == NULL) {
        access_external(server->options, &security);
    } else {
        access_embedded(server->options,
                        nats_config_has_tls(server->options, server->nats_conf),
                        &security);
    }
    return security;
}

static enum status start_loop(struct server *server, struct error *err)
{
    const struct options *options = server->options;
    if (server->nats == NULL && options->client_tls.skip_verify) {
        log_warn(server->log,
                 "TLS certificate chain and hostname will not be verified. "
                 "DO NOT USE IN PRODUCTION!");
    }
    const struct loop_config config = {
        .engine =
            {
                .cluster_id = options->cluster_id,
                .server_id = server->id,
                .discover_prefix = options->discover_prefix,
                .limits = &options->limits,
                .heartbeat_interval = options->heartbeat_interval,
                .heartbeat_timeout = options->heartbeat_timeout,
                .heartbeat_fail_count = options->heartbeat_fail_count,
                .cache_size = options->cache_size,
                .replace_durable = options->replace_durable,
                .alone = true,
                .store = server->store,
                .clock = &clock_system,
                .log = server->log,
            },
        .urls = server->nats != NULL ? embedded_url(server->nats)
                                     : options->nats_server,
        .security = access_of(server),
        .admin = server->admin.access,
        .context = server,
        .started = on_started,
    };
    return loop_start(&config, &server->loop, err);
}

/* Of any listener. */
static struct monitor_options monitor_settings(const struct server *server)
{
    const struct options *options = server->options;
    return (struct monitor_options){
        .metrics_channels = (size_t)options->metrics_channels,
        .metrics_inbox = options->metrics_inbox,
        .log = server->log,
        .limits = &options->limits,
        .version = STREAMD_COMPATIBLE_VERSION,
        .streamd_version = STREAMD_VERSION,
        .nats_url =
            server->nats == NULL ? NULL : embedded_monitor_url(server->nats),
    };
}

static enum status start_port(struct server *server,
                              const struct view_source *source,
                              struct error *err)
{
    const struct options *options = server->options;
    struct monitor_options settings = monitor_settings(server);
    bool secure = options->https_port != 0;
    const char *host = secure ? options->https_host : options->http_host;
    if (options->http_port == 0 && !secure)
        return STATUS_OK;
    settings.host = or_null(host[0] != '\0' ? host : options->host);
    settings.port = (int)(secure ? options->https_port : options->http_port);
    settings.tls_cert = secure ? options->tls_cert : NULL;
    settings.tls_key = secure ? options->tls_key : NULL;
    if (server->admin.access != NULL)
        settings.routes[0] = admin_http_routes(&server->admin);
    return monitor_start(&settings, source, &server->monitor, err);
}

static enum status start_socket(struct server *server,
                                const struct view_source *source,
                                struct error *err)
{
    struct monitor_options settings = monitor_settings(server);
    settings.socket = or_null(server->options->admin_socket);
    settings.routes[0] = admin_http_routes(&server->admin);
    return settings.socket == NULL
               ? STATUS_OK
               : monitor_start(&settings, source, &server->admin_monitor, err);
}

static enum status start_monitor(struct server *server, struct error *err)
{
    const struct view_source source = loop_view_source(server->loop);
    server->admin.source = loop_admin_source(server->loop);
    server->admin.log = server->log;
    enum status status = start_port(server, &source, err);
    return status == STATUS_OK ? start_socket(server, &source, err) : status;
}

/* Not before store and port are ours: the file may be that of who has them. */
static enum status write_pid_file(const struct server *server,
                                  struct error *err)
{
    const char *path = or_null(server->options->pid_file);
    return path == NULL ? STATUS_OK : pid_file_write(path, err);
}

static enum status start(struct server *server, struct error *err)
{
    server->started = eventfd(0, EFD_CLOEXEC);
    if (server->started < 0)
        return fail(err, STATUS_IO, "eventfd: %s", strerror(errno));
    enum status status = open_store(server, err);
    if (status == STATUS_OK)
        status = start_nats(server, err);
    if (status == STATUS_OK)
        status = write_pid_file(server, err);
    if (status == STATUS_OK)
        status = start_admin(server, err);
    if (status == STATUS_OK)
        status = start_loop(server, err);
    if (status == STATUS_OK)
        status = start_monitor(server, err);
    return status;
}

/* From here on -1: not decided, else the exit status. */

static void reload_admin(struct server *server)
{
    struct error err = {0};
    if (server->admin.access == NULL)
        return;
    if (admin_access_reload(server->admin.access, &err) == STATUS_OK) {
        log_info(server->log, "Reload: the admin token was read again");
    } else {
        log_error(server->log, "Reload: %s; the old admin token stays",
                  err.detail);
    }
}

static void reload(struct server *server)
{
    const struct reload_parts parts = {
        .log = server->log,
        .loop = server->loop,
        .monitors = {server->monitor, server->admin_monitor},
        .nats = server->nats,
    };
    notify_reloading(&server->notify);
    reload_admin(server);
    reload_run(&server->reload, &parts);
    notify_reloaded(&server->notify);
}

static int on_signal(struct server *server, int signals)
{
    switch (signals_next(signals)) {
    case SIGNALS_INTERRUPT:
        return EXIT_OK;
    case SIGNALS_TERMINATE:
        return EXIT_TERMINATED;
    case SIGNALS_REOPEN:
        log_reopen(server->log);
        break;
    case SIGNALS_RELOAD:
        reload(server);
        break;
    case SIGNALS_NONE:
        break;
    }
    return -1;
}

static int on_engine(struct server *server)
{
    uint64_t count = 0;
    if (read(server->started, &count, sizeof count) < 0)
        return -1;
    if (!__atomic_load_n(&server->failed, __ATOMIC_ACQUIRE)) {
        notify_ready(&server->notify, "STANDALONE");
        server->is_ready = true;
        return -1;
    }
    log_fatal(server->log, "Failed to start: %s", server->failure.detail);
    return EXIT_FAILED;
}

/* The smaller one of two waits of poll(), of which -1 is for ever. */
static int sooner(int a, int b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

static int tell_progress(struct server *server)
{
    if (server->is_ready)
        return -1;
    const struct view_recovery recovery = loop_recovery(server->loop);
    return progress_step(&server->progress, recovery.channels,
                         recovery.messages, clock_monotonic(&clock_system));
}

static int turn(struct server *server, int signals)
{
    int wait = sooner(notify_alive(&server->notify), tell_progress(server));
    struct pollfd watched[] = {
        {.fd = signals, .events = POLLIN},
        {.fd = server->started, .events = POLLIN},
        {.fd = -1, .events = POLLIN},
    };
    int result = -1;
    if (server->nats != NULL) {
        watched[2].fd = embedded_descriptor(server->nats);
        wait = sooner(wait, embedded_wait(server->nats));
    }
    int ready = poll(watched, 3, wait);
    if (ready < 0 && errno == EINTR)
        return -1;
    if (ready < 0) {
        log_fatal(server->log, "poll: %s", strerror(errno));
        return EXIT_FAILED;
    }
    if (watched[0].revents != 0)
        result = on_signal(server, signals);
    if (result < 0 && server->nats != NULL && !embedded_turn(server->nats))
        result = EXIT_FAILED;
    if (result < 0 && watched[1].revents != 0)
        result = on_engine(server);
    return result;
}

static int wait_for_end(struct server *server, int signals)
{
    int result = -1;
    progress_init(&server->progress, &server->notify, server->log,
                  clock_monotonic(&clock_system));
    while (result < 0)
        result = turn(server, signals);
    return result;
}

static void stop(struct server *server)
{
    notify_stopping(&server->notify);
    monitor_stop(server->monitor);
    monitor_stop(server->admin_monitor);
    if (server->loop != NULL) {
        loop_stop(server->loop); /* closes the store */
    } else {
        store_close(server->store);
    }
    admin_access_free(server->admin.access);
    embedded_stop(server->nats);
    reload_release(&server->reload);
    if (server->started >= 0)
        (void)close(server->started);
}

int server_run(const struct configuration *configuration, int signals,
               struct log *log)
{
    struct server server = {.options = &configuration->options,
                            .nats_conf = configuration->files.nats,
                            .log = log,
                            .started = -1};
    struct error err = {0};
    int result = EXIT_FAILED;
    reload_init(&server.reload, configuration);
    nuid_next(server.id);
    banner(&server);
    if (notify_open(&server.notify, &err) != STATUS_OK)
        log_warn(log, "%s", err.detail);
    notify_starting(&server.notify, "STARTING: opening the store");
    if (start(&server, &err) == STATUS_OK) {
        result = wait_for_end(&server, signals);
    } else {
        log_fatal(log, "Failed to start: %s", err.detail);
    }
    log_info(log, "Shutting down.");
    stop(&server);
    notify_close(&server.notify);
    return result;
}
