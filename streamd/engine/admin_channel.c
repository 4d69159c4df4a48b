/* Administration: a channel is purged, or deleted. */
#include "streamd/engine/admin_work.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/expiry.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>

/* ---- purge ---- */

/* Before channel_update(): the channel is as the batch found it, and the purge
 * was the first thing in there. */
static void purged(struct engine *engine, struct effect *effect,
                   const struct error *failure)
{
    struct admin_work *work = list_entry(effect, struct admin_work, effect);
    struct admin_answer *answer = &work->request->answer;
    struct channel *channel = channel_find_id(engine, work->channel);
    if (channel != NULL)
        channel->purging = false;
    if (failure != NULL) {
        admin_not_stored(work, failure);
        return;
    }
    if (channel != NULL && channel->messages > 0) {
        answer->messages = channel->messages;
        answer->bytes = channel->bytes;
        answer->first = channel->first;
        answer->last = channel->durable;
    }
    admin_done(work,
               "%" PRIu64 " messages, %" PRIu64 " bytes, seq %" PRIu64
               " to %" PRIu64 " removed",
               answer->messages, answer->bytes, answer->first, answer->last);
}

/* Everything stored so far goes, so the removal stands in front of the batch:
 * what is appended by it stays, and what was removed is what the channel held
 * before. */
void admin_purge(struct admin_work *work)
{
    struct channel *channel = admin_channel(work, true);
    if (channel == NULL)
        return;
    if (channel->purging) {
        admin_refuse(work, STATUS_CONFLICT, "a purge is under way");
        return;
    }
    struct batch *batch = commit_batch(work->engine);
    if (!batch_expire(batch, channel->id, INT64_MAX)) {
        admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    batch_bring_to_front(batch);
    channel->purging = true;
    work->channel = channel->id;
    admin_wait(work, purged);
}

/* ---- deletion ---- */

/* While it was being deleted no record of a subscription was stored (see
 * subscription_store()). */
static void goes_on(struct engine *engine, struct channel *channel)
{
    channel->state = CHANNEL_LIVE;
    for (struct slot *at = table_first(channel->subscriptions); at != NULL;
         at = table_next(at)) {
        if (!subscription_store(engine, table_value(at)))
            log_error(engine->log, "Out of memory: a record is not repeated");
    }
    expiry_idle_begin(channel);
}

static void deleted(struct engine *engine, struct effect *effect,
                    const struct error *failure)
{
    struct admin_work *work = list_entry(effect, struct admin_work, effect);
    struct admin_answer *answer = &work->request->answer;
    struct channel *channel = channel_find_id(engine, work->channel);
    if (failure != NULL) {
        if (channel != NULL) /* else it could not even be created */
            goes_on(engine, channel);
        admin_not_stored(work, failure);
        return;
    }
    answer->messages = channel->messages;
    answer->bytes = channel->bytes;
    answer->last = channel->durable;
    answer->ended = table_count(channel->subscriptions);
    channel_remove(engine, channel);
    admin_done(work,
               "%" PRIu64 " messages, %" PRIu64 " bytes, %" PRIu64
               " subscriptions deleted",
               answer->messages, answer->bytes, answer->ended);
}

static void delete_now(struct admin_work *work, struct channel *channel)
{
    if (!batch_channel_delete(commit_batch(work->engine), channel->id)) {
        goes_on(work->engine, channel);
        admin_refuse(work, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    admin_wait(work, deleted);
}

/* What was published before the request is stored: now it can be counted. */
static void settled(struct engine *engine, struct effect *effect,
                    const struct error *failure)
{
    struct admin_work *work = list_entry(effect, struct admin_work, effect);
    struct channel *channel = channel_find_id(engine, work->channel);
    if (failure != NULL) {
        deleted(engine, effect, failure);
    } else {
        delete_now(work, channel);
    }
}

void admin_delete_channel(struct admin_work *work)
{
    struct channel *channel = admin_channel(work, true);
    if (channel == NULL)
        return;
    size_t subscriptions = table_count(channel->subscriptions);
    if (subscriptions > 0 && !work->request->force) {
        admin_refuse(work, STATUS_CONFLICT,
                     "the channel has %zu subscriptions (offline durables "
                     "count): force ends them",
                     subscriptions);
        return;
    }
    /* Nobody publishes or subscribes from now on. */
    channel->state = CHANNEL_DELETING;
    work->channel = channel->id;
    if (channel->last > channel->durable || channel->purging) {
        admin_wait(work, settled);
    } else {
        delete_now(work, channel);
    }
}
