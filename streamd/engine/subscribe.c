#include "streamd/engine/subscribe.h"

#include "natsclient/subjects.h"
#include "proto/codec.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/expiry.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/redelivery.h"
#include "streamd/engine/removal.h"
#include "streamd/engine/reply.h"
#include "streamd/engine/start_position.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACK_INBOX_MAX = 128 };

/* One request on its way. */
struct subscribe {
    const struct inbound_message *message;
    struct subscription_request request;
    struct client *client;
    struct channel *channel;
    struct queue_group *group; /* NULL: none, or not there yet */
    struct subscription *old;  /* to be resumed: durable or shadow */
    bool start_known; /* its start position was looked up in the store */
    uint64_t last_sent;
    char start[START_TEXT_MAX];
};

void subscribe_log(struct engine *engine,
                   const struct subscription *subscription, const char *action,
                   const char *start)
{
    if (!log_enabled(engine->log, LOG_LEVEL_DEBUG))
        return;
    bool queue = subscription->group != NULL;
    bool durable = subscription->durable_name.size > 0;
    const char *name = queue ? subscription->group->name.data
                             : text_string(&subscription->durable_name);
    log_debug(engine->log,
              "[Client:%s] %s subscription, subject=%s, inbox=%s,%s%s%s "
              "subid=%" PRIu64 "%s",
              text_string(&subscription->client_id), action,
              subscription->channel->name.data,
              text_string(&subscription->inbox),
              queue     ? " queue="
              : durable ? " durable="
                        : "",
              name, queue || durable ? "," : "", subscription->id, start);
}

/* ---- when it is durable ---- */

/* Refers by ids: either may be gone by then. */
struct start {
    struct effect effect;
    uint64_t channel, subscription;
    uint64_t number; /* of this start: it may have been closed and begun anew */
    bool resumed;
    bool asked; /* there is a reply */
    char reply[];
};

/* Frees one that is offline, and its group with the last. */
static void discard(struct subscription *subscription)
{
    struct queue_group *group = subscription->group;
    subscription_free(subscription);
    if (group != NULL && group->member_count == 0)
        queue_group_free(group);
}

/* Nothing of the request stays; a resumed one is offline again. What came to
 * a member meanwhile, from one that left, goes to another, or stays with the
 * group. The store never had it, or is told by the next batch. */
static void undo(struct engine *engine, struct subscription *subscription,
                 bool resumed)
{
    struct queue_group *group = subscription->group;
    struct channel *channel = subscription->channel;
    subscription->hold = false;
    if (group != NULL) {
        removal_end_member(engine, subscription, !group->is_stored);
    } else {
        subscription_end(subscription);
        if (!resumed)
            subscription_free(subscription);
    }
    expiry_idle_begin(channel);
}

static void begin_delivery(struct engine *engine,
                           struct subscription *subscription)
{
    subscription_activate(subscription);
    if (subscription->group != NULL)
        subscription->group->is_stored = true;
    if (pending_count(&subscription->pending) > 0)
        redelivery_start(engine, subscription, REDELIVERY_RESUME);
    delivery_ready_for(engine, subscription);
}

static void started(struct engine *engine, struct effect *effect,
                    const struct error *failure)
{
    struct start *start = list_entry(effect, struct start, effect);
    const char *reply = start->asked ? start->reply : NULL;
    struct channel *channel = channel_find_id(engine, start->channel);
    struct subscription *subscription =
        channel == NULL ? NULL
                        : subscription_find(channel, start->subscription);
    if (subscription != NULL && (subscription->state != SUBSCRIPTION_STARTING ||
                                 subscription->start != start->number))
        subscription = NULL; /* it was closed meanwhile */
    if (failure != NULL) {
        reply_subscription(engine, reply, "", failure->detail);
        if (subscription != NULL)
            undo(engine, subscription, start->resumed);
    } else if (subscription == NULL) {
        reply_subscription(engine, reply, "", "stan: unknown clientID");
    } else {
        reply_subscription(engine, reply, subscription->ack_inbox.data, "");
        begin_delivery(engine, subscription);
    }
    free(start);
}

