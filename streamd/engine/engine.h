/* engine.h - the streaming engine: one deterministic state machine, fed by
 * one ordered stream of events.
 *
 * Everything here is called on the engine's one thread, and everything it
 * calls back is on that thread too; only `post` is called from others. It
 * knows no socket, no file and no clock of its own: a test passes fakes. */
#ifndef STREAMD_ENGINE_ENGINE_H
#define STREAMD_ENGINE_ENGINE_H

#include "natsclient/connection.h"
#include "store/store.h"
#include "streamd/base/clock.h"
#include "streamd/base/list.h"
#include "streamd/base/log.h"
#include "streamd/base/status.h"
#include "streamd/engine/admin.h"
#include "streamd/engine/transport.h"
#include "streamd/engine/view.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/* Something that another thread finished: post it, and engine_event() runs
 * it on the engine thread. Part of its owner's struct. */
struct event {
    struct list link;
    void (*run)(struct engine *engine, struct event *event);
};

struct engine_config {
    const char *cluster_id;
    const char *server_id;        /* new at every start */
    const char *discover_prefix;  /* _STAN.discover */
    const struct limits *limits;  /* borrowed, until engine_reload() */
    int64_t heartbeat_interval;   /* ns */
    int64_t heartbeat_timeout;    /* ns */
    int64_t heartbeat_fail_count; /* closes a client when exceeded */
    int64_t cache_size;           /* bytes of messages kept in memory */
    bool replace_durable;
    bool alone; /* refuse to start beside another server of this cluster */

    struct store *store; /* borrowed; recovered by engine_recover() */
    /* Borrowed; NULL: nobody looks. channels and messages are written
     * atomically, for others to read meanwhile. */
    struct view_recovery *recovery;
    /* Borrowed; NULL: never. Set by another thread, atomically: a recovery ends
     * before the next channel. */
    const bool *stopping;
    struct transport transport;
    const struct clock *clock; /* borrowed */
    struct log *log;           /* borrowed */

    void *context;
    /* Any thread: makes engine_event(event) happen soon. */
    void (*post)(void *context, struct event *event);
    /* The start ended: NULL: it serves; else why it cannot. */
    void (*started)(void *context, const struct error *failure);
    /* NULL: no administration over NATS. Else a request to
     * _STAN.admin.<cluster>.<verb> came, borrowed for the call. */
    void (*admin)(void *context, const struct inbound_message *message);
};

/* On STATUS_OK the caller owns *out. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status engine_new(const struct engine_config *config,
                                  struct engine **out, struct error *err);

/* After store_close(): no commit and no read may be under way. */
void engine_free(struct engine *engine); /* NULL is allowed */

/* Takes the state out of the store; blocks. Errors: those of the store,
 * STATUS_INVALID when the store is of another cluster, and STATUS_CLOSED when
 * it is to end. */
MUST_CHECK enum status engine_recover(struct engine *engine, struct error *err);

/* Begins to serve, on a transport that is up: looks for another server of this
 * cluster, stores the server record, subscribes, redelivers. Ends with a call
 * of started. */
void engine_start(struct engine *engine);

/* Stores what is not yet stored (progress of subscriptions), takes no more
 * requests. True when nothing is under way any more: the store may be closed;
 * else call again after the next event. */
bool engine_stop(struct engine *engine);

/* What may change while it serves. limits is borrowed, and what was there
 * before stays borrowed: by the store, until its close. */
struct engine_settings {
    const struct limits *limits;
    int64_t heartbeat_interval, heartbeat_timeout, heartbeat_fail_count;
};

/* Takes them over: at once for what is counted in time, with the next message
 * for what is counted in messages and bytes; heartbeats that are due already
 * keep their time. */
void engine_reload(struct engine *engine,
                   const struct engine_settings *settings);

/* The events. After each call what was published is to be flushed. */
void engine_message(struct engine *engine,
                    const struct inbound_message *message);
void engine_burst_end(struct engine *engine);
void engine_event(struct engine *engine, struct event *event);
void engine_timers(struct engine *engine);
void engine_drained(struct engine *engine);
void engine_disconnected(struct engine *engine);
void engine_reconnected(struct engine *engine);

/* enum view_health bits that hold now; VIEW_RECOVERED is the caller's to know.
 */
unsigned engine_health(const struct engine *engine);

/* True, and the monotonic time of the next timer, if there is one. When
 * *due is in the past call engine_timers() without waiting. */
bool engine_next_timer(const struct engine *engine, int64_t *due);

/* Does what request asks for and fills its answer; request->done is called
 * now or later, when all of it is durable. Not from done. As part of an event
 * (engine_event(), or admin above). */
void engine_admin(struct engine *engine, struct admin_request *request);

/* A copy of the state; errors: STATUS_NO_MEMORY, STATUS_NOT_FOUND (no such
 * client or channel: *out is NULL). */
MUST_CHECK enum status engine_view(struct engine *engine,
                                   const struct view_query *query,
                                   struct view **out, struct error *err);

#endif
