#include "tests/store_suite/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CHANNELS = 6,
    SUBSCRIPTIONS = 5,
    CLIENTS = 5,
    MESSAGES = 20000,
};

struct model_message {
    uint64_t sequence;
    int64_t timestamp;
    size_t size;
};

struct model_channel {
    uint64_t id; /* 0: the place is free */
    char name[16];
    uint64_t last, last_subscription, expected_first;
    int64_t last_timestamp;
    bool ever;                      /* a message was stored */
    struct model_message *messages; /* [first, count) are there */
    size_t first, count;
    char records[SUBSCRIPTIONS + 1][32]; /* empty: none */
    char progress[SUBSCRIPTIONS + 1][32];
    bool touched;
};

struct model {
    struct rig *rig;
    uint64_t seed;
    uint64_t next_id;
    uint64_t max_messages, max_bytes;
    int64_t now;
    struct model_channel channels[CHANNELS];
    char clients[CLIENTS][32];
    char server[32];
    int texts; /* makes every record another one */
};

static uint64_t below(struct model *model, uint64_t limit)
{
    return random_next(&model->seed) % limit;
}

static void text(struct model *model, char out[32])
{
    (void)snprintf(out, 32, "t%d", ++model->texts);
}

static uint64_t bytes_of_all(const struct model *model,
                             const struct model_channel *channel)
{
    uint64_t bytes = 0;
    for (size_t i = channel->first; i < channel->count; i++)
        bytes += channel->messages[i].size + model->rig->backend->overhead;
    return bytes;
}

static void trim(const struct model *model, struct model_channel *channel)
{
    while (channel->count - channel->first > 1 &&
           ((model->max_messages > 0 &&
             channel->count - channel->first > model->max_messages) ||
            (model->max_bytes > 0 &&
             bytes_of_all(model, channel) > model->max_bytes)))
        channel->first++;
}

/* ---- operations, on both ---- */

static void channel_put(struct model *model, struct model_channel *channel)
{
    struct model_message *messages = channel->messages;
    *channel = (struct model_channel){
        .id = ++model->next_id, .messages = messages, .touched = false};
    (void)snprintf(channel->name, sizeof channel->name, "name%d",
                   (int)below(model, 1000));
    rig_channel(model->rig, channel->id, channel->name);
}

static void append(struct model *model, struct model_channel *channel)
{
    int count = 1 + (int)below(model, below(model, 20) == 0 ? 400 : 10);
    for (int i = 0; i < count && channel->count < MESSAGES; i++) {
        uint64_t gap = below(model, 10) == 0 ? below(model, 5) : 0;
        struct model_message message = {.sequence = channel->last + 1 + gap,
                                        .timestamp = model->now +=
                                        (int64_t)below(model, 3),
                                        .size = (size_t)below(model, 200)};
        rig_append_filled(model->rig, channel->id, message.sequence,
                          message.timestamp, message.size);
        channel->messages[channel->count++] = message;
        channel->last = message.sequence;
        channel->last_timestamp = message.timestamp;
        channel->ever = true;
        trim(model, channel);
    }
    channel->touched = true;
}

static void expire(struct model *model, struct model_channel *channel)
{
    int64_t until = model->now - (int64_t)below(model, 400);
    if (below(model, 4) == 0)
        until = model->now;
    must(batch_expire(model->rig->batch, channel->id, until));
    while (channel->first < channel->count &&
           channel->messages[channel->first].timestamp <= until)
        channel->first++;
    channel->touched = true;
}

static void subscription(struct model *model, struct model_channel *channel)
{
    struct batch *batch = model->rig->batch;
    uint64_t id = 1 + below(model, SUBSCRIPTIONS);
    char record[32];
    text(model, record);
    switch (below(model, 4)) {
    case 0:
        must(
            batch_subscription_put(batch, channel->id, id, bytes_text(record)));
        memcpy(channel->records[id], record, sizeof record);
        channel->progress[id][0] = '\0';
        if (id > channel->last_subscription)
            channel->last_subscription = id;
        break;
    case 1:
        must(batch_subscription_delete(batch, channel->id, id));
        channel->records[id][0] = channel->progress[id][0] = '\0';
        break;
    default:
        must(batch_progress(batch, channel->id, id, bytes_text(record)));
        if (channel->records[id][0] != '\0')
            memcpy(channel->progress[id], record, sizeof record);
    }
}

