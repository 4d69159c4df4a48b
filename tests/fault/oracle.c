#include "tests/fault/oracle.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRIES = 64 };

/* Last sequences of batches that failed since one went well: after a power cut
 * one of them may be there. */
struct tries {
    uint64_t last[TRIES];
    size_t count;
};

struct oracle {
    uint64_t sure; /* last sequence reported */
    struct tries tries, churn_tries;
    bool made_sure, made_tried; /* the channels */
    uint64_t progress;          /* value of the latest one */
    uint64_t progress_sure;     /* of the latest one that was synced */
    uint64_t churned;           /* last sequence of the fourth channel */
    uint64_t expired, expired_sure, expired_tried; /* up to this sequence */
    bool
        expired_in_doubt; /* a failed sync may have taken what was not synced */
};

void oracle_limits(struct rig *rig)
{
    const struct channel_limits few = {.max_messages = ORACLE_CHURN_MAX};
    assert_int_equal(
        limits_add(&rig->limits, bytes_text("churn"), &few, &rig->error),
        STATUS_OK);
    limits_inherit(&rig->limits);
}

struct oracle *oracle_new(void)
{
    struct oracle *oracle = calloc(1, sizeof *oracle);
    assert_non_null(oracle);
    return oracle;
}

void oracle_free(struct oracle *oracle)
{
    free(oracle);
}

uint64_t oracle_last(const struct oracle *oracle)
{
    return oracle->sure;
}

/* ---- batches ---- */

static void add_try(struct tries *tries, uint64_t last)
{
    tries->last[tries->count < TRIES ? tries->count++ : TRIES - 1] = last;
}

static void check_last(const struct tries *tries, uint64_t sure, uint64_t last)
{
    bool good = last == sure;
    for (size_t i = 0; i < tries->count; i++)
        good = good || last == tries->last[i];
    if (!good) {
        fail_msg("last is %llu, reported: %llu, %d tried",
                 (unsigned long long)last, (unsigned long long)sure,
                 (int)tries->count);
    }
}

static size_t size_of(uint64_t sequence)
{
    uint64_t seed = sequence;
    uint64_t size = random_next(&seed);
    return size % 16 == 0 ? 4000 + size / 16 % 9000 : 20 + size / 16 % 600;
}

static void add_progress(struct oracle *oracle, struct rig *rig)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%llu",
                   (unsigned long long)++oracle->progress);
    must(batch_progress(rig->batch, ORACLE_KEPT, 1, bytes_text(text)));
}

static enum status make_channels(struct oracle *oracle, struct rig *rig)
{
    must(batch_server(rig->batch, bytes_text("server")));
    must(batch_client_put(rig->batch, bytes_text("me"), bytes_text("c")));
    rig_channel(rig, ORACLE_KEPT, "kept");
    rig_channel(rig, ORACLE_TWIN, "twin");
    rig_channel(rig, ORACLE_EXPIRING, "expiring");
    rig_channel(rig, ORACLE_CHURN, "churn");
    must(batch_subscription_put(rig->batch, ORACLE_KEPT, 1, bytes_text("s")));
    rig->batch->sync = true;
    oracle->made_tried = true;
    enum status status = rig_try_commit(rig);
    oracle->made_sure = status == STATUS_OK;
    return status;
}

/* A sync keeps what was not synced before, but for what a failure took. */
static void expired_synced(struct oracle *oracle)
{
    if (!oracle->expired_in_doubt)
        oracle->expired_sure = oracle->expired;
}

static enum status commit_messages(struct oracle *oracle, struct rig *rig,
                                   uint64_t *seed)
{
    uint64_t count = 1 + random_next(seed) % 8;
    uint64_t last = oracle->sure + count;
    for (uint64_t i = oracle->sure + 1; i <= last; i++) {
        for (uint64_t channel = ORACLE_KEPT; channel <= ORACLE_EXPIRING;
             channel++)
            rig_append_filled(rig, channel, i, (int64_t)i, size_of(i));
    }
    add_progress(oracle, rig);
    rig->batch->sync = true;
    add_try(&oracle->tries, last);
    enum status status = rig_try_commit(rig);
    if (status == STATUS_OK) {
        oracle->sure = last; /* and of what failed before, nothing came */
        oracle->tries.count = oracle->churn_tries.count = 0;
        oracle->progress_sure = oracle->progress;
        oracle->expired_tried = oracle->expired;
        expired_synced(oracle);
    }
    return status;
}

