#include "streamd/engine/commit.h"

#include "proto/codec.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/delivery.h"
#include "streamd/engine/expiry.h"
#include "streamd/engine/subscription.h"
#include "streamd/engine/trace.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PAUSE_BYTES = 64 << 20,  /* uncommitted: reading stops */
    RESUME_BYTES = 32 << 20, /* and goes on */
    EARLY_ACKS = 128,        /* worth a commit before the burst is over */
};
static const int64_t RETRY_AFTER = CLOCK_SECOND;

/* Offsets into commit.bytes. The encoded PubAck ends with the guid. */
struct pub_ack {
    size_t reply; /* terminated */
    size_t ack;
    uint32_t ack_size, guid_size;
};

struct commit {
    struct event event;
    struct batch *batch;
    struct list effects;
    int64_t submitted; /* monotonic */
    struct pub_ack *acks;
    size_t ack_count, ack_capacity;
    struct blob bytes;
};

static void commit_free(struct commit *commit)
{
    if (commit == NULL)
        return;
    batch_free(commit->batch);
    free(commit->acks);
    blob_release(&commit->bytes);
    free(commit);
}

static void finished(struct engine *engine, struct event *event);

static struct commit *commit_new(void)
{
    struct commit *commit = calloc(1, sizeof *commit);
    if (commit == NULL)
        return NULL;
    list_init(&commit->effects);
    commit->event.run = finished;
    commit->batch = batch_new();
    if (commit->batch == NULL) {
        free(commit);
        return NULL;
    }
    return commit;
}

static void retry(struct timer *timer, int64_t now)
{
    (void)timer;
    (void)now; /* being cleared is all: commit_submit() follows each event */
}

enum status commit_init(struct engine *engine, struct error *err)
{
    engine->retry_timer = (struct timer){.fire = retry};
    engine->has_disk = strcmp(store_name(engine->config.store), "MEMORY") != 0;
    engine->filling = commit_new();
    engine->spare = commit_new();
    engine->reserve = commit_new();
    if (engine->filling == NULL || engine->spare == NULL ||
        engine->reserve == NULL || !timers_reserve(&engine->timers, 1))
        return fail(err, STATUS_NO_MEMORY, "engine: batches");
    return STATUS_OK;
}

struct batch *commit_batch(struct engine *engine)
{
    timer_clear(&engine->timers, &engine->retry_timer);
    return engine->filling->batch;
}

void commit_wait(struct engine *engine, struct effect *effect)
{
    list_append(&engine->filling->effects, &effect->link);
    engine->filling->batch->sync = true;
}

static bool grow_acks(struct commit *commit)
{
    if (commit->ack_count < commit->ack_capacity)
        return true;
    size_t capacity = commit->ack_capacity == 0 ? 64 : commit->ack_capacity * 2;
    struct pub_ack *acks =
        realloc(commit->acks, capacity * sizeof *commit->acks);
    if (acks == NULL)
        return false;
    commit->acks = acks;
    commit->ack_capacity = capacity;
    return true;
}

/* Offset of a terminated copy of reply. One publisher sends many messages with
 * the same reply subject in a row: those share it. */
static bool keep_reply(struct commit *commit, const char *reply, size_t *offset)
{
    if (commit->ack_count > 0) {
        size_t recent = commit->acks[commit->ack_count - 1].reply;
        if (strcmp((const char *)commit->bytes.data + recent, reply) == 0) {
            *offset = recent;
            return true;
        }
    }
    *offset = commit->bytes.size;
    return blob_append(&commit->bytes, reply, strlen(reply) + 1);
}

enum status commit_pub_ack(struct engine *engine, const char *reply,
                           struct bytes guid, struct error *err)
{
    struct commit *commit = engine->filling;
    struct bytes none = bytes_of(NULL, 0);
    size_t size = pub_ack_size(guid, none);
    size_t offset = 0;
    if (!grow_acks(commit) || !keep_reply(commit, reply, &offset) ||
        !blob_reserve(&commit->bytes, size))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    struct pub_ack *ack = &commit->acks[commit->ack_count++];
    *ack = (struct pub_ack){.reply = offset,
                            .ack = commit->bytes.size,
                            .ack_size = (uint32_t)size,
                            .guid_size = (uint32_t)guid.size};
    (void)pub_ack_encode(guid, none, commit->bytes.data + commit->bytes.size);
    commit->bytes.size += size;
    commit->batch->sync = true;
    return STATUS_OK;
}

