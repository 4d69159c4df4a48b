#include "streamd/engine/channel.h"

#include "streamd/engine/commit.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/expiry.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/subscription.h"

#include <assert.h>
#include <stdlib.h>

struct channel *channel_find(struct engine *engine, struct bytes name)
{
    if (engine->recent_channel != NULL &&
        bytes_equal(text_bytes(&engine->recent_channel->name), name))
        return engine->recent_channel;
    struct channel *channel = table_get(engine->channels, name.data, name.size);
    if (channel != NULL)
        engine->recent_channel = channel;
    return channel;
}

struct channel *channel_find_id(const struct engine *engine, uint64_t id)
{
    return table_get(engine->channel_ids, &id, sizeof id);
}

/* The name in lower case, ASCII only (protocol.md section 6 allows that). */
static char *fold(struct bytes name)
{
    char *folded = bytes_copy(name);
    for (size_t i = 0; folded != NULL && i < name.size; i++) {
        if (folded[i] >= 'A' && folded[i] <= 'Z')
            folded[i] = (char)(folded[i] - 'A' + 'a');
    }
    return folded;
}

static void channel_free(struct channel *channel)
{
    text_release(&channel->name);
    text_release(&channel->folded);
    table_free(channel->subscriptions);
    table_free(channel->durables);
    table_free(channel->groups);
    free(channel);
}

static struct channel *channel_new(struct engine *engine, struct bytes name)
{
    struct channel *channel = calloc(1, sizeof *channel);
    char *folded = fold(name);
    if (channel == NULL || folded == NULL) {
        free(channel);
        free(folded);
        return NULL;
    }
    channel->folded = (struct text){.data = folded, .size = name.size};
    channel->engine = engine;
    list_init(&channel->plain);
    list_init(&channel->reads);
    channel_cache_init(&channel->cache);
    channel->subscriptions = table_new();
    channel->durables = table_new();
    channel->groups = table_new();
    if (channel->subscriptions == NULL || channel->durables == NULL ||
        channel->groups == NULL || !text_set(&channel->name, name) ||
        !expiry_init(channel)) {
        channel_free(channel);
        return NULL;
    }
    channel->limits = limits_channel(engine->config.limits, name);
    channel->idle_since = engine->now;
    return channel;
}

/* Into the tables, all or none. */
static bool index_channel(struct engine *engine, struct channel *channel)
{
    const struct text *name = &channel->name;
    const struct text *folded = &channel->folded;
    bool done =
        table_put(engine->channels, name->data, name->size, channel) &&
        table_put(engine->channel_ids, &channel->id, sizeof channel->id,
                  channel) &&
        table_put(engine->channel_folds, folded->data, folded->size, channel) &&
        ordered_add(engine->channels_by_name, text_bytes(name), channel);
    if (!done) {
        (void)table_remove(engine->channels, name->data, name->size);
        (void)table_remove(engine->channel_ids, &channel->id,
                           sizeof channel->id);
        (void)table_remove(engine->channel_folds, folded->data, folded->size);
    }
    return done;
}

