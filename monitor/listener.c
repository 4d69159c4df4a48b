#include "monitor/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, KIND = SOCK_CLOEXEC | SOCK_NONBLOCK };

/* Keeps errno. */
static void give_up(int number)
{
    int saved = errno;
    (void)close(number);
    errno = saved;
}

/* ---- TCP ---- */

static enum status tcp_fail(struct error *err, const char *host, int port,
                            const char *what, const char *reason)
{
    bool brackets = strchr(host, ':') != NULL;
    return fail(err, STATUS_IO,
                "can't listen to the monitor port: listen tcp %s%s%s:%d: "
                "%s: %s",
                brackets ? "[" : "", host, brackets ? "]" : "", port, what,
                reason);
}

static int bound_port(int number)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    memset(&address, 0, sizeof address);
    socklen_t size = sizeof address;
    if (getsockname(number, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
                                                   : address.v4.sin_port);
}

/* A listening socket for the address, or -1 with errno and what failed. */
static int address_listen(const struct addrinfo *address, const char **what)
{
    *what = "socket";
    int number = socket(address->ai_family, address->ai_socktype | KIND, 0);
    if (number < 0)
        return -1;
    const int on = 1; /* a restart must not wait for old connections to go */
    *what = "bind";
    if (setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(number, address->ai_addr, address->ai_addrlen) == 0) {
        *what = "listen";
        if (listen(number, BACKLOG) == 0)
            return number;
    }
    give_up(number);
    return -1;
}

enum status listener_tcp(const char *host, int port, struct listener *listener,
                         struct error *err)
{
    *listener = (struct listener){.socket = -1};
    if (port > UINT16_MAX)
        return fail(err, STATUS_INVALID, "monitor: no port: %d", port);
    char service[8];
    (void)snprintf(service, sizeof service, "%d", port < 0 ? 0 : port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    int code = getaddrinfo(host, service, &hints, &addresses);
    if (code != 0)
        return tcp_fail(err, host, port, "lookup", gai_strerror(code));
    const char *what;
    listener->socket = address_listen(addresses, &what);
    freeaddrinfo(addresses);
    if (listener->socket < 0)
        return tcp_fail(err, host, port, what, strerror(errno));
    listener->port = bound_port(listener->socket);
    return STATUS_OK;
}

/* ---- a Unix socket ---- */

union unix_address {
    struct sockaddr any;
    struct sockaddr_un local;
};

/* True if path is a socket that nobody listens on. */
static bool is_left_over(const union unix_address *address)
{
    struct stat stat;
    if (lstat(address->local.sun_path, &stat) != 0 || !S_ISSOCK(stat.st_mode))
        return false;
    int number = socket(AF_UNIX, SOCK_STREAM | KIND, 0);
    if (number < 0)
        return false;
    bool refused = connect(number, &address->any, sizeof address->local) != 0 &&
                   errno == ECONNREFUSED;
    (void)close(number);
    return refused;
}

/* The mode is given to the socket before there is a path: nobody else can
 * connect in between, whatever the umask. */
static bool bind_closed(int number, const union unix_address *address)
{
    return fchmod(number, S_IRUSR | S_IWUSR) == 0 &&
           bind(number, &address->any, sizeof address->local) == 0;
}

static bool unix_bind(int number, const union unix_address *address)
{
    if (bind_closed(number, address))
        return true;
    if (errno != EADDRINUSE)
        return false;
    if (is_left_over(address) && unlink(address->local.sun_path) == 0)
        return bind_closed(number, address);
    errno = EADDRINUSE;
    return false;
}

static bool remember(struct listener *listener, const char *path)
{
    struct stat stat;
    if (lstat(path, &stat) != 0)
        return false;
    listener->device = stat.st_dev;
    listener->file = stat.st_ino;
    return true;
}

enum status listener_unix(const char *path, struct listener *listener,
                          struct error *err)
{
    union unix_address address;
    size_t size = strlen(path);
    *listener = (struct listener){.socket = -1};
    memset(&address, 0, sizeof address);
    address.local.sun_family = AF_UNIX;
    if (size >= sizeof address.local.sun_path) {
        return fail(err, STATUS_INVALID,
                    "socket %s: longer than %zu characters", path,
                    sizeof address.local.sun_path - 1);
    }
    memcpy(address.local.sun_path, path, size);
    char *copy = strdup(path);
    if (copy == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    int number = socket(AF_UNIX, SOCK_STREAM | KIND, 0);
    if (number >= 0 && unix_bind(number, &address)) {
        listener->path = copy;
        listener->socket = number;
        if (remember(listener, path) && listen(number, BACKLOG) == 0)
            return STATUS_OK;
        int saved = errno;
        listener_release(listener);
        return fail(err, STATUS_IO, "socket %s: %s", path, strerror(saved));
    }
    enum status status =
        fail(err, STATUS_IO, "socket %s: %s", path, strerror(errno));
    if (number >= 0)
        (void)close(number);
    free(copy);
    return status;
}

void listener_release(struct listener *listener)
{
    struct stat stat;
    if (listener->socket >= 0)
        (void)close(listener->socket);
    if (listener->path != NULL && lstat(listener->path, &stat) == 0 &&
        stat.st_dev == listener->device && stat.st_ino == listener->file)
        (void)unlink(listener->path);
    free(listener->path);
    *listener = (struct listener){.socket = -1};
}
