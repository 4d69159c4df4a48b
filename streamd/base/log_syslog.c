#include "streamd/base/log_syslog.h"

#include "streamd/base/clock.h"
#include "streamd/base/log_stream.h"
#include "streamd/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define RETRY CLOCK_SECOND

enum {
    CONNECT_MILLISECONDS = 5000, /* at the start */
    TAG_MAX = 64,
    HOST_MAX = 256,
    HEADER_SIZE = TAG_MAX + HOST_MAX + 96,
    DATAGRAM_MOST = 8192, /* what daemons take at least; the rest is cut */
};

static const char default_socket[] = "/dev/log";
static const char default_port[] = "514";

struct log_syslog {
    pthread_mutex_t lock; /* guards all that changes: the last four */
    bool local;
    int type;
    struct sockaddr_storage address;
    socklen_t address_size;
    char tag[TAG_MAX];
    char host[HOST_MAX]; /* ours */
    int fd;              /* -1: no connection */
    struct log_stream stream;
    int64_t retry_at; /* not before, without a connection */
    uint64_t dropped; /* lines since the last that was sent */
};

/* ---- connection ---- */

static void disconnect(struct log_syslog *syslog)
{
    if (syslog->fd >= 0)
        (void)close(syslog->fd);
    syslog->fd = -1;
}

/* Begins to; log_stream waits for the end. False, with errno: failed. */
static bool connect_begin(struct log_syslog *syslog)
{
    int fd = socket(syslog->address.ss_family,
                    syslog->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    if (connect(fd, (const struct sockaddr *)&syslog->address,
                syslog->address_size) != 0 &&
        errno != EINPROGRESS) {
        int code = errno;
        (void)close(fd);
        errno = code;
        return false;
    }
    syslog->fd = fd;
    log_stream_init(&syslog->stream, fd);
    return true;
}

/* 0 or an errno. */
static int connect_now(struct log_syslog *syslog)
{
    if (!connect_begin(syslog))
        return errno;
    struct pollfd one = {.fd = syslog->fd, .events = POLLOUT};
    int code = 0;
    socklen_t size = sizeof code;
    if (poll(&one, 1, CONNECT_MILLISECONDS) != 1) {
        code = ETIMEDOUT;
    } else if (getsockopt(syslog->fd, SOL_SOCKET, SO_ERROR, &code, &size) !=
               0) {
        code = errno;
    }
    if (code != 0)
        disconnect(syslog);
    return code;
}

static enum status unreachable(const char *where, const char *reason,
                               struct error *err)
{
    char text[TEXT_QUOTED_MAX];
    char quoted[TEXT_QUOTED_MAX];
    (void)snprintf(text, sizeof text, "%.*s: %s", HOST_MAX / 4, where, reason);
    return fail(err, STATUS_UNAVAILABLE, "error connecting to syslog: %s",
                text_quote(bytes_text(text), quoted));
}

static enum status refused(const char *where, int code, struct error *err)
{
    char reason[64];
    return unreachable(where, strerror_r(code, reason, sizeof reason), err);
}

/* A daemon takes datagrams or a stream at its socket, most datagrams. */
static enum status connect_unix(struct log_syslog *syslog, const char *path,
                                struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return refused(path, ENAMETOOLONG, err);
    memcpy(address.sun_path, path, strlen(path) + 1);
    memcpy(&syslog->address, &address, sizeof address);
    syslog->address_size = sizeof address;
    syslog->type = SOCK_DGRAM;
    int code = connect_now(syslog);
    if (code == EPROTOTYPE) {
        syslog->type = SOCK_STREAM;
        code = connect_now(syslog);
    }
    return code == 0 ? STATUS_OK : refused(path, code, err);
}

/* Takes "host:port", "[::1]:port" or only a host apart, in place. */
static void split_port(char *host, const char **node, const char **port)
{
    *node = host;
    *port = default_port;
    char *end = host[0] == '[' ? strchr(host, ']') : NULL;
    if (end != NULL) {
        *end++ = '\0';
        *node = host + 1;
    } else {
        end = strrchr(host, ':');
    }
    if (end != NULL && *end == ':') {
        *end = '\0';
        *port = end + 1;
    }
}

static enum status connect_inet(struct log_syslog *syslog, const char *where,
                                struct error *err)
{
    char host[HOST_MAX];
    const char *node;
    const char *port;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = syslog->type};
    (void)snprintf(host, sizeof host, "%.*s", (int)strcspn(where, "/"), where);
    split_port(host, &node, &port);
    int code = getaddrinfo(node, port, &hints, &found);
    if (code != 0)
        return unreachable(node, gai_strerror(code), err);
    code = ENOENT;
    for (struct addrinfo *one = found; one != NULL && code != 0;
         one = one->ai_next) {
        memcpy(&syslog->address, one->ai_addr, one->ai_addrlen);
        syslog->address_size = one->ai_addrlen;
        code = connect_now(syslog);
    }
    freeaddrinfo(found);
    return code == 0 ? STATUS_OK : refused(node, code, err);
}

