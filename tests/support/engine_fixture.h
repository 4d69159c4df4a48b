/* engine_fixture.h - one engine in one process on fakes: transport, clocks,
 * store (engine_store.h). Nothing happens unless the test makes it happen.
 *
 * Aborts on what cannot be in a test (no memory, an engine that does not
 * start). Texts that are returned live until fixture_free(). */
#ifndef TESTS_SUPPORT_ENGINE_FIXTURE_H
#define TESTS_SUPPORT_ENGINE_FIXTURE_H

#include "streamd/base/table.h"
#include "streamd/engine/engine.h"
#include "tests/support/engine_store.h"

/* What the fake NATS takes at most. */
enum { FIXTURE_PAYLOAD_MAX = 4096 };

/* Something the engine published, in the order it did. */
struct sent {
    char *subject;
    char *reply; /* NULL: none */
    struct bytes data;
    bool taken; /* by fixture_take() and what is built on it */
};

struct fixture_options {
    struct limits limits;
    int64_t heartbeat_interval, heartbeat_timeout, heartbeat_fail_count;
    int64_t cache_size;
    bool replace_durable;
    bool alone;
    bool log; /* keep the log, debug lines too, for fixture_log() */
};

struct fixture {
    struct fixture_options options;
    struct engine *engine;
    struct engine_store *store;
    struct clock clock;
    int64_t monotonic, wall;

    /* The fake transport. */
    bool cut;                 /* no NATS: publishes fail at once */
    bool congested;           /* its buffer is full */
    bool paused;              /* the engine wants no more */
    const char *refused;      /* publishes to this subject fail; may be NULL */
    size_t max_payload;       /* larger ones do too; 0: no limit */
    struct table *dead;       /* subjects that nobody listens on */
    bool no_responders;       /* NATS says so, instead of silence */
    struct table *subscribed; /* subjects the engine subscribed to */
    struct sent *sent;
    size_t sent_count, sent_capacity;

    struct list events; /* posted, not yet run */
    struct list echoes; /* replies to requests of the engine, on their way */
    bool in_burst;
    bool started;
    struct error failure; /* of the start */
    unsigned requests;    /* so far: names reply subjects */
    struct list texts;
    struct log *log;
    int log_file;
};

/* The defaults of the server, with a log. */
extern const struct fixture_options fixture_defaults;

/* A first engine on an empty store, started; its clock is somewhere. options
 * NULL: the defaults. */
struct fixture *fixture_new(const struct fixture_options *options);
void fixture_free(struct fixture *fixture);

/* The engine ends, a new one recovers what is stored and starts (fixture->
 * started tells). Messages that were sent stay. */
void fixture_restart(struct fixture *fixture);
/* The same, as if killed: of the commits under way the first `kept` are in the
 * store. */
void fixture_crash(struct fixture *fixture, size_t kept);

/* A message from NATS, of the burst that fixture_run() ends. */
void fixture_inject(struct fixture *fixture, enum inbound kind,
                    const char *subject, const char *reply, struct bytes data);
/* Ends the burst and does everything that is to be done now. */
void fixture_run(struct fixture *fixture);
/* Time passes, timers fire when they are due, everything is done. */
void fixture_advance(struct fixture *fixture, int64_t ns);
void fixture_advance_ms(struct fixture *fixture, int64_t milliseconds);

/* NATS goes, and comes back. */
void fixture_cut(struct fixture *fixture);
void fixture_reconnect(struct fixture *fixture);
/* Requests to this subject are answered (everybody answers at first), or not
 * any more. */
void fixture_set_dead(struct fixture *fixture, const char *subject, bool dead);

/* The first not yet taken to subject, now taken; NULL if there is none. */
const struct sent *fixture_take(struct fixture *fixture, const char *subject);
/* How many were sent to subject, taken or not. */
size_t fixture_count(const struct fixture *fixture, const char *subject);
/* Forgets all that was sent. */
void fixture_clear(struct fixture *fixture);

/* What came to inbox and was not yet taken, as text: "1 2 4r1": sequences,
 * behind r the redelivery count. */
const char *fixture_received(struct fixture *fixture, const char *inbox);

const char *fixture_text(struct fixture *fixture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* True if the log holds text. */
bool fixture_log_has(const struct fixture *fixture, const char *text);
/* How often it does. */
size_t fixture_log_count(const struct fixture *fixture, const char *text);

#endif
