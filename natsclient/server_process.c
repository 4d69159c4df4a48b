#include "natsclient/server_process.h"

#include "natsclient/server_files.h"
#include "natsclient/server_log.h"
#include "natsclient/server_spawn.h"
#include "streamd/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_WITHIN (10 * CLOCK_SECOND)
#define READY_LOOK_MS 5
#define STOP_WITHIN_MS 5000
#define VERSION_WITHIN (5 * CLOCK_SECOND)
#define HOST_MAX 255
#define DEFAULT_HOST "0.0.0.0"

struct server_process {
    pid_t pid;
    int pidfd;
    bool reaped; /* pid is no longer ours to signal; status is set */
    int status;  /* of waitpid() */
    struct server_log *log;
    struct server_files files;
    struct log *log_to; /* borrowed */
    char *binary, *config_name;
    struct blob config;     /* as it was given */
    char *ports;            /* the ports file, once ready */
    int port, monitor_port; /* -1: not known yet */
    /* What the child that runs was told: a reload must not change it. */
    int told_port, told_monitor_port;
    char host[HOST_MAX + 1];
    char url[HOST_MAX + 32];
    char monitor_url[SERVER_URL_MAX];
};

/* Waits until the child has ended, ms at most. */
static bool wait_end(struct server_process *process, int ms)
{
    struct pollfd pollfd = {.fd = process->pidfd, .events = POLLIN};
    int rc = 0;
    do {
        rc = poll(&pollfd, 1, ms);
    } while (rc < 0 && errno == EINTR);
    return rc > 0;
}

static bool reap(struct server_process *process, int options)
{
    while (process->pid > 0 && !process->reaped) {
        pid_t pid = waitpid(process->pid, &process->status, options);
        if (pid == 0)
            return false;
        /* Nobody else waits for it; if it is gone all the same, it is gone. */
        process->reaped = pid == process->pid || errno == ECHILD;
    }
    return true;
}

bool server_process_ended(struct server_process *process, struct error *err)
{
    if (!reap(process, WNOHANG))
        return false;
    if (WIFSIGNALED(process->status)) {
        (void)fail(err, STATUS_CLOSED, "nats-server was ended by signal %d",
                   WTERMSIG(process->status));
    } else {
        (void)fail(err, STATUS_CLOSED, "nats-server ended with status %d",
                   WEXITSTATUS(process->status));
    }
    return true;
}

static void process_free(struct server_process *process)
{
    if (process->pidfd >= 0)
        (void)close(process->pidfd);
    server_log_free(process->log);
    server_files_release(&process->files);
    blob_release(&process->config);
    free(process->binary);
    free(process->config_name);
    free(process->ports);
    free(process);
}

void server_process_stop(struct server_process *process)
{
    if (process == NULL)
        return;
    if (process->pid > 0 && !reap(process, WNOHANG)) {
        (void)kill(process->pid, SIGINT);
        if (!wait_end(process, STOP_WITHIN_MS))
            (void)kill(process->pid, SIGKILL);
        (void)reap(process, 0);
    }
    process_free(process);
}

void server_process_kill(struct server_process *process)
{
    if (process->pid > 0 && !reap(process, WNOHANG))
        (void)kill(process->pid, SIGKILL);
}

static enum status write_config(struct server_process *process,
                                struct error *err)
{
    const struct server_settings settings = {
        .host = process->host,
        .port = process->told_port,
        .monitor_port = process->told_monitor_port,
        .config = bytes_of(process->config.data, process->config.size),
    };
    return server_files_write(&process->files, &settings, err);
}

static enum status take_output(struct server_process *process, int output,
                               struct error *err)
{
    /* Its monitoring is for us; on its way out it looks for the ports file,
     * which we remove. */
    char hidden[SERVER_PATH_MAX + 256];
    (void)snprintf(hidden, sizeof hidden,
                   "Starting http monitor on\n"
                   "Error cleaning up ports file %s\n%s",
                   process->files.directory,
                   process->config_name == NULL ? "Using configuration file:"
                                                : "");
    const struct server_log_options options = {
        .log = process->log_to,
        .descriptor = output,
        .hidden = hidden,
        .name = process->config_name,
        .instead = SERVER_CONFIG_PATH,
    };
    return server_log_new(&options, &process->log, err);
}

