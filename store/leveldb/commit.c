/* A batch is applied to the channels' states and encoded as one record of the
 * journal; when that is durable it is published to readers and keeper. Each
 * channel touched keeps its state from before, so a failure puts everything
 * back. */
#include "store/leveldb/commit.h"

#include "store/leveldb/keeper.h"
#include "store/leveldb/keys.h"
#include "store/leveldb/trim.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { RUN_MESSAGES = 1024 }; /* a run ends here, too */

struct commit {
    struct file_store *store;
    struct batch *batch;
    size_t applied;
    struct list touched;
    struct list records;    /* dirty_record: what keys become */
    struct channel *latest; /* looked up last */
    uint64_t next_number_before;
    bool dropped; /* messages or channels */
    bool sync;    /* what it holds cannot be missing from the journal */
    struct record_writer writer;
    struct trim trim;
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "commit");
}

/* ---- one key ---- */

/* payload NULL: it goes. */
static enum status change(struct commit *commit, struct bytes key,
                          const struct bytes *payload, struct error *err)
{
    const struct record_operation operation = {
        .kind = payload == NULL ? RECORD_DELETE : RECORD_PUT,
        .key = key,
        .payload = payload == NULL ? bytes_of(NULL, 0) : *payload,
    };
    struct dirty_record *record = dirty_record_new(key, payload);
    if (record == NULL)
        return no_memory(err);
    list_append(&commit->records, &record->link);
    return record_add(&commit->writer, &operation) ? STATUS_OK : no_memory(err);
}

static enum status put(struct commit *commit, const struct key *key,
                       const struct operation *operation, struct error *err)
{
    struct bytes record = operation_record(commit->batch, operation);
    return change(commit, key_bytes(key), &record, err);
}

static enum status drop(struct commit *commit, const struct key *key,
                        struct error *err)
{
    return change(commit, key_bytes(key), NULL, err);
}

/* The key of a client, in scratch. */
static bool client_key(struct file_store *store, struct bytes id)
{
    static const uint8_t tag = KEY_CLIENT;
    store->key.size = 0;
    return blob_append(&store->key, &tag, 1) &&
           blob_append(&store->key, id.data, id.size);
}

/* ---- channels ---- */

static bool is_deleted(const struct channel *channel)
{
    return channel->change == CHANNEL_DELETED ||
           channel->change == CHANNEL_CREATED_AND_DELETED;
}

/* The channel of an operation, NULL if there is none (any more). */
static struct channel *find(struct commit *commit, uint64_t id)
{
    struct channel *channel = commit->latest;
    if (channel == NULL || channel->state.channel != id)
        channel = table_get(commit->store->channels, &id, sizeof id);
    commit->latest = channel;
    return channel == NULL || is_deleted(channel) ? NULL : channel;
}

static void touch(struct commit *commit, struct channel *channel)
{
    if (channel->change != CHANNEL_UNTOUCHED)
        return;
    channel->change = CHANNEL_TOUCHED;
    channel->before = channel->state;
    channel->report = channel->state_due = channel->unreadable = false;
    channel->head = channel->tail = no_append;
    channel->places = channel->place_end = 0;
    list_append(&commit->touched, &channel->link);
}

static enum status unknown(uint64_t channel, struct error *err)
{
    return fail(err, STATUS_NOT_FOUND, "channel %" PRIu64 " not found",
                channel);
}

static enum status channel_put(struct commit *commit,
                               const struct operation *operation,
                               struct error *err)
{
    struct file_store *store = commit->store;
    uint64_t id = operation->channel;
    if (table_get(store->channels, &id, sizeof id) != NULL) {
        return fail(err, STATUS_EXISTS, "channel %" PRIu64 " already exists",
                    id);
    }
    struct bytes name = operation_name(commit->batch, operation);
    const struct channel_limits limits = limits_channel(store->limits, name);
    struct channel *channel =
        channel_new(id, store->next_number, name, &limits);
    if (channel == NULL)
        return no_memory(err);
    /* Readers may look it up from now on; they see it empty. */
    (void)pthread_mutex_lock(&store->lock);
    bool is_put = table_put(store->channels, &id, sizeof id, channel);
    (void)pthread_mutex_unlock(&store->lock);
    if (!is_put) {
        channel_free(channel);
        return no_memory(err);
    }
    store->next_number++;
    commit->sync = true;
    touch(commit, channel);
    channel->change = CHANNEL_CREATED;
    commit->latest = channel;
    const struct record_operation create = {.kind = RECORD_CREATE,
                                            .number = channel->number,
                                            .id = id,
                                            .name = name};
    return record_add(&commit->writer, &create) ? STATUS_OK : no_memory(err);
}

