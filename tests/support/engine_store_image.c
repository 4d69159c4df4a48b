#include "tests/support/engine_store_image.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A test without memory is no test. */
static void *need(void *allocated)
{
    if (allocated == NULL)
        abort();
    return allocated;
}

static void set(struct text *text, struct bytes bytes)
{
    if (!text_set(text, bytes))
        abort();
}

static void put(struct table *table, const void *key, size_t size, void *value)
{
    if (!table_put(table, key, size, value))
        abort();
}

/* ---- channels ---- */

static struct stored_channel *find(const struct engine_store *store,
                                   uint64_t id)
{
    return table_get(store->channels, &id, sizeof id);
}

static struct stored_channel *channel_new(struct engine_store *store,
                                          uint64_t id, struct bytes name)
{
    struct stored_channel *channel = need(calloc(1, sizeof *channel));
    channel->id = id;
    channel->state.channel = id;
    channel->subscriptions = need(table_new());
    set(&channel->name, name);
    put(store->channels, &id, sizeof id, channel);
    return channel;
}

static void drop_first(struct stored_channel *channel)
{
    struct stored_message *message = &channel->messages[channel->start++];
    channel->state.bytes -= message->bytes.size;
    channel->state.messages--;
    buffer_unref(message->bytes.buffer);
    channel->count--;
    channel->state.first =
        channel->count == 0 ? channel->state.last + 1 : message[1].sequence;
    channel->state.first_timestamp =
        channel->count == 0 ? 0 : message[1].timestamp;
}

static void subscription_free(struct stored_subscription *subscription)
{
    if (subscription == NULL)
        return;
    text_release(&subscription->record);
    text_release(&subscription->progress);
    free(subscription);
}

void engine_store_free_channel(struct stored_channel *channel)
{
    while (channel->count > 0)
        drop_first(channel);
    for (struct slot *at = table_first(channel->subscriptions); at != NULL;
         at = table_next(at))
        subscription_free(table_value(at));
    table_free(channel->subscriptions);
    text_release(&channel->name);
    free(channel->messages);
    free(channel);
}

void engine_store_trim(const struct engine_store *store,
                       struct stored_channel *channel)
{
    struct channel_limits limits =
        limits_channel(store->limits, text_bytes(&channel->name));
    const struct channel_state *state = &channel->state;
    while (
        state->messages > 1 &&
        ((limits.max_messages > 0 &&
          state->messages > (uint64_t)limits.max_messages) ||
         (limits.max_bytes > 0 && state->bytes > (uint64_t)limits.max_bytes))) {
        drop_first(channel);
        channel->state.limit_reached = true;
    }
}

void engine_store_expire(struct stored_channel *channel, int64_t timestamp)
{
    while (channel->count > 0 && channel->state.first_timestamp <= timestamp)
        drop_first(channel);
}

/* ---- a batch: checked as a whole, then applied ---- */

static enum status check_one(struct engine_store *store,
                             const struct batch *batch,
                             const struct operation *operation,
                             struct error *err)
{
    struct stored_channel *channel = find(store, operation->channel);
    bool known = channel != NULL && channel->will_exist;
    switch (operation->type) {
    case OPERATION_CHANNEL_PUT:
        if (known || (channel != NULL && channel->exists)) {
            return fail(err, STATUS_EXISTS, "channel %" PRIu64 " exists",
                        operation->channel);
        }
        if (channel == NULL) {
            channel = channel_new(store, operation->channel,
                                  operation_name(batch, operation));
        }
        channel->will_exist = true;
        return STATUS_OK;
    case OPERATION_CHANNEL_DELETE:
        if (known)
            channel->will_exist = false;
        return STATUS_OK;
    case OPERATION_APPEND:
    case OPERATION_SUBSCRIPTION_PUT:
        return known
                   ? STATUS_OK
                   : fail(err, STATUS_NOT_FOUND,
                          "channel %" PRIu64 " not found", operation->channel);
    case OPERATION_EXPIRE:
    case OPERATION_SUBSCRIPTION_DELETE:
    case OPERATION_PROGRESS:
    case OPERATION_SERVER:
    case OPERATION_CLIENT_PUT:
    case OPERATION_CLIENT_DELETE:
        return STATUS_OK;
    }
    return STATUS_OK;
}