static enum status commit_churn(struct oracle *oracle, struct rig *rig,
                                uint64_t *seed)
{
    uint64_t last = oracle->churned + 1 + random_next(seed) % 4;
    for (uint64_t i = oracle->churned + 1; i <= last; i++)
        rig_append_filled(rig, ORACLE_CHURN, i, (int64_t)i, size_of(i) + 2500);
    rig->batch->sync = true;
    add_try(&oracle->churn_tries, last);
    enum status status = rig_try_commit(rig);
    if (status == STATUS_OK)
        oracle->churned = last;
    return status;
}

/* A commit that went well: what failed before it is undone for good. */
static void forget_tries(struct oracle *oracle)
{
    oracle->tries.count = oracle->churn_tries.count = 0;
    oracle->expired_tried = oracle->expired;
}

/* Up to where the store says that it expired: while its index cannot be read it
 * stores all the same, and the engine asks again. */
static uint64_t expired_by(const struct batch *batch, uint64_t wanted)
{
    for (size_t i = 0; i < batch->state_count; i++) {
        if (batch->states[i].channel == ORACLE_EXPIRING)
            return batch->states[i].first - 1;
    }
    return wanted;
}

static enum status commit_others(struct oracle *oracle, struct rig *rig,
                                 uint64_t *seed)
{
    bool sync = random_next(seed) % 3 == 0;
    uint64_t expired = oracle->expired;
    add_progress(oracle, rig);
    if (random_next(seed) % 4 == 0 && oracle->sure > 0) {
        expired += random_next(seed) % (oracle->sure - expired + 1);
        must(batch_expire(rig->batch, ORACLE_EXPIRING, (int64_t)expired));
    }
    if (oracle->expired_tried < expired)
        oracle->expired_tried = expired;
    rig->batch->sync = sync;
    enum status status = rig_try_commit(rig);
    if (status == STATUS_OK) { /* what failed before is undone */
        expired = expired_by(rig->batch, expired);
        if (expired > oracle->expired)
            oracle->expired_in_doubt = false; /* it says all there is to say */
        oracle->expired = expired;
        forget_tries(oracle);
    }
    if (status == STATUS_OK && sync) {
        oracle->progress_sure = oracle->progress;
        expired_synced(oracle);
    }
    return status;
}

enum status oracle_commit(struct oracle *oracle, struct rig *rig,
                          uint64_t *seed)
{
    enum status status;
    batch_clear(rig->batch);
    uint64_t kind = random_next(seed) % 9;
    if (!oracle->made_sure) {
        status = make_channels(oracle, rig);
    } else if (kind < 3) {
        status = commit_churn(oracle, rig, seed);
        if (status == STATUS_OK)
            forget_tries(oracle);
    } else if (kind < 5) {
        status = commit_others(oracle, rig, seed);
    } else {
        status = commit_messages(oracle, rig, seed);
    }
    if (status != STATUS_OK)
        oracle->expired_in_doubt = true;
    batch_clear(rig->batch);
    return status;
}

/* ---- the check ---- */

static void check_message(uint64_t channel, const struct run_entry *entry)
{
    struct bytes bytes = slice_bytes(entry->message);
    assert_int_equal(bytes.size, size_of(entry->sequence));
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] !=
            (uint8_t)(channel * 31 + entry->sequence * 7 + i)) {
            fail_msg("payload of message %llu",
                     (unsigned long long)entry->sequence);
        }
    }
}

static void check_messages(struct rig *rig, uint64_t channel, uint64_t first,
                           uint64_t last)
{
    uint64_t next = first;
    while (next <= last) {
        struct run *run = rig_read(rig, channel, next == first ? 0 : next, 500);
        assert_non_null(run);
        for (size_t i = 0; i < run->count; i++) {
            assert_int_equal(run->entries[i].sequence, next);
            check_message(channel, &run->entries[i]);
            next++;
        }
        run_free(run);
    }
    assert_null(rig_read(rig, channel, last + 1, 1));
}