static struct bytes guid_of(const struct commit *commit,
                            const struct pub_ack *ack)
{
    return bytes_of(commit->bytes.data + ack->ack + ack->ack_size -
                        ack->guid_size,
                    ack->guid_size);
}

static void send_acks(struct engine *engine, const struct commit *commit)
{
    const struct transport *transport = &engine->config.transport;
    for (size_t i = 0; i < commit->ack_count; i++) {
        const struct pub_ack *ack = &commit->acks[i];
        /* A publisher that cannot be told will time out and try again. */
        (void)transport->publish(
            transport->context, (const char *)commit->bytes.data + ack->reply,
            NULL, bytes_of(commit->bytes.data + ack->ack, ack->ack_size));
        if (trace_enabled(engine))
            trace_pub_ack(engine, guid_of(commit, ack), NULL);
    }
}

static void send_failures(struct engine *engine, const struct commit *commit,
                          const struct error *failure)
{
    const struct transport *transport = &engine->config.transport;
    for (size_t i = 0; i < commit->ack_count; i++) {
        const struct pub_ack *ack = &commit->acks[i];
        struct bytes guid = guid_of(commit, ack);
        struct bytes text = bytes_text(failure->detail);
        engine->scratch.size = 0;
        if (!blob_reserve(&engine->scratch, pub_ack_size(guid, text)))
            return;
        size_t size = pub_ack_encode(guid, text, engine->scratch.data);
        (void)transport->publish(transport->context,
                                 (const char *)commit->bytes.data + ack->reply,
                                 NULL, bytes_of(engine->scratch.data, size));
        if (trace_enabled(engine))
            trace_pub_ack(engine, guid, failure->detail);
    }
}

static void finish_effects(struct engine *engine, struct commit *commit,
                           const struct error *failure)
{
    while (!list_empty(&commit->effects)) {
        struct effect *effect =
            list_entry(list_pop(&commit->effects), struct effect, link);
        effect->finish(engine, effect, failure);
    }
}

static void commit_reset(struct commit *commit)
{
    batch_clear(commit->batch);
    commit->ack_count = 0;
    commit->bytes.size = 0;
    if (commit->bytes.capacity > PAUSE_BYTES)
        blob_release(&commit->bytes);
}

/* Messages that a commit took out: those there were and those appended, less
 * those left. Sequences are dense. */
static void count_removed(struct engine *engine, const struct channel *channel,
                          const struct channel_state *state)
{
    uint64_t before = channel->messages + (state->last - channel->durable);
    if (before <= state->messages)
        return;
    uint64_t removed = before - state->messages;
    if (state->limit_reached) {
        engine->counters.trimmed += removed;
    } else {
        engine->counters.expired += removed;
    }
}

static void measure(struct engine *engine, const struct commit *commit)
{
    struct view_counters *counters = &engine->counters;
    const struct batch *batch = commit->batch;
    int64_t took = clock_monotonic(engine->clock) - commit->submitted;
    engine->commit_finished = engine->now;
    engine->commit_took = took;
    counters->commits++;
    histogram_add(&counters->commit_durations, &histogram_durations,
                  (uint64_t)took);
    histogram_add(&counters->commit_bytes, &histogram_bytes,
                  batch->message_bytes + batch->bytes.size);
    histogram_add(&counters->commit_messages, &histogram_numbers, batch->count);
    if (batch->sync_time > 0) {
        histogram_add(&counters->sync_durations, &histogram_durations,
                      (uint64_t)batch->sync_time);
    }
}

static void succeeded(struct engine *engine, struct commit *commit)
{
    const struct batch *batch = commit->batch;
    measure(engine, commit);
    finish_effects(engine, commit, NULL);
    for (size_t i = 0; i < batch->state_count; i++) {
        struct channel *channel =
            channel_find_id(engine, batch->states[i].channel);
        if (channel == NULL)
            continue;
        count_removed(engine, channel, &batch->states[i]);
        channel_update(channel, &batch->states[i]);
        delivery_channel_grew(engine, channel);
    }
    delivery_run(engine);
    send_acks(engine, commit);
}

