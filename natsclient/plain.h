/* plain.h - the data of a connection without TLS: frames in, publishes out.
 *
 * nats.c has made the connection and keeps its hands off it from then on. What
 * comes is handed over where it was read, in the order in which it came; what
 * goes is written into the buffer it is sent from. Nothing is allocated for a
 * message. Loop thread only, but for plain_new() and plain_free(). */
#ifndef NATSCLIENT_PLAIN_H
#define NATSCLIENT_PLAIN_H

#include "natsclient/frame.h"
#include "natsclient/outgoing.h"
#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAIN_PING_EVERY_MS 10000
#define PLAIN_PINGS_MAX 3 /* unanswered: the server is taken for dead */

struct plain {
    int socket; /* borrowed, not blocking */
    size_t max_payload;
    /* in[start..end] is read and not yet handed over. */
    char *in;
    size_t start, end, capacity;
    struct outgoing out;
    bool heard;     /* something, since the last plain_tick() */
    int unanswered; /* pings */
    bool lost;      /* and why: */
    char reason[256];
};

/* socket is borrowed. max_payload is the server's. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status plain_new(int socket, size_t max_payload,
                                 struct plain **out, struct error *err);
void plain_free(struct plain *plain); /* NULL is allowed */

/* Gives the connection up, unless that has happened: reason says why. */
void plain_lose(struct plain *plain, const char *reason);

/* Reads once, as much as there is room for. */
void plain_read(struct plain *plain);

/* The next frame of what was read that is a message, an INFO or an ERROR; the
 * rest is dealt with. Valid until the next plain_read(). */
bool plain_next(struct plain *plain, struct frame *frame);

/* Errors: STATUS_NO_MEMORY, STATUS_TOO_BIG (over max_payload). The subjects
 * are taken as they are: check them before. */
MUST_CHECK enum status plain_publish(struct plain *plain, struct bytes subject,
                                     struct bytes reply, struct bytes data);
MUST_CHECK enum status plain_subscribe(struct plain *plain, uint64_t sid,
                                       const char *subject);
void plain_unsubscribe(struct plain *plain, uint64_t sid);

/* Writes what the socket takes. */
void plain_write(struct plain *plain);

/* Call every PLAIN_PING_EVERY_MS while reading: asks a silent server whether
 * it lives and loses one that does not answer. */
void plain_tick(struct plain *plain);

#endif
