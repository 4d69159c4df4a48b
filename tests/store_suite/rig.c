#include "tests/store_suite/rig.h"

#include "store/leveldb/leveldb_store.h"
#include "store/memory.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum status open_memory(const char *directory,
                               const struct store_config *config,
                               struct store **out, struct error *err)
{
    (void)directory;
    return memory_store_open(config, out, err);
}

const struct backend backend_memory = {.name = "memory", .open = open_memory};
const struct backend backend_leveldb = {.name = "leveldb",
                                        .is_persistent = true,
                                        .overhead = 40,
                                        .open = leveldb_store_open};

static enum status open_small(const char *directory,
                              const struct store_config *config,
                              struct store **out, struct error *err)
{
    struct store_config small = *config;
    small.segment_bytes = 16 << 10;
    return leveldb_store_open(directory, &small, out, err);
}

const struct backend backend_small_segments = {.name = "small segments",
                                               .is_persistent = true,
                                               .overhead = 40,
                                               .open = open_small};

static enum status open_unsynced(const char *directory,
                                 const struct store_config *config,
                                 struct store **out, struct error *err)
{
    struct store_config small = *config;
    small.segment_bytes = 16 << 10;
    small.no_sync = true;
    return leveldb_store_open(directory, &small, out, err);
}

const struct backend backend_unsynced = {.name = "unsynced",
                                         .is_persistent = true,
                                         .overhead = 40,
                                         .open = open_unsynced};

void must(bool done)
{
    if (!done)
        fail_msg("%s", "a call that needs memory only has failed");
}

uint64_t random_next(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- waiting ---- */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_done;
};

