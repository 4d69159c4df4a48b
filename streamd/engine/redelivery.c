#include "streamd/engine/redelivery.h"

#include "proto/codec.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>
#include <stdlib.h>

/* Messages that are due this soon go in the same pass (delivery.md 18). */
static const int64_t SLACK = 15 * CLOCK_MILLISECOND;
enum { TURN_MESSAGES = 1024 };

/* ---- the ack timer ---- */

static void set_timer(struct engine *engine, struct subscription *subscription,
                      int64_t due)
{
    timer_set(&engine->timers, &subscription->ack_timer, due);
}

/* 8.2 step 5. */
static void arm(struct engine *engine, struct subscription *subscription)
{
    int64_t next = engine->now + subscription->ack_wait;
    if (pending_count(&subscription->pending) == 0)
        return;
    const struct pending *pending = &subscription->pending;
    for (size_t i = 0; i < pending->span; i++) {
        const struct pending_entry *entry =
            &pending->entries[pending->head + i];
        if (entry->live && entry->expiration > engine->now &&
            entry->expiration < next)
            next = entry->expiration;
    }
    set_timer(engine, subscription, next);
}

static void fired(struct timer *timer, int64_t now)
{
    (void)now;
    struct subscription *subscription = timer->context;
    struct engine *engine = subscription->channel->engine;
    if (pending_count(&subscription->pending) == 0)
        return;
    if (subscription->group == NULL && subscription->heartbeat_failed) {
        set_timer(engine, subscription, engine->now + subscription->ack_wait);
    } else {
        redelivery_start(engine, subscription, REDELIVERY_TIMER);
    }
}

void redelivery_init(struct subscription *subscription)
{
    delivery_init(&subscription->redelivery.waiter, subscription, NULL);
    subscription->ack_timer =
        (struct timer){.fire = fired, .context = subscription};
}

void redelivery_sent(struct engine *engine, struct subscription *subscription)
{
    if (!timer_is_set(&subscription->ack_timer) &&
        subscription->redelivery.kind == REDELIVERY_NONE)
        set_timer(engine, subscription, engine->now + subscription->ack_wait);
}

void redelivery_soon(struct engine *engine, struct subscription *subscription,
                     int64_t delay)
{
    if (subscription->redelivery.kind != REDELIVERY_NONE) {
        subscription->redelivery.again = true;
    } else {
        set_timer(engine, subscription, engine->now + delay);
    }
}

void redelivery_unstall(struct engine *engine,
                        struct subscription *subscription)
{
    if (subscription->stalled && pending_count(&subscription->pending) <
                                     (size_t)subscription->max_in_flight) {
        subscription_set_stalled(subscription, false);
        delivery_ready_for(engine, subscription);
    }
}

/* ---- a pass ---- */

static int compare(const void *a, const void *b)
{
    const struct redelivery_due *left = a;
    const struct redelivery_due *right = b;
    if (left->expiration != right->expiration)
        return left->expiration < right->expiration ? -1 : 1;
    return left->sequence < right->sequence ? -1 : 1;
}

static bool collect(struct engine *engine, struct subscription *subscription)
{
    struct redelivery *pass = &subscription->redelivery;
    const struct pending *pending = &subscription->pending;
    bool all = pass->kind == REDELIVERY_RESUME;
    pass->due = malloc((pending->count + 1) * sizeof *pass->due);
    if (pass->due == NULL)
        return false;
    for (size_t i = 0; i < pending->span; i++) {
        const struct pending_entry *entry =
            &pending->entries[pending->head + i];
        if (!entry->live || (!all && entry->expiration > engine->now + SLACK))
            continue;
        pass->due[pass->count].expiration = all ? 0 : entry->expiration;
        pass->due[pass->count++].sequence = entry->sequence;
    }
    qsort(pass->due, pass->count, sizeof *pass->due, compare);
    return true;
}

static void end_hold(struct engine *engine, struct subscription *subscription)
{
    subscription->hold = false;
    if (subscription->group != NULL)
        queue_group_update_hold(subscription->group);
    delivery_ready_for(engine, subscription);
}

static void finish(struct engine *engine, struct subscription *subscription)
{
    enum redelivery_kind kind = subscription->redelivery.kind;
    bool again = subscription->redelivery.again;
    redelivery_stop(engine, subscription);
    if (again) {
        redelivery_soon(engine, subscription, 100 * CLOCK_MILLISECOND);
    } else {
        arm(engine, subscription);
    }
    if (kind != REDELIVERY_TIMER)
        end_hold(engine, subscription);
}

void redelivery_stop(struct engine *engine, struct subscription *subscription)
{
    (void)engine;
    struct redelivery *pass = &subscription->redelivery;
    delivery_forget(&pass->waiter);
    free(pass->due);
    pass->due = NULL;
    pass->count = pass->next = 0;
    pass->kind = REDELIVERY_NONE;
    pass->again = false;
}