/* ---- when it failed ---- */

/* Messages in it are not stored: their sequences are free again. */
static void roll_back(struct engine *engine, const struct batch *batch)
{
    struct channel *channel = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        const struct operation *operation = &batch->operations[i];
        if (operation->type != OPERATION_APPEND)
            continue;
        engine->counters.publish_failures[PUBLISH_STORE]++;
        if (channel != NULL && channel->id == operation->channel)
            continue;
        channel = channel_find_id(engine, operation->channel);
        if (channel != NULL)
            channel_roll_back(channel);
    }
}

static bool redo_subscription(struct engine *engine, struct batch *to,
                              const struct operation *operation)
{
    struct channel *channel = channel_find_id(engine, operation->channel);
    struct subscription *subscription =
        channel == NULL ? NULL
                        : subscription_find(channel, operation->subscription);
    if (subscription != NULL) {
        subscription_set_dirty(engine, subscription);
        return operation->type == OPERATION_PROGRESS ||
               subscription_store(engine, subscription);
    }
    if (channel == NULL)
        return true;
    return batch_subscription_delete(to, operation->channel,
                                     operation->subscription);
}

/* The client that has this id now, perhaps not the one of the failed batch, or
 * that there is none. */
static bool redo_client(struct engine *engine, struct bytes id)
{
    const struct client *client = client_find(engine, id);
    if (client == NULL)
        return batch_client_delete(engine->filling->batch, id);
    struct client_record record = client_record(client);
    engine->scratch.size = 0;
    return client_record_encode(&record, &engine->scratch) &&
           batch_client_put(engine->filling->batch, id,
                            blob_bytes(&engine->scratch));
}

/* What memory holds and the store does not goes into the next batch. */
static bool redo(struct engine *engine, const struct batch *from,
                 const struct operation *operation, struct batch *to)
{
    struct channel *channel = channel_find_id(engine, operation->channel);
    switch (operation->type) {
    case OPERATION_SERVER:
        return batch_server(to, operation_record(from, operation));
    case OPERATION_CLIENT_PUT:
    case OPERATION_CLIENT_DELETE:
        return redo_client(engine, operation_name(from, operation));
    case OPERATION_EXPIRE:
        if (channel != NULL)
            expiry_retry(channel);
        return true;
    case OPERATION_SUBSCRIPTION_PUT:
    case OPERATION_SUBSCRIPTION_DELETE:
    case OPERATION_PROGRESS:
        return redo_subscription(engine, to, operation);
    case OPERATION_CHANNEL_PUT:    /* redo_channels() did */
    case OPERATION_CHANNEL_DELETE: /* its effect took it back */
    case OPERATION_APPEND:         /* the publisher was told */
        return true;
    }
    return true;
}

static void take_back(struct engine *engine, struct commit *commit,
                      const struct error *failure)
{
    roll_back(engine, commit->batch);
    finish_effects(engine, commit, failure);
    send_failures(engine, commit, failure);
}

static void log_lost(struct engine *engine)
{
    log_error(engine->log,
              "Out of memory while repeating a failed operation; it is lost");
}

/* Before all else: what is taken back may store records of these channels.
 * Without memory such a channel goes: nothing of it was stored, and all who
 * were to put something into it are told so. */
static void redo_channels(struct engine *engine, const struct batch *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct operation *operation = &from->operations[i];
        if (operation->type != OPERATION_CHANNEL_PUT)
            continue;
        struct channel *channel = channel_find_id(engine, operation->channel);
        if (channel != NULL &&
            !batch_channel_put(engine->filling->batch, operation->channel,
                               operation_name(from, operation))) {
            log_error(engine->log, "Channel %s is not created: out of memory",
                      channel->name.data);
            channel_remove(engine, channel);
        }
    }
}

static void redo_all(struct engine *engine, const struct batch *from)
{
    for (size_t i = 0; i < from->count; i++) {
        if (!redo(engine, from, &from->operations[i], engine->filling->batch))
            log_lost(engine);
    }
}

/* All of the failed batch, and all of the one that filled behind it (its
 * messages follow those that are not there), is taken back. */