static enum status channel_delete(struct commit *commit,
                                  const struct operation *operation,
                                  struct error *err)
{
    struct channel *channel = find(commit, operation->channel);
    if (channel == NULL)
        return STATUS_OK;
    touch(commit, channel);
    channel->change = channel->change == CHANNEL_CREATED
                          ? CHANNEL_CREATED_AND_DELETED
                          : CHANNEL_DELETED;
    channel->report = false;
    commit->dropped = commit->sync = true;
    const struct record_operation discard = {.kind = RECORD_DISCARD,
                                             .number = channel->number};
    return record_add(&commit->writer, &discard) ? STATUS_OK : no_memory(err);
}

/* ---- messages ---- */

static enum status append(struct commit *commit,
                          const struct operation *operation, struct error *err)
{
    struct channel *channel = find(commit, operation->channel);
    if (channel == NULL)
        return unknown(operation->channel, err);
    if (operation->sequence == UINT64_MAX)
        return fail(err, STATUS_INVALID, "sequence out of range");
    if (operation->message.size > record_max / 2)
        return fail(err, STATUS_TOO_BIG, "the message is too big");
    touch(commit, channel);
    channel->report = true;
    if (operation->sequence <= channel->state.last)
        return STATUS_OK; /* S3: stored before */
    commit->sync = true;
    uint32_t at = (uint32_t)commit->applied;
    uint32_t *chain = commit->store->chain;
    chain[at] = no_append;
    if (channel->head == no_append) {
        channel->head = at;
    } else {
        chain[channel->tail] = at;
    }
    channel->tail = at;
    trim_append(channel, operation->sequence, operation->timestamp,
                operation->message.size);
    commit->trim.operations = commit->applied + 1; /* this one, too */
    if (trim_limits(&commit->trim, channel)) {
        channel->state_due = commit->dropped = true;
        channel->state.limit_reached = true;
    }
    return STATUS_OK;
}

static void expire(struct commit *commit, const struct operation *operation)
{
    struct channel *channel = find(commit, operation->channel);
    if (channel == NULL)
        return; /* deleted meanwhile */
    touch(commit, channel);
    channel->report = true;
    commit->trim.operations = commit->applied;
    if (trim_expired(&commit->trim, channel, operation->timestamp))
        channel->state_due = commit->dropped = true;
}

/* ---- subscriptions ---- */

static enum status subscription_put(struct commit *commit,
                                    const struct operation *operation,
                                    struct error *err)
{
    struct channel *channel = find(commit, operation->channel);
    uint64_t id = operation->subscription;
    if (channel == NULL)
        return unknown(operation->channel, err);
    if (id == UINT64_MAX)
        return fail(err, STATUS_INVALID, "subscription id out of range");
    struct key key = key_pair(KEY_SUBSCRIPTION, channel->number, id);
    struct key progress = key_pair(KEY_PROGRESS, channel->number, id);
    enum status status = put(commit, &key, operation, err);
    /* Progress counts since the latest record only. */
    if (status == STATUS_OK)
        status = drop(commit, &progress, err);
    if (id > channel->state.last_subscription) {
        touch(commit, channel);
        channel->state.last_subscription = id;
        channel->state_due = true;
    }
    return status;
}

static enum status subscription_delete(struct commit *commit,
                                       const struct operation *operation,
                                       struct error *err)
{
    const struct channel *channel = find(commit, operation->channel);
    if (channel == NULL)
        return STATUS_OK;
    uint64_t id = operation->subscription;
    struct key key = key_pair(KEY_SUBSCRIPTION, channel->number, id);
    struct key progress = key_pair(KEY_PROGRESS, channel->number, id);
    enum status status = drop(commit, &key, err);
    return status == STATUS_OK ? drop(commit, &progress, err) : status;
}

/* Of a subscription that is gone (S12), it stays behind as a key that recovery
 * skips and the next record of that id removes. */