static enum status check_new(struct engine *engine, struct bytes name,
                             struct error *err)
{
    char shown[TEXT_QUOTED_MAX];
    char other[TEXT_QUOTED_MAX];
    char *folded = fold(name);
    if (folded == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (table_get(engine->damaged, folded, name.size) != NULL) {
        free(folded);
        return fail(err, STATUS_CORRUPT,
                    "channel is damaged, see the server's log");
    }
    const struct channel *twin =
        table_get(engine->channel_folds, folded, name.size);
    free(folded);
    if (twin != NULL) {
        return fail(err, STATUS_EXISTS,
                    "rejecting channel %s because channel %s alreay exists "
                    "(different cases not allowed)",
                    text_quote(name, shown),
                    text_quote(text_bytes(&twin->name), other));
    }
    int64_t most = engine->config.limits->max_channels;
    if (most > 0 && table_count(engine->channels) >= (uint64_t)most)
        return fail(err, STATUS_LIMIT, "too many channels");
    return STATUS_OK;
}

static enum status create(struct engine *engine, struct bytes name,
                          struct channel **out, struct error *err)
{
    enum status status = check_new(engine, name, err);
    if (status != STATUS_OK)
        return status;
    struct channel *channel = channel_new(engine, name);
    if (channel == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    channel->id = ++engine->last_channel;
    if (!index_channel(engine, channel)) {
        expiry_release(channel);
        channel_free(channel);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (!batch_channel_put(commit_batch(engine), channel->id, name)) {
        channel_remove(engine, channel);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    expiry_idle_begin(channel);
    *out = channel;
    return STATUS_OK;
}

enum status channel_get(struct engine *engine, struct bytes name,
                        struct channel **out, struct error *err)
{
    char shown[TEXT_QUOTED_MAX];
    struct error cause = {0};
    *out = channel_find(engine, name);
    if (*out != NULL) {
        if ((*out)->state == CHANNEL_LIVE)
            return STATUS_OK;
        *out = NULL;
        return fail(err, STATUS_UNAVAILABLE, "stan: channel is being deleted");
    }
    enum status status = create(engine, name, out, &cause);
    if (status == STATUS_OK) {
        log_info(engine->log, "Channel %s has been created",
                 text_quote(name, shown));
    } else {
        log_error(engine->log, "Creating channel %s failed: %s",
                  text_quote(name, shown), cause.detail);
    }
    if (status != STATUS_OK && err != NULL)
        *err = cause;
    return status;
}

enum status channel_restore(struct engine *engine, struct bytes name,
                            const struct channel_state *state,
                            struct error *err)
{
    struct channel *channel = channel_new(engine, name);
    if (channel == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    channel->id = state->channel;
    channel->last = state->last;
    channel->last_subscription = state->last_subscription;
    if (!index_channel(engine, channel)) {
        expiry_release(channel);
        channel_free(channel);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (engine->last_channel < channel->id)
        engine->last_channel = channel->id;
    channel_update(channel, state);
    channel->limit_warned = false;
    return STATUS_OK;
}

enum status channel_block(struct engine *engine, struct bytes name, uint64_t id,
                          struct error *err)
{
    char *folded = fold(name);
    bool done =
        folded != NULL && table_put(engine->damaged, folded, name.size, engine);
    free(folded);
    if (!done)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (engine->last_channel < id)
        engine->last_channel = id;
    return STATUS_OK;
}

void channel_remove(struct engine *engine, struct channel *channel)
{
    const struct text *name = &channel->name;
    const struct text *folded = &channel->folded;
    delivery_forget_channel(channel);
    subscription_free_all(channel);
    expiry_release(channel);
    channel_cache_release(&engine->cache, &channel->cache);
    engine->messages_total -= channel->messages;
    engine->bytes_total -= channel->bytes;
    if (engine->recent_channel == channel)
        engine->recent_channel = NULL;
    (void)table_remove(engine->channels, name->data, name->size);
    (void)table_remove(engine->channel_ids, &channel->id, sizeof channel->id);
    (void)ordered_remove(engine->channels_by_name, text_bytes(name));
    (void)table_remove(engine->channel_folds, folded->data, folded->size);
    channel_free(channel);
}

static void warn_limit(struct channel *channel)
{
    char shown[TEXT_QUOTED_MAX];
    char bytes[FRIENDLY_MAX];
    char most[FRIENDLY_MAX];
    channel->limit_warned = true;
    log_warn(channel->engine->log,
             "Reached limits for store %s (msgs=%llu/%lld bytes=%s/%s), "
             "dropping old messages to make room for new ones",
             text_quote(text_bytes(&channel->name), shown),
             (unsigned long long)channel->messages,
             (long long)channel->limits.max_messages,
             text_friendly(channel->bytes, bytes),
             text_friendly((uint64_t)channel->limits.max_bytes, most));
}

void channel_update(struct channel *channel, const struct channel_state *state)
{
    struct engine *engine = channel->engine;
    engine->messages_total += state->messages - channel->messages;
    engine->bytes_total += state->bytes - channel->bytes;
    channel->first = state->first;
    channel->durable = state->last;
    channel->messages = state->messages;
    channel->bytes = state->bytes;
    channel->first_timestamp = state->first_timestamp;
    if (channel->last_timestamp < state->last_timestamp)
        channel->last_timestamp = state->last_timestamp;
    cache_drop_below(&channel->cache, state->first);
    expiry_message_age(channel, state->first_timestamp);
    if (state->limit_reached && !channel->limit_warned)
        warn_limit(channel);
}

void channel_roll_back(struct channel *channel)
{
    channel->last = channel->durable;
    cache_drop_above(&channel->cache, channel->durable);
}
