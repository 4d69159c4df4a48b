/* A batch is applied to the channels' states and to one LevelDB batch, then
 * written; only then is it published to readers and sweeper. Each channel
 * touched keeps its state from before, so a failure puts everything back. */
#include "store/leveldb/commit.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/reopen.h"
#include "store/leveldb/trim.h"
#include "store/leveldb/value.h"

#include <assert.h>
#include <inttypes.h>

struct commit {
    struct file_store *store;
    struct batch *batch;
    size_t applied;
    struct list touched;
    struct channel *latest; /* looked up last */
    bool server;            /* the batch holds the server record */
    uint64_t next_number_before;
    struct trim trim;
};

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "commit");
}

/* ---- one key ---- */

static enum status put(struct file_store *store, struct bytes key,
                       struct bytes payload, struct error *err)
{
    if (!value_seal(&store->value, key, payload))
        return no_memory(err);
    leveldb_writebatch_put(store->changes, (const char *)key.data, key.size,
                           (const char *)store->value.data, store->value.size);
    return STATUS_OK;
}

static void drop(struct file_store *store, struct bytes key)
{
    leveldb_writebatch_delete(store->changes, (const char *)key.data, key.size);
}

static enum status put_record(struct file_store *store,
                              const struct channel *channel,
                              enum record_phase phase, struct error *err)
{
    struct key key = key_channel(channel->number);
    if (!channel_seal(channel, phase,
                      sweeper_reached(store->sweeper, channel->sweep),
                      &store->payload, &store->value))
        return no_memory(err);
    leveldb_writebatch_put(store->changes, (const char *)key.data, key.size,
                           (const char *)store->value.data, store->value.size);
    return STATUS_OK;
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

/* The channel of an operation, NULL if there is none (any more). */
static struct channel *find(struct commit *commit, uint64_t id)
{
    struct channel *channel = commit->latest;
    if (channel == NULL || channel->state.channel != id)
        channel = table_get(commit->store->channels, &id, sizeof id);
    commit->latest = channel;
    if (channel == NULL || channel->change == CHANNEL_DELETED ||
        channel->change == CHANNEL_CREATED_AND_DELETED)
        return NULL;
    return channel;
}

static void touch(struct commit *commit, struct channel *channel)
{
    if (channel->change != CHANNEL_UNTOUCHED)
        return;
    channel->change = CHANNEL_TOUCHED;
    channel->before = channel->state;
    channel->unrecorded_before = channel->unrecorded;
    channel->report = channel->record_due = channel->unreadable = false;
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
    touch(commit, channel);
    channel->change = CHANNEL_CREATED;
    channel->record_due = true;
    commit->latest = channel;
    return STATUS_OK;
}

/* The record goes out with the others, in records(). */
static void channel_delete(struct commit *commit,
                           const struct operation *operation)
{
    struct channel *channel = find(commit, operation->channel);
    if (channel == NULL)
        return;
    touch(commit, channel);
    channel->change = channel->change == CHANNEL_CREATED
                          ? CHANNEL_CREATED_AND_DELETED
                          : CHANNEL_DELETED;
    channel->record_due = true;
    channel->report = false;
}

/* ---- messages ---- */

static enum status append(struct commit *commit,
                          const struct operation *operation, struct error *err)
{
    struct file_store *store = commit->store;
    struct channel *channel = find(commit, operation->channel);
    if (channel == NULL)
        return unknown(operation->channel, err);
    if (operation->sequence == UINT64_MAX)
        return fail(err, STATUS_INVALID, "sequence out of range");
    touch(commit, channel);
    channel->report = true;
    if (operation->sequence <= channel->state.last)
        return STATUS_OK; /* S3: stored before */
    struct key key =
        key_pair(KEY_MESSAGE, channel->number, operation->sequence);
    const struct mark mark = {
        .messages = channel->state.messages + 1,
        .bytes =
            channel->state.bytes + operation->message.size + MESSAGE_OVERHEAD,
    };
    bool is_mark = operation->sequence % MARK_EVERY == 0;
    if (!message_seal(&store->value, key_bytes(&key), operation->timestamp,
                      is_mark ? &mark : NULL, slice_bytes(operation->message)))
        return no_memory(err);
    leveldb_writebatch_put(store->changes, (const char *)key.data, key.size,
                           (const char *)store->value.data, store->value.size);
    trim_append(channel, operation->sequence, operation->timestamp,
                operation->message.size);
    commit->trim.operations = commit->applied + 1; /* this one, too */
    channel->unrecorded++;
    if (trim_limits(&commit->trim, channel)) {
        channel->record_due = true;
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
        channel->record_due = true;
}

/* ---- subscriptions ---- */

static enum status subscription_put(struct commit *commit,
                                    const struct operation *operation,
                                    struct error *err)
{
    struct file_store *store = commit->store;
    struct channel *channel = find(commit, operation->channel);
    uint64_t id = operation->subscription;
    if (channel == NULL)
        return unknown(operation->channel, err);
    if (id == UINT64_MAX)
        return fail(err, STATUS_INVALID, "subscription id out of range");
    struct key key = key_pair(KEY_SUBSCRIPTION, channel->number, id);
    enum status status = put(store, key_bytes(&key),
                             operation_record(commit->batch, operation), err);
    if (status != STATUS_OK)
        return status;
    /* Progress counts since the latest record only. */
    struct key progress = key_pair(KEY_PROGRESS, channel->number, id);
    drop(store, key_bytes(&progress));
    if (id > channel->state.last_subscription) {
        touch(commit, channel);
        channel->state.last_subscription = id;
        channel->record_due = true;
    }
    return STATUS_OK;
}

static void subscription_delete(struct commit *commit,
                                const struct operation *operation)
{
    struct channel *channel = find(commit, operation->channel);
    if (channel == NULL)
        return;
    uint64_t id = operation->subscription;
    struct key key = key_pair(KEY_SUBSCRIPTION, channel->number, id);
    struct key progress = key_pair(KEY_PROGRESS, channel->number, id);
    drop(commit->store, key_bytes(&key));
    drop(commit->store, key_bytes(&progress));
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
    return put(commit->store, key_bytes(&key),
               operation_record(commit->batch, operation), err);
}

/* ---- server and clients ---- */

static enum status client(struct commit *commit,
                          const struct operation *operation, struct error *err)
{
    struct file_store *store = commit->store;
    if (!client_key(store, operation_name(commit->batch, operation)))
        return no_memory(err);
    if (operation->type == OPERATION_CLIENT_PUT) {
        return put(store, blob_bytes(&store->key),
                   operation_record(commit->batch, operation), err);
    }
    drop(store, blob_bytes(&store->key));
    return STATUS_OK;
}

static enum status server(struct commit *commit,
                          const struct operation *operation, struct error *err)
{
    struct key key = key_alone(KEY_SERVER);
    commit->server = true;
    return put(commit->store, key_bytes(&key),
               operation_record(commit->batch, operation), err);
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
        channel_delete(commit, operation);
        return STATUS_OK;
    case OPERATION_APPEND:
        return append(commit, operation, err);
    case OPERATION_EXPIRE:
        expire(commit, operation);
        return STATUS_OK;
    case OPERATION_SUBSCRIPTION_PUT:
        return subscription_put(commit, operation, err);
    case OPERATION_SUBSCRIPTION_DELETE:
        subscription_delete(commit, operation);
        return STATUS_OK;
    case OPERATION_PROGRESS:
        return progress_put(commit, operation, err);
    }
    return fail(err, STATUS_INVALID, "unknown operation");
}

/* The records that are due, and what is reported; last of what can fail
 * before the write. */
static enum status records(struct commit *commit, struct error *err)
{
    struct list *link;
    for (link = commit->touched.next; link != &commit->touched;
         link = link->next) {
        struct channel *channel = list_entry(link, struct channel, link);
        bool is_deleted = channel->change == CHANNEL_DELETED ||
                          channel->change == CHANNEL_CREATED_AND_DELETED;
        if (channel->report && !batch_report(commit->batch, &channel->state))
            return no_memory(err);
        if (!channel->record_due)
            continue;
        enum status status =
            put_record(commit->store, channel,
                       is_deleted ? RECORD_DELETED : RECORD_LIVE, err);
        if (status != STATUS_OK)
            return status;
        channel->unrecorded = 0;
    }
    return STATUS_OK;
}

static void forget(struct file_store *store, struct channel *channel)
{
    (void)pthread_mutex_lock(&store->lock);
    (void)table_remove(store->channels, &channel->state.channel,
                       sizeof channel->state.channel);
    (void)pthread_mutex_unlock(&store->lock);
    channel_free(channel);
}

static void publish(struct file_store *store, struct channel *channel)
{
    if (channel->change == CHANNEL_DELETED ||
        channel->change == CHANNEL_CREATED_AND_DELETED) {
        sweeper_discard(store->sweeper, channel->sweep);
        channel->sweep = NULL;
        forget(store, channel);
        return;
    }
    bool moved = channel->before.messages > 0
                     ? channel->state.first > channel->before.first
                     : channel->state.first > channel->before.last + 1;
    (void)pthread_mutex_lock(&store->lock);
    channel->visible_first = channel->state.first;
    channel->visible_last = channel->state.last;
    (void)pthread_mutex_unlock(&store->lock);
    if (moved)
        sweeper_trim(store->sweeper, channel->sweep, channel->state.first);
    channel->state.limit_reached = false;
    channel->change = CHANNEL_UNTOUCHED;
}

static void take_back(struct file_store *store, struct channel *channel)
{
    if (channel->change == CHANNEL_CREATED ||
        channel->change == CHANNEL_CREATED_AND_DELETED) {
        forget(store, channel);
        return;
    }
    channel->state = channel->before;
    channel->unrecorded = channel->unrecorded_before;
    front_clear(&channel->front); /* a cache: filled again when needed */
    channel->change = CHANNEL_UNTOUCHED;
}

static void finish(struct commit *commit, bool good)
{
    struct file_store *store = commit->store;
    while (!list_empty(&commit->touched)) {
        struct channel *channel =
            list_entry(commit->touched.next, struct channel, link);
        list_remove(&channel->link);
        if (good) {
            publish(store, channel);
        } else {
            take_back(store, channel);
        }
    }
    if (good) {
        store->server_known = store->server_known || commit->server;
        return;
    }
    store->next_number = commit->next_number_before;
    commit->batch->state_count = 0;
}

static enum status write_all(struct commit *commit, struct error *err)
{
    struct file_store *store = commit->store;
    const struct batch *batch = commit->batch;
    enum status status = STATUS_OK;
    for (; commit->applied < batch->count && status == STATUS_OK;
         commit->applied++)
        status = apply(commit, &batch->operations[commit->applied], err);
    if (status == STATUS_OK)
        status = records(commit, err);
    if (status != STATUS_OK)
        return status;
    status = database_write(store->database, store->changes, batch->sync, err);
    if (status != STATUS_OK)
        reopen_undo_later(store);
    return status;
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

void commit_run(struct file_store *store, struct batch *batch)
{
    struct error *err = &batch->error;
    batch->state_count = 0;
    batch->status = STATUS_OK;
    if (batch->limits != NULL)
        adopt_limits(store, batch->limits);
    if (!store->recovered) {
        batch->status = fail(err, STATUS_INVALID, "store not recovered");
    } else if (reopen_needed(store)) {
        batch->status = reopen_run(store, err);
    }
    if (batch->status != STATUS_OK)
        return;
    struct commit commit = {
        .store = store,
        .batch = batch,
        .next_number_before = store->next_number,
        .trim = {.database = store->database,
                 .log = store->log,
                 .batch = batch},
    };
    list_init(&commit.touched);
    leveldb_writebatch_clear(store->changes);
    database_hold(store->database);
    batch->status = write_all(&commit, err);
    database_release(store->database);
    finish(&commit, batch->status == STATUS_OK);
}

enum status commit_last(struct file_store *store, struct error *err)
{
    if (reopen_needed(store)) {
        enum status status = reopen_run(store, err);
        if (status != STATUS_OK)
            return status;
    }
    leveldb_writebatch_clear(store->changes);
    for (struct slot *slot = table_first(store->channels); slot != NULL;
         slot = table_next(slot)) {
        const struct channel *channel = table_value(slot);
        uint64_t swept = sweeper_reached(store->sweeper, channel->sweep);
        if (channel->unrecorded == 0 && swept == channel->swept_recorded)
            continue;
        enum status status = put_record(store, channel, RECORD_LIVE, err);
        if (status != STATUS_OK)
            return status;
    }
    database_hold(store->database);
    enum status status =
        database_write(store->database, store->changes, true, err);
    database_release(store->database);
    return status;
}