static void client(struct model *model)
{
    struct batch *batch = model->rig->batch;
    size_t which = (size_t)below(model, CLIENTS);
    char id[16], record[32];
    (void)snprintf(id, sizeof id, "client%d", (int)which);
    text(model, record);
    if (below(model, 2) == 0) {
        must(batch_client_delete(batch, bytes_text(id)));
        model->clients[which][0] = '\0';
    } else {
        must(batch_client_put(batch, bytes_text(id), bytes_text(record)));
        memcpy(model->clients[which], record, sizeof record);
    }
}

static void operation(struct model *model)
{
    struct model_channel *channel = &model->channels[below(model, CHANNELS)];
    uint64_t what = below(model, 100);
    if (channel->id == 0) {
        channel_put(model, channel);
    } else if (what < 2) {
        must(batch_channel_delete(model->rig->batch, channel->id));
        channel->id = 0;
    } else if (what < 10) {
        client(model);
    } else if (what < 12) {
        text(model, model->server);
        must(batch_server(model->rig->batch, bytes_text(model->server)));
    } else if (what < 40) {
        subscription(model, channel);
    } else if (what < 46) {
        expire(model, channel);
    } else {
        append(model, channel);
    }
}

/* ---- comparing ---- */

static void compare_state(const struct model *model,
                          const struct model_channel *channel,
                          const struct channel_state *state)
{
    size_t messages = channel->count - channel->first;
    uint64_t first = messages > 0 ? channel->messages[channel->first].sequence
                     : channel->ever ? channel->last + 1
                                     : 0;
    assert_int_equal(state->messages, messages);
    assert_int_equal(state->first, first);
    assert_int_equal(state->last, channel->last);
    assert_int_equal(state->bytes, bytes_of_all(model, channel));
    assert_int_equal(state->first_timestamp,
                     messages > 0 ? channel->messages[channel->first].timestamp
                                  : 0);
    assert_int_equal(state->last_timestamp, channel->last_timestamp);
}

static void compare_reports(struct model *model)
{
    const struct batch *batch = model->rig->batch;
    size_t expected = 0;
    for (size_t i = 0; i < CHANNELS; i++) {
        struct model_channel *channel = &model->channels[i];
        if (channel->id == 0 || !channel->touched) {
            channel->touched = false;
            continue;
        }
        channel->touched = false;
        expected++;
        const struct channel_state *found = NULL;
        for (size_t j = 0; j < batch->state_count; j++) {
            if (batch->states[j].channel == channel->id)
                found = &batch->states[j];
        }
        if (found == NULL) {
            fail_msg("channel %d was not reported", (int)channel->id);
            return;
        }
        compare_state(model, channel, found);
    }
    assert_int_equal(batch->state_count, expected);
}

static void compare_run(const struct model *model,
                        const struct model_channel *channel, size_t at,
                        struct run *run, size_t most)
{
    size_t left = channel->count - at;
    size_t count = left < most ? left : most;
    assert_int_equal(run == NULL ? 0 : run->count, count);
    for (size_t i = 0; i < count; i++) {
        const struct model_message *message = &channel->messages[at + i];
        struct bytes bytes = slice_bytes(run->entries[i].message);
        assert_int_equal(run->entries[i].sequence, message->sequence);
        assert_int_equal(bytes.size, message->size);
        for (size_t j = 0; j < bytes.size; j++) {
            assert_int_equal(
                bytes.data[j],
                (uint8_t)(channel->id * 31 + message->sequence * 7 + j));
        }
    }
    (void)model;
    run_free(run);
}

static void compare_reads(struct model *model,
                          const struct model_channel *channel)
{
    size_t at = channel->first;
    compare_run(model, channel, at,
                rig_read(model->rig, channel->id, 0, UINT32_MAX), SIZE_MAX);
    uint64_t from = below(model, channel->last + 3);
    while (at < channel->count && channel->messages[at].sequence < from)
        at++;
    compare_run(model, channel, at, rig_read(model->rig, channel->id, from, 7),
                7);
    int64_t time = (int64_t)below(model, (uint64_t)model->now + 2);
    at = channel->first;
    while (at < channel->count && channel->messages[at].timestamp < time)
        at++;
    assert_int_equal(rig_sequence_at(model->rig, channel->id, time),
                     at < channel->count ? channel->messages[at].sequence : 0);
}

