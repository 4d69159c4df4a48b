#include "streamd/engine/delivery.h"

#include "proto/codec.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/redelivery.h"
#include "streamd/engine/subscription.h"
#include "streamd/engine/trace.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    TURN_MESSAGES = 1024, /* a consumer's turn ends here */
    READ_MESSAGES = 2048,
    READ_BYTES = 512 << 10,
    READ_NEAR = 256, /* a read under way that began this near serves too */
};

/* One read from the store. While it is under way its consumers WAIT. */
struct channel_read {
    struct event event;
    struct read read;
    struct list link; /* in channel.reads; in no list if the channel is gone */
    struct list waiters;
    struct engine *engine;
    uint64_t durable; /* of the channel when it was asked for */
};

/* ---- consumers ---- */

void delivery_init(struct consumer *consumer, struct subscription *subscription,
                   struct queue_group *group)
{
    *consumer = (struct consumer){.subscription = subscription, .group = group};
    list_init(&consumer->link);
}

void delivery_forget(struct consumer *consumer)
{
    list_remove(&consumer->link);
    consumer->state = CONSUMER_IDLE;
    consumer->failed = false;
    consumer->gone_until = 0;
}

void delivery_ready(struct engine *engine, struct consumer *consumer)
{
    if (consumer->state != CONSUMER_IDLE)
        return;
    list_remove(&consumer->link); /* perhaps among the failed */
    consumer->state = CONSUMER_READY;
    list_append(&engine->ready, &consumer->link);
}

void delivery_ready_for(struct engine *engine,
                        struct subscription *subscription)
{
    delivery_ready(engine, subscription->group != NULL
                               ? &subscription->group->consumer
                               : &subscription->consumer);
}

static bool takes_new(const struct subscription *subscription)
{
    return subscription->state == SUBSCRIPTION_ACTIVE &&
           !subscription->stalled && !subscription->hold;
}

void delivery_channel_grew(struct engine *engine, struct channel *channel)
{
    for (struct list *at = channel->plain.next; at != &channel->plain;
         at = at->next) {
        struct subscription *subscription =
            list_entry(at, struct subscription, of_channel);
        if (takes_new(subscription))
            delivery_ready(engine, &subscription->consumer);
    }
    for (struct slot *at = table_first(channel->groups); at != NULL;
         at = table_next(at)) {
        struct queue_group *group = table_value(at);
        if (!queue_group_is_stalled(group) && !group->hold)
            delivery_ready(engine, &group->consumer);
    }
}

/* ---- reading ---- */

static void retry_failed(struct timer *timer, int64_t now)
{
    (void)now;
    struct engine *engine = timer->context;
    while (!list_empty(&engine->failed)) {
        delivery_ready(engine, list_entry(list_pop(&engine->failed),
                                          struct consumer, link));
    }
}

static void wait_after_failure(struct engine *engine, struct consumer *consumer)
{
    consumer->failed = false;
    list_append(&engine->failed, &consumer->link);
    engine->failed_timer.fire = retry_failed;
    engine->failed_timer.context = engine;
    if (!timer_is_set(&engine->failed_timer)) {
        timer_set(&engine->timers, &engine->failed_timer,
                  engine->now + CLOCK_SECOND);
    }
}

static void log_read_failure(struct engine *engine,
                             const struct channel_read *read)
{
    char shown[TEXT_QUOTED_MAX];
    const struct channel *channel = channel_find_id(engine, read->read.channel);
    log_error(
        engine->log, "Error looking up message %" PRIu64 " of channel %s: %s",
        read->read.sequence, text_quote(text_bytes(&channel->name), shown),
        read->read.error.detail);
}