static enum status launch(struct server_process *process, struct error *err)
{
    char path[SERVER_PATH_MAX];
    char config_flag[] = "-c";
    char config_path[] = SERVER_CONFIG_PATH;
    char *argv[] = {path, config_flag, config_path, NULL};
    int output = -1;
    process->told_port = process->port;
    process->told_monitor_port = process->monitor_port;
    enum status status = server_find(process->binary, path, sizeof path, err);
    if (status == STATUS_OK)
        status = write_config(process, err);
    if (status != STATUS_OK)
        return status;
    status = server_spawn(argv, process->files.config, &process->pid,
                          &process->pidfd, &output, err);
    if (status != STATUS_OK)
        return status;
    process->reaped = false;
    status = take_output(process, output, err);
    if (status != STATUS_OK)
        (void)close(output);
    return status;
}

static void make_url(struct server_process *process)
{
    const char *host = process->host;
    if (strcmp(host, DEFAULT_HOST) == 0) {
        host = "127.0.0.1";
    } else if (strcmp(host, "::") == 0) {
        host = "::1";
    }
    bool is_ip6 = strchr(host, ':') != NULL;
    (void)snprintf(process->url, sizeof process->url, "nats://%s%s%s:%d",
                   is_ip6 ? "[" : "", host, is_ip6 ? "]" : "", process->port);
}

bool server_process_ready(struct server_process *process)
{
    char *ports = process->files.there ? malloc(SERVER_PORTS_MAX) : NULL;
    if (!process->files.there)
        return true;
    if (ports == NULL || !server_files_ports(&process->files, ports)) {
        free(ports);
        return false;
    }
    free(process->ports);
    process->ports = ports;
    process->port = ports_text_port(ports);
    if (ports_text_url(ports, "monitoring", process->monitor_url,
                       sizeof process->monitor_url))
        process->monitor_port = ports_url_port(process->monitor_url);
    make_url(process);
    server_files_remove(&process->files);
    return true;
}

static enum status wait_ready(struct server_process *process, struct error *err)
{
    int64_t until = clock_monotonic(&clock_system) + READY_WITHIN;
    bool ready = false;
    while (!ready && !wait_end(process, READY_LOOK_MS) &&
           clock_monotonic(&clock_system) < until)
        ready = server_process_ready(process);
    if (ready)
        return STATUS_OK;
    return fail(err, STATUS_UNAVAILABLE,
                "unable to start a NATS Server on %s:%d", process->host,
                process->port);
}

enum status server_process_restart(struct server_process *process,
                                   struct error *err)
{
    assert(process->pid <= 0 || process->reaped);
    if (process->pidfd >= 0)
        (void)close(process->pidfd);
    process->pidfd = -1;
    process->pid = -1;
    process->reaped = false;
    server_log_free(process->log);
    process->log = NULL;
    server_files_remove(&process->files);
    enum status status = server_files_again(&process->files, err);
    return status == STATUS_OK ? launch(process, err) : status;
}

static enum status keep_config(struct server_process *process,
                               struct bytes config, struct error *err)
{
    struct blob copy = {0};
    if (config.size > 0 && !blob_append(&copy, config.data, config.size))
        return fail(err, STATUS_NO_MEMORY, "nats-server: configuration");
    blob_release(&process->config);
    process->config = copy;
    return STATUS_OK;
}

enum status server_process_reload(struct server_process *process,
                                  struct bytes config, struct error *err)
{
    enum status status = keep_config(process, config, err);
    if (status == STATUS_OK)
        status = write_config(process, err);
    if (status != STATUS_OK || process->pid <= 0 || reap(process, WNOHANG))
        return status; /* its successor reads it */
    if (kill(process->pid, SIGHUP) != 0)
        return fail(err, STATUS_IO, "nats-server: %s", strerror(errno));
    return STATUS_OK;
}

static char *copy_text(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : strdup(text);
}

static enum status start(struct server_process *process,
                         const struct server_process_options *options,
                         struct error *err)
{
    process->binary = copy_text(options->binary);
    process->config_name = copy_text(options->config_name);
    enum status status = keep_config(process, options->config, err);
    if (status == STATUS_OK) {
        status =
            server_files_init(&process->files, options->spare_directory, err);
    }
    if (status == STATUS_OK)
        status = server_files_again(&process->files, err);
    if (status == STATUS_OK)
        status = launch(process, err);
    return status == STATUS_OK ? wait_ready(process, err) : status;
}

