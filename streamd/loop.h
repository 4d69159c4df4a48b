/* loop.h - the engine thread: a libuv loop that feeds the engine.
 *
 * Bursts from NATS, timers, what the store finished and what monitoring asks
 * all become calls of the engine, one after the other. */
#ifndef STREAMD_LOOP_H
#define STREAMD_LOOP_H

#include "monitor/admin_access.h"
#include "streamd/base/status.h"
#include "streamd/engine/engine.h"
#include "streamd/engine/view.h"

struct loop;

struct loop_config {
    /* store, limits, clock, log and the settings; transport, context, post and
     * started are filled in here. The loop closes the store at its end. */
    struct engine_config engine;
    const char *urls;           /* of the NATS server */
    struct security security;   /* towards it */
    struct admin_access *admin; /* borrowed; NULL: no administration */
    void *context;
    /* Engine thread, once: it serves (failure NULL), or it cannot: then the
     * thread ends by itself and waits for loop_stop(). */
    void (*started)(void *context, const struct error *failure);
};

/* Starts the thread: connect, recover, serve. On STATUS_OK the caller owns
 * *out. On failure the store stays the caller's. Errors: STATUS_NO_MEMORY,
 * STATUS_IO. */
MUST_CHECK enum status loop_start(const struct loop_config *config,
                                  struct loop **out, struct error *err);

/* Stores what is to be stored, closes store and connection, ends the thread,
 * frees; a recovery under way is given up. Not from the engine thread. NULL is
 * allowed. */
void loop_stop(struct loop *loop);

/* Any other thread: what may change while it serves (engine.h); copied but for
 * the limits. Returns when the engine has taken it over. False, and nothing
 * happened: it does not serve yet. */
MUST_CHECK bool loop_reload(struct loop *loop,
                            const struct engine_settings *settings);

/* Any other thread: how far the recovery is. */
struct view_recovery loop_recovery(const struct loop *loop);

/* Any other thread: a view of the engine, as view.h says. While the state is
 * recovered the view is an empty one. */
struct view_source loop_view_source(struct loop *loop);

/* Any other thread: administration, as admin.h says. */
struct admin_source loop_admin_source(struct loop *loop);

#endif