static void read_finished(struct engine *engine, struct event *event)
{
    struct channel_read *read = list_entry(event, struct channel_read, event);
    struct channel *channel = channel_find_id(engine, read->read.channel);
    bool failed = read->read.status != STATUS_OK;
    engine->reads--;
    if (channel == NULL) {
        run_free(read->read.run);
        free(read);
        return;
    }
    if (failed)
        log_read_failure(engine, read);
    bool nothing = !failed && read->read.run == NULL;
    cache_add_run(&engine->cache, &channel->cache, read->read.sequence,
                  read->read.run);
    while (!list_empty(&read->waiters)) {
        struct consumer *consumer =
            list_entry(list_pop(&read->waiters), struct consumer, link);
        consumer->state = CONSUMER_IDLE;
        consumer->failed = failed;
        consumer->gone_until = nothing ? read->durable : 0;
        delivery_ready(engine, consumer);
    }
    list_remove(&read->link);
    free(read);
}

/* Any thread. */
static void read_done(struct read *done)
{
    struct channel_read *read = list_entry(done, struct channel_read, read);
    read->engine->config.post(read->engine->config.context, &read->event);
}

static struct channel_read *read_near(const struct channel *channel,
                                      uint64_t sequence)
{
    for (struct list *at = channel->reads.next; at != &channel->reads;
         at = at->next) {
        struct channel_read *read = list_entry(at, struct channel_read, link);
        if (read->read.sequence <= sequence &&
            sequence - read->read.sequence < READ_NEAR)
            return read;
    }
    return NULL;
}

static struct channel_read *read_new(struct engine *engine,
                                     struct channel *channel, uint64_t sequence)
{
    struct channel_read *read = calloc(1, sizeof *read);
    if (read == NULL)
        return NULL;
    read->event.run = read_finished;
    read->engine = engine;
    read->durable = channel->durable;
    list_init(&read->waiters);
    read->read.channel = channel->id;
    read->read.sequence = sequence;
    read->read.max_messages = READ_MESSAGES;
    read->read.max_bytes = READ_BYTES;
    read->read.done = read_done;
    list_append(&channel->reads, &read->link);
    engine->reads++;
    return read;
}

static enum fetch fetch_later(struct engine *engine, struct channel *channel,
                              struct consumer *consumer, uint64_t sequence)
{
    struct channel_read *read = read_near(channel, sequence);
    bool fresh = read == NULL;
    if (fresh)
        read = read_new(engine, channel, sequence);
    if (read == NULL) {
        wait_after_failure(engine, consumer);
        return FETCH_FAILED;
    }
    engine->counters.cache_misses++;
    list_remove(&consumer->link);
    consumer->state = CONSUMER_WAITING;
    list_append(&read->waiters, &consumer->link);
    if (fresh)
        store_read(engine->config.store, &read->read);
    return FETCH_WAIT;
}

enum fetch delivery_fetch(struct engine *engine, struct channel *channel,
                          struct consumer *consumer, uint64_t sequence,
                          uint64_t *found, struct bytes *message)
{
    if (sequence > channel->durable)
        return FETCH_END;
    if (sequence < channel->first) {
        *found = channel->first - 1;
        return FETCH_GONE;
    }
    if (cache_find(&engine->cache, &channel->cache, sequence, found, message)) {
        engine->counters.cache_hits++;
        return *found <= channel->durable ? FETCH_FOUND : FETCH_END;
    }
    if (consumer->gone_until >= sequence) {
        *found = consumer->gone_until;
        return FETCH_GONE;
    }
    if (consumer->failed) {
        wait_after_failure(engine, consumer);
        return FETCH_FAILED;
    }
    return fetch_later(engine, channel, consumer, sequence);
}

void delivery_forget_channel(struct channel *channel)
{
    while (!list_empty(&channel->reads)) {
        struct channel_read *read =
            list_entry(list_pop(&channel->reads), struct channel_read,
                       link); /* read_finished() frees it */
        while (!list_empty(&read->waiters)) {
            delivery_forget(
                list_entry(list_pop(&read->waiters), struct consumer, link));
        }
    }
}

/* ---- sending ---- */

static void log_too_big(struct engine *engine,
                        struct subscription *subscription, uint64_t sequence)
{
    char shown[TEXT_QUOTED_MAX];
    if (subscription->too_big == sequence)
        return; /* once is enough */
    subscription->too_big = sequence;
    log_error(engine->log,
              "[Client:%s] Message %" PRIu64 " of channel %s is too big for "
              "the NATS server (max_payload): not sent to subid=%" PRIu64,
              text_string(&subscription->client_id), sequence,
              text_quote(text_bytes(&subscription->channel->name), shown),
              subscription->id);
}

