#include "streamd/notify.h"

#include "streamd/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 512, NUMBER_MAX = 20 };

/* ---- from the environment ---- */

/* 0 if text is none, or too big for a number. */
static int64_t number_of(const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    if (size == 0 || size > NUMBER_MAX || strspn(text, "0123456789") != size)
        return 0;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    return errno == 0 ? (int64_t)value : 0;
}

/* Half of what systemd waits, as sd_watchdog_enabled(3) has it; 0: none. */
static int64_t watchdog_interval(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    int64_t most = INT64_MAX / CLOCK_MICROSECOND;
    int64_t microseconds = number_of(getenv("WATCHDOG_USEC"));
    if (microseconds == 0 || microseconds > most ||
        (pid != NULL && number_of(pid) != (int64_t)getpid()))
        return 0;
    return microseconds * CLOCK_MICROSECOND / 2;
}

static enum status connect_to(struct notify *notify, const char *path,
                              struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || size < 2 ||
        size >= sizeof address.sun_path)
        return fail(err, STATUS_INVALID, "NOTIFY_SOCKET is no socket");
    memcpy(address.sun_path, path, size);
    if (path[0] == '@')
        address.sun_path[0] = '\0'; /* abstract: no file */
    size += offsetof(struct sockaddr_un, sun_path) + (path[0] == '/');
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->fd >= 0 &&
        connect(notify->fd, (const struct sockaddr *)&address,
                (socklen_t)size) == 0)
        return STATUS_OK;
    char reason[128];
    enum status status = fail(err, STATUS_IO, "NOTIFY_SOCKET: %s",
                              strerror_r(errno, reason, sizeof reason));
    notify_close(notify);
    return status;
}

enum status notify_open(struct notify *notify, struct error *err)
{
    enum status status = STATUS_OK;
    *notify = (struct notify){.fd = -1};
    const char *path = getenv("NOTIFY_SOCKET");
    if (path != NULL && path[0] != '\0')
        status = connect_to(notify, path, err);
    if (notify->fd >= 0)
        notify->watchdog = watchdog_interval();
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return status;
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        (void)close(notify->fd);
    notify->fd = -1;
}

/* ---- messages ---- */

static void tell(const struct notify *notify, const char *message)
{
    if (notify->fd >= 0)
        (void)!send(notify->fd, message, strlen(message), MSG_NOSIGNAL);
}

/* start and then the text, of which no byte may begin another line. */
static void tell_status(const struct notify *notify, const char *start,
                        const char *text)
{
    char message[MESSAGE_SIZE];
    (void)snprintf(message, sizeof message, "%sSTATUS=%s", start, text);
    for (char *at = message + strlen(start); *at != '\0'; at++) {
        if (*at == '\n')
            *at = ' ';
    }
    tell(notify, message);
}

void notify_starting(const struct notify *notify, const char *text)
{
    tell_status(notify, "EXTEND_TIMEOUT_USEC=600000000\n", text);
}

void notify_ready(struct notify *notify, const char *state)
{
    notify->ready = true;
    tell_status(notify, "READY=1\n", state);
}

void notify_reloading(struct notify *notify)
{
    char message[MESSAGE_SIZE];
    if (!notify->ready)
        return;
    (void)snprintf(message, sizeof message,
                   "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   clock_monotonic(&clock_system) / CLOCK_MICROSECOND);
    tell(notify, message);
}

void notify_reloaded(struct notify *notify)
{
    if (notify->ready)
        tell(notify, "READY=1");
}

void notify_stopping(struct notify *notify)
{
    notify->ready = false;
    tell_status(notify, "STOPPING=1\n", "SHUTDOWN");
}

int notify_alive(struct notify *notify)
{
    if (notify->watchdog == 0 || notify->fd < 0)
        return -1;
    int64_t now = clock_monotonic(&clock_system);
    if (now >= notify->next) {
        tell(notify, "WATCHDOG=1");
        notify->next = now + notify->watchdog;
    }
    int64_t left = (notify->next - now) / CLOCK_MILLISECOND + 1;
    return left < INT_MAX ? (int)left : INT_MAX;
}