static bool wait_until_durable(struct engine *engine,
                               const struct subscribe *subscribe,
                               struct subscription *subscription)
{
    const char *reply = subscribe->message->reply;
    size_t size = reply == NULL ? 0 : strlen(reply);
    struct start *start = calloc(1, sizeof *start + size + 1);
    if (start == NULL)
        return false;
    if (!subscription_store(engine, subscription)) {
        free(start);
        return false;
    }
    start->effect.finish = started;
    start->channel = subscription->channel->id;
    start->subscription = subscription->id;
    start->number = subscription->start = ++engine->last_start;
    start->resumed = subscribe->old != NULL;
    start->asked = reply != NULL;
    if (reply != NULL)
        memcpy(start->reply, reply, size + 1);
    commit_wait(engine, &start->effect);
    return true;
}

/* ---- making it ---- */

static enum status begin(struct engine *engine, struct subscribe *subscribe,
                         struct subscription *subscription, struct error *err)
{
    enum status status =
        subscription_begin(subscription, subscribe->client, err);
    if (status != STATUS_OK && subscribe->old == NULL)
        discard(subscription);
    if (status != STATUS_OK)
        return status;
    if (subscription->group != NULL)
        queue_group_join(subscription->group, subscription);
    if (!wait_until_durable(engine, subscribe, subscription)) {
        undo(engine, subscription, subscribe->old != NULL);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    return STATUS_OK;
}

static struct subscription_record record_of(struct engine *engine,
                                            const struct subscribe *subscribe,
                                            char ack_inbox[ACK_INBOX_MAX])
{
    char nuid[NUID_SIZE + 1];
    const struct subscription_request *request = &subscribe->request;
    bool in_group = request->group.size > 0;
    nuid_next(nuid);
    (void)snprintf(ack_inbox, ACK_INBOX_MAX, "%s.%s",
                   text_string(&engine->ack_prefix), nuid);
    return (struct subscription_record){
        .client_id = request->client_id,
        .inbox = request->inbox,
        .ack_inbox = bytes_text(ack_inbox),
        .durable_name = in_group ? bytes_of(NULL, 0) : request->durable_name,
        .max_in_flight = request->max_in_flight,
        .ack_wait_seconds = request->ack_wait_seconds,
        .last_sent = subscribe->last_sent,
        .is_durable = request->durable_name.size > 0,
    };
}

static enum status resume(struct engine *engine, struct subscribe *subscribe,
                          struct error *err)
{
    char ack_inbox[ACK_INBOX_MAX];
    struct subscription *old = subscribe->old;
    struct subscription_record record = record_of(engine, subscribe, ack_inbox);
    enum status status = subscription_set_options(old, &record, err);
    if (status == STATUS_OK && !text_set(&old->client_id, record.client_id))
        status = fail(err, STATUS_NO_MEMORY, "out of memory");
    if (status != STATUS_OK)
        return status;
    old->stalled = false;
    old->hold = pending_count(&old->pending) > 0;
    status = begin(engine, subscribe, old, err);
    if (status != STATUS_OK)
        return status;
    if (old->group != NULL)
        queue_group_update_hold(old->group);
    subscribe_log(
        engine, old,
        old->group != NULL ? "Resumed durable queue" : "Resumed durable", "");
    return STATUS_OK;
}

static const char *action_of(const struct subscribe *subscribe, bool first)
{
    bool durable = subscribe->request.durable_name.size > 0;
    if (subscribe->request.group.size == 0)
        return durable ? "Started new durable" : "Started new";
    if (!first) {
        return durable ? "Added member to durable queue"
                       : "Added member to queue";
    }
    return durable ? "Started new durable queue" : "Started new queue";
}

static enum status find_or_make_group(struct subscribe *subscribe, bool *first,
                                      struct error *err)
{
    const struct subscription_request *request = &subscribe->request;
    *first = request->group.size > 0 && subscribe->group == NULL;
    if (!*first)
        return STATUS_OK;
    enum status status =
        queue_group_new(subscribe->channel, request->durable_name,
                        request->group, &subscribe->group, err);
    if (status == STATUS_OK)
        subscribe->group->last_sent = subscribe->last_sent;
    return status;
}

static enum status create(struct engine *engine, struct subscribe *subscribe,
                          struct error *err)
{
    char ack_inbox[ACK_INBOX_MAX];
    struct channel *channel = subscribe->channel;
    int64_t most = channel->limits.max_subscriptions;
    if (most > 0 && table_count(channel->subscriptions) >= (uint64_t)most)
        return fail(err, STATUS_LIMIT, "too many subscriptions per channel");
    bool first = false;
    enum status status = find_or_make_group(subscribe, &first, err);
    if (status != STATUS_OK)
        return status;
    struct subscription_record record = record_of(engine, subscribe, ack_inbox);
    record.id = channel->last_subscription + 1;
    struct subscription *subscription = NULL;
    status = subscription_new(channel, &record, &subscription, err);
    if (status == STATUS_OK) {
        subscription->group = subscribe->group;
        status = begin(engine, subscribe, subscription, err);
    }
    if (status != STATUS_OK) {
        /* discard() took the group along if the subscription came that far */
        if (first && subscription == NULL)
            queue_group_free(subscribe->group);
        return status;
    }
    subscribe_log(engine, subscription, action_of(subscribe, first),
                  subscribe->start);
    return STATUS_OK;
}

/* ---- where it starts ---- */

/* A request that waits for the store to find its start by time. */
struct time_search {
    struct event event;
    struct read read;
    struct engine *engine;
    struct text payload, subject, reply;
    uint64_t otherwise; /* last_sent if there is no such message */
};

static void time_search_free(struct time_search *search)
{
    if (search == NULL)
        return;
    run_free(search->read.run);
    text_release(&search->payload);
    text_release(&search->subject);
    text_release(&search->reply);
    free(search);
}

static void subscribe_run(struct engine *engine, struct subscribe *subscribe);

static void time_found(struct engine *engine, struct event *event)
{
    struct time_search *search = list_entry(event, struct time_search, event);
    struct channel *channel = channel_find_id(engine, search->read.channel);
    struct inbound_message message = {
        .kind = INBOUND_SUBSCRIBE,
        .subject = search->subject.data,
        .reply = search->reply.data,
        .data = text_bytes(&search->payload),
    };
    engine->reads--;
    if (channel != NULL)
        channel->pins--;
    if (search->read.status != STATUS_OK) {
        reply_subscription(engine, message.reply, "",
                           search->read.error.detail);
        if (channel != NULL)
            expiry_idle_begin(channel);
    } else {
        const struct run *run = search->read.run;
        struct subscribe subscribe = {
            .message = &message,
            .start_known = true,
            .last_sent =
                run == NULL ? search->otherwise : run->entries[0].sequence - 1,
        };
        (void)snprintf(subscribe.start, sizeof subscribe.start,
                       ", sending from time time='%" PRId64 "' seq=%" PRIu64,
                       search->read.timestamp, subscribe.last_sent + 1);
        subscribe_run(engine, &subscribe);
    }
    time_search_free(search);
}

/* Any thread. */
static void time_read(struct read *read)
{
    struct time_search *search = list_entry(read, struct time_search, read);
    search->engine->config.post(search->engine->config.context, &search->event);
}

static enum status search_time(struct engine *engine,
                               const struct subscribe *subscribe,
                               int64_t timestamp, uint64_t otherwise,
                               struct error *err)
{
    const struct inbound_message *message = subscribe->message;
    struct time_search *search = calloc(1, sizeof *search);
    if (search == NULL || !text_set(&search->payload, message->data) ||
        !text_set(&search->subject, bytes_text(message->subject)) ||
        (message->reply != NULL &&
         !text_set(&search->reply, bytes_text(message->reply)))) {
        time_search_free(search);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    search->event.run = time_found;
    search->engine = engine;
    search->otherwise = otherwise;
    search->read = (struct read){.channel = subscribe->channel->id,
                                 .by_time = true,
                                 .timestamp = timestamp,
                                 .max_messages = 1,
                                 .max_bytes = 1,
                                 .done = time_read};
    subscribe->channel->pins++;
    engine->reads++;
    store_read(engine->config.store, &search->read);
    return STATUS_OK;
}

/* ---- what the request means ---- */

/* Finds the group, and what is to be resumed; ends the holder of a durable if
 * the option says so. */
static enum status identify(struct engine *engine, struct subscribe *subscribe,
                            struct error *err)
{
    const struct subscription_request *request = &subscribe->request;
    if (request->group.size > 0) {
        if (request->durable_name.size > 0 &&
            memchr(request->durable_name.data, ':',
                   request->durable_name.size) != NULL) {
            return fail(err, STATUS_INVALID,
                        "stan: durable name of a durable queue subscriber "
                        "can't contain the character ':'");
        }
        enum status status =
            queue_group_find(subscribe->channel, request->durable_name,
                             request->group, &subscribe->group, err);
        if (subscribe->group != NULL)
            subscribe->old = subscribe->group->shadow;
        return status;
    }
    if (request->durable_name.size == 0)
        return STATUS_OK;
    enum status status =
        subscription_find_durable(subscribe->channel, request->client_id,
                                  request->durable_name, &subscribe->old, err);
    if (subscribe->old == NULL || !subscription_is_live(subscribe->old))
        return status;
    if (!engine->config.replace_durable)
        return fail(err, STATUS_EXISTS, "stan: duplicate durable registration");
    return removal_end_subscription(engine, subscribe->old, false)
               ? STATUS_OK
               : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status make(struct engine *engine, struct subscribe *subscribe,
                        struct error *err)
{
    enum status status = identify(engine, subscribe, err);
    if (status != STATUS_OK)
        return status;
    if (subscribe->old != NULL)
        return resume(engine, subscribe, err);
    if (subscribe->group != NULL) { /* the position is that of the group */
        subscribe->last_sent = 0;
        subscribe->start[0] = '\0';
        return create(engine, subscribe, err);
    }
    int64_t timestamp = 0;
    if (!subscribe->start_known &&
        !start_position_find(subscribe->channel, &subscribe->request,
                             &subscribe->last_sent, &timestamp,
                             subscribe->start)) {
        return search_time(engine, subscribe, timestamp, subscribe->last_sent,
                           err);
    }
    return create(engine, subscribe, err);
}

/* The checks that need no state, in their order; NULL if all is well. */
static const char *check(struct bytes payload,
                         struct subscription_request *request)
{
    if (!subscription_request_decode(payload, request))
        return "stan: invalid subscription request";
    if (request->client_id.size == 0)
        return "stan: clientID missing";
    if (request->ack_wait_seconds < 1)
        return "stan: invalid ack wait time, should be >= 1s";
    if (request->max_in_flight < 1)
        return "stan: invalid MaxInflight, should be >= 1";
    if (request->start_position < START_POSITION_NEW_ONLY ||
        request->start_position > START_POSITION_FIRST)
        return "stan: invalid start position";
    if (!channel_name_is_valid(request->subject))
        return "stan: invalid subject";
    return NULL;
}

static void refuse(struct engine *engine, const struct subscribe *subscribe,
                   const char *error)
{
    if (log_enabled(engine->log, LOG_LEVEL_DEBUG)) {
        char id[TEXT_QUOTED_MAX];
        log_debug(engine->log, "[Client:%s] Subscribe refused: %s",
                  text_quote(subscribe->request.client_id, id), error);
    }
    reply_subscription(engine, subscribe->message->reply, "", error);
}

static void subscribe_run(struct engine *engine, struct subscribe *subscribe)
{
    struct error err = {0};
    const char *invalid = check(subscribe->message->data, &subscribe->request);
    if (invalid != NULL) {
        refuse(engine, subscribe, invalid);
        return;
    }
    subscribe->client = client_find(engine, subscribe->request.client_id);
    if (subscribe->client == NULL) {
        refuse(engine, subscribe, "stan: unknown clientID");
        return;
    }
    if (channel_get(engine, subscribe->request.subject, &subscribe->channel,
                    &err) != STATUS_OK) {
        refuse(engine, subscribe, err.detail);
        return;
    }
    expiry_idle_end(subscribe->channel);
    if (make(engine, subscribe, &err) != STATUS_OK) {
        refuse(engine, subscribe, err.detail);
        expiry_idle_begin(subscribe->channel);
    }
}

void subscribe_message(struct engine *engine,
                       const struct inbound_message *message)
{
    struct subscribe subscribe = {.message = message};
    subscribe_run(engine, &subscribe);
}
