#include "natsclient/server_log.h"

#include "streamd/base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct server_log {
    struct log *log;
    char *hidden, *name, *instead;
    int input;
    int stop; /* eventfd: readable when the thread shall end */
    pthread_t thread;
    /* The thread's. */
    size_t used;
    bool cutting; /* the rest of a line that was too long */
    char line[SERVER_LINE_MAX];
};

static const struct {
    char name[8];
    enum log_level level;
} LEVELS[] = {
    {"[INF] ", LOG_LEVEL_INFO},  {"[WRN] ", LOG_LEVEL_WARN},
    {"[ERR] ", LOG_LEVEL_ERROR}, {"[FTL] ", LOG_LEVEL_FATAL},
    {"[DBG] ", LOG_LEVEL_DEBUG}, {"[TRC] ", LOG_LEVEL_TRACE},
};
#define LEVEL_SIZE 6

/* The size of "[123] " in front, 0 if it is not there. */
static size_t pid_size(const char *line, size_t size)
{
    size_t at = 0;
    if (size == 0 || line[at++] != '[')
        return 0;
    while (at < size && line[at] >= '0' && line[at] <= '9')
        at++;
    if (at == 1 || size - at < 2 || line[at] != ']' || line[at + 1] != ' ')
        return 0;
    return at + 2;
}

enum log_level server_line_level(const char **line, size_t *size)
{
    size_t skip = pid_size(*line, *size);
    for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++) {
        if (*size - skip < LEVEL_SIZE ||
            memcmp(*line + skip, LEVELS[i].name, LEVEL_SIZE) != 0)
            continue;
        *line += skip + LEVEL_SIZE;
        *size -= skip + LEVEL_SIZE;
        return LEVELS[i].level;
    }
    return LOG_LEVEL_ERROR;
}

/* True if one of the lines of hidden is what line begins with. */
static bool is_hidden(const char *hidden, const char *line, size_t size)
{
    while (*hidden != '\0') {
        size_t length = strcspn(hidden, "\n");
        if (length > 0 && size >= length && memcmp(line, hidden, length) == 0)
            return true;
        hidden += length;
        hidden += *hidden == '\n' ? 1 : 0;
    }
    return false;
}

/* The line, with its own name in place of what the child knows the file as. */
static void say(struct server_log *server_log, enum log_level level,
                struct bytes line)
{
    const char *start = (const char *)line.data;
    size_t size = strlen(server_log->instead);
    const char *found =
        size == 0 ? NULL : memmem(start, line.size, server_log->instead, size);
    if (found == NULL || server_log->name[0] == '\0') {
        log_foreign(server_log->log, level, start, (int)line.size);
        return;
    }
    char renamed[SERVER_LINE_MAX];
    int front = (int)(found - start);
    int rest = (int)line.size - front - (int)size;
    int length = snprintf(renamed, sizeof renamed, "%.*s%s%.*s", front, start,
                          server_log->name, rest, found + size);
    if (length >= (int)sizeof renamed)
        length = sizeof renamed - 1;
    log_foreign(server_log->log, level, renamed, length);
}

static void end_line(struct server_log *server_log)
{
    const char *line = server_log->line;
    size_t size = server_log->used;
    server_log->used = 0;
    if (size > 0 && line[size - 1] == '\r')
        size--;
    if (size == 0)
        return;
    enum log_level level = server_line_level(&line, &size);
    if (!is_hidden(server_log->hidden, line, size))
        say(server_log, level, bytes_of(line, size));
}

static void take(struct server_log *server_log, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            if (!server_log->cutting)
                end_line(server_log);
            server_log->cutting = false;
        } else if (!server_log->cutting) {
            server_log->line[server_log->used++] = data[i];
            if (server_log->used == SERVER_LINE_MAX) {
                end_line(server_log);
                server_log->cutting = true;
            }
        }
    }
}

/* Takes what is in the pipe; false at its end. */
static bool read_some(struct server_log *server_log)
{
    char data[4096];
    for (;;) {
        ssize_t size = read(server_log->input, data, sizeof data);
        if (size > 0) {
            take(server_log, data, (size_t)size);
        } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
            return false;
        } else if (errno == EAGAIN) {
            return true;
        }
    }
}

static void *run(void *argument)
{
    struct server_log *server_log = argument;
    struct pollfd pollfds[2] = {
        {.fd = server_log->input, .events = POLLIN},
        {.fd = server_log->stop, .events = POLLIN},
    };
    bool stopping = false;
    bool open = true;
    while (open && !stopping) {
        if (poll(pollfds, 2, -1) < 0 && errno != EINTR)
            break;
        stopping = pollfds[1].revents != 0; /* before the last reading */
        open = read_some(server_log);
    }
    end_line(server_log);
    return NULL;
}

static void release(struct server_log *server_log)
{
    if (server_log->stop >= 0)
        (void)close(server_log->stop);
    free(server_log->hidden);
    free(server_log->name);
    free(server_log->instead);
    free(server_log);
}

static char *copy(const char *text)
{
    return strdup(text == NULL ? "" : text);
}

enum status server_log_new(const struct server_log_options *options,
                           struct server_log **out, struct error *err)
{
    *out = NULL;
    struct server_log *server_log = calloc(1, sizeof *server_log);
    if (server_log == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats-server log");
    server_log->log = options->log;
    server_log->input = options->descriptor;
    server_log->stop = eventfd(0, EFD_CLOEXEC);
    server_log->hidden = copy(options->hidden);
    server_log->name = copy(options->name);
    server_log->instead = copy(options->instead);
    if (server_log->stop < 0 || server_log->hidden == NULL ||
        server_log->name == NULL || server_log->instead == NULL ||
        fcntl(server_log->input, F_SETFL, O_NONBLOCK) != 0 ||
        pthread_create(&server_log->thread, NULL, run, server_log) != 0) {
        release(server_log);
        return fail(err, STATUS_NO_MEMORY, "nats-server log: thread");
    }
    *out = server_log;
    return STATUS_OK;
}

void server_log_free(struct server_log *server_log)
{
    if (server_log == NULL)
        return;
    (void)eventfd_write(server_log->stop, 1);
    (void)pthread_join(server_log->thread, NULL);
    (void)close(server_log->input);
    release(server_log);
}