static enum delivery publish(struct engine *engine,
                             struct subscription *subscription,
                             uint64_t sequence, struct bytes message,
                             uint32_t redelivery)
{
    const struct transport *transport = &engine->config.transport;
    if (!subscription->inbox_usable)
        return DELIVERY_IMPOSSIBLE;
    if (redelivery > 0) {
        uint8_t fields[MSG_PROTO_REDELIVERY_MAX];
        size_t size = msg_proto_redelivery(redelivery, fields);
        engine->scratch.size = 0;
        if (!blob_append(&engine->scratch, message.data, message.size) ||
            !blob_append(&engine->scratch, fields, size))
            return DELIVERY_LATER;
        message = blob_bytes(&engine->scratch);
    }
    enum status status = transport->publish(
        transport->context, subscription->inbox.data, NULL, message);
    if (status == STATUS_TOO_BIG)
        log_too_big(engine, subscription, sequence);
    if (status == STATUS_TOO_BIG || status == STATUS_INVALID)
        return DELIVERY_IMPOSSIBLE;
    if (status != STATUS_OK)
        return DELIVERY_LATER;
    engine->out_messages++;
    engine->out_bytes += message.size;
    if (trace_enabled(engine))
        trace_delivery(engine, subscription, sequence, redelivery);
    if (redelivery > 0)
        engine->counters.redeliveries++;
    return DELIVERY_SENT;
}

static void log_pending_failure(struct engine *engine,
                                const struct subscription *subscription,
                                uint64_t sequence, const struct error *err)
{
    char shown[TEXT_QUOTED_MAX];
    log_error(engine->log,
              "[Client:%s] Unable to add pending message to subid=%" PRIu64
              ", subject=%s, seq=%" PRIu64 ", err=%s",
              text_string(&subscription->client_id), subscription->id,
              text_quote(text_bytes(&subscription->channel->name), shown),
              sequence, err->detail);
}

/* Pending is noted before the message leaves and taken back if it does not:
 * memory may run out only while nothing has been sent. */
static enum delivery send_new(struct engine *engine,
                              struct subscription *subscription,
                              uint64_t sequence, struct bytes message,
                              uint32_t redelivery)
{
    struct error err = {0};
    if (pending_add(&subscription->pending, sequence, engine->now,
                    engine->now + subscription->ack_wait, redelivery,
                    &err) != STATUS_OK) {
        log_pending_failure(engine, subscription, sequence, &err);
        return DELIVERY_LATER;
    }
    enum delivery result =
        publish(engine, subscription, sequence, message, redelivery);
    if (result != DELIVERY_SENT) {
        (void)pending_ack(&subscription->pending, sequence);
        return result;
    }
    if (subscription->last_sent < sequence)
        subscription->last_sent = sequence;
    subscription_set_dirty(engine, subscription);
    return DELIVERY_SENT;
}

static enum delivery send_again(struct engine *engine,
                                struct subscription *subscription,
                                struct pending_entry *entry,
                                struct bytes message, uint32_t redelivery)
{
    enum delivery result =
        publish(engine, subscription, entry->sequence, message, redelivery);
    if (result != DELIVERY_SENT)
        return result;
    int64_t from = entry->expiration == 0 ? engine->now : entry->expiration;
    if (__builtin_add_overflow(from, subscription->ack_wait,
                               &entry->expiration))
        entry->expiration = INT64_MAX; /* waits of decades, resumed often */
    entry->redelivery = redelivery;
    return DELIVERY_SENT;
}