static void append(const struct engine_store *store,
                   struct stored_channel *channel,
                   const struct operation *operation)
{
    struct channel_state *state = &channel->state;
    struct bytes bytes = slice_bytes(operation->message);
    assert(operation->sequence > state->last);
    if (channel->start + channel->count == channel->capacity) {
        channel->capacity = channel->capacity * 2 + 16;
        channel->messages = need(reallocarray(
            channel->messages, channel->capacity, sizeof *channel->messages));
    }
    struct buffer *buffer = need(buffer_new(bytes.size));
    memcpy(buffer->data, bytes.data, bytes.size);
    channel->messages[channel->start + channel->count++] =
        (struct stored_message){
            .sequence = operation->sequence,
            .timestamp = operation->timestamp,
            .bytes = {.buffer = buffer, .size = (uint32_t)bytes.size}};
    if (state->messages++ == 0) {
        state->first = operation->sequence;
        state->first_timestamp = operation->timestamp;
    }
    state->bytes += bytes.size;
    state->last = operation->sequence;
    if (state->last_timestamp < operation->timestamp)
        state->last_timestamp = operation->timestamp;
    engine_store_trim(store, channel);
}

static void put_subscription(struct stored_channel *channel, uint64_t id,
                             struct bytes record)
{
    struct stored_subscription *subscription =
        engine_store_subscription(channel, id);
    if (subscription == NULL) {
        subscription = need(calloc(1, sizeof *subscription));
        subscription->id = id;
        put(channel->subscriptions, &id, sizeof id, subscription);
    }
    set(&subscription->record, record);
    text_release(&subscription->progress);
    if (channel->state.last_subscription < id)
        channel->state.last_subscription = id;
}

static void apply_to_channel(const struct engine_store *store,
                             struct stored_channel *channel,
                             const struct batch *batch,
                             const struct operation *operation)
{
    struct bytes record = {0};
    uint64_t id = operation->subscription;
    struct stored_subscription *subscription = NULL;
    switch (operation->type) {
    case OPERATION_APPEND:
        append(store, channel, operation);
        break;
    case OPERATION_EXPIRE:
        engine_store_expire(channel, operation->timestamp);
        break;
    case OPERATION_SUBSCRIPTION_PUT:
        put_subscription(channel, id, operation_record(batch, operation));
        break;
    case OPERATION_SUBSCRIPTION_DELETE:
        subscription_free(table_remove(channel->subscriptions, &id, sizeof id));
        break;
    case OPERATION_PROGRESS:
        record = operation_record(batch, operation);
        subscription = engine_store_subscription(channel, id);
        if (subscription != NULL)
            set(&subscription->progress, record);
        break;
    case OPERATION_CHANNEL_PUT:
    case OPERATION_CHANNEL_DELETE:
    case OPERATION_SERVER:
    case OPERATION_CLIENT_PUT:
    case OPERATION_CLIENT_DELETE:
        break;
    }
}

void engine_store_free_client(struct stored_client *client)
{
    if (client == NULL)
        return;
    text_release(&client->id);
    text_release(&client->record);
    free(client);
}

static void forget_client(struct engine_store *store, struct bytes id)
{
    engine_store_free_client(table_remove(store->clients, id.data, id.size));
}

