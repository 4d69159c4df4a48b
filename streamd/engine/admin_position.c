/* Administration: a subscription, or a queue group as a whole, is moved.
 *
 * The new position is stored first and taken over when it is durable. Until
 * then memory goes on with the old one, but whatever is stored in between is
 * the new one (struct move, subscription.c): a failure changes nothing, and
 * no crash brings the old one back. */
#include "proto/codec.h"
#include "streamd/engine/admin_work.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/redelivery.h"
#include "streamd/engine/start_position.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>

/* What is moved: exactly one of the two. */
struct moved {
    struct subscription *subscription;
    struct queue_group *group;
};

static struct move *move_of(struct moved what)
{
    return what.group != NULL ? &what.group->move : &what.subscription->move;
}

static uint64_t *last_sent_of(struct moved what)
{
    return what.group != NULL ? &what.group->last_sent
                              : &what.subscription->last_sent;
}

/* The record of each, with the position to come. */
static bool store_all(struct engine *engine, struct moved what)
{
    if (what.group == NULL)
        return subscription_store(engine, what.subscription);
    bool done = what.group->shadow == NULL ||
                subscription_store(engine, what.group->shadow);
    for (struct list *at = what.group->members.next;
         done && at != &what.group->members; at = at->next) {
        done = subscription_store(
            engine, list_entry(at, struct subscription, of_channel));
    }
    return done;
}

/* ---- when it is durable ---- */

/* Forgets what is pending; returns how many that were. */
static uint64_t place(struct engine *engine, struct subscription *subscription,
                      uint64_t last_sent)
{
    uint64_t cleared = pending_count(&subscription->pending);
    pending_release(&subscription->pending);
    redelivery_stop(engine, subscription);
    timer_clear(&engine->timers, &subscription->ack_timer);
    delivery_forget(&subscription->consumer);
    subscription_set_stalled(subscription, false);
    subscription->hold = false;
    subscription->last_sent = last_sent;
    subscription_set_dirty(engine, subscription);
    return cleared;
}

static uint64_t place_group(struct engine *engine, struct queue_group *group,
                            uint64_t last_sent)
{
    uint64_t cleared = 0;
    delivery_forget(&group->consumer);
    group->last_sent = last_sent;
    group->hold = false;
    if (group->shadow != NULL)
        cleared = place(engine, group->shadow, last_sent);
    for (struct list *at = group->members.next; at != &group->members;
         at = at->next) {
        cleared += place(
            engine, list_entry(at, struct subscription, of_channel), last_sent);
    }
    delivery_ready(engine, &group->consumer);
    return cleared;
}

static void take_over(struct engine *engine, struct moved what,
                      struct admin_answer *answer)
{
    uint64_t last_sent = answer->next - 1;
    answer->previous = *last_sent_of(what);
    move_of(what)->under_way = false;
    if (what.group != NULL) {
        answer->dropped = place_group(engine, what.group, last_sent);
        return;
    }
    answer->dropped = place(engine, what.subscription, last_sent);
    if (subscription_is_live(what.subscription))
        delivery_ready(engine, &what.subscription->consumer);
}

/* What was asked for, if it is still there. */
static bool find_again(const struct admin_work *work, struct moved *what)
{
    const struct channel *channel =
        channel_find_id(work->engine, work->channel);
    *what = (struct moved){0};
    if (channel == NULL)
        return false;
    if (work->group_key.size > 0) {
        what->group = table_get(channel->groups, work->group_key.data,
                                work->group_key.size);
    } else {
        what->subscription = subscription_find(channel, work->subscription);
    }
    return what->group != NULL || what->subscription != NULL;
}

static void moved(struct engine *engine, struct effect *effect,
                  const struct error *failure)
{
    struct admin_work *work = list_entry(effect, struct admin_work, effect);
    struct admin_answer *answer = &work->request->answer;
    struct moved what;
    bool there = find_again(work, &what);
    if (failure != NULL) {
        if (there) /* the record is repeated, with the position it has */
            move_of(what)->under_way = false;
        admin_not_stored(work, failure);
    } else if (!there) {
        admin_refuse(work, STATUS_NOT_FOUND,
                     "it ended while it was being moved");
    } else {
        take_over(engine, what, answer);
        admin_done(work,
                   "moved from last_sent=%" PRIu64 " to %" PRIu64 ", %" PRIu64
                   " pending messages forgotten",
                   answer->previous, answer->next - 1, answer->dropped);
    }
}

