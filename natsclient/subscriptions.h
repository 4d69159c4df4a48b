/* subscriptions.h - what a connection is subscribed to, over all its links,
 * and the handing over of what came for it.
 *
 * Loop thread only. */
#ifndef NATSCLIENT_SUBSCRIPTIONS_H
#define NATSCLIENT_SUBSCRIPTIONS_H

#include "natsclient/connection.h"
#include "natsclient/link.h"
#include "streamd/base/list.h"
#include "streamd/base/status.h"

#include <stdbool.h>

/* Which subscription a message is for, on a plain link. */
struct route {
    uint64_t sid;
    enum inbound kind;
};

struct subscriptions {
    struct list kinds[INBOUND_KINDS]; /* own their struct subscription */
    bool handing_over;    /* nothing is freed meanwhile, only marked */
    uint64_t last_sid;    /* never used twice, over all links */
    struct route *routes; /* rising by sid; those that have not ended */
    size_t route_count, route_capacity;
    size_t route_recent; /* index of the one found last, if it is still there */
    /* Handed over and to be destroyed behind the burst: nats.c passes each to
     * a thread of its own, which then takes them all at once instead of
     * competing with us for every one. */
    natsMsg **spent;
    size_t spent_count, spent_capacity;
};

void subscriptions_init(struct subscriptions *subscriptions);
void subscriptions_release(struct subscriptions *subscriptions);

/* Adds one and begins it on link, unless that is NULL or dead: then it begins
 * with the next. Errors: STATUS_NO_MEMORY, STATUS_INVALID (subject). */
MUST_CHECK enum status subscriptions_add(struct subscriptions *subscriptions,
                                         enum inbound kind, const char *subject,
                                         struct link *link, struct error *err);
/* Ends the first of this kind and subject, if there is one. link is the one
 * it began on, or NULL. */
void subscriptions_remove(struct subscriptions *subscriptions,
                          enum inbound kind, const char *subject,
                          struct link *link);

/* Takes all off their link, which is about to end. */
void subscriptions_suspend(struct subscriptions *subscriptions);
/* Begins all on a new link; on an error some may have begun. */
MUST_CHECK enum status subscriptions_resume(struct subscriptions *subscriptions,
                                            struct link *link);

/* Hands over what has come, and the end of the burst if there was anything.
 * connection.h says in which order. */
void subscriptions_hand_over(struct subscriptions *subscriptions,
                             struct link *link,
                             const struct connection_events *events);

#endif
