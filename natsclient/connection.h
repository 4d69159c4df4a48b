/* connection.h - the connection to NATS: bursts in, publishes out.
 *
 * Lives on the thread of its libuv loop: every function here, and every event,
 * is of that thread. Reconnects for ever, every 250 ms; while disconnected
 * nothing is buffered: a publish fails at once. */
#ifndef NATSCLIENT_CONNECTION_H
#define NATSCLIENT_CONNECTION_H

#include "natsclient/security.h"
#include "streamd/base/buffer.h"
#include "streamd/base/log.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct uv_loop_s;

/* What a subscription is for. Messages come in the order of their arrival, over
 * all subscriptions: that keeps every guarantee of protocol.md section 12.
 *
 * Only with TLS the order over several subscriptions is lost within a burst
 * (nats.c sorts it); the burst is then handed over in the order of this list,
 * which keeps the guarantees, too: requests that create before publishes and
 * acks, what ends things last. Replies come through a thread of nats.c then and
 * may be a burst of their own, a little later than what came with them. */
enum inbound {
    INBOUND_REPLY, /* answers to our own requests */
    INBOUND_CONNECT,
    INBOUND_PING,
    INBOUND_SUBSCRIBE,
    INBOUND_PUBLISH,
    INBOUND_ACK,
    INBOUND_UNSUBSCRIBE,
    INBOUND_SUB_CLOSE,
    INBOUND_CLOSE,
    INBOUND_ADMIN,
    INBOUND_KINDS
};

/* Borrowed until the event returns. */
struct inbound_message {
    enum inbound kind;
    const char *subject;
    const char *reply; /* NULL if none */
    struct bytes data;
    bool no_responders; /* status 503: nobody listens on what we asked */
};

struct connection_events {
    void *context;
    void (*message)(void *context, const struct inbound_message *message);
    /* After the messages of one burst; what was published is flushed next. */
    void (*burst_end)(void *context);
    /* The outgoing buffer, once full (connection_congested), is free again. */
    void (*drained)(void *context);
    void (*disconnected)(void *context);
    void (*reconnected)(void *context);
};

struct connection_options {
    const char *urls;         /* one, or several separated by commas */
    const char *name;         /* _NSS-<cluster>-general */
    struct security security; /* all zero: plain, and nobody in particular */
    struct log *log;
};

struct connection;

/* Connects, blocking, once (2 s a url at most). On STATUS_OK the caller owns
 * *out. loop is borrowed and must outlive it; options and events are copied.
 * Errors: STATUS_UNAVAILABLE (nobody there, or not to us), STATUS_INVALID (url,
 * security), STATUS_IO (nkey seed file), STATUS_NO_MEMORY. */
MUST_CHECK enum status connection_open(struct uv_loop_s *loop,
                                       const struct connection_options *options,
                                       const struct connection_events *events,
                                       struct connection **out,
                                       struct error *err);
/* Flushes what it can, closes, frees; NULL is allowed. No event comes after.
 * Then uv_run() must turn once more to finish closing handles. Not from within
 * an event. */
void connection_close(struct connection *connection);

/* Ends nats.c for the whole process and waits for its threads, which use
 * OpenSSL until then: exit() takes that away. At the end of a process, behind
 * the last connection; no other can be made. False if they go on after 5 s. */
MUST_CHECK bool connection_end_all(void);

/* Subscriptions last over reconnects. Not for hostile subjects: ours only.
 * Several of one kind are allowed. */
MUST_CHECK enum status connection_subscribe(struct connection *connection,
                                            enum inbound kind,
                                            const char *subject,
                                            struct error *err);
/* Ends the subscription with this kind and subject, if there is one. */
void connection_unsubscribe(struct connection *connection, enum inbound kind,
                            const char *subject);

/* Queues a message; reply may be NULL. Subjects may come from clients: one
 * that is no publishable subject (subjects.h) is STATUS_INVALID. While
 * disconnected: STATUS_UNAVAILABLE. Over max_payload: STATUS_TOO_BIG. */
MUST_CHECK enum status connection_publish(struct connection *connection,
                                          const char *subject,
                                          const char *reply, struct bytes data);

/* The largest data that the NATS server takes; 0 while it is not known. */
size_t connection_max_payload(const struct connection *connection);

/* Writes what is queued; called by the connection itself after each burst and
 * by the owner after publishing outside one. */
void connection_flush(struct connection *connection);

/* True while more is queued than should be: stop delivering, wait for
 * `drained`. */
bool connection_congested(const struct connection *connection);

/* Stops (true) or resumes reading, when more is uncommitted than should be. */
void connection_pause(struct connection *connection, bool pause);

bool connection_is_up(const struct connection *connection);

#endif