enum status server_process_start(const struct server_process_options *options,
                                 struct server_process **out, struct error *err)
{
    *out = NULL;
    assert(gettid() == getpid()); /* the child ends with the thread */
    const char *host = options->host != NULL && options->host[0] != '\0'
                           ? options->host
                           : DEFAULT_HOST;
    if (strlen(host) > HOST_MAX)
        return fail(err, STATUS_INVALID, "nats-server: host is too long");
    if (options->port < -1 || options->port == 0 || options->port > 65535) {
        return fail(err, STATUS_INVALID, "nats-server: no port: %d",
                    options->port);
    }
    struct server_process *process = calloc(1, sizeof *process);
    if (process == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats-server: new process");
    process->pid = process->pidfd = process->files.config = -1;
    process->port = options->port;
    process->monitor_port = -1;
    process->log_to = options->log;
    (void)snprintf(process->host, sizeof process->host, "%s", host);
    enum status status = start(process, options, err);
    if (status != STATUS_OK) {
        server_process_stop(process);
        return status;
    }
    *out = process;
    return STATUS_OK;
}

const char *server_process_url(const struct server_process *process)
{
    return process->url;
}

const char *server_process_monitor_url(const struct server_process *process)
{
    return process->monitor_url;
}

const char *server_process_host(const struct server_process *process)
{
    return process->host;
}

const char *server_process_ports(const struct server_process *process)
{
    return process->ports;
}

int server_process_port(const struct server_process *process)
{
    return process->port;
}

int server_process_descriptor(const struct server_process *process)
{
    return process->pidfd;
}

/* Reads one line, without its end, that comes before until. */
static bool read_line(int fd, char *out, size_t capacity, int64_t until)
{
    size_t used = 0;
    while (used + 1 < capacity) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_monotonic(&clock_system);
        if (left <= 0 ||
            poll(&pollfd, 1, (int)(left / CLOCK_MILLISECOND) + 1) <= 0)
            return false;
        if (read(fd, out + used, 1) != 1)
            return false;
        if (out[used] == '\n')
            break;
        used++;
    }
    out[used] = '\0';
    return used > 0;
}

bool server_process_version(const char *binary, char *out, int capacity)
{
    char path[SERVER_PATH_MAX];
    char version_flag[] = "--version";
    char *argv[] = {path, version_flag, NULL};
    pid_t pid = -1;
    int pidfd = -1;
    int output = -1;
    if (capacity <= 0 ||
        server_find(binary, path, sizeof path, NULL) != STATUS_OK ||
        server_spawn(argv, -1, &pid, &pidfd, &output, NULL) != STATUS_OK)
        return false;
    bool done = read_line(output, out, (size_t)capacity,
                          clock_monotonic(&clock_system) + VERSION_WITHIN);
    (void)kill(pid, SIGKILL); /* it has said all that was asked */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    (void)close(pidfd);
    (void)close(output);
    return done && strncmp(out, "nats-server: ", 13) == 0;
}

/* Its first line, with config_name for the path, and its exit status. */
static enum status read_verdict(int output, pid_t pid, const char *config_name,
                                struct error *err)
{
    char line[512] = "";
    int status = 0;
    bool said = read_line(output, line, sizeof line,
                          clock_monotonic(&clock_system) + READY_WITHIN);
    if (!said)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return STATUS_OK;
    char *path = strstr(line, SERVER_CONFIG_PATH);
    if (path == NULL)
        return fail(err, STATUS_INVALID, "%s", line);
    *path = '\0';
    return fail(err, STATUS_INVALID, "%.100s%.150s%s", line, config_name,
                path + strlen(SERVER_CONFIG_PATH));
}

enum status server_process_check(const char *binary, struct bytes config,
                                 const char *config_name, struct error *err)
{
    char path[SERVER_PATH_MAX];
    char check_flag[] = "-t";
    char config_flag[] = "-c";
    char config_path[] = SERVER_CONFIG_PATH;
    char *argv[] = {path, check_flag, config_flag, config_path, NULL};
    struct server_files files;
    const struct server_settings settings = {
        .host = DEFAULT_HOST, .port = -1, .monitor_port = -1, .config = config};
    pid_t pid = -1;
    int pidfd = -1;
    int output = -1;
    enum status status = server_find(binary, path, sizeof path, err);
    if (status == STATUS_OK)
        status = server_files_init(&files, NULL, err);
    if (status != STATUS_OK)
        return status;
    status = server_files_write(&files, &settings, err);
    if (status == STATUS_OK)
        status = server_spawn(argv, files.config, &pid, &pidfd, &output, err);
    if (status == STATUS_OK) {
        status = read_verdict(output, pid, config_name, err);
        (void)close(pidfd);
        (void)close(output);
    }
    server_files_release(&files);
    return status;
}
