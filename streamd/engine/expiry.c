#include "streamd/engine/expiry.h"

#include "streamd/engine/channel.h"
#include "streamd/engine/commit.h"

#include <stdlib.h>

static const int64_t RETRY_AFTER = 5 * CLOCK_SECOND;
enum { TIMERS = 2 }; /* of a channel */

static void set(struct channel *channel, struct timer *timer, int64_t due)
{
    timer_set(&channel->engine->timers, timer, due);
}

/* ---- messages by age ---- */

static void expire(struct timer *timer, int64_t now)
{
    struct channel *channel = timer->context;
    struct engine *engine = channel->engine;
    channel->expiry_tried = channel->first_timestamp;
    if (channel->state == CHANNEL_LIVE &&
        !batch_expire(commit_batch(engine), channel->id,
                      engine->wall - channel->limits.max_age))
        set(channel, timer, now + RETRY_AFTER);
    /* channel_update() sets the timer for what is left */
}

void expiry_message_age(struct channel *channel, int64_t timestamp)
{
    struct engine *engine = channel->engine;
    int64_t max_age = channel->limits.max_age;
    if (max_age <= 0)
        return;
    timer_clear(&engine->timers, &channel->expiry_timer);
    if (timestamp == 0)
        return;
    int64_t left = max_age - (engine->wall - timestamp);
    if (left > max_age)
        left = max_age; /* a timestamp from the future: the clock was set */
    if (left < 0)
        left = 0;
    /* It was to go and is still there: damage, which the store has logged. */
    if (left == 0 && timestamp == channel->expiry_tried)
        left = RETRY_AFTER;
    set(channel, &channel->expiry_timer, engine->now + left);
}

void expiry_retry(struct channel *channel)
{
    if (channel->limits.max_age > 0) { /* else it was a purge, which was told */
        set(channel, &channel->expiry_timer,
            channel->engine->now + RETRY_AFTER);
    }
}

/* ---- channels by inactivity ---- */

/* Waits for the deletion of a channel. */
struct deletion {
    struct effect effect;
    uint64_t channel;
};

static void deleted(struct engine *engine, struct effect *effect,
                    const struct error *failure)
{
    struct deletion *deletion = list_entry(effect, struct deletion, effect);
    struct channel *channel = channel_find_id(engine, deletion->channel);
    char shown[TEXT_QUOTED_MAX];
    free(deletion);
    if (channel == NULL)
        return;
    (void)text_quote(text_bytes(&channel->name), shown);
    if (failure != NULL) {
        log_error(engine->log, "Error deleting channel %s: %s", shown,
                  failure->detail);
        channel->state = CHANNEL_LIVE;
        expiry_idle_begin(channel);
        return;
    }
    channel_remove(engine, channel);
    log_info(engine->log, "Channel %s has been deleted", shown);
}

static bool delete_channel(struct channel *channel)
{
    struct engine *engine = channel->engine;
    struct deletion *deletion = calloc(1, sizeof *deletion);
    if (deletion == NULL)
        return false;
    if (!batch_channel_delete(commit_batch(engine), channel->id)) {
        free(deletion);
        return false;
    }
    deletion->effect.finish = deleted;
    deletion->channel = channel->id;
    commit_wait(engine, &deletion->effect);
    channel->state = CHANNEL_DELETING;
    return true;
}

static void idle(struct timer *timer, int64_t now)
{
    struct channel *channel = timer->context;
    int64_t period = channel->limits.max_inactivity;
    if (channel->active > 0 || channel->pins > 0 ||
        channel->state != CHANNEL_LIVE)
        return; /* the timer is set when the last one leaves */
    if (channel->last > channel->durable ||
        now - channel->idle_since < period) {
        set(channel, timer,
            (channel->last > channel->durable ? now : channel->idle_since) +
                period);
        return;
    }
    if (!delete_channel(channel))
        set(channel, timer, now + RETRY_AFTER);
}

void expiry_idle_begin(struct channel *channel)
{
    struct engine *engine = channel->engine;
    if (channel->limits.max_inactivity <= 0 || channel->active > 0 ||
        channel->pins > 0)
        return;
    channel->idle_since = engine->now;
    set(channel, &channel->idle_timer,
        engine->now + channel->limits.max_inactivity);
}

void expiry_idle_end(struct channel *channel)
{
    timer_clear(&channel->engine->timers, &channel->idle_timer);
}

bool expiry_init(struct channel *channel)
{
    channel->expiry_timer = (struct timer){.fire = expire, .context = channel};
    channel->idle_timer = (struct timer){.fire = idle, .context = channel};
    return timers_reserve(&channel->engine->timers, TIMERS);
}

void expiry_limits_changed(struct channel *channel)
{
    timer_clear(&channel->engine->timers, &channel->expiry_timer);
    expiry_message_age(channel, channel->first_timestamp);
    expiry_idle_end(channel);
    expiry_idle_begin(channel);
}

void expiry_release(struct channel *channel)
{
    struct timers *timers = &channel->engine->timers;
    timer_clear(timers, &channel->expiry_timer);
    timer_clear(timers, &channel->idle_timer);
    timers_unreserve(timers, TIMERS);
}