static void apply_one(struct engine_store *store, const struct batch *batch,
                      const struct operation *operation)
{
    if (operation->type == OPERATION_SERVER) {
        store->has_server = true;
        set(&store->server, operation_record(batch, operation));
    } else if (operation->type == OPERATION_CLIENT_PUT) {
        struct bytes id = operation_name(batch, operation);
        forget_client(store, id);
        struct stored_client *client = need(calloc(1, sizeof *client));
        set(&client->id, id);
        set(&client->record, operation_record(batch, operation));
        put(store->clients, id.data, id.size, client);
    } else if (operation->type == OPERATION_CLIENT_DELETE) {
        forget_client(store, operation_name(batch, operation));
    } else {
        struct stored_channel *channel = find(store, operation->channel);
        if (channel != NULL && operation->type == OPERATION_CHANNEL_PUT)
            channel->exists = true;
        if (channel != NULL && operation->type == OPERATION_CHANNEL_DELETE)
            channel->exists = false;
        if (channel != NULL && channel->exists)
            apply_to_channel(store, channel, batch, operation);
    }
}

static void report(struct engine_store *store, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct operation *operation = &batch->operations[i];
        if (operation->type != OPERATION_APPEND &&
            operation->type != OPERATION_EXPIRE)
            continue;
        struct stored_channel *channel = find(store, operation->channel);
        bool known = channel == NULL || !channel->exists;
        for (size_t j = 0; j < batch->state_count && !known; j++)
            known = batch->states[j].channel == channel->id;
        if (!known && !batch_report(batch, &channel->state))
            abort();
        if (!known)
            channel->state.limit_reached = false;
    }
}

/* Channels that were only checked, or are deleted, go. */
static void sweep(struct engine_store *store)
{
    struct slot *at = table_first(store->channels);
    while (at != NULL) {
        struct stored_channel *channel = table_value(at);
        at = table_next(at);
        channel->will_exist = channel->exists;
        if (channel->exists)
            continue;
        (void)table_remove(store->channels, &channel->id, sizeof channel->id);
        engine_store_free_channel(channel);
    }
}

enum status engine_store_apply(struct engine_store *store, struct batch *batch)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++)
        status = check_one(store, batch, &batch->operations[i], &batch->error);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < batch->count; i++)
            apply_one(store, batch, &batch->operations[i]);
        report(store, batch);
    } else { /* the engine must not ask for this: say so in any test's output */
        (void)fprintf(stderr, "store: %s\n", batch->error.detail);
        store->refusals++;
    }
    sweep(store);
    return status;
}

/* ---- what is there ---- */

size_t engine_store_search(const struct stored_channel *channel,
                           const struct read *read)
{
    size_t low = 0;
    size_t high = channel->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct stored_message *message =
            &channel->messages[channel->start + middle];
        if (read->by_time ? message->timestamp < read->timestamp
                          : message->sequence < read->sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct stored_channel *engine_store_channel(const struct engine_store *store,
                                            const char *name)
{
    for (struct slot *at = table_first(store->channels); at != NULL;
         at = table_next(at)) {
        struct stored_channel *channel = table_value(at);
        if (bytes_equal(text_bytes(&channel->name), bytes_text(name)))
            return channel;
    }
    return NULL;
}

const struct stored_message *
engine_store_message(const struct stored_channel *channel, uint64_t sequence)
{
    const struct read read = {.sequence = sequence};
    size_t i = engine_store_search(channel, &read);
    const struct stored_message *message =
        &channel->messages[channel->start + i];
    return i < channel->count && message->sequence == sequence ? message : NULL;
}

struct stored_subscription *
engine_store_subscription(const struct stored_channel *channel, uint64_t id)
{
    return table_get(channel->subscriptions, &id, sizeof id);
}

void engine_store_add_subscription(struct stored_channel *channel, uint64_t id,
                                   struct bytes record)
{
    put_subscription(channel, id, record);
}

void engine_store_lose(struct stored_channel *channel, uint64_t sequence)
{
    const struct read read = {.sequence = sequence};
    size_t i = channel->start + engine_store_search(channel, &read);
    struct stored_message *message = &channel->messages[i];
    assert(message->sequence == sequence && i > channel->start);
    buffer_unref(message->bytes.buffer);
    channel->state.messages--;
    channel->state.bytes -= message->bytes.size;
    channel->count--;
    memmove(message, message + 1,
            (channel->start + channel->count - i) * sizeof *message);
}