enum delivery delivery_send(struct engine *engine,
                            struct subscription *subscription,
                            uint64_t sequence, struct bytes message,
                            uint32_t redelivery)
{
    size_t most = (size_t)subscription->max_in_flight;
    if (subscription->state != SUBSCRIPTION_ACTIVE ||
        (redelivery == 0 && subscription->hold))
        return DELIVERY_REFUSED;
    if (redelivery == 0 && pending_count(&subscription->pending) >= most) {
        subscription_set_stalled(subscription, true);
        return DELIVERY_REFUSED;
    }
    struct pending_entry *entry =
        redelivery == 0 ? NULL : pending_find(&subscription->pending, sequence);
    enum delivery result =
        entry == NULL
            ? send_new(engine, subscription, sequence, message, redelivery)
            : send_again(engine, subscription, entry, message, redelivery);
    if (result != DELIVERY_SENT)
        return result;
    if (redelivery > 0)
        subscription->redeliveries++;
    redelivery_sent(engine, subscription);
    if (redelivery == 0 && pending_count(&subscription->pending) >= most)
        subscription_set_stalled(subscription, true);
    return DELIVERY_SENT;
}

/* ---- turns ---- */

/* The turn is over though there may be more to do. */
static bool is_over(struct engine *engine, struct consumer *consumer, int *left)
{
    const struct transport *transport = &engine->config.transport;
    if (--*left >= 0 && !transport->congested(transport->context))
        return false;
    delivery_ready(engine, consumer);
    return true;
}

static void turn_plain(struct engine *engine, struct consumer *consumer)
{
    struct subscription *subscription = consumer->subscription;
    struct channel *channel = subscription->channel;
    for (int left = TURN_MESSAGES; takes_new(subscription);) {
        uint64_t found = 0;
        struct bytes message;
        enum fetch fetch =
            delivery_fetch(engine, channel, consumer,
                           subscription->last_sent + 1, &found, &message);
        if (fetch == FETCH_GONE) {
            subscription->last_sent = found;
            continue;
        }
        if (fetch != FETCH_FOUND || is_over(engine, consumer, &left))
            return;
        enum delivery result =
            delivery_send(engine, subscription, found, message, 0);
        if (result == DELIVERY_LATER)
            wait_after_failure(engine, consumer);
        if (result != DELIVERY_SENT)
            return;
    }
}

static void turn_group(struct engine *engine, struct consumer *consumer)
{
    struct queue_group *group = consumer->group;
    for (int left = TURN_MESSAGES;
         !group->hold && !queue_group_is_stalled(group);) {
        uint64_t found = 0;
        struct bytes message;
        enum fetch fetch =
            delivery_fetch(engine, group->channel, consumer,
                           group->last_sent + 1, &found, &message);
        if (fetch == FETCH_GONE) {
            group->last_sent = found;
            continue;
        }
        if (fetch != FETCH_FOUND || is_over(engine, consumer, &left))
            return;
        struct subscription *member = queue_group_choose(group);
        bool was_stalled = member->stalled;
        enum delivery result = delivery_send(engine, member, found, message, 0);
        if (result == DELIVERY_SENT) {
            group->last_sent = found;
            continue;
        }
        if (result == DELIVERY_REFUSED && !was_stalled && member->stalled)
            continue; /* redeliveries filled it unnoticed: there may be others
                       */
        if (result == DELIVERY_LATER)
            wait_after_failure(engine, consumer);
        return;
    }
}

static void turn(struct engine *engine, struct consumer *consumer)
{
    struct subscription *subscription = consumer->subscription;
    if (subscription == NULL) {
        turn_group(engine, consumer);
    } else if (consumer == &subscription->redelivery.waiter) {
        redelivery_continue(engine, subscription);
    } else {
        turn_plain(engine, consumer);
    }
}

void delivery_run(struct engine *engine)
{
    const struct transport *transport = &engine->config.transport;
    struct list round;
    list_init(&round);
    list_append_all(&round, &engine->ready);
    while (!list_empty(&round) && !transport->congested(transport->context)) {
        struct consumer *consumer =
            list_entry(list_pop(&round), struct consumer, link);
        consumer->state = CONSUMER_IDLE;
        turn(engine, consumer);
    }
    list_append_all(&round, &engine->ready); /* those left come first */
    list_append_all(&engine->ready, &round);
    cache_trim_runs(&engine->cache);
}
