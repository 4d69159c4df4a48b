/* admin.h - administration: what an operator asks of the engine, and the
 * exact answer, in plain structs.
 *
 * Whoever asks fills a request and hands it over on the engine thread
 * (engine.h: engine_admin()); the engine fills the answer and calls done, on
 * that thread, once, when what was changed is durable. Times are ns. */
#ifndef STREAMD_ENGINE_ADMIN_H
#define STREAMD_ENGINE_ADMIN_H

#include "store/store.h"
#include "streamd/base/nuid.h"
#include "streamd/base/status.h"
#include "streamd/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Name for log lines and NATS subjects, what it is. */
#define ADMIN_VERB_MAP(X)                                                      \
    X(ADMIN_MESSAGES, "messages")                                              \
    X(ADMIN_MESSAGE, "message")                                                \
    X(ADMIN_PUBLISH, "publish")                                                \
    X(ADMIN_PURGE, "purge")                                                    \
    X(ADMIN_DELETE_CHANNEL, "delete_channel")                                  \
    X(ADMIN_SUBSCRIPTIONS, "subscriptions")                                    \
    X(ADMIN_DELETE_SUBSCRIPTION, "delete_subscription")                        \
    X(ADMIN_DELETE_QUEUE_GROUP, "delete_queue_group")                          \
    X(ADMIN_MOVE, "move")                                                      \
    X(ADMIN_PENDING, "pending")                                                \
    X(ADMIN_RELEASE, "release")                                                \
    X(ADMIN_DROP, "drop")                                                      \
    X(ADMIN_CLOSE_CLIENT, "close_client")

#define ADMIN_VERB_CODE(code, name) code,
enum admin_verb { ADMIN_VERB_MAP(ADMIN_VERB_CODE) ADMIN_VERBS };
#undef ADMIN_VERB_CODE

enum {
    ADMIN_LIST_MAX = 1000,         /* of limit */
    ADMIN_LIST_BYTES = 512 * 1024, /* a list of messages ends with the one
                                      that reaches this */
};

struct admin_subscription {
    uint64_t id;
    struct text client_id, inbox, durable_name, queue_name;
    bool is_durable, is_offline, is_stalled;
    int32_t max_in_flight, ack_wait_seconds;
    uint64_t last_sent, pending_count;
    int64_t oldest_pending_age; /* -1: nothing is pending */
};

struct admin_pending {
    uint64_t sequence;
    int64_t age;
    uint64_t deliveries;
    int64_t due_in; /* -1: not known */
};

/* Which members a verb fills is in brackets. */
struct admin_answer {
    uint64_t first, last;     /* [messages] stored; [purge] removed; [delete
                                 channel] last it had */
    uint64_t messages, bytes; /* [purge, delete channel] removed */
    struct run *run;          /* [messages, message] may be NULL: none */
    uint64_t sequence;        /* [publish] given */
    char guid[NUID_SIZE + 1]; /* [publish] */
    uint64_t previous;        /* [move] last sent before */
    uint64_t next;            /* [move] to be delivered next; [lists] where to
                                 go on, 0: that was all */
    uint64_t total;           /* [subscriptions, pending, drop] there are */
    uint64_t ended;           /* [delete channel, delete queue group, close
                                 client] subscriptions */
    uint64_t offline;         /* [close client] durables, now offline */
    uint64_t dropped;         /* [delete ..., move] pending: forgotten */
    uint64_t transferred;     /* [delete subscription] pending: to others */
    uint64_t deliveries;      /* [release] before */
    bool was_offline;         /* [delete subscription] */
    bool group_deleted;       /* [delete subscription] */
    bool is_durable;          /* [delete queue group] */
    struct text client_id, durable_name, queue_name; /* [delete ..., move] */
    struct admin_subscription *subscriptions;
    size_t subscription_count;
    struct admin_pending *pending;
    size_t pending_count;
};

struct admin_request {
    enum admin_verb verb;
    struct text who; /* for the log: an address, a reply inbox */
    struct text channel, queue_group, client_id, data;
    uint64_t subscription; /* id; 0: none given */
    bool by_time;          /* [messages, move] time, not sequence */
    uint64_t sequence;
    int64_t time; /* wall, above 0 */
    size_t offset, limit;
    bool force;

    /* Engine thread; the engine's last use. */
    void (*done)(struct admin_request *request);
    void *context;

    /* Filled by the engine. Errors: STATUS_INVALID (a member is), _NOT_FOUND,
     * _CONFLICT (not in this state), _LIMIT, _EXISTS (channel names that differ
     * in case only), _TOO_BIG, _UNAVAILABLE (starting, ending), _NO_MEMORY; any
     * other came from the store. */
    enum status status;
    struct error error;
    struct admin_answer answer;
};

const char *admin_verb_name(enum admin_verb verb);
/* False if there is no such verb. */
MUST_CHECK bool admin_verb_find(struct bytes name, enum admin_verb *verb);

/* What request and answer hold, not request itself. Any thread. */
void admin_request_release(struct admin_request *request);

/* How other threads ask: call blocks the calling thread (never the engine's)
 * until the engine has answered, or does not in time. It takes request, which
 * came from malloc(). On STATUS_OK *answered, with an answer or an error in it,
 * is the caller's again (admin_request_release(), free()). Errors:
 * STATUS_UNAVAILABLE (starting), STATUS_CLOSED (no answer in time: it may still
 * be done), STATUS_NO_MEMORY. */
struct admin_source {
    void *context;
    enum status (*call)(void *context, struct admin_request *request,
                        struct admin_request **answered, struct error *err);
};

#endif