static void failed(struct engine *engine, struct commit *commit)
{
    const struct error failure = commit->batch->error;
    engine->counters.commit_failures++;
    struct commit *behind = engine->filling;
    log_error(engine->log, "Unable to store: %s", failure.detail);
    engine->filling = engine->reserve;
    engine->filling->batch->limits = behind->batch->limits; /* not seen yet */
    redo_channels(engine, commit->batch);
    redo_channels(engine, behind->batch);
    take_back(engine, commit, &failure);
    take_back(engine, behind, &failure);
    redo_all(engine, commit->batch);
    redo_all(engine, behind->batch);
    commit_reset(behind);
    engine->reserve = behind;
    timer_set(&engine->timers, &engine->retry_timer, engine->now + RETRY_AFTER);
}

/* ---- under way ---- */

/* What waits for the store. What waits along, for a reply, is of the size of
 * its record. */
static size_t size_of(const struct commit *commit)
{
    const struct batch *batch = commit->batch;
    return batch->message_bytes + batch->bytes.size + commit->bytes.size +
           batch->count * sizeof *batch->operations;
}

static size_t uncommitted(const struct engine *engine)
{
    return size_of(engine->filling) +
           (engine->flying == NULL ? 0 : size_of(engine->flying));
}

int64_t commit_uncommitted(const struct engine *engine)
{
    return (int64_t)uncommitted(engine);
}

static void pace(struct engine *engine)
{
    size_t bytes = uncommitted(engine);
    bool pause = bytes > (engine->paused ? RESUME_BYTES : PAUSE_BYTES);
    if (pause == engine->paused)
        return;
    engine->paused = pause;
    engine->config.transport.pause(engine->config.transport.context, pause);
}

static void finished(struct engine *engine, struct event *event)
{
    struct commit *commit = list_entry(event, struct commit, event);
    assert(commit == engine->flying);
    engine->flying = NULL;
    if (commit->batch->status == STATUS_OK) {
        succeeded(engine, commit);
    } else {
        failed(engine, commit);
    }
    commit_reset(commit);
    engine->spare = commit;
}

/* Any thread. */
static void stored(struct batch *batch)
{
    struct engine *engine = batch->context;
    engine->config.post(engine->config.context, &engine->flying->event);
}

/* Without the progress nothing goes: what left a member may be in the batch,
 * and what became of its messages is not. */
static void submit(struct engine *engine)
{
    struct commit *commit = engine->filling;
    if (!subscription_store_progress(engine, commit->batch)) {
        log_error(engine->log, "Out of memory: the store has to wait");
        timer_set(&engine->timers, &engine->retry_timer,
                  engine->now + RETRY_AFTER);
    } else if (commit->batch->count > 0 || commit->batch->limits != NULL ||
               !list_empty(&commit->effects)) {
        engine->flying = commit;
        engine->filling = engine->spare;
        engine->spare = NULL;
        commit->submitted = clock_monotonic(engine->clock);
        commit->batch->done = stored;
        commit->batch->context = engine;
        store_commit(engine->config.store, commit->batch);
    }
}

void commit_submit(struct engine *engine)
{
    if (engine->flying == NULL && !timer_is_set(&engine->retry_timer))
        submit(engine);
    pace(engine);
}

void commit_submit_early(struct engine *engine)
{
    if (engine->flying == NULL && engine->has_disk &&
        engine->filling->ack_count >= EARLY_ACKS &&
        engine->now - engine->commit_finished > engine->commit_took &&
        !timer_is_set(&engine->retry_timer))
        submit(engine);
}

bool commit_is_idle(const struct engine *engine)
{
    return engine->flying == NULL && list_empty(&engine->dirty) &&
           engine->filling->batch->count == 0 &&
           engine->filling->batch->limits == NULL &&
           list_empty(&engine->filling->effects);
}

void commit_abandon(struct engine *engine)
{
    struct error closed = {0};
    if (engine->filling == NULL)
        return;
    (void)fail(&closed, STATUS_CLOSED, "server is shutting down");
    take_back(engine, engine->filling, &closed);
}

void commit_release(struct engine *engine)
{
    assert(engine->flying == NULL);
    commit_free(engine->filling);
    commit_free(engine->spare);
    commit_free(engine->reserve);
    engine->filling = engine->spare = engine->reserve = NULL;
}
