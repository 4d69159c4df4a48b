/* outgoing.h - bytes on their way to a socket.
 *
 * A list of chunks, filled at the end and written from the front. What is
 * reserved lies in one chunk; one that has been written is filled again. */
#ifndef NATSCLIENT_OUTGOING_H
#define NATSCLIENT_OUTGOING_H

#include "streamd/base/list.h"

#include <stddef.h>

#define OUTGOING_CHUNK ((size_t)256 * 1024)

struct outgoing {
    struct list chunks; /* owned; at least one unless nothing was ever added */
    size_t size;        /* bytes not yet written */
};

void outgoing_init(struct outgoing *outgoing);
void outgoing_release(struct outgoing *outgoing);

/* Room for size bytes at the end, or NULL if out of memory. The caller fills
 * as many as it likes and says how many with outgoing_add(). */
char *outgoing_reserve(struct outgoing *outgoing, size_t size);
void outgoing_add(struct outgoing *outgoing, size_t size);

/* Writes until nothing is left or the socket takes no more: 0; else the errno
 * of what went wrong. Never blocks on a non-blocking socket. */
int outgoing_write(struct outgoing *outgoing, int socket);

#endif
