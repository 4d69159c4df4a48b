/* checks.c - what must hold between the steps. Looks into the engine, to tell
 * whether it has a reason to wait. */
#include "tests/model/reference.h"

#include "streamd/base/clock.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/core.h"

#include <inttypes.h>

/* The slack of delivery.md 18, and the 100 ms after a member left. */
static const int64_t LATE = 120 * CLOCK_MILLISECOND;

bool model_is_calm(const struct model *model)
{
    const struct fixture *fixture = model->fixture;
    const struct engine_store *store = fixture->store;
    return !fixture->cut && !fixture->congested && store->fail_reads == 0 &&
           !store->hold_reads && fixture->engine->reads == 0 &&
           list_empty(&fixture->engine->failed);
}

/* ---- redelivery in time ---- */

static void check_due(struct model *model, struct consumer_model *consumer)
{
    const struct stored_channel *channel =
        engine_store_channel(model->fixture->store, "foo");
    int64_t now = model->fixture->monotonic;
    int wait = consumer->is_group ? ACK_WAIT_MOST : 0;
    int open = 0;
    for (int i = 0; i < MEMBERS; i++) {
        const struct member *member = &consumer->members[i];
        if (member->state == MEMBER_ASKED)
            consumer->disturbed = now;
        if (member->state == MEMBER_OPEN) {
            open++;
            wait = consumer->is_group ? wait : member->ack_wait;
        }
    }
    if (open == 0 || !model_is_calm(model) ||
        model->failed_reads != model->fixture->store->failed_reads)
        consumer->disturbed = now;
    if (consumer->disturbed == now || channel == NULL)
        return;
    for (uint64_t s = channel->state.first; s <= model->stored; s++) {
        const struct knowledge *known = &consumer->known[s];
        int64_t due = consumer->disturbed + wait * CLOCK_SECOND;
        if (due < known->due)
            due = known->due;
        MODEL_REQUIRE(model, !known->pending || now <= due + LATE,
                      "consumer %d: %" PRIu64 " is not redelivered in time",
                      (int)(consumer - model->consumers), s);
    }
}

/* ---- nothing waits without a reason ---- */

static void check_subscription(const struct model *model,
                               const struct subscription *subscription)
{
    const struct channel *channel = subscription->channel;
    size_t pending = pending_count(&subscription->pending);
    if (subscription->state != SUBSCRIPTION_ACTIVE)
        return;
    MODEL_REQUIRE(model,
                  !subscription->stalled ||
                      pending >= (size_t)subscription->max_in_flight,
                  "%s is stalled with %zu pending", subscription->inbox.data,
                  pending);
    MODEL_REQUIRE(model,
                  pending == 0 || timer_is_set(&subscription->ack_timer) ||
                      subscription->redelivery.kind != REDELIVERY_NONE,
                  "%s has %zu pending and no timer", subscription->inbox.data,
                  pending);
    MODEL_REQUIRE(model,
                  !subscription->hold ||
                      subscription->redelivery.kind != REDELIVERY_NONE,
                  "%s is on hold for ever", subscription->inbox.data);
    MODEL_REQUIRE(model,
                  subscription->group != NULL || subscription->stalled ||
                      subscription->hold || !model_is_calm(model) ||
                      subscription->last_sent >= channel->durable,
                  "%s is at %" PRIu64 ", stored is %" PRIu64,
                  subscription->inbox.data, subscription->last_sent,
                  channel->durable);
}

static void check_group(const struct model *model,
                        const struct queue_group *group)
{
    size_t members = 0;
    size_t stalled = 0;
    bool active = true;
    bool hold = false;
    for (const struct list *at = group->members.next; at != &group->members;
         at = at->next) {
        const struct subscription *member =
            list_entry(at, struct subscription, of_channel);
        members++;
        stalled += member->stalled;
        active = active && member->state == SUBSCRIPTION_ACTIVE;
        hold = hold || member->hold;
    }
    MODEL_REQUIRE(
        model,
        members == group->member_count && stalled == group->stalled_count,
        "group %s: %zu of %zu members, %zu of %zu stalled", group->name.data,
        group->member_count, members, group->stalled_count, stalled);
    MODEL_REQUIRE(model, hold == group->hold, "group %s: hold is %d",
                  group->name.data, group->hold);
    MODEL_REQUIRE(model,
                  members == 0 || stalled == members || !active || hold ||
                      !model_is_calm(model) ||
                      group->last_sent >= group->channel->durable,
                  "group %s is at %" PRIu64 ", stored is %" PRIu64,
                  group->name.data, group->last_sent, group->channel->durable);
    MODEL_REQUIRE(model, members > 0 || group->shadow != NULL,
                  "group %s is empty", group->name.data);
}

void model_check(struct model *model)
{
    const struct channel *channel =
        channel_find(model->fixture->engine, bytes_text("foo"));
    MODEL_REQUIRE(model, model->fixture->store->refusals == 0,
                  "the store was asked for nonsense");
    for (int i = 0; i < CONSUMERS; i++)
        check_due(model, &model->consumers[i]);
    model->failed_reads = model->fixture->store->failed_reads;
    if (channel == NULL)
        return;
    size_t live = 0;
    for (struct slot *at = table_first(channel->subscriptions); at != NULL;
         at = table_next(at)) {
        const struct subscription *subscription = table_value(at);
        live += subscription->state != SUBSCRIPTION_OFFLINE;
        check_subscription(model, subscription);
    }
    MODEL_REQUIRE(model, live == channel->active, "%zu active, counted %zu",
                  live, channel->active);
    for (struct slot *at = table_first(channel->groups); at != NULL;
         at = table_next(at))
        check_group(model, table_value(at));
}

/* ---- in the end ---- */

void model_check_complete(struct model *model)
{
    const struct stored_channel *channel =
        engine_store_channel(model->fixture->store, "foo");
    if (channel == NULL)
        return;
    for (int i = 0; i < CONSUMERS; i++) {
        const struct consumer_model *consumer = &model->consumers[i];
        uint64_t s = consumer->start + 1;
        if (s < channel->state.first)
            s = channel->state.first;
        for (; s <= model->stored; s++) {
            MODEL_REQUIRE(model, consumer->known[s].acked,
                          "consumer %d never got %" PRIu64, i, s);
        }
    }
}