/* ---- where to ---- */

static void move_to(struct admin_work *work, struct moved what,
                    uint64_t last_sent)
{
    struct engine *engine = work->engine;
    struct batch *batch = commit_batch(engine);
    struct move *move = move_of(what);
    size_t before = batch->count;
    if (move->under_way) {
        admin_refuse(work, STATUS_CONFLICT, "a move is under way");
        return;
    }
    *move = (struct move){.under_way = true, .last_sent = last_sent};
    if (!store_all(engine, what)) {
        move->under_way = false;
        batch_cut(batch, before);
        admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    work->request->answer.next = last_sent + 1;
    admin_wait(work, moved);
}

static void time_found(struct engine *engine, struct event *event)
{
    struct admin_work *work = list_entry(event, struct admin_work, event);
    struct channel *channel = channel_find_id(engine, work->channel);
    const struct run *run = work->read.run;
    uint64_t last_sent = work->request->answer.last; /* if there is none */
    struct moved what;
    engine->reads--;
    if (run != NULL && run->count > 0)
        last_sent = run->entries[0].sequence - 1;
    run_free(work->read.run);
    work->request->answer.last = 0;
    if (work->read.status != STATUS_OK) {
        admin_refuse(work, work->read.status, "reading failed: %.200s",
                     work->read.error.detail);
    } else if (!find_again(work, &what) || channel->state != CHANNEL_LIVE) {
        admin_refuse(work, STATUS_NOT_FOUND,
                     "it ended while it was being moved");
    } else {
        move_to(work, what, last_sent);
    }
}

static void move_to_time(struct admin_work *work, struct channel *channel,
                         struct moved what)
{
    const struct admin_request *request = work->request;
    const struct subscription_request start = {
        .start_position = START_POSITION_TIME_DELTA,
        .start_time_delta = work->engine->wall - request->time,
    };
    char text[START_TEXT_MAX];
    int64_t timestamp = 0;
    uint64_t last_sent = 0;
    if (start_position_find(channel, &start, &last_sent, &timestamp, text)) {
        move_to(work, what, last_sent);
        return;
    }
    work->request->answer.last = last_sent;
    work->read = (struct read){.by_time = true,
                               .timestamp = timestamp,
                               .max_messages = 1,
                               .max_bytes = 1};
    admin_read(work, channel, time_found);
}

static void move_to_sequence(struct admin_work *work,
                             const struct channel *channel, struct moved what)
{
    uint64_t sequence = work->request->sequence;
    if (sequence == 0 || sequence - 1 > channel->last) {
        admin_refuse(work, STATUS_INVALID,
                     "sequence %" PRIu64 " is out of range: 1 to %" PRIu64
                     " (last + 1)",
                     sequence, channel->last + 1);
        return;
    }
    if (sequence < channel->first)
        sequence = channel->first;
    move_to(work, what, sequence - 1);
}

/* A member of a queue group stands for its group. False: refused. */
static bool identify(struct admin_work *work, const struct channel *channel,
                     struct moved *what)
{
    struct admin_request *request = work->request;
    *what = (struct moved){0};
    if (request->queue_group.size > 0) {
        what->group = admin_group(work, channel);
    } else {
        what->subscription = admin_subscription(work, channel);
        if (what->subscription != NULL)
            what->group = what->subscription->group;
    }
    if (what->group == NULL)
        return what->subscription != NULL;
    what->subscription = NULL;
    if (text_set(&work->group_key, text_bytes(&what->group->key)) &&
        text_set(&request->answer.queue_name, text_bytes(&what->group->name)))
        return true;
    admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
    return false;
}

void admin_move(struct admin_work *work)
{
    struct moved what;
    struct channel *channel = admin_channel(work, true);
    if (channel == NULL || !identify(work, channel, &what))
        return;
    work->channel = channel->id;
    work->subscription = work->request->subscription;
    if (work->request->by_time) {
        move_to_time(work, channel, what);
    } else {
        move_to_sequence(work, channel, what);
    }
}
