/* core.h - the state of one engine, for the modules of the engine only.
 *
 * The engine thread owns all of it and takes no lock. Each struct says which
 * module changes it; the others read. */
#ifndef STREAMD_ENGINE_CORE_H
#define STREAMD_ENGINE_CORE_H

#include "proto/records.h"
#include "streamd/base/nuid.h"
#include "streamd/base/ordered.h"
#include "streamd/base/table.h"
#include "streamd/base/text.h"
#include "streamd/base/timer.h"
#include "streamd/engine/cache.h"
#include "streamd/engine/engine.h"
#include "streamd/engine/pending.h"

struct commit;
struct channel_read;

/* ---- inquiry.c: a request of ours to a client or another server ---- */

enum inquiry_result {
    INQUIRY_ANSWERED,
    INQUIRY_TIMEOUT,
    INQUIRY_NOBODY,  /* no responders, or a subject that cannot be */
    INQUIRY_UNKNOWN, /* not sent, or we were cut off: it says nothing */
};

/* Part of its owner. data is the answer, borrowed. */
struct inquiry {
    struct timer timer;
    uint64_t id;        /* 0: not under way */
    uint64_t connected; /* engine.connected when it was sent */
    bool sent, again;   /* once; a second time */
    struct engine *engine;
    void (*ended)(struct inquiry *inquiry, enum inquiry_result result,
                  struct bytes data);
    void *context;
};

/* ---- client.c ---- */

struct client {
    struct text id, heartbeat_inbox, conn_id;
    int32_t protocol, ping_interval, ping_max_out;
    struct list subscriptions; /* live ones, by subscription.of_client */
    size_t subscription_count;

    /* heartbeat.c. While the inquiry is under way the timer is not set. */
    struct timer heartbeat_timer;
    struct inquiry heartbeat;
    int64_t heartbeat_failures; /* in a row */

    /* connect.c: looks whether this client still lives, for another one that
     * wants its id; rival holds that one's request. */
    struct inquiry probe;
    struct rival *rival;
};

/* ---- subscription.c ---- */

/*            commit done            close, client gone
 *  STARTING ------------> ACTIVE ----------------------> OFFLINE (durables,
 *     |  ^                  |                               |      shadows)
 *     |  `------------------+------------------ resume -----'
 *     `--> removed <--------'--- unsubscribe; close of what is not durable
 */
enum subscription_state {
    SUBSCRIPTION_STARTING, /* nothing is sent before the reply has left */
    SUBSCRIPTION_ACTIVE,
    SUBSCRIPTION_OFFLINE,
};

/* delivery.c: what takes messages from a channel: a plain subscription, or a
 * queue group. READY and WAITING are linked somewhere. */
enum consumer_state {
    CONSUMER_IDLE,
    CONSUMER_READY,   /* in engine.ready */
    CONSUMER_WAITING, /* in a channel_read */
};

struct consumer {
    enum consumer_state state;
    struct list link;
    struct subscription *subscription; /* exactly one of the two is set */
    struct queue_group *group;
    uint64_t gone_until; /* a read found nothing from its place to here */
    bool failed;         /* its last read failed */
};

/* redelivery.c: a pass over pending messages that may wait for reads. */
enum redelivery_kind {
    REDELIVERY_NONE,
    REDELIVERY_TIMER,   /* what is due (delivery.md 8.2) */
    REDELIVERY_RESUME,  /* all, by sequence (8.5) */
    REDELIVERY_STARTUP, /* what is due; members keep their own (13) */
};

struct redelivery_due {
    int64_t expiration;
    uint64_t sequence;
};

struct redelivery {
    enum redelivery_kind kind;
    struct redelivery_due *due;
    size_t count, next;
    bool again;             /* more became due while the pass went on */
    struct consumer waiter; /* .subscription is the owner */
};

/* admin_position.c: a new position on its way to the store. What is stored in
 * the meantime is this one, with nothing pending. */
struct move {
    bool under_way;
    uint64_t last_sent;
};

struct subscription {
    uint64_t id; /* by channel */
    enum subscription_state state;
    struct channel *channel;
    struct client *client; /* NULL while offline */
    struct text client_id; /* of the last client */
    struct text inbox, ack_inbox, durable_name;
    struct text durable_key;   /* of a plain durable: in channel.durables */
    struct queue_group *group; /* NULL: plain */
    int32_t max_in_flight, ack_wait_seconds;
    int64_t ack_wait; /* ns */
    uint64_t start;   /* number of its latest start (subscribe.c) */
    uint64_t last_sent;
    uint64_t redeliveries; /* delivery.c */
    struct pending pending;
    struct move move; /* not of a member: its group moves */
    bool is_durable;  /* plain durable, or member of a durable group */
    bool stalled;     /* changed by subscription_set_stalled() only */
    bool hold;        /* redeliveries first (delivery.md 9) */
    bool heartbeat_failed;
    bool inbox_usable; /* a subject that one can publish to */
    uint64_t too_big;  /* the last message of which the log says so */

