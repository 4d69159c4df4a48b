/* listener.h - the socket that the HTTP server listens on: TCP, or a Unix
 * socket, which only the user of this process may connect to.
 *
 * Not for several threads at a time. */
#ifndef MONITOR_LISTENER_H
#define MONITOR_LISTENER_H

#include "streamd/base/status.h"

#include <stdint.h>

struct listener {
    int socket;            /* non-blocking, closed on exec; -1: none */
    int port;              /* of TCP */
    char *path;            /* of a Unix socket, owned; NULL: TCP */
    uint64_t device, file; /* of path: it is removed only while it is this */
};

/* Listens on a port of host: 1 to 65535; -1 or 0: any free one. On STATUS_OK
 * *listener is to be ended with listener_release(). Errors: STATUS_INVALID,
 * STATUS_IO ("can't listen to the monitor port: ..."). */
MUST_CHECK enum status listener_tcp(const char *host, int port,
                                    struct listener *listener,
                                    struct error *err);

/* Listens on path, mode 0600. A socket nobody listens on any more is replaced;
 * any other file stays and is an error. Likewise. Errors: STATUS_INVALID (too
 * long), STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status
listener_unix(const char *path, struct listener *listener, struct error *err);

/* Closes the socket, unless it is -1: whoever took it over sets that. Removes
 * the path. */
void listener_release(struct listener *listener);

#endif