static void waiter_init(struct waiter *waiter)
{
    *waiter = (struct waiter){.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
}

static void waiter_done(struct waiter *waiter)
{
    (void)pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    (void)pthread_cond_signal(&waiter->changed);
    (void)pthread_mutex_unlock(&waiter->lock);
}

static void waiter_wait(struct waiter *waiter)
{
    (void)pthread_mutex_lock(&waiter->lock);
    while (!waiter->is_done)
        (void)pthread_cond_wait(&waiter->changed, &waiter->lock);
    (void)pthread_mutex_unlock(&waiter->lock);
    (void)pthread_mutex_destroy(&waiter->lock);
    (void)pthread_cond_destroy(&waiter->changed);
}

static void batch_done(struct batch *batch)
{
    waiter_done(batch->context);
}

static void read_done(struct read *read)
{
    waiter_done(read->context);
}

/* ---- life ---- */

static int64_t rig_now(void *context)
{
    return ((const struct rig *)context)->now;
}

void rig_init(struct rig *rig, const struct backend *backend)
{
    *rig = (struct rig){.backend = backend};
    rig->clock =
        (struct clock){.monotonic = rig_now, .wall = rig_now, .context = rig};
    (void)snprintf(rig->directory, sizeof rig->directory,
                   "/tmp/store_suite.XXXXXX");
    if (mkdtemp(rig->directory) == NULL)
        fail_msg("%s", "no temporary directory");
    rig->batch = batch_new();
    assert_non_null(rig->batch);
}

static int remove_one(const char *path, const struct stat *info, int type,
                      struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void rig_release(struct rig *rig)
{
    rig_close(rig);
    batch_free(rig->batch);
    limits_release(&rig->limits);
    (void)nftw(rig->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void copy_text(char out[TEXT_MAX], struct bytes bytes)
{
    assert_true(bytes.size < TEXT_MAX);
    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    out[bytes.size] = '\0';
}

static enum status on_server(void *context, struct bytes record,
                             struct error *err)
{
    struct recovered *recovered = context;
    (void)err;
    assert_int_equal(recovered->clients + recovered->channels, 0);
    recovered->servers++;
    copy_text(recovered->server, record);
    return STATUS_OK;
}

static enum status on_client(void *context, struct bytes id,
                             struct bytes record, struct error *err)
{
    struct recovered *recovered = context;
    (void)err;
    assert_int_equal(recovered->channels, 0);
    assert_true(recovered->clients < RECOVERED_MAX);
    copy_text(recovered->client_ids[recovered->clients], id);
    copy_text(recovered->client_records[recovered->clients++], record);
    return STATUS_OK;
}

static enum status on_channel(void *context, const struct channel_state *state,
                              struct bytes name, struct error *err)
{
    struct recovered *recovered = context;
    (void)err;
    assert_true(recovered->channels < RECOVERED_MAX);
    struct recovered_channel *channel =
        &recovered->channel[recovered->channels++];
    channel->state = *state;
    copy_text(channel->name, name);
    return STATUS_OK;
}

static enum status on_subscription(void *context, uint64_t channel,
                                   uint64_t subscription, struct bytes record,
                                   struct bytes progress, struct error *err)
{
    struct recovered *recovered = context;
    (void)err;
    assert_true(recovered->subscriptions < RECOVERED_MAX);
    assert_true(recovered->channels > 0);
    assert_int_equal(recovered->channel[recovered->channels - 1].state.channel,
                     channel);
    struct recovered_subscription *to =
        &recovered->subscription[recovered->subscriptions++];
    to->channel = channel;
    to->id = subscription;
    copy_text(to->record, record);
    copy_text(to->progress, progress);
    return STATUS_OK;
}

enum status rig_try_open(struct rig *rig)
{
    const struct store_config config = {.limits = &rig->limits,
                                        .clock = &rig->clock};
    rig->recovered = (struct recovered){0};
    enum status status =
        rig->backend->open(rig->directory, &config, &rig->store, &rig->error);
    if (status != STATUS_OK) {
        assert_null(rig->store);
        return status;
    }
    const struct store_visitor visitor = {
        .context = &rig->recovered,
        .server = on_server,
        .client = on_client,
        .channel = on_channel,
        .subscription = on_subscription,
    };
    status = store_recover(rig->store, &visitor, &rig->error);
    if (status != STATUS_OK)
        rig_close(rig);
    return status;
}

void rig_open(struct rig *rig)
{
    if (rig_try_open(rig) != STATUS_OK)
        fail_msg("open: %s", rig->error.detail);
}

void rig_close(struct rig *rig)
{
    store_close(rig->store);
    rig->store = NULL;
}

void rig_reopen(struct rig *rig)
{
    rig_close(rig);
    rig_open(rig);
}

/* ---- commit ---- */

enum status rig_try_commit(struct rig *rig)
{
    struct waiter waiter;
    struct batch *batch = rig->batch;
    waiter_init(&waiter);
    batch->done = batch_done;
    batch->context = &waiter;
    store_commit(rig->store, batch);
    waiter_wait(&waiter);
    if (batch->status != STATUS_OK)
        rig->error = batch->error;
    return batch->status;
}

struct channel_state rig_commit(struct rig *rig, uint64_t channel)
{
    struct channel_state state = {0};
    size_t reports = 0;
    if (rig_try_commit(rig) != STATUS_OK)
        fail_msg("commit: %s", rig->error.detail);
    for (size_t i = 0; i < rig->batch->state_count; i++) {
        if (rig->batch->states[i].channel != channel)
            continue;
        state = rig->batch->states[i];
        reports++;
    }
    assert_true(reports <= 1);
    batch_clear(rig->batch);
    return state;
}

void rig_channel(struct rig *rig, uint64_t channel, const char *name)
{
    must(batch_channel_put(rig->batch, channel, bytes_text(name)));
}

static void append(struct rig *rig, uint64_t channel, uint64_t sequence,
                   int64_t timestamp, struct buffer *buffer)
{
    must(batch_append(
        rig->batch, channel, sequence, timestamp,
        (struct slice){.buffer = buffer, .size = (uint32_t)buffer->used}));
    buffer_unref(buffer);
}

void rig_append(struct rig *rig, uint64_t channel, uint64_t sequence,
                int64_t timestamp, const char *text)
{
    struct buffer *buffer = buffer_new(strlen(text) + 1);
    assert_non_null(buffer);
    memcpy(buffer->data, text, strlen(text));
    buffer->used = strlen(text);
    append(rig, channel, sequence, timestamp, buffer);
}

void rig_append_filled(struct rig *rig, uint64_t channel, uint64_t sequence,
                       int64_t timestamp, size_t size)
{
    struct buffer *buffer = buffer_new(size + 1);
    assert_non_null(buffer);
    for (size_t i = 0; i < size; i++)
        buffer->data[i] = (uint8_t)(channel * 31 + sequence * 7 + i);
    buffer->used = size;
    append(rig, channel, sequence, timestamp, buffer);
}

struct channel_state rig_fill(struct rig *rig, uint64_t channel, uint64_t first,
                              uint64_t last)
{
    for (uint64_t i = first; i <= last; i++)
        rig_append(rig, channel, i, (int64_t)i, "x");
    return rig_commit(rig, channel);
}

/* ---- read ---- */

enum status rig_try_read(struct rig *rig, struct read *read)
{
    struct waiter waiter;
    waiter_init(&waiter);
    read->done = read_done;
    read->context = &waiter;
    store_read(rig->store, read);
    waiter_wait(&waiter);
    if (read->status != STATUS_OK)
        rig->error = read->error;
    return read->status;
}

struct run *rig_read(struct rig *rig, uint64_t channel, uint64_t sequence,
                     uint32_t max_messages)
{
    struct read read = {.channel = channel,
                        .sequence = sequence,
                        .max_messages = max_messages,
                        .max_bytes = SIZE_MAX};
    if (rig_try_read(rig, &read) != STATUS_OK)
        fail_msg("read: %s", rig->error.detail);
    return read.run;
}

uint64_t rig_sequence_at(struct rig *rig, uint64_t channel, int64_t timestamp)
{
    struct read read = {.channel = channel,
                        .by_time = true,
                        .timestamp = timestamp,
                        .max_messages = 1,
                        .max_bytes = SIZE_MAX};
    if (rig_try_read(rig, &read) != STATUS_OK)
        fail_msg("read by time: %s", rig->error.detail);
    uint64_t sequence = read.run == NULL ? 0 : read.run->entries[0].sequence;
    run_free(read.run);
    return sequence;
}

void rig_expect(struct rig *rig, uint64_t channel, uint64_t first,
                uint64_t last)
{
    struct run *run = rig_read(rig, channel, 0, UINT32_MAX);
    assert_int_equal(run == NULL ? 0 : run->count, last + 1 - first);
    for (uint64_t i = first; i <= last; i++)
        assert_int_equal(run->entries[i - first].sequence, i);
    run_free(run);
}

void rig_expect_text(struct rig *rig, uint64_t channel, uint64_t sequence,
                     const char *text)
{
    struct run *run = rig_read(rig, channel, sequence, 1);
    assert_non_null(run);
    assert_int_equal(run->entries[0].sequence, sequence);
    assert_true(
        bytes_equal(slice_bytes(run->entries[0].message), bytes_text(text)));
    run_free(run);
}

const struct channel_state *rig_recovered(const struct rig *rig,
                                          uint64_t channel)
{
    for (size_t i = 0; i < rig->recovered.channels; i++) {
        if (rig->recovered.channel[i].state.channel == channel)
            return &rig->recovered.channel[i].state;
    }
    fail_msg("channel %llu was not recovered", (unsigned long long)channel);
    return NULL;
}