static enum status progress_put(struct commit *commit,
                                const struct operation *operation,
                                struct error *err)
{
    const struct channel *channel = find(commit, operation->channel);
    if (channel == NULL || operation->subscription == UINT64_MAX)
        return STATUS_OK;
    struct key key =
        key_pair(KEY_PROGRESS, channel->number, operation->subscription);
    return put(commit, &key, operation, err);
}

/* ---- server and clients ---- */

static enum status client(struct commit *commit,
                          const struct operation *operation, struct error *err)
{
    struct file_store *store = commit->store;
    struct bytes record = operation_record(commit->batch, operation);
    if (!client_key(store, operation_name(commit->batch, operation)))
        return no_memory(err);
    return change(commit, blob_bytes(&store->key),
                  operation->type == OPERATION_CLIENT_PUT ? &record : NULL,
                  err);
}

static enum status server(struct commit *commit,
                          const struct operation *operation, struct error *err)
{
    struct key key = key_alone(KEY_SERVER);
    return put(commit, &key, operation, err);
}

/* ---- the record ---- */

/* The messages of one run, from operation `at` of the chain on; *at is the
 * first that is not in it. */
static void measure_run(const struct commit *commit, uint32_t *at,
                        struct record_operation *out)
{
    struct place *place = &out->place;
    size_t size = 0;
    for (; *at != no_append && size < RUN_BYTES && place->count < RUN_MESSAGES;
         *at = commit->store->chain[*at]) {
        const struct operation *operation = &commit->batch->operations[*at];
        if (place->count == 0) {
            place->first = operation->sequence;
            place->timestamp = out->top_timestamp = operation->timestamp;
        }
        if (operation->timestamp > out->top_timestamp)
            out->top_timestamp = operation->timestamp;
        place->last = operation->sequence;
        place->count++;
        size += MESSAGE_HEADER + (size_t)operation->message.size;
    }
    place->size = (uint32_t)size;
}

static enum status add_run(struct commit *commit, const struct channel *channel,
                           uint32_t *at, struct error *err)
{
    struct file_store *store = commit->store;
    struct blob *record = &store->record;
    struct record_operation run = {.kind = RECORD_RUN,
                                   .number = channel->number};
    uint32_t from = *at, seed = message_seed(channel->number);
    measure_run(commit, at, &run);
    if (!record_add(&commit->writer, &run) || !runs_reserve(&store->places, 1))
        return no_memory(err);
    run.place.position = record->size;
    for (; from != *at; from = store->chain[from]) {
        const struct operation *operation = &commit->batch->operations[from];
        if (!message_encode(record, seed, operation->sequence,
                            operation->timestamp,
                            slice_bytes(operation->message)))
            return no_memory(err);
    }
    runs_add(&store->places, &run.place);
    return STATUS_OK;
}

/* Messages, without those that the batch itself dropped again, and the state if
 * it is not what the messages tell. */
static enum status add_channel(struct commit *commit, struct channel *channel,
                               struct error *err)
{
    struct file_store *store = commit->store;
    uint32_t at = channel->head;
    enum status status = STATUS_OK;
    while (at != no_append &&
           commit->batch->operations[at].sequence < channel->state.first)
        at = store->chain[at];
    channel->places = store->places.count;
    while (status == STATUS_OK && at != no_append)
        status = add_run(commit, channel, &at, err);
    channel->place_end = store->places.count;
    if (status == STATUS_OK && channel->state_due) {
        const struct record_operation state = {.kind = RECORD_STATE,
                                               .number = channel->number,
                                               .state = channel->state};
        if (!record_add(&commit->writer, &state))
            return no_memory(err);
    }
    if (status == STATUS_OK && channel->place_end > channel->places) {
        (void)pthread_mutex_lock(&store->lock);
        bool reserved = runs_reserve(&channel->active,
                                     channel->place_end - channel->places);
        (void)pthread_mutex_unlock(&store->lock);
        if (!reserved)
            return no_memory(err);
    }
    return status;
}