static void check_channel(struct oracle *oracle, struct rig *rig,
                          uint64_t channel)
{
    const struct channel_state *state = rig_recovered(rig, channel);
    uint64_t first = channel == ORACLE_EXPIRING ? oracle->expired_sure + 1 : 1;
    uint64_t bytes = 0;
    assert_int_equal(state->last, oracle->sure);
    if (channel == ORACLE_EXPIRING && state->last > 0) {
        assert_in_range(state->first, first, oracle->expired_tried + 1);
        first = state->first;
        oracle->expired_sure = oracle->expired_tried = first - 1;
        oracle->expired = first - 1;
        oracle->expired_in_doubt = false;
    } else if (state->last > 0) {
        assert_int_equal(state->first, 1);
    }
    for (uint64_t i = first; i <= state->last; i++)
        bytes += size_of(i) + 40;
    assert_int_equal(state->messages, state->last + 1 - first);
    assert_int_equal(state->bytes, bytes);
    check_messages(rig, channel, first, state->last);
}

/* As rig_append_filled() makes it. */
static uint8_t churn_byte(uint64_t sequence, size_t at)
{
    const uint64_t channel = ORACLE_CHURN;
    return (uint8_t)(channel * 31 + sequence * 7 + at);
}

/* The newest few, whole. */
static void check_churn(struct oracle *oracle, struct rig *rig)
{
    const struct channel_state *state = rig_recovered(rig, ORACLE_CHURN);
    uint64_t last = state->last, bytes = 0;
    check_last(&oracle->churn_tries, oracle->churned, last);
    oracle->churned = last;
    oracle->churn_tries.count = 0;
    uint64_t kept = last < ORACLE_CHURN_MAX ? last : ORACLE_CHURN_MAX;
    uint64_t first = last + 1 - kept;
    assert_int_equal(state->messages, kept);
    struct run *run = rig_read(rig, ORACLE_CHURN, 0, 500);
    assert_int_equal(run == NULL ? 0 : run->count, kept);
    for (size_t i = 0; i < kept; i++) {
        struct bytes body = slice_bytes(run->entries[i].message);
        assert_int_equal(run->entries[i].sequence, first + i);
        assert_int_equal(body.size, size_of(first + i) + 2500);
        bytes += body.size + 40;
        for (size_t j = 0; j < body.size; j++) {
            if (body.data[j] != churn_byte(first + i, j)) {
                fail_msg("payload of churn %llu",
                         (unsigned long long)(first + i));
            }
        }
    }
    assert_int_equal(state->bytes, bytes);
    run_free(run);
}

void oracle_check(struct oracle *oracle, struct rig *rig)
{
    const struct recovered *recovered = &rig->recovered;
    if (!oracle->made_sure && recovered->channels == 0)
        return;
    assert_true(oracle->made_tried);
    assert_int_equal(recovered->channels, 4);
    assert_string_equal(recovered->server, "server");
    assert_int_equal(recovered->clients, 1);
    assert_int_equal(recovered->subscriptions, 1);
    oracle->made_sure = true;
    uint64_t last = rig_recovered(rig, ORACLE_KEPT)->last;
    check_last(&oracle->tries, oracle->sure, last);
    oracle->sure = last;
    oracle->tries.count = 0;
    for (uint64_t i = ORACLE_KEPT; i <= ORACLE_EXPIRING; i++)
        check_channel(oracle, rig, i);
    check_churn(oracle, rig);
    uint64_t progress = strtoull(recovered->subscription[0].progress, NULL, 10);
    assert_in_range(progress, oracle->progress_sure, oracle->progress);
    oracle->progress_sure = progress;
}

bool oracle_reads(struct oracle *oracle, struct rig *rig)
{
    struct read read = {.channel = ORACLE_KEPT,
                        .max_messages = UINT32_MAX,
                        .max_bytes = SIZE_MAX};
    if (rig_try_read(rig, &read) != STATUS_OK)
        return false;
    size_t count = read.run == NULL ? 0 : read.run->count;
    assert_int_equal(count, oracle->sure);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(read.run->entries[i].sequence, i + 1);
        check_message(ORACLE_KEPT, &read.run->entries[i]);
    }
    run_free(read.run);
    return true;
}