    struct list of_channel; /* in channel.plain, or group.members */
    struct list of_client;
    struct list dirty; /* in engine.dirty: progress not yet in a batch */
    struct consumer consumer;
    struct redelivery redelivery;
    struct timer ack_timer;
};

/* ---- queue_group.c ---- */

struct queue_group {
    struct text name; /* "<durable>:<group>" or "<group>" */
    struct text key;  /* in channel.groups */
    bool is_durable;
    bool is_stored; /* does not go with a first member that fails to start */
    bool hold;
    struct channel *channel;
    struct list members; /* order matters (delivery.md 10.2) */
    size_t member_count, stalled_count;
    uint64_t last_sent;
    struct move move;
    struct subscription *shadow; /* of an empty durable group */
    struct consumer consumer;
};

/* ---- channel.c ---- */

enum channel_state_kind {
    CHANNEL_LIVE,
    CHANNEL_DELETING, /* on its way to the store (expiry.c, admin_channel.c) */
};

struct channel {
    uint64_t id; /* never reused */
    struct text name;
    struct text folded; /* in lower case: in engine.channel_folds */
    enum channel_state_kind state;
    struct channel_limits limits;

    uint64_t first;   /* oldest stored, as the last commit told */
    uint64_t durable; /* newest stored: deliveries stop here */
    uint64_t last;    /* newest given: what is above durable is in a batch */
    uint64_t messages, bytes;
    int64_t first_timestamp; /* of the oldest stored; 0: there is none */
    int64_t last_timestamp;  /* of the newest given */
    bool limit_warned;
    bool purging; /* admin_channel.c: a purge is in a batch */

    uint64_t last_subscription;
    struct table *subscriptions; /* by id, offline ones too: all records */
    struct list plain;           /* STARTING or ACTIVE, no group */
    struct table *durables;      /* plain durables by key */
    struct table *groups;        /* by key */
    size_t active;               /* subscriptions that are not offline */
    unsigned pins; /* requests under way that keep it from deletion */

    struct channel_cache cache;
    struct list reads; /* under way (delivery.c) */

    struct timer expiry_timer;
    int64_t expiry_tried; /* first_timestamp when it last fired */
    struct timer idle_timer;
    int64_t idle_since; /* monotonic: last activity */
    struct engine *engine;
};

/* ---- the engine ---- */

enum engine_phase {
    ENGINE_NEW,
    ENGINE_STARTING,
    ENGINE_SERVING,
    ENGINE_STOPPING,
};

struct engine {
    struct engine_config config;
    enum engine_phase phase;
    bool in_burst; /* the clocks were read for it */
    struct log *log;
    const struct clock *clock;
    int64_t now;  /* monotonic, of the event being handled */
    int64_t wall; /* the same moment on the wall clock */
    int64_t start_time;
    struct timers timers;

    /* start.c: the subjects we serve, from the store after the first start */
    struct text cluster_id, discovery, publish, subscribe, unsubscribe, close,
        sub_close, pings, acks_subs, node_id, ack_prefix;
    bool server_recovered;
    struct text reply_prefix; /* of our inquiries */
    struct inquiry start_inquiry;

    struct table *inquiries; /* inquiry.c: by id */
    uint64_t last_inquiry;
    uint64_t connected; /* how often the connection came back */

    struct table *clients;  /* client.c: by id */
    struct table *conn_ids; /* client.c: by connID */
    struct ordered *clients_by_id;
    struct client *recent_client;

    struct table *channels; /* channel.c: by name */
    struct ordered *channels_by_name;
    struct table *channel_ids;   /* by id */
    struct table *channel_folds; /* by lower-case name */
    struct table *damaged;       /* by lower-case name: not to be used */
    uint64_t last_channel;
    struct channel *recent_channel;
    uint64_t messages_total, bytes_total; /* over all channels */
    uint64_t subscriptions_total;         /* subscription.c */

    uint64_t last_start; /* subscribe.c */

    struct table *acks; /* subscription.c: by ack inbox */
    struct subscription *recent_ack;

    struct cache cache;
    struct list ready;  /* delivery.c: consumers */
    struct list failed; /* consumers whose read failed */
    struct timer failed_timer;
    size_t reads; /* under way */

    struct list dirty;      /* subscription.c: progress to be stored */
    struct commit *filling; /* commit.c */
    struct commit *flying;  /* NULL: none under way */
    struct commit *spare;
    struct commit *reserve;   /* takes over when a batch failed */
    struct timer retry_timer; /* after a failed commit */
    bool paused;
    bool has_disk; /* a commit takes a while, in which others fill up */
    int64_t commit_finished, commit_took; /* the latest that succeeded */

    struct blob scratch; /* for one encoding at a time */
    uint64_t in_messages, in_bytes, out_messages, out_bytes;
    struct view_counters counters; /* each by the module it is about */
};

#endif
