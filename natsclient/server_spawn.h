/* server_spawn.h - to find and to start the nats-server program. */
#ifndef NATSCLIENT_SERVER_SPAWN_H
#define NATSCLIENT_SERVER_SPAWN_H

#include "streamd/base/status.h"

#include <stddef.h>
#include <sys/types.h>

/* The path of the program: binary, else $NATS_SERVER_BIN, else "nats-server";
 * a name without '/' is looked for in PATH, then where distributions put it,
 * as a user's PATH may lack /usr/sbin. Errors: STATUS_NOT_FOUND. */
MUST_CHECK enum status server_find(const char *binary, char *out,
                                   size_t capacity, struct error *err);

/* What a program started here finds its configuration under. */
#define SERVER_CONFIG_PATH "/proc/self/fd/3"

/* Starts argv[0], a path, as the head of a new process group, with stdin from
 * /dev/null. *output is the read end of its stdout and stderr, *pidfd is
 * readable once it has ended; both the caller's to close. It gets SIGTERM when
 * the calling thread ends, and config (-1: none) as its descriptor 3. Errors:
 * STATUS_IO. */
MUST_CHECK enum status server_spawn(char *const argv[], int config, pid_t *pid,
                                    int *pidfd, int *output, struct error *err);

#endif
