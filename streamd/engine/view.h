/* view.h - a copy of the engine's state for monitoring, owned by the caller.
 *
 * Plain data with no pointer into the engine; made on the engine thread, used
 * and freed anywhere. */
#ifndef STREAMD_ENGINE_VIEW_H
#define STREAMD_ENGINE_VIEW_H

#include "streamd/base/buffer.h"
#include "streamd/base/histogram.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a publish was refused. */
enum publish_failure {
    PUBLISH_INVALID,  /* no valid request, or of an unknown client */
    PUBLISH_LIMIT,    /* a channel too many */
    PUBLISH_STORE,    /* the store could not keep it */
    PUBLISH_RESOURCE, /* out of memory, too big, channel not to be had */
    PUBLISH_FAILURES,
};

/* What happened since the start; the histograms with the bounds of base. */
struct view_counters {
    uint64_t publish_failures[PUBLISH_FAILURES];
    uint64_t redeliveries, acks;
    uint64_t expired, trimmed; /* messages: of age or purged; over a limit */
    uint64_t commits, commit_failures;
    uint64_t cache_hits, cache_misses; /* messages wanted for a delivery */
    uint64_t connection_losses;        /* to NATS */
    uint64_t heartbeat_closes; /* clients that did not answer heartbeats */
    struct histogram commit_durations, commit_bytes, commit_messages;
    struct histogram sync_durations;
};

/* How far the recovery of the stored state is. */
struct view_recovery {
    uint64_t channels, messages; /* so far */
    int64_t duration;            /* ns; 0: under way */
};

enum view_kind {
    VIEW_SERVER,   /* the head and totals only */
    VIEW_CLIENTS,  /* + clients, window, sorted by id bytewise */
    VIEW_CHANNELS, /* + channels, window, sorted by name bytewise */
};

struct view_query {
    enum view_kind kind;
    bool subscriptions; /* with the subscriptions of each */
    const char *name;   /* not NULL: this client or channel only */
    size_t offset, limit;
    const struct view_string *behind; /* not NULL: instead of the offset */
};

/* The engine copies a list in slices of so many entries, or about so many
 * subscriptions, so that one never holds its thread for long. */
enum { VIEW_SLICE_ENTRIES = 256, VIEW_SLICE_SUBSCRIPTIONS = 1024 };

/* Strings are terminated and owned by the view; sizes are kept as an id may
 * hold any byte. */
struct view_string {
    char *text;
    size_t size;
};

/* monitoring.md 8.2 */
struct view_subscription {
    struct view_string client_id, channel, inbox, ack_inbox, durable_name,
        queue_name;
    bool is_durable, is_offline, is_stalled;
    int32_t max_in_flight, ack_wait_seconds;
    uint64_t last_sent, pending_count;
    int64_t oldest_pending; /* ns since it was sent first; 0: none, unknown */
    uint64_t redeliveries;  /* since the start, or since it came after that */
};

/* monitoring.md 8.1 */
struct view_channel {
    struct view_string name;
    uint64_t messages, bytes, first, last;
    uint64_t subscription_count; /* by the rule of monitoring.md 5 */
    struct view_subscription *subscriptions;
    size_t subscriptions_size;
};

/* monitoring.md 7 */
struct view_client {
    struct view_string id, heartbeat_inbox;
    uint64_t subscription_count;
    struct view_subscription *subscriptions; /* in the client's order */
    size_t subscriptions_size;
};

struct view {
    struct view_string cluster_id, server_id;
    const char *state;  /* monitoring.md 9; static */
    const char *store;  /* MEMORY, FILE; static */
    int64_t start_time; /* wall, ns */
    uint64_t clients_total, channels_total, subscriptions_total;
    uint64_t messages_total, bytes_total;
    uint64_t in_messages, in_bytes, out_messages, out_bytes;
    int64_t cache_bytes, uncommitted_bytes;
    struct view_counters counters;
    struct view_recovery recovery;
    struct view_client *clients;
    size_t clients_size;
    struct view_channel *channels;
    size_t channels_size;
    bool more; /* the slice ended before the window did */
};

/* Everything it holds and itself: all from malloc(), unset strings NULL. */
void view_free(struct view *view); /* NULL is allowed */

/* Replaces the string by a copy of bytes. On STATUS_NO_MEMORY, the only error,
 * it is as it was. */
MUST_CHECK enum status view_string_set(struct view_string *string,
                                       struct bytes bytes);

/* Moves the entries of slice behind those of view and frees slice. On
 * STATUS_NO_MEMORY, the only error, slice is freed, too. */
MUST_CHECK enum status view_append(struct view *view, struct view *slice);

/* The last entry's name or id; NULL if there is no entry. */
const struct view_string *view_last(const struct view *view);

/* What must be true for clients to be served. */
enum view_health {
    VIEW_RECOVERED = 1, /* the stored state is in memory */
    VIEW_CONNECTED = 2, /* to NATS */
    VIEW_SERVING = 4,   /* requests of clients are taken */
    VIEW_WRITABLE = 8,  /* the last commit did not fail */
    VIEW_HEALTHY = 15,
};

/* Where monitoring gets views: get blocks the calling thread (never the
 * engine's) until the engine has answered. On STATUS_OK the caller owns *out.
 * A long list is put together from slices: each entry is as it was at one
 * moment, two entries perhaps not at the same. Errors: STATUS_NO_MEMORY,
 * STATUS_CLOSED (shutting down), STATUS_NOT_FOUND (the name asked for is not
 * there; a view without it says the same). */
struct view_source {
    void *context;
    /* enum view_health bits that hold now; never waits. NULL: none is known. */
    unsigned (*health)(void *context);
    enum status (*get)(void *context, const struct view_query *query,
                       struct view **out, struct error *err);
};

#endif