static size_t compare_subscriptions(const struct model *model,
                                    const struct model_channel *channel)
{
    const struct recovered *recovered = &model->rig->recovered;
    size_t count = 0;
    for (uint64_t id = 1; id <= SUBSCRIPTIONS; id++) {
        if (channel->records[id][0] == '\0')
            continue;
        count++;
        const struct recovered_subscription *found = NULL;
        for (size_t i = 0; i < recovered->subscriptions; i++) {
            if (recovered->subscription[i].channel == channel->id &&
                recovered->subscription[i].id == id)
                found = &recovered->subscription[i];
        }
        assert_non_null(found);
        assert_string_equal(found->record, channel->records[id]);
        assert_string_equal(found->progress, channel->progress[id]);
    }
    return count;
}

static void compare_clients(const struct model *model)
{
    const struct recovered *recovered = &model->rig->recovered;
    size_t count = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "client%d", (int)i);
        if (model->clients[i][0] == '\0')
            continue;
        assert_string_equal(recovered->client_ids[count], id);
        assert_string_equal(recovered->client_records[count],
                            model->clients[i]);
        count++;
    }
    assert_int_equal(recovered->clients, count);
    assert_string_equal(recovered->server, model->server);
}

static void reopen(struct model *model)
{
    size_t channels = 0, subscriptions = 0;
    rig_reopen(model->rig);
    for (size_t i = 0; i < CHANNELS; i++) {
        const struct model_channel *channel = &model->channels[i];
        if (channel->id == 0)
            continue;
        channels++;
        const struct channel_state *state =
            rig_recovered(model->rig, channel->id);
        compare_state(model, channel, state);
        assert_int_equal(state->last_subscription, channel->last_subscription);
        subscriptions += compare_subscriptions(model, channel);
    }
    assert_int_equal(model->rig->recovered.channels, channels);
    assert_int_equal(model->rig->recovered.subscriptions, subscriptions);
    compare_clients(model);
}

static void start(struct model *model, struct rig *rig)
{
    const char *chosen =
        getenv("STORE_SEED"); /* NOLINT(concurrency-mt-unsafe) */
    *model = (struct model){
        .rig = rig,
        .seed =
            chosen != NULL ? strtoull(chosen, NULL, 10) : (uint64_t)time(NULL),
        .max_messages = 700,
        .max_bytes = 90000,
        .now = 1000,
    };
    (void)printf("STORE_SEED=%llu\n", (unsigned long long)model->seed);
    rig->limits.global.max_messages = (int64_t)model->max_messages;
    rig->limits.global.max_bytes = (int64_t)model->max_bytes;
    for (size_t i = 0; i < CHANNELS; i++) {
        model->channels[i].messages =
            calloc(MESSAGES, sizeof(struct model_message));
        assert_non_null(model->channels[i].messages);
    }
}

/* Messages long gone make room in the model. */
static void tidy(struct model_channel *channel)
{
    if (channel->count < MESSAGES / 2)
        return;
    memmove(channel->messages, channel->messages + channel->first,
            (channel->count - channel->first) * sizeof channel->messages[0]);
    channel->count -= channel->first;
    channel->first = 0;
}

void model_compare(struct rig *rig, int operations)
{
    struct model model;
    start(&model, rig);
    for (int done = 0; done < operations;) {
        int count = 1 + (int)below(&model, 12);
        for (int i = 0; i < count; i++)
            operation(&model);
        done += count;
        rig->batch->sync = below(&model, 20) == 0;
        if (rig_try_commit(rig) != STATUS_OK)
            fail_msg("commit: %s", rig->error.detail);
        compare_reports(&model);
        batch_clear(rig->batch);
        struct model_channel *channel =
            &model.channels[below(&model, CHANNELS)];
        tidy(channel);
        if (channel->id != 0 && below(&model, 5) == 0)
            compare_reads(&model, channel);
        if (rig->backend->is_persistent && below(&model, 40) == 0)
            reopen(&model);
    }
    for (size_t i = 0; i < CHANNELS; i++) {
        if (model.channels[i].id != 0)
            compare_reads(&model, &model.channels[i]);
        free(model.channels[i].messages);
    }
}
