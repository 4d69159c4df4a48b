#include "natsclient/subscriptions.h"

#include "natsclient/plain.h"

#include <stdlib.h>
#include <string.h>

struct subscription {
    struct list link; /* in its kind's list, which owns it */
    uint64_t sid;
    natsSubscription *nats; /* of the current link; NULL if that is plain */
    bool ended;             /* removed while messages are handed over */
    char subject[];
};

static struct subscription *subscription_of(struct list *link)
{
    return list_entry(link, struct subscription, link);
}

static void subscription_free(struct subscription *subscription)
{
    list_remove(&subscription->link);
    natsSubscription_Destroy(subscription->nats);
    free(subscription);
}

void subscriptions_init(struct subscriptions *subscriptions)
{
    *subscriptions = (struct subscriptions){0};
    for (int kind = 0; kind < INBOUND_KINDS; kind++)
        list_init(&subscriptions->kinds[kind]);
}

/* Frees those that have ended, or all. */
static void reap(struct subscriptions *subscriptions, bool all)
{
    for (int kind = 0; kind < INBOUND_KINDS; kind++) {
        struct list *list = &subscriptions->kinds[kind];
        struct list *next = NULL;
        for (struct list *link = list->next; link != list; link = next) {
            next = link->next;
            if (all || subscription_of(link)->ended)
                subscription_free(subscription_of(link));
        }
    }
}

void subscriptions_release(struct subscriptions *subscriptions)
{
    reap(subscriptions, true);
    free((void *)subscriptions->spent);
    free(subscriptions->routes);
    subscriptions->spent = NULL;
    subscriptions->routes = NULL;
}

/* ---- routes ---- */

static bool route_add(struct subscriptions *subscriptions, uint64_t sid,
                      enum inbound kind)
{
    if (subscriptions->route_count == subscriptions->route_capacity) {
        size_t capacity = subscriptions->route_capacity == 0
                              ? 16
                              : subscriptions->route_capacity * 2;
        struct route *routes =
            realloc(subscriptions->routes, capacity * sizeof *routes);
        if (routes == NULL)
            return false;
        subscriptions->routes = routes;
        subscriptions->route_capacity = capacity;
    }
    subscriptions->routes[subscriptions->route_count++] =
        (struct route){sid, kind};
    return true;
}