static enum status connect_remote(struct log_syslog *syslog, const char *url,
                                  struct error *err)
{
    const char *colon = strstr(url, "://");
    int size = colon == NULL ? 0 : (int)(colon - url);
    const char *rest = colon == NULL ? "" : colon + strlen("://");
    if (size == 4 && strncmp(url, "unix", 4) == 0)
        return connect_unix(syslog, rest, err);
    syslog->type = size == 3 && strncmp(url, "tcp", 3) == 0   ? SOCK_STREAM
                   : size == 3 && strncmp(url, "udp", 3) == 0 ? SOCK_DGRAM
                                                              : 0;
    if (syslog->type != 0)
        return connect_inet(syslog, rest, err);
    char quoted[TEXT_QUOTED_MAX];
    return fail(err, STATUS_INVALID, "error invalid network type: %s",
                text_quote(bytes_of(url, (size_t)size), quoted));
}

enum status log_syslog_open(const struct log_syslog_options *options,
                            struct log_syslog **out, struct error *err)
{
    *out = NULL;
    struct log_syslog *syslog = calloc(1, sizeof *syslog);
    if (syslog == NULL)
        return fail(err, STATUS_NO_MEMORY, "log: new syslog");
    if (pthread_mutex_init(&syslog->lock, NULL) != 0) {
        free(syslog);
        return fail(err, STATUS_NO_MEMORY, "log: lock");
    }
    syslog->fd = -1;
    syslog->local = options->remote == NULL;
    (void)snprintf(syslog->tag, sizeof syslog->tag, "%s", options->tag);
    if (gethostname(syslog->host, sizeof syslog->host - 1) != 0)
        (void)snprintf(syslog->host, sizeof syslog->host, "localhost");
    enum status status = STATUS_OK;
    if (options->remote != NULL) {
        status = connect_remote(syslog, options->remote, err);
    } else {
        const char *path = options->local;
        status =
            connect_unix(syslog, path == NULL ? default_socket : path, err);
    }
    if (status != STATUS_OK) {
        log_syslog_close(syslog);
        return status;
    }
    *out = syslog;
    return STATUS_OK;
}

void log_syslog_close(struct log_syslog *syslog)
{
    if (syslog == NULL)
        return;
    disconnect(syslog);
    (void)pthread_mutex_destroy(&syslog->lock);
    free(syslog);
}

/* ---- lines ---- */

static int priority(enum log_level level)
{
    static const int severities[] = {
        [LOG_LEVEL_INFO] = LOG_NOTICE, [LOG_LEVEL_WARN] = LOG_WARNING,
        [LOG_LEVEL_ERROR] = LOG_ERR,   [LOG_LEVEL_FATAL] = LOG_CRIT,
        [LOG_LEVEL_DEBUG] = LOG_DEBUG, [LOG_LEVEL_TRACE] = LOG_NOTICE,
    };
    return LOG_DAEMON | severities[level];
}

/* As Go's log/syslog writes it: RFC 3164, remote with a date of RFC 3339. */
static int header(const struct log_syslog *syslog, enum log_level level,
                  char out[HEADER_SIZE])
{
    char when[64] = "";
    time_t seconds = (time_t)(clock_wall(&clock_system) / CLOCK_SECOND);
    struct tm tm = {0};
    if ((syslog->local ? localtime_r : gmtime_r)(&seconds, &tm) != NULL) {
        (void)strftime(when, sizeof when,
                       syslog->local ? "%b %e %H:%M:%S" : "%Y-%m-%dT%H:%M:%SZ",
                       &tm);
    }
    return snprintf(out, HEADER_SIZE, "<%d>%s %s%s%s[%ld]: ", priority(level),
                    when, syslog->local ? "" : syslog->host,
                    syslog->local ? "" : " ", syslog->tag, (long)getpid());
}

/* True if it was sent. A connection that turns out to be lost is made again
 * and gets the line, once. */
static bool deliver(struct log_syslog *syslog, const char *data, size_t size)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (syslog->fd < 0 &&
            (clock_monotonic(&clock_system) < syslog->retry_at ||
             !connect_begin(syslog)))
            break;
        enum log_stream_result result =
            log_stream_write(&syslog->stream, data, size);
        if (result != LOG_STREAM_BROKEN)
            return result == LOG_STREAM_DONE;
        disconnect(syslog);
    }
    if (syslog->retry_at < clock_monotonic(&clock_system))
        syslog->retry_at = clock_monotonic(&clock_system) + RETRY;
    return false;
}

/* Before the first line after a gap: that there was one. */
static bool tell_dropped(struct log_syslog *syslog)
{
    char text[HEADER_SIZE + 64];
    if (syslog->dropped == 0)
        return true;
    int used = header(syslog, LOG_LEVEL_WARN, text);
    used += snprintf(text + used, 64, "%" PRIu64 " log lines were dropped\n",
                     syslog->dropped);
    return deliver(syslog, text, (size_t)used);
}

void log_syslog_write(struct log_syslog *syslog, enum log_level level,
                      const char *line, size_t size)
{
    char stack[HEADER_SIZE + DATAGRAM_MOST];
    size_t used = (size_t)header(syslog, level, stack);
    if (size > DATAGRAM_MOST) {
        size = DATAGRAM_MOST;
        memcpy(stack + used, line, size - 1);
        stack[used + size - 1] = '\n';
    } else {
        memcpy(stack + used, line, size);
    }
    (void)pthread_mutex_lock(&syslog->lock);
    if (tell_dropped(syslog) && deliver(syslog, stack, used + size)) {
        syslog->dropped = 0;
    } else {
        syslog->dropped++;
    }
    (void)pthread_mutex_unlock(&syslog->lock);
}