/* A deleted one's record; what is under its number goes behind it. */
static enum status add_deleted(struct commit *commit, struct channel *channel,
                               struct error *err)
{
    struct key key = key_channel(channel->number);
    struct blob payload = {0};
    const struct channel_record record = {
        .phase = RECORD_DELETED,
        .state = channel->state,
        .swept = channel->swept,
        .name = blob_bytes(&channel->name),
    };
    enum status status = no_memory(err);
    if (channel_record_encode(&record, &payload)) {
        struct bytes bytes = blob_bytes(&payload);
        struct dirty_record *dirty = dirty_record_new(key_bytes(&key), &bytes);
        if (dirty != NULL) {
            list_append(&commit->records, &dirty->link);
            status = STATUS_OK;
        }
    }
    blob_release(&payload);
    return status;
}

/* Last of what can fail before the write. */
static enum status add_channels(struct commit *commit, struct error *err)
{
    enum status status = STATUS_OK;
    struct list *link = commit->touched.next;
    for (; link != &commit->touched && status == STATUS_OK; link = link->next) {
        struct channel *channel = list_entry(link, struct channel, link);
        if (channel->report && !batch_report(commit->batch, &channel->state))
            return no_memory(err);
        status = is_deleted(channel) ? add_deleted(commit, channel, err)
                                     : add_channel(commit, channel, err);
    }
    if (status == STATUS_OK && !record_pad(&commit->writer))
        status = no_memory(err);
    return status;
}

/* ---- the batch ---- */

static enum status apply(struct commit *commit,
                         const struct operation *operation, struct error *err)
{
    switch (operation->type) {
    case OPERATION_SERVER:
        return server(commit, operation, err);
    case OPERATION_CLIENT_PUT:
    case OPERATION_CLIENT_DELETE:
        return client(commit, operation, err);
    case OPERATION_CHANNEL_PUT:
        return channel_put(commit, operation, err);
    case OPERATION_CHANNEL_DELETE:
        return channel_delete(commit, operation, err);
    case OPERATION_APPEND:
        return append(commit, operation, err);
    case OPERATION_EXPIRE:
        expire(commit, operation);
        return STATUS_OK;
    case OPERATION_SUBSCRIPTION_PUT:
        return subscription_put(commit, operation, err);
    case OPERATION_SUBSCRIPTION_DELETE:
        return subscription_delete(commit, operation, err);
    case OPERATION_PROGRESS:
        return progress_put(commit, operation, err);
    }
    return fail(err, STATUS_INVALID, "unknown operation");
}

/* What is in the journal must not be missing from memory: the next checkpoint
 * would forget it. */
static void out_of_memory(const struct file_store *store)
{
    log_error(store->log, "Out of memory; what was stored is in the journal");
    abort();
}

static void forget(struct file_store *store, struct channel *channel)
{
    (void)pthread_mutex_lock(&store->lock);
    (void)table_remove(store->channels, &channel->state.channel,
                       sizeof channel->state.channel);
    (void)pthread_mutex_unlock(&store->lock);
    channel_free(channel);
}

static void publish(struct file_store *store, struct channel *channel,
                    uint64_t base)
{
    if (is_deleted(channel)) {
        if (!blob_append(&store->dirty.discarded, &channel->number,
                         sizeof channel->number))
            out_of_memory(store);
        forget(store, channel);
        return;
    }
    (void)pthread_mutex_lock(&store->lock);
    channel->visible_first = channel->state.first;
    channel->visible_last = channel->state.last;
    for (size_t i = channel->places; i < channel->place_end; i++) {
        struct place place = store->places.places[i];
        place.position += base;
        runs_add(&channel->active, &place);
    }
    (void)pthread_mutex_unlock(&store->lock);
    channel->state.limit_reached = false;
    channel->change = CHANNEL_UNTOUCHED;
    dirty_channel(&store->dirty, channel);
}

static void take_back(struct file_store *store, struct channel *channel)
{
    if (channel->change == CHANNEL_CREATED ||
        channel->change == CHANNEL_CREATED_AND_DELETED) {
        forget(store, channel);
        return;
    }
    channel->state = channel->before;
    front_clear(&channel->front); /* a cache: filled again when needed */
    channel->change = CHANNEL_UNTOUCHED;
}