/* The index of the first route that is not below sid. */
static size_t route_search(const struct subscriptions *subscriptions,
                           uint64_t sid)
{
    size_t low = 0;
    size_t high = subscriptions->route_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (subscriptions->routes[middle].sid < sid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* NULL for one that has ended. Often several in a row are for the same. */
static struct route *route_find(struct subscriptions *subscriptions,
                                uint64_t sid)
{
    size_t at = subscriptions->route_recent;
    if (at >= subscriptions->route_count ||
        subscriptions->routes[at].sid != sid)
        at = route_search(subscriptions, sid);
    if (at == subscriptions->route_count ||
        subscriptions->routes[at].sid != sid)
        return NULL;
    subscriptions->route_recent = at;
    return &subscriptions->routes[at];
}

static void route_remove(struct subscriptions *subscriptions, uint64_t sid)
{
    struct route *route = route_find(subscriptions, sid);
    if (route == NULL)
        return;
    struct route *end = subscriptions->routes + subscriptions->route_count;
    memmove(route, route + 1, (size_t)(end - route - 1) * sizeof *route);
    subscriptions->route_count--;
}

/* ---- begin and end ---- */

static enum status begin(struct subscription *subscription, enum inbound kind,
                         struct link *link, struct error *err)
{
    if (link->plain != NULL) {
        if (plain_subscribe(link->plain, subscription->sid,
                            subscription->subject) == STATUS_OK)
            return STATUS_OK;
        return fail(err, STATUS_NO_MEMORY, "nats: subscribe %s",
                    subscription->subject);
    }
    natsStatus status =
        kind == INBOUND_REPLY
            ? link_subscribe_replies(link, subscription->subject,
                                     &subscription->nats)
            : natsConnection_SubscribeSync(&subscription->nats, link->nats,
                                           subscription->subject);
    if (status == NATS_OK)
        status = natsSubscription_SetPendingLimits(subscription->nats, -1, -1);
    if (status == NATS_OK)
        return STATUS_OK;
    return fail(err, link_status(status), "nats: subscribe %s: %s",
                subscription->subject, natsStatus_GetText(status));
}

enum status subscriptions_add(struct subscriptions *subscriptions,
                              enum inbound kind, const char *subject,
                              struct link *link, struct error *err)
{
    size_t size = strlen(subject) + 1;
    struct subscription *subscription = calloc(1, sizeof *subscription + size);
    if (subscription == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats: subscribe");
    memcpy(subscription->subject, subject, size);
    list_init(&subscription->link);
    subscription->sid = ++subscriptions->last_sid;
    if (!route_add(subscriptions, subscription->sid, kind)) {
        free(subscription);
        return fail(err, STATUS_NO_MEMORY, "nats: subscribe");
    }
    if (link != NULL && link_is_alive(link)) {
        enum status status = begin(subscription, kind, link, err);
        /* If the link was lost on the way it will begin with the next. */
        if (status != STATUS_OK && link_is_alive(link)) {
            route_remove(subscriptions, subscription->sid);
            subscription_free(subscription);
            return status;
        }
    }
    list_append(&subscriptions->kinds[kind], &subscription->link);
    return STATUS_OK;
}

void subscriptions_remove(struct subscriptions *subscriptions,
                          enum inbound kind, const char *subject,
                          struct link *link)
{
    struct list *list = &subscriptions->kinds[kind];
    for (struct list *at = list->next; at != list; at = at->next) {
        struct subscription *subscription = subscription_of(at);
        if (subscription->ended || strcmp(subscription->subject, subject) != 0)
            continue;
        if (subscription->nats != NULL)
            (void)natsSubscription_Unsubscribe(subscription->nats);
        if (link != NULL && link->plain != NULL)
            plain_unsubscribe(link->plain, subscription->sid);
        route_remove(subscriptions, subscription->sid);
        subscription->ended = true;
        if (!subscriptions->handing_over)
            subscription_free(subscription);
        return;
    }
}

void subscriptions_suspend(struct subscriptions *subscriptions)
{
    for (int kind = 0; kind < INBOUND_KINDS; kind++) {
        struct list *list = &subscriptions->kinds[kind];
        for (struct list *link = list->next; link != list; link = link->next) {
            struct subscription *subscription = subscription_of(link);
            natsSubscription_Destroy(subscription->nats);
            subscription->nats = NULL;
        }
    }
}

enum status subscriptions_resume(struct subscriptions *subscriptions,
                                 struct link *link)
{
    for (int kind = 0; kind < INBOUND_KINDS; kind++) {
        struct list *list = &subscriptions->kinds[kind];
        for (struct list *at = list->next; at != list; at = at->next) {
            enum status status =
                begin(subscription_of(at), (enum inbound)kind, link, NULL);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

/* ---- handing over ---- */

static void hand_over(const struct connection_events *events, enum inbound kind,
                      natsMsg *nats)
{
    const char *reply = natsMsg_GetReply(nats);
    struct inbound_message message = {
        .kind = kind,
        .subject = natsMsg_GetSubject(nats),
        .reply = reply != NULL && reply[0] != '\0' ? reply : NULL,
        .data = bytes_of(natsMsg_GetData(nats),
                         (size_t)natsMsg_GetDataLength(nats)),
        .no_responders = kind == INBOUND_REPLY && natsMsg_IsNoResponders(nats),
    };
    events->message(events->context, &message);
}

static void put_aside(struct subscriptions *subscriptions, natsMsg *nats)
{
    if (subscriptions->spent_count == subscriptions->spent_capacity) {
        size_t capacity = subscriptions->spent_capacity == 0
                              ? 256
                              : subscriptions->spent_capacity * 2;
        natsMsg **spent = (natsMsg **)reallocarray((void *)subscriptions->spent,
                                                   capacity, sizeof(natsMsg *));
        if (spent == NULL) {
            natsMsg_Destroy(nats);
            return;
        }
        subscriptions->spent = spent;
        subscriptions->spent_capacity = capacity;
    }
    subscriptions->spent[subscriptions->spent_count++] = nats;
}

static void destroy_spent(struct subscriptions *subscriptions)
{
    for (size_t i = 0; i < subscriptions->spent_count; i++)
        natsMsg_Destroy(subscriptions->spent[i]);
    subscriptions->spent_count = 0;
}

/* What the subscription holds now, which costs nothing if it is nothing:
 * a NextMsg() in vain would make an error text. */
static size_t hand_over_one(struct subscriptions *subscriptions,
                            const struct connection_events *events,
                            enum inbound kind,
                            struct subscription *subscription)
{
    int pending = 0;
    if (subscription->nats == NULL ||
        natsSubscription_GetPending(subscription->nats, &pending, NULL) !=
            NATS_OK)
        return 0;
    size_t count = 0;
    for (; pending > 0 && !subscription->ended; pending--) {
        natsMsg *nats = NULL;
        if (natsSubscription_NextMsg(&nats, subscription->nats, 0) != NATS_OK)
            break;
        hand_over(events, kind, nats);
        put_aside(subscriptions, nats);
        count++;
    }
    return count;
}

/* The list may grow at its end meanwhile. */
static size_t hand_over_kind(struct subscriptions *subscriptions,
                             const struct connection_events *events,
                             enum inbound kind)
{
    struct list *list = &subscriptions->kinds[kind];
    size_t count = 0;
    for (struct list *link = list->next; link != list; link = link->next) {
        if (!subscription_of(link)->ended) {
            count += hand_over_one(subscriptions, events, kind,
                                   subscription_of(link));
        }
    }
    return count;
}

static bool is_subscribed_to_replies(const struct subscriptions *subscriptions,
                                     const natsSubscription *nats)
{
    const struct list *list = &subscriptions->kinds[INBOUND_REPLY];
    for (struct list *link = list->next; link != list; link = link->next) {
        if (subscription_of(link)->nats == nats &&
            !subscription_of(link)->ended)
            return true;
    }
    return false;
}

static size_t hand_over_replies(const struct subscriptions *subscriptions,
                                struct link *link,
                                const struct connection_events *events)
{
    struct list replies;
    list_init(&replies);
    link_take_replies(link, &replies);
    size_t count = 0;
    struct list *next = NULL;
    for (struct list *at = replies.next; at != &replies; at = next) {
        next = at->next;
        struct link_reply *reply = list_entry(at, struct link_reply, link);
        if (is_subscribed_to_replies(subscriptions, reply->subscription)) {
            hand_over(events, INBOUND_REPLY, reply->message);
            count++;
        }
        link_reply_free(reply);
    }
    return count;
}

static size_t hand_over_plain(struct subscriptions *subscriptions,
                              struct link *link,
                              const struct connection_events *events)
{
    struct frame frame;
    size_t count = 0;
    while (link_next(link, &frame)) {
        const struct route *route = route_find(subscriptions, frame.sid);
        if (route == NULL)
            continue;
        const struct inbound_message message = {
            .kind = route->kind,
            .subject = frame.subject,
            .reply = frame.reply,
            .data = frame.data,
            .no_responders =
                route->kind == INBOUND_REPLY && frame.no_responders,
        };
        events->message(events->context, &message);
        count++;
    }
    return count;
}

static size_t hand_over_tls(struct subscriptions *subscriptions,
                            struct link *link,
                            const struct connection_events *events)
{
    size_t count = hand_over_replies(subscriptions, link, events);
    for (int kind = INBOUND_REPLY + 1; kind < INBOUND_KINDS; kind++)
        count += hand_over_kind(subscriptions, events, (enum inbound)kind);
    return count;
}

void subscriptions_hand_over(struct subscriptions *subscriptions,
                             struct link *link,
                             const struct connection_events *events)
{
    subscriptions->handing_over = true;
    size_t count = link->plain != NULL
                       ? hand_over_plain(subscriptions, link, events)
                       : hand_over_tls(subscriptions, link, events);
    subscriptions->handing_over = false;
    reap(subscriptions, false);
    if (count > 0)
        events->burst_end(events->context);
    destroy_spent(subscriptions);
}