void redelivery_start(struct engine *engine, struct subscription *subscription,
                      enum redelivery_kind kind)
{
    redelivery_stop(engine, subscription);
    timer_clear(&engine->timers, &subscription->ack_timer);
    subscription->redelivery.kind = kind;
    if (!collect(engine, subscription)) {
        log_error(engine->log,
                  "Out of memory: redelivery for subid=%" PRIu64
                  " is tried again later",
                  subscription->id);
        finish(engine, subscription);
        return;
    }
    delivery_ready(engine, &subscription->redelivery.waiter);
}

static uint32_t next_count(uint32_t count)
{
    return count == UINT32_MAX ? 1 : count + 1; /* wraps past 0 */
}

/* To itself: a plain subscription, or a member that keeps its own. */
static enum delivery send_to_self(struct engine *engine,
                                  struct subscription *subscription,
                                  const struct pending_entry *entry,
                                  struct bytes message)
{
    return delivery_send(engine, subscription, entry->sequence, message,
                         next_count(entry->redelivery));
}

/* 8.4: to the best member; pending there first, then gone here. */
static enum delivery send_to_group(struct engine *engine,
                                   struct subscription *subscription,
                                   const struct pending_entry *entry,
                                   struct bytes message)
{
    uint64_t sequence = entry->sequence;
    struct subscription *best = queue_group_choose(subscription->group);
    if (best == subscription)
        return send_to_self(engine, subscription, entry, message);
    enum delivery result = delivery_send(engine, best, sequence, message,
                                         next_count(entry->redelivery));
    if (result == DELIVERY_SENT) {
        (void)subscription_ack(engine, subscription, sequence);
        redelivery_unstall(engine, subscription);
    } else {
        log_error(engine->log,
                  "[Client:%s] Unable to find queue subscriber for "
                  "subid=%" PRIu64,
                  text_string(&subscription->client_id), subscription->id);
    }
    return result;
}

/* A recovered message's wait began when it was published: its expiration is
 * the message's timestamp + ack wait, brought to the monotonic clock. */
static bool is_due(struct engine *engine, struct subscription *subscription,
                   struct pending_entry *entry, struct bytes message)
{
    struct msg_proto decoded;
    if (entry->expiration != 0)
        return true;
    int64_t age = subscription->ack_wait;
    if (msg_proto_decode(message, &decoded))
        age = engine->wall - decoded.timestamp;
    if (age < 0)
        age = 0; /* the clock was set back */
    if (age > subscription->ack_wait)
        age = subscription->ack_wait;
    entry->expiration = engine->now + subscription->ack_wait - age;
    return entry->expiration <= engine->now + SLACK;
}

/* False: the pass ends here. One that can never be sent does not hold up those
 * behind it. */
static bool deliver(struct engine *engine, struct subscription *subscription,
                    struct pending_entry *entry, struct bytes message)
{
    enum redelivery_kind kind = subscription->redelivery.kind;
    if (kind != REDELIVERY_RESUME &&
        !is_due(engine, subscription, entry, message))
        return true;
    bool to_group = kind == REDELIVERY_TIMER && subscription->group != NULL;
    enum delivery result =
        to_group ? send_to_group(engine, subscription, entry, message)
                 : send_to_self(engine, subscription, entry, message);
    return result == DELIVERY_SENT || result == DELIVERY_IMPOSSIBLE;
}

/* The next of the pass. False: stop here, for now or for good. */
static bool step(struct engine *engine, struct subscription *subscription)
{
    struct redelivery *pass = &subscription->redelivery;
    uint64_t sequence = pass->due[pass->next].sequence;
    struct pending_entry *entry =
        pending_find(&subscription->pending, sequence);
    struct bytes message;
    uint64_t found = 0;
    if (entry == NULL) {
        pass->next++;
        return true;
    }
    switch (delivery_fetch(engine, subscription->channel, &pass->waiter,
                           sequence, &found, &message)) {
    case FETCH_WAIT:
        return false;
    case FETCH_FAILED: /* said in the log; kept for the next firing */
        delivery_forget(&pass->waiter);
        pass->next++;
        return true;
    case FETCH_FOUND:
        pass->next++;
        if (found == sequence) {
            return deliver(engine, subscription, entry, message) ||
                   (pass->next = pass->count, false);
        }
        break;
    case FETCH_GONE:
    case FETCH_END:
        pass->next++;
        break;
    }
    (void)subscription_ack(engine, subscription, sequence);
    redelivery_unstall(engine, subscription);
    return true;
}

void redelivery_continue(struct engine *engine,
                         struct subscription *subscription)
{
    struct redelivery *pass = &subscription->redelivery;
    const struct transport *transport = &engine->config.transport;
    int left = TURN_MESSAGES;
    while (pass->next < pass->count) {
        if (left-- == 0 || transport->congested(transport->context)) {
            delivery_ready(engine, &pass->waiter);
            return;
        }
        if (!step(engine, subscription) && pass->next < pass->count)
            return; /* a read is under way */
    }
    finish(engine, subscription);
}