static void finish(struct commit *commit, bool good, uint64_t base)
{
    struct file_store *store = commit->store;
    while (!list_empty(&commit->records)) {
        struct dirty_record *record =
            list_entry(list_pop(&commit->records), struct dirty_record, link);
        if (!good) {
            free(record);
        } else if (!dirty_put(&store->dirty, record)) {
            out_of_memory(store);
        }
    }
    while (!list_empty(&commit->touched)) {
        struct channel *channel =
            list_entry(list_pop(&commit->touched), struct channel, link);
        if (good) {
            publish(store, channel, base);
        } else {
            take_back(store, channel);
        }
    }
    if (good) {
        if (commit->dropped && !store->dirty.dropped)
            keeper_wake_later(store->keeper);
        store->dirty.dropped = store->dirty.dropped || commit->dropped;
        return;
    }
    store->next_number = commit->next_number_before;
    commit->batch->state_count = 0;
}

static bool prepare(struct commit *commit)
{
    struct file_store *store = commit->store;
    size_t count = commit->batch->count;
    static const uint8_t room[RECORD_HEADER];
    store->record.size = 0;
    store->places.count = 0;
    if (count >= no_append)
        return false;
    if (count > store->chain_capacity) {
        uint32_t *chain = reallocarray(store->chain, count, sizeof *chain);
        if (chain == NULL)
            return false;
        store->chain = chain;
        store->chain_capacity = count;
    }
    commit->writer.out = &store->record;
    return blob_append(&store->record, room, sizeof room);
}

static enum status write_all(struct commit *commit, uint64_t *base,
                             struct error *err)
{
    struct file_store *store = commit->store;
    const struct batch *batch = commit->batch;
    enum status status = prepare(commit) ? STATUS_OK : no_memory(err);
    for (; commit->applied < batch->count && status == STATUS_OK;
         commit->applied++)
        status = apply(commit, &batch->operations[commit->applied], err);
    if (status == STATUS_OK)
        status = add_channels(commit, err);
    if (status != STATUS_OK)
        return status;
    return journal_append(&store->journal, &store->record, commit->writer.crc,
                          batch->sync || commit->sync, base, err);
}

static void adopt_limits(struct file_store *store, const struct limits *limits)
{
    store->limits = limits;
    for (struct slot *slot = table_first(store->channels); slot != NULL;
         slot = table_next(slot)) {
        struct channel *channel = table_value(slot);
        channel->limits = limits_channel(
            limits, bytes_of(channel->name.data, channel->name.size));
    }
}

/* Not much further than the last checkpoint on disk: what is behind is in
 * memory, and recovery has to read it. */
static enum status wait_for_keeper(struct file_store *store, struct error *err)
{
    uint64_t most = BACKLOG_SEGMENTS * store->segment_bytes;
    uint64_t failures = store->keeper_failures;
    while (store->backlog > most) {
        keeper_wake(store->keeper);
        if (store->keeper_failures != failures) {
            return fail(err, store->keeper_error.status, "%s",
                        store->keeper_error.detail);
        }
        (void)pthread_cond_wait(&store->drained, &store->write_lock);
    }
    return STATUS_OK;
}

static void commit_locked(struct file_store *store, struct batch *batch)
{
    uint64_t base = 0;
    struct commit commit = {
        .store = store,
        .batch = batch,
        .next_number_before = store->next_number,
        .trim = {.store = store,
                 .lookup = &store->writer_lookup,
                 .batch = batch},
    };
    list_init(&commit.touched);
    list_init(&commit.records);
    batch->status = write_all(&commit, &base, &batch->error);
    trim_end(&commit.trim);
    finish(&commit, batch->status == STATUS_OK, base);
    if (batch->status != STATUS_OK)
        return;
    batch->sync_time = store->journal.sync_time;
    store->backlog += store->record.size;
    if (store->auto_sync > 0 &&
        store->journal.synced + 1 < store->journal.position.record)
        keeper_wake_to_sync(store->keeper);
    if (store->backlog >= store->segment_bytes)
        keeper_wake(store->keeper);
}

void commit_run(struct file_store *store, struct batch *batch)
{
    batch->state_count = 0;
    batch->status = STATUS_OK;
    (void)pthread_mutex_lock(&store->write_lock);
    if (batch->limits != NULL)
        adopt_limits(store, batch->limits);
    if (!store->recovered) {
        batch->status =
            fail(&batch->error, STATUS_INVALID, "store not recovered");
    } else {
        batch->status = wait_for_keeper(store, &batch->error);
    }
    if (batch->status == STATUS_OK)
        commit_locked(store, batch);
    (void)pthread_mutex_unlock(&store->write_lock);
}
