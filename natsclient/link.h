/* link.h - one connection to a NATS server, from connected to lost.
 *
 * nats.c makes it: address, INFO, credentials, TLS. With TLS it also carries
 * the data. Without, it does not touch the socket any more once connected:
 * plain.h reads and writes there, at a tenth of the cost a message.
 *
 * nats.c could reconnect by itself; we do not let it. Its reconnect holds its
 * lock through every attempt (any call on the loop thread would wait), buffers
 * one publish whatever it is told, and gives up for ever on several errors. A
 * link ends with its first error and connector.c makes a new one.
 *
 * Made on any thread, then used by the loop thread only. nats.c's own threads
 * call into it; they touch only what `mutex` guards and what is atomic. */
#ifndef NATSCLIENT_LINK_H
#define NATSCLIENT_LINK_H

#include "natsclient/deadline.h"
#include "natsclient/dial.h"
#include "natsclient/frame.h"
#include "natsclient/security.h"
#include "natsclient/urls.h"
#include "streamd/base/list.h"
#include "streamd/base/status.h"

#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define LINK_ERRORS_MAX 8
#define LINK_ERROR_SIZE 384

struct link {
    atomic_int references; /* the owner's, two of nats.c (see link_open()), one
                            * for each subscription to replies */
    atomic_bool alive;     /* false from the moment it is given up */
    natsConnection *nats;
    struct plain *plain;      /* carries the data; NULL: TLS, nats.c does */
    bool pings;               /* of nats.c are on */
    char url[DIAL_SHOWN_MAX]; /* connected to, for logs */
    /* Our duplicate of nats.c's socket: nats.c closes its own from whatever
     * thread finds an error, and a number that is free can be someone else's
     * by the time the loop looks at it. */
    int socket;
    struct deadline deadline; /* of calls on the loop thread */
    pthread_t loop_thread;

    pthread_mutex_t mutex;
    uv_async_t *async; /* woken by news; NULL once the owner has let go */
    char errors[LINK_ERRORS_MAX][LINK_ERROR_SIZE]; /* not yet taken */
    int error_count;
    struct list replies; /* struct link_reply, not yet taken */

    struct urls members; /* of the NATS cluster, told later on; plain only */
};

/* A message that a thread of nats.c has put aside for the loop. */
struct link_reply {
    struct list link;
    const natsSubscription *subscription; /* compare only: may be gone */
    natsMsg *message;                     /* owned */
};

struct link_options {
    const char *name;
    const struct urls *urls;
    const struct urls *discovered; /* used behind urls; may be empty */
    const struct security *security;
    pthread_t loop_thread;
    uv_async_t *async; /* may be NULL */
};

/* Connects, blocking, at most 2 s for each url. On STATUS_OK the caller owns
 * *out. Errors: those of dial(). */
MUST_CHECK enum status link_open(const struct link_options *options,
                                 struct link **out, struct error *err);

/* Loop thread: from here on a call that waits for a stopped server ends. */
void link_enter(struct link *link);

/* From here on news wakes async. */
void link_listen(struct link *link, uv_async_t *async);

/* Closes at once; NULL is allowed. async is not touched from here on. */
void link_close(struct link *link);

/* As connection_end_all(). */
MUST_CHECK bool link_end_all(void);

static inline bool link_is_alive(const struct link *link)
{
    return atomic_load_explicit(&link->alive, memory_order_acquire);
}

/* Why it was lost, for people. Only when it is not alive. */
void link_reason(const struct link *link, char *out, size_t capacity);

/* Moves the errors that were reported aside into out (LINK_ERRORS_MAX of
 * them at most) and returns their number. */
int link_take_errors(struct link *link,
                     char out[LINK_ERRORS_MAX][LINK_ERROR_SIZE]);

/* Plain only: the next message of what link_read() has read. */
bool link_next(struct link *link, struct frame *frame);

/* Queues a message. reply may be empty; both subjects are terminated. Errors:
 * STATUS_UNAVAILABLE, STATUS_TOO_BIG, STATUS_NO_MEMORY. */
MUST_CHECK enum status link_publish(struct link *link, struct bytes subject,
                                    struct bytes reply, struct bytes data);

/* TLS only. Subscribes to answers to our own requests. Unlike all else they
 * come through a thread of nats.c: reading a synchronous subscription swallows
 * the message that says that nobody listens, and with it the request's inbox.
 */
MUST_CHECK natsStatus link_subscribe_replies(struct link *link,
                                             const char *subject,
                                             natsSubscription **out);
/* TLS only. Moves what has come to the end of the list; each is then the
 * caller's, to be ended with link_reply_free(). */
void link_take_replies(struct link *link, struct list *out);
void link_reply_free(struct link_reply *reply);

/* Adds the members of the NATS cluster that the server told us about. */
void link_discovered(const struct link *link, struct urls *urls);

/* What is there is read (and with TLS sorted into subscriptions of nats.c);
 * what is queued is written as far as it goes. */
void link_read(struct link *link);
void link_write(struct link *link);

/* Call every PLAIN_PING_EVERY_MS while reading. */
void link_tick(struct link *link);

/* The largest data that the server takes; 0: not known. */
size_t link_max_payload(const struct link *link);

/* Bytes waiting to be written; 0 if it is not alive. */
size_t link_queued(const struct link *link);

/* Writes all that is queued, then waits until the server has closed its end,
 * 500 ms at most: a socket closed with unread bytes in it resets the
 * connection, and what was written last may not arrive. Only link_close()
 * comes after it. */
void link_finish(struct link *link);

/* A code of nats.c as ours. */
enum status link_status(natsStatus status);

#endif
