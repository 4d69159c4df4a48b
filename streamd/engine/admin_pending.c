/* Administration: what a subscription has pending is listed, released for
 * redelivery, dropped. */
#include "streamd/engine/admin_work.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/redelivery.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- listing ---- */

static struct admin_pending describe(const struct engine *engine,
                                     const struct subscription *subscription,
                                     const struct pending_entry *entry)
{
    struct admin_pending pending = {
        .sequence = entry->sequence,
        .age = engine->now - entry->sent_at,
        .deliveries = (uint64_t)entry->redelivery + 1,
        .due_in = -1,
    };
    if (subscription_is_live(subscription) && entry->expiration != 0) {
        pending.due_in = entry->expiration > engine->now
                             ? entry->expiration - engine->now
                             : 0;
    }
    return pending;
}

void admin_pending(struct admin_work *work)
{
    const struct admin_request *request = work->request;
    struct admin_answer *answer = &work->request->answer;
    const struct channel *channel = admin_channel(work, false);
    if (channel == NULL)
        return;
    const struct subscription *subscription = admin_subscription(work, channel);
    if (subscription == NULL)
        return;
    answer->total = pending_count(&subscription->pending);
    answer->pending = calloc(request->limit + 1, sizeof *answer->pending);
    if (answer->pending == NULL) {
        admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    const struct pending_entry *entry =
        pending_after(&subscription->pending,
                      request->sequence > 0 ? request->sequence - 1 : 0);
    while (entry != NULL && answer->pending_count < request->limit) {
        answer->pending[answer->pending_count++] =
            describe(work->engine, subscription, entry);
        entry = pending_after(&subscription->pending, entry->sequence);
    }
    answer->next = entry == NULL ? 0 : entry->sequence;
    admin_done(work, "%zu of %" PRIu64 " pending messages",
               answer->pending_count, answer->total);
}

/* ---- one ---- */

/* The entry asked for; NULL: refused. */
static struct pending_entry *find(struct admin_work *work, bool to_change,
                                  struct subscription **subscription)
{
    const struct channel *channel = admin_channel(work, to_change);
    if (channel == NULL)
        return NULL;
    *subscription = admin_subscription(work, channel);
    if (*subscription == NULL)
        return NULL;
    struct pending_entry *entry =
        pending_find(&(*subscription)->pending, work->request->sequence);
    if (entry == NULL) {
        admin_refuse(work, STATUS_NOT_FOUND,
                     "message %" PRIu64 " is not pending",
                     work->request->sequence);
    }
    return entry;
}

void admin_release(struct admin_work *work)
{
    struct subscription *subscription = NULL;
    struct pending_entry *entry = find(work, true, &subscription);
    if (entry == NULL)
        return;
    if (!subscription_is_live(subscription)) {
        admin_refuse(work, STATUS_CONFLICT,
                     "the subscription is offline: all that is pending is "
                     "sent again when it resumes");
        return;
    }
    work->request->answer.deliveries = (uint64_t)entry->redelivery + 1;
    entry->expiration = work->engine->now;
    redelivery_soon(work->engine, subscription, 0);
    admin_done(work, "due now, sent %" PRIu64 " times before",
               work->request->answer.deliveries);
}

/* ---- dropping ---- */

static void put_back(struct engine *engine, struct subscription *subscription,
                     const struct pending_entry *dropped)
{
    struct error err = {0};
    enum status status =
        pending_add(&subscription->pending, dropped->sequence, dropped->sent_at,
                    dropped->expiration, dropped->redelivery, &err);
    if (status == STATUS_NO_MEMORY) {
        log_error(engine->log, "Out of memory: seq=%" PRIu64 " stays dropped",
                  dropped->sequence);
    } else if (status == STATUS_OK && subscription_is_live(subscription)) {
        redelivery_sent(engine, subscription);
    }
}

static void dropped(struct engine *engine, struct effect *effect,
                    const struct error *failure)
{
    struct admin_work *work = list_entry(effect, struct admin_work, effect);
    const struct channel *channel = channel_find_id(engine, work->channel);
    struct subscription *subscription =
        channel == NULL ? NULL : subscription_find(channel, work->subscription);
    if (failure != NULL) {
        if (subscription != NULL)
            put_back(engine, subscription, &work->dropped);
        admin_not_stored(work, failure);
        return;
    }
    admin_done(work, "dropped, %" PRIu64 " pending messages left",
               work->request->answer.total);
}

void admin_drop(struct admin_work *work)
{
    struct engine *engine = work->engine;
    struct subscription *subscription = NULL;
    const struct pending_entry *entry = find(work, true, &subscription);
    if (entry == NULL)
        return;
    work->dropped = *entry;
    work->channel = subscription->channel->id;
    work->subscription = subscription->id;
    (void)subscription_ack(engine, subscription, work->request->sequence);
    work->request->answer.total = pending_count(&subscription->pending);
    if (subscription_is_live(subscription))
        redelivery_unstall(engine, subscription);
    admin_wait(work, dropped);
}
