/* The store's interface is what these cases say: they run on every backend.
 * Numbers in comments are those of the spec (S: stores.md 12, E: delivery.md
 * 19). A case that is about restarts is skipped where nothing is kept. */
#include "tests/store_suite/model.h"
#include "tests/store_suite/rig.h"

#include <stdio.h>

static int setup(void **state)
{
    static struct rig rig;
    rig_init(&rig, *state);
    rig_open(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_release(*state);
    return 0;
}

static void need_persistence(const struct rig *rig)
{
    if (!rig->backend->is_persistent)
        skip();
}

/* Closes and opens again where that keeps anything. */
static void maybe_reopen(struct rig *rig)
{
    if (rig->backend->is_persistent)
        rig_reopen(rig);
}

static void expire(struct rig *rig, uint64_t channel, int64_t timestamp)
{
    must(batch_expire(rig->batch, channel, timestamp));
}

static void subscribe(struct rig *rig, uint64_t channel, uint64_t id,
                      const char *record)
{
    must(batch_subscription_put(rig->batch, channel, id, bytes_text(record)));
}

static void unsubscribe(struct rig *rig, uint64_t channel, uint64_t id)
{
    must(batch_subscription_delete(rig->batch, channel, id));
}

static void progress(struct rig *rig, uint64_t channel, uint64_t id,
                     const char *record)
{
    must(batch_progress(rig->batch, channel, id, bytes_text(record)));
}

/* ---- server and clients ---- */

/* S1 */
static void a_fresh_store_recovers_nothing(void **state)
{
    const struct rig *rig = *state;
    assert_int_equal(rig->recovered.servers, 0);
    assert_int_equal(rig->recovered.clients, 0);
    assert_int_equal(rig->recovered.channels, 0);
    assert_int_equal(rig->recovered.subscriptions, 0);
}

/* S1 */
static void a_second_server_record_replaces_the_first(void **state)
{
    struct rig *rig = *state;
    need_persistence(rig);
    must(batch_server(rig->batch, bytes_text("one")));
    (void)rig_commit(rig, 0);
    must(batch_server(rig->batch, bytes_text("two")));
    (void)rig_commit(rig, 0);
    rig_reopen(rig);
    assert_int_equal(rig->recovered.servers, 1);
    assert_string_equal(rig->recovered.server, "two");
}

/* S16 */
static void clients_added_and_deleted_are_recovered_exactly(void **state)
{
    struct rig *rig = *state;
    need_persistence(rig);
    struct batch *batch = rig->batch;
    must(batch_client_delete(batch, bytes_text("client0")));
    must(batch_client_put(batch, bytes_text("client1"), bytes_text("a")));
    must(batch_client_put(batch, bytes_text("client2"), bytes_text("b")));
    must(batch_client_put(batch, bytes_text("client2"), bytes_text("bb")));
    must(batch_client_put(batch, bytes_text("client3"), bytes_text("")));
    (void)rig_commit(rig, 0);
    must(batch_client_delete(batch, bytes_text("client1")));
    (void)rig_commit(rig, 0);
    rig_reopen(rig);
    assert_int_equal(rig->recovered.clients, 2);
    assert_string_equal(rig->recovered.client_ids[0], "client2");
    assert_string_equal(rig->recovered.client_records[0], "bb");
    assert_string_equal(rig->recovered.client_ids[1], "client3");
    assert_string_equal(rig->recovered.client_records[1], "");
}

/* ---- messages ---- */

/* S2 */
static void first_last_and_bytes_follow_each_message(void **state)
{
    struct rig *rig = *state;
    uint64_t overhead = rig->backend->overhead;
    rig_channel(rig, 1, "foo");
    (void)rig_commit(rig, 1);
    assert_null(rig_read(rig, 1, 0, 10));
    static const char *const texts[] = {"one", "twoo", "three"};
    uint64_t bytes = 0;
    for (uint64_t i = 1; i <= 3; i++) {
        rig_append(rig, 1, i, (int64_t)(100 + i), texts[i - 1]);
        struct channel_state now = rig_commit(rig, 1);
        bytes += strlen(texts[i - 1]) + overhead;
        assert_int_equal(now.first, 1);
        assert_int_equal(now.last, i);
        assert_int_equal(now.messages, i);
        assert_int_equal(now.bytes, bytes);
        assert_int_equal(now.first_timestamp, 101);
        assert_int_equal(now.last_timestamp, 100 + i);
        assert_false(now.limit_reached);
        rig_expect_text(rig, 1, i, texts[i - 1]);
    }
    assert_null(rig_read(rig, 1, 4, 10));
    if (!rig->backend->is_persistent)
        return;
    rig_reopen(rig);
    const struct channel_state *kept = rig_recovered(rig, 1);
    assert_int_equal(kept->first, 1);
    assert_int_equal(kept->last, 3);
    assert_int_equal(kept->messages, 3);
    assert_int_equal(kept->bytes, bytes);
    assert_int_equal(kept->first_timestamp, 101);
    assert_int_equal(kept->last_timestamp, 103);
    rig_expect_text(rig, 1, 2, "twoo");
}

/* S3 */
static void a_sequence_stored_before_is_ignored(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    rig_append(rig, 1, 1, 1, "one");
    rig_append(rig, 1, 2, 2, "two");
    rig_append(rig, 1, 2, 3, "again");
    rig_append(rig, 1, 1, 3, "again");
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.last, 2);
    assert_int_equal(now.messages, 2);
    maybe_reopen(rig);
    rig_expect(rig, 1, 1, 2);
    rig_expect_text(rig, 1, 1, "one");
    rig_expect_text(rig, 1, 2, "two");
}

static void an_empty_message_is_stored(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    rig_append(rig, 1, 1, 1, "");
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.bytes, rig->backend->overhead);
    maybe_reopen(rig);
    rig_expect_text(rig, 1, 1, "");
}

/* S21, S6: what the store is given with gaps it gives back with gaps. */
static void gaps_are_stepped_over(void **state)
{
    struct rig *rig = *state;
    rig->limits.global.max_messages = 3;
    rig_channel(rig, 1, "foo");
    rig_append(rig, 1, 1, 1, "a");
    rig_append(rig, 1, 2, 2, "b");
    rig_append(rig, 1, 5, 3, "c");
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.messages, 3);
    maybe_reopen(rig);
    struct run *run = rig_read(rig, 1, 3, 10);
    assert_non_null(run);
    assert_int_equal(run->count, 1);
    assert_int_equal(run->entries[0].sequence, 5);
    run_free(run);
    rig_append(rig, 1, 6, 4, "d");
    rig_append(rig, 1, 7, 5, "e");
    now = rig_commit(rig, 1);
    assert_int_equal(now.first, 5);
    assert_int_equal(now.last, 7);
    assert_int_equal(now.first_timestamp, 3);
}

static void a_read_ends_at_its_limits(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    for (uint64_t i = 1; i <= 20; i++)
        rig_append(rig, 1, i, (int64_t)i, "0123456789");
    (void)rig_commit(rig, 1);
    struct run *run = rig_read(rig, 1, 5, 4);
    assert_int_equal(run->count, 4);
    assert_int_equal(run->entries[0].sequence, 5);
    assert_int_equal(run->entries[3].sequence, 8);
    run_free(run);
    /* With the message that reaches the bytes, and at least one. */
    const struct {
        size_t max_bytes, count;
    } cases[] = {{0, 1}, {1, 1}, {10, 1}, {11, 2}, {20, 2}, {21, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct read read = {.channel = 1,
                            .sequence = 1,
                            .max_messages = 100,
                            .max_bytes = cases[i].max_bytes};
        assert_int_equal(rig_try_read(rig, &read), STATUS_OK);
        assert_int_equal(read.run->count, cases[i].count);
        run_free(read.run);
    }
    assert_null(rig_read(rig, 99, 1, 1)); /* no such channel */
}

/* S7, E112 */
static void a_time_finds_the_first_message_not_older(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    (void)rig_commit(rig, 1);
    assert_int_equal(rig_sequence_at(rig, 1, 5), 0);
    for (uint64_t i = 1; i <= 50; i++) /* two messages share each time */
        rig_append(rig, 1, i * 3, (int64_t)(1000 + (i - 1) / 2 * 10), "x");
    (void)rig_commit(rig, 1);
    maybe_reopen(rig);
    assert_int_equal(rig_sequence_at(rig, 1, INT64_MIN), 3);
    assert_int_equal(rig_sequence_at(rig, 1, 999), 3);
    assert_int_equal(rig_sequence_at(rig, 1, 1000), 3);
    assert_int_equal(rig_sequence_at(rig, 1, 1001), 9);
    assert_int_equal(rig_sequence_at(rig, 1, 1010), 9);
    assert_int_equal(rig_sequence_at(rig, 1, 1240), 147);
    assert_int_equal(rig_sequence_at(rig, 1, 1241), 0); /* last + 1 */
    expire(rig, 1, 1010);
    (void)rig_commit(rig, 1);
    assert_int_equal(rig_sequence_at(rig, 1, 1000), 15);
    expire(rig, 1, INT64_MAX);
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 151);
    assert_int_equal(rig_sequence_at(rig, 1, 0), 0);
    maybe_reopen(rig);
    assert_int_equal(rig_sequence_at(rig, 1, 0), 0);
    if (rig->backend->is_persistent)
        assert_int_equal(rig_recovered(rig, 1)->first, 151);
}

/* ---- limits ---- */

/* S4, E196 */
static void the_count_limit_keeps_the_newest(void **state)
{
    struct rig *rig = *state;
    rig->limits.global.max_messages = 10;
    rig_channel(rig, 1, "foo");
    struct channel_state now = rig_fill(rig, 1, 1, 10);
    assert_int_equal(now.messages, 10);
    assert_false(now.limit_reached);
    for (uint64_t i = 11; i <= 70; i++) {
        now = rig_fill(rig, 1, i, i);
        assert_int_equal(now.first, i - 9);
        assert_int_equal(now.messages, 10);
        assert_int_equal(now.first_timestamp, i - 9);
        assert_true(now.limit_reached);
    }
    assert_int_equal(now.first, 61);
    assert_int_equal(now.bytes, 10 * (1 + rig->backend->overhead));
    rig_expect(rig, 1, 61, 70);
    maybe_reopen(rig);
    rig_expect(rig, 1, 61, 70);
}

static void other_limits_hold_from_the_batch_that_brings_them(void **state)
{
    struct rig *rig = *state;
    struct limits other = {.global = {.max_messages = 4}};
    const struct channel_limits own = {.max_messages = 2};
    assert_int_equal(limits_add(&other, bytes_text("bar"), &own, NULL),
                     STATUS_OK);
    limits_inherit(&other);
    rig->limits.global.max_messages = 10;
    rig_channel(rig, 1, "foo");
    rig_channel(rig, 2, "bar");
    (void)rig_fill(rig, 1, 1, 10);
    (void)rig_fill(rig, 2, 1, 10);
    rig->batch->limits = &other;
    rig_append(rig, 1, 11, 11, "x");
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 8);
    assert_int_equal(now.messages, 4);
    now = rig_fill(rig, 2, 11, 11); /* a later batch, without any */
    assert_int_equal(now.first, 10);
    rig_channel(rig, 3, "baz");
    now = rig_fill(rig, 3, 1, 9);
    assert_int_equal(now.messages, 4);
    rig_close(rig); /* before the limits go */
    limits_release(&other);
}

/* S4, E196 */
static void the_byte_limit_is_exact(void **state)
{
    struct rig *rig = *state;
    uint64_t size = 5 + rig->backend->overhead;
    rig->limits.global.max_bytes = (int64_t)(10 * size);
    rig_channel(rig, 1, "foo");
    struct channel_state now = {0};
    for (uint64_t i = 1; i <= 70; i++) {
        rig_append(rig, 1, i, (int64_t)i, "12345");
        now = rig_commit(rig, 1);
    }
    assert_int_equal(now.messages, 10);
    assert_int_equal(now.bytes, 10 * size);
    assert_int_equal(now.first, 61);
    rig_append(rig, 1, 71, 71, "123456"); /* one byte more costs two */
    now = rig_commit(rig, 1);
    assert_int_equal(now.first, 63);
    assert_int_equal(now.bytes, 9 * size + 1);
}

/* S4, E197 */
static void a_message_above_the_byte_limit_stays_alone(void **state)
{
    struct rig *rig = *state;
    rig->limits.global.max_bytes = 500;
    rig_channel(rig, 1, "foo");
    (void)rig_fill(rig, 1, 1, 5);
    rig_append_filled(rig, 1, 6, 6, 5000);
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 6);
    assert_int_equal(now.messages, 1);
    assert_int_equal(now.bytes, 5000 + rig->backend->overhead);
    now = rig_fill(rig, 1, 7, 7);
    assert_int_equal(now.first, 7);
    assert_int_equal(now.messages, 1);
    maybe_reopen(rig);
    rig_expect(rig, 1, 7, 7);
}

/* More is dropped by one batch than any read-ahead holds, some of it before it
 * is written. */
static void limits_hold_inside_of_one_big_batch(void **state)
{
    struct rig *rig = *state;
    rig->limits.global.max_messages = 1500;
    rig_channel(rig, 1, "foo");
    (void)rig_fill(rig, 1, 1, 1400);
    struct channel_state now = rig_fill(rig, 1, 1401, 6000);
    assert_int_equal(now.first, 4501);
    assert_int_equal(now.messages, 1500);
    assert_int_equal(now.first_timestamp, 4501);
    assert_int_equal(now.bytes, 1500 * (1 + rig->backend->overhead));
    rig_expect(rig, 1, 4501, 6000);
    now = rig_fill(rig, 1, 6001, 6700);
    assert_int_equal(now.first, 5201);
    maybe_reopen(rig);
    rig_expect(rig, 1, 5201, 6700);
}

/* S9, S33, E201 */
static void lower_limits_apply_at_a_restart(void **state)
{
    struct rig *rig = *state;
    need_persistence(rig);
    rig_channel(rig, 1, "count");
    rig_channel(rig, 2, "small");
    (void)rig_fill(rig, 1, 1, 1000);
    (void)rig_fill(rig, 2, 1, 5);
    rig_close(rig);
    rig->limits.global.max_messages = 400;
    rig_open(rig);
    assert_int_equal(rig_recovered(rig, 1)->first, 601);
    assert_int_equal(rig_recovered(rig, 1)->messages, 400);
    assert_int_equal(rig_recovered(rig, 2)->messages, 5);
    rig_expect(rig, 1, 601, 1000);
    rig_close(rig);
    rig->limits.global.max_bytes = INT64_C(41) * 10;
    rig_open(rig);
    assert_int_equal(rig_recovered(rig, 1)->first, 991);
    rig_close(rig);
    rig->limits.global.max_bytes = 1;
    rig_open(rig);
    assert_int_equal(rig_recovered(rig, 1)->first, 1000);
    rig_close(rig);
    rig->limits = (struct limits){0}; /* what is gone stays gone */
    rig_open(rig);
    rig_expect(rig, 1, 1000, 1000);
    rig_close(rig);
    rig->now = 1500;
    rig->limits.global.max_age = 500; /* timestamp 1000 is just too old */
    rig_open(rig);
    assert_int_equal(rig_recovered(rig, 1)->messages, 0);
    assert_int_equal(rig_recovered(rig, 1)->first, 1001);
    assert_int_equal(rig_recovered(rig, 1)->last, 1000);
    assert_int_equal(rig_recovered(rig, 1)->last_timestamp, 1000);
    rig_reopen(rig);
    assert_int_equal(rig_recovered(rig, 1)->first, 1001);
}

/* S9 */
static void limits_on_numbers_are_not_applied_to_what_is_recovered(void **state)
{
    struct rig *rig = *state;
    need_persistence(rig);
    for (uint64_t i = 1; i <= 4; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "c%d", (int)i);
        rig_channel(rig, i, name);
        subscribe(rig, i, 1, "a");
        subscribe(rig, i, 2, "b");
    }
    (void)rig_commit(rig, 0);
    rig_close(rig);
    rig->limits.max_channels = 1;
    rig->limits.global.max_subscriptions = 1;
    rig_open(rig);
    assert_int_equal(rig->recovered.channels, 4);
    assert_int_equal(rig->recovered.subscriptions, 8);
}

/* ---- age ---- */

/* S5, S8 */
static void expiry_takes_all_that_is_old_and_may_empty_the_channel(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    for (uint64_t i = 1; i <= 15; i++)
        rig_append(rig, 1, i, i <= 10 ? 100 : 400, "x");
    (void)rig_commit(rig, 1);
    expire(rig, 1, 99);
    assert_int_equal(rig_commit(rig, 1).first, 1);
    expire(rig, 1, 100);
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 11);
    assert_int_equal(now.last, 15);
    assert_int_equal(now.messages, 5);
    assert_int_equal(now.first_timestamp, 400);
    assert_false(now.limit_reached);
    rig_expect(rig, 1, 11, 15);
    expire(rig, 1, 1000);
    now = rig_commit(rig, 1);
    assert_int_equal(now.messages, 0);
    assert_int_equal(now.bytes, 0);
    assert_int_equal(now.first, 16);
    assert_int_equal(now.last, 15);
    assert_int_equal(now.first_timestamp, 0);
    assert_int_equal(now.last_timestamp, 400);
    maybe_reopen(rig);
    assert_null(rig_read(rig, 1, 0, 1));
    now = rig_fill(rig, 1, 1000, 1000);
    assert_int_equal(now.first, 1000);
    assert_int_equal(now.last, 1000);
    assert_int_equal(now.messages, 1);
    rig_expect(rig, 1, 1000, 1000);
}

/* S6, E200 */
static void expiry_steps_over_gaps_and_works_beside_a_count_of_one(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    rig_append(rig, 1, 1, 10, "x");
    rig_append(rig, 1, 12, 20, "x");
    rig_append(rig, 1, 13, 30, "x");
    (void)rig_commit(rig, 1);
    expire(rig, 1, 10);
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 12);
    assert_int_equal(now.messages, 2);
    expire(rig, 1, 30);
    assert_int_equal(rig_commit(rig, 1).first, 14);

    rig->limits.global.max_messages = 1;
    rig_channel(rig, 2, "bar");
    for (uint64_t i = 1; i <= 5; i++) {
        now = rig_fill(rig, 2, i, i);
        assert_int_equal(now.first, i);
        assert_int_equal(now.first_timestamp, i);
    }
    expire(rig, 2, 4);
    assert_int_equal(rig_commit(rig, 2).messages, 1);
    expire(rig, 2, 5);
    assert_int_equal(rig_commit(rig, 2).messages, 0);
}

/* How a channel is purged: all that was stored goes, and nothing of what the
 * batch itself appends. */
static void expiry_in_front_of_a_batch_takes_all_that_was_stored(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    (void)rig_commit(rig, 1);
    (void)rig_fill(rig, 1, 1, 1000);
    rig_append(rig, 1, 1001, 1001, "x");
    rig_append(rig, 1, 1002, 1002, "y");
    expire(rig, 1, INT64_MAX);
    batch_bring_to_front(rig->batch);
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 1001);
    assert_int_equal(now.last, 1002);
    assert_int_equal(now.messages, 2);
    assert_int_equal(now.bytes % 2, 0);
    assert_int_equal(now.first_timestamp, 1001);
    uint64_t bytes = now.bytes;
    rig_expect(rig, 1, 1001, 1002);
    maybe_reopen(rig);
    rig_expect(rig, 1, 1001, 1002);
    if (rig->backend->is_persistent) {
        assert_int_equal(rig_recovered(rig, 1)->messages, 2);
        assert_int_equal(rig_recovered(rig, 1)->bytes, bytes);
    }
    rig_expect_text(rig, 1, 1001, "x");
    expire(rig, 1, INT64_MAX);
    assert_int_equal(rig_commit(rig, 1).first, 1003);
    now = rig_fill(rig, 1, 1003, 1003);
    assert_int_equal(now.messages, 1);
    rig_expect(rig, 1, 1003, 1003);
}

static void expiry_of_an_unknown_or_empty_channel_is_fine(void **state)
{
    struct rig *rig = *state;
    expire(rig, 7, 100);
    (void)rig_commit(rig, 7);
    rig_channel(rig, 1, "foo");
    expire(rig, 1, 100);
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 0);
    assert_int_equal(now.last, 0);
}

/* ---- subscriptions ---- */

/* S12, S14, E203: a record replaces progress, progress is replaced whole. */
static void progress_belongs_to_the_latest_record(void **state)
{
    struct rig *rig = *state;
    need_persistence(rig);
    rig_channel(rig, 1, "foo");
    subscribe(rig, 1, 1, "sub");
    (void)rig_commit(rig, 1);
    progress(rig, 1, 1, "long progress 1,2");
    (void)rig_commit(rig, 1);
    progress(rig, 1, 1, "p2");
    (void)rig_commit(rig, 1);
    rig_reopen(rig);
    assert_string_equal(rig->recovered.subscription[0].record, "sub");
    assert_string_equal(rig->recovered.subscription[0].progress, "p2");
    subscribe(rig, 1, 1, "updated");
    (void)rig_commit(rig, 1);
    rig_reopen(rig);
    assert_string_equal(rig->recovered.subscription[0].record, "updated");
    assert_string_equal(rig->recovered.subscription[0].progress, "");
    subscribe(rig, 1, 1, "again");
    progress(rig, 1, 1, "p3"); /* in one batch, in order */
    (void)rig_commit(rig, 1);
    rig_reopen(rig);
    assert_int_equal(rig->recovered.subscriptions, 1);
    assert_string_equal(rig->recovered.subscription[0].progress, "p3");
}

/* S12, S13, S15 */
static void unknown_subscriptions_are_no_error(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    unsubscribe(rig, 1, 4);
    unsubscribe(rig, 2, 4);
    progress(rig, 1, 4, "leaves nothing");
    subscribe(rig, 1, 9, "never created");
    (void)rig_commit(rig, 1);
    need_persistence(rig);
    rig_reopen(rig);
    assert_int_equal(rig->recovered.subscriptions, 1);
    assert_int_equal(rig->recovered.subscription[0].id, 9);
    subscribe(rig, 1, 4, "new");
    (void)rig_commit(rig, 1);
    unsubscribe(rig, 1, 9);
    progress(rig, 1, 9, "too late");
    (void)rig_commit(rig, 1);
    rig_reopen(rig);
    assert_int_equal(rig->recovered.subscriptions, 1);
    assert_int_equal(rig->recovered.subscription[0].id, 4);
    assert_string_equal(rig->recovered.subscription[0].progress, "");
}

/* S12, E202 */
static void the_highest_subscription_id_survives_deletion(void **state)
{
    struct rig *rig = *state;
    need_persistence(rig);
    rig_channel(rig, 1, "foo");
    for (uint64_t i = 1; i <= 3; i++)
        subscribe(rig, 1, i, "s");
    (void)rig_commit(rig, 1);
    unsubscribe(rig, 1, 3);
    (void)rig_commit(rig, 1);
    rig_reopen(rig);
    assert_int_equal(rig_recovered(rig, 1)->last_subscription, 3);
    assert_int_equal(rig->recovered.subscriptions, 2);
    unsubscribe(rig, 1, 1);
    unsubscribe(rig, 1, 2);
    (void)rig_commit(rig, 1);
    rig_reopen(rig);
    rig_reopen(rig);
    assert_int_equal(rig_recovered(rig, 1)->last_subscription, 3);
    assert_int_equal(rig->recovered.subscriptions, 0);
}

/* S11 is the engine's limit; here: many are kept apart, by channel and id. */
static void subscriptions_come_back_behind_their_channel(void **state)
{
    struct rig *rig = *state;
    need_persistence(rig);
    rig_channel(rig, 3, "c");
    rig_channel(rig, 1, "a");
    rig_channel(rig, 2, "b");
    for (uint64_t channel = 1; channel <= 3; channel++) {
        for (uint64_t id = 1; id <= 5; id++) {
            char text[32];
            (void)snprintf(text, sizeof text, "%d/%d", (int)channel, (int)id);
            subscribe(rig, channel, id, text);
            if (id % 2 == 0)
                progress(rig, channel, id, text);
        }
    }
    (void)rig_commit(rig, 0);
    rig_reopen(rig);
    assert_int_equal(rig->recovered.subscriptions, 15);
    for (size_t i = 0; i < 15; i++) {
        const struct recovered_subscription *found =
            &rig->recovered.subscription[i];
        char text[32];
        (void)snprintf(text, sizeof text, "%d/%d", (int)found->channel,
                       (int)found->id);
        assert_string_equal(found->record, text);
        assert_string_equal(found->progress, found->id % 2 == 0 ? text : "");
    }
}

/* ---- channels ---- */

/* S17 */
static void a_deleted_channel_is_gone_and_its_name_starts_anew(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    subscribe(rig, 1, 1, "s");
    progress(rig, 1, 1, "p");
    (void)rig_fill(rig, 1, 1, 3000);
    must(batch_channel_delete(rig->batch, 1));
    (void)rig_commit(rig, 1);
    assert_null(rig_read(rig, 1, 0, 10));
    rig_channel(rig, 2, "foo");
    (void)rig_commit(rig, 2);
    assert_null(rig_read(rig, 2, 0, 10));
    struct channel_state now = rig_fill(rig, 2, 1, 2);
    assert_int_equal(now.first, 1);
    assert_int_equal(now.messages, 2);
    if (!rig->backend->is_persistent)
        return;
    rig_reopen(rig);
    assert_int_equal(rig->recovered.channels, 1);
    assert_int_equal(rig->recovered.subscriptions, 0);
    assert_int_equal(rig_recovered(rig, 2)->messages, 2);
    assert_string_equal(rig->recovered.channel[0].name, "foo");
}

/* The engine cannot know which ids still have keys to be deleted. */
static void
the_id_of_a_deleted_channel_may_be_used_after_a_restart(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    subscribe(rig, 1, 5, "s");
    (void)rig_fill(rig, 1, 1, 20000);
    must(batch_channel_delete(rig->batch, 1));
    (void)rig_commit(rig, 1);
    maybe_reopen(rig);
    rig_channel(rig, 1, "bar");
    struct channel_state now = rig_fill(rig, 1, 1, 2);
    assert_int_equal(now.messages, 2);
    rig_expect(rig, 1, 1, 2);
    maybe_reopen(rig);
    rig_expect(rig, 1, 1, 2);
    assert_int_equal(rig->recovered.subscriptions, 0);
}

static void one_batch_may_create_use_and_delete_a_channel(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    rig_append(rig, 1, 1, 1, "x");
    must(batch_channel_delete(rig->batch, 1));
    rig_channel(rig, 2, "foo");
    rig_append(rig, 2, 1, 1, "y");
    assert_int_equal(rig_try_commit(rig), STATUS_OK);
    assert_int_equal(rig->batch->state_count, 1);
    assert_int_equal(rig->batch->states[0].channel, 2);
    batch_clear(rig->batch);
    must(batch_channel_delete(rig->batch, 77)); /* unknown */
    (void)rig_commit(rig, 1);
    assert_null(rig_read(rig, 1, 0, 1));
    maybe_reopen(rig);
    rig_expect_text(rig, 2, 1, "y");
    assert_null(rig_read(rig, 1, 0, 1));
}

/* ---- batches ---- */

/* S17: the second channel of an id is refused, and all that came with it. */
static void a_refused_batch_leaves_everything_as_it_was(void **state)
{
    struct rig *rig = *state;
    rig->limits.global.max_messages = 5;
    rig_channel(rig, 1, "foo");
    (void)rig_fill(rig, 1, 1, 5);
    for (int round = 0; round < 2; round++) {
        rig_append(rig, 1, 6, 6, "no");
        rig_append(rig, 1, 7, 7, "no");
        expire(rig, 1, 6);
        rig_channel(rig, 2, "bar");
        rig_append(rig, 2, 1, 1, "no");
        if (round == 0) {
            rig_channel(rig, 1, "foo"); /* exists */
        } else {
            rig_append(rig, 55, 1, 1, "x"); /* no such channel */
        }
        assert_int_equal(rig_try_commit(rig),
                         round == 0 ? STATUS_EXISTS : STATUS_NOT_FOUND);
        assert_int_equal(rig->batch->state_count, 0);
        batch_clear(rig->batch);
        rig_expect(rig, 1, 1, 5);
        assert_null(rig_read(rig, 2, 0, 1));
    }
    struct channel_state now = rig_fill(rig, 1, 6, 6);
    assert_int_equal(now.first, 2);
    assert_int_equal(now.messages, 5);
    assert_int_equal(now.bytes, 5 * (1 + rig->backend->overhead));
    maybe_reopen(rig);
    rig_expect(rig, 1, 2, 6);
}

static void an_empty_batch_is_fine(void **state)
{
    struct rig *rig = *state;
    rig->batch->sync = true;
    assert_int_equal(rig_try_commit(rig), STATUS_OK);
    assert_int_equal(rig->batch->state_count, 0);
}

/* What is not synced did not wait; memory and a store that was told not to
 * sync never do. */
static void the_wait_for_the_disk_is_told(void **state)
{
    struct rig *rig = *state;
    bool syncs =
        rig->backend->is_persistent && rig->backend != &backend_unsynced;
    rig_channel(rig, 1, "foo");
    rig_append(rig, 1, 1, 1, "one");
    rig->batch->sync = true;
    assert_int_equal(rig_try_commit(rig), STATUS_OK);
    assert_int_equal(rig->batch->sync_time > 0, syncs);
    batch_clear(rig->batch);
    must(batch_client_put(rig->batch, bytes_text("me"), bytes_text("record")));
    assert_int_equal(rig_try_commit(rig), STATUS_OK);
    assert_int_equal(rig->batch->sync_time, 0);
    batch_clear(rig->batch);
}

/* A run keeps what it was given, whatever becomes of the store's copy. */
static void a_run_outlives_its_messages(void **state)
{
    struct rig *rig = *state;
    rig_channel(rig, 1, "foo");
    rig_append(rig, 1, 1, 1, "kept");
    (void)rig_commit(rig, 1);
    struct run *run = rig_read(rig, 1, 1, 1);
    must(batch_channel_delete(rig->batch, 1));
    (void)rig_commit(rig, 1);
    assert_true(
        bytes_equal(slice_bytes(run->entries[0].message), bytes_text("kept")));
    run_free(run);
}

struct counted {
    size_t done;
    bool in_order;
};

struct numbered {
    struct batch *batch;
    struct counted *counted;
    size_t number;
};

static void count_done(struct batch *batch)
{
    const struct numbered *numbered = batch->context;
    struct counted *counted = numbered->counted;
    counted->in_order = counted->in_order && batch->status == STATUS_OK &&
                        counted->done == numbered->number;
    __atomic_store_n(&counted->done, counted->done + 1, __ATOMIC_RELEASE);
}

/* Reads beside commits: what is seen is always a whole prefix of batches. */
static void reads_beside_commits_see_whole_batches_in_order(void **state)
{
    enum { BATCHES = 300, EACH = 20 };
    static struct numbered numbered[BATCHES];
    struct rig *rig = *state;
    struct counted counted = {.in_order = true};
    rig_channel(rig, 1, "foo");
    (void)rig_commit(rig, 1);
    for (size_t i = 0; i < BATCHES; i++) {
        numbered[i] = (struct numbered){
            .batch = batch_new(), .counted = &counted, .number = i};
        struct batch *own = rig->batch;
        rig->batch = numbered[i].batch;
        for (uint64_t j = 1; j <= EACH; j++)
            rig_append_filled(rig, 1, i * EACH + j, (int64_t)i, 64);
        rig->batch = own;
        numbered[i].batch->sync = i % 10 == 0;
        numbered[i].batch->done = count_done;
        numbered[i].batch->context = &numbered[i];
        store_commit(rig->store, numbered[i].batch);
        if (i % 4 != 0)
            continue;
        size_t before = __atomic_load_n(&counted.done, __ATOMIC_ACQUIRE);
        struct run *run = rig_read(rig, 1, 1, UINT32_MAX);
        size_t seen = run == NULL ? 0 : run->count;
        assert_int_equal(seen % EACH, 0);
        assert_true(seen >= before * EACH);
        for (size_t j = 0; j < seen; j++)
            assert_int_equal(run->entries[j].sequence, j + 1);
        run_free(run);
    }
    rig_close(rig); /* finishes what was asked for */
    assert_int_equal(counted.done, BATCHES);
    assert_true(counted.in_order);
    for (size_t i = 0; i < BATCHES; i++)
        batch_free(numbered[i].batch);
    rig_open(rig);
    if (rig->backend->is_persistent)
        rig_expect(rig, 1, 1, (uint64_t)BATCHES * EACH);
}

/* S18 */
static void closing_nothing_is_fine(void **state)
{
    struct rig *rig = *state;
    rig_close(rig);
    rig_close(rig);
    store_close(NULL);
}

/* ---- the model ---- */

static void random_batches_agree_with_a_naive_model(void **state)
{
    model_compare(*state, 4000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int run_all(const struct backend *backend)
{
    struct CMUnitTest tests[] = {
        CASE(a_fresh_store_recovers_nothing),
        CASE(a_second_server_record_replaces_the_first),
        CASE(clients_added_and_deleted_are_recovered_exactly),
        CASE(first_last_and_bytes_follow_each_message),
        CASE(a_sequence_stored_before_is_ignored),
        CASE(an_empty_message_is_stored),
        CASE(gaps_are_stepped_over),
        CASE(a_read_ends_at_its_limits),
        CASE(a_time_finds_the_first_message_not_older),
        CASE(the_count_limit_keeps_the_newest),
        CASE(other_limits_hold_from_the_batch_that_brings_them),
        CASE(the_byte_limit_is_exact),
        CASE(a_message_above_the_byte_limit_stays_alone),
        CASE(limits_hold_inside_of_one_big_batch),
        CASE(lower_limits_apply_at_a_restart),
        CASE(limits_on_numbers_are_not_applied_to_what_is_recovered),
        CASE(expiry_takes_all_that_is_old_and_may_empty_the_channel),
        CASE(expiry_steps_over_gaps_and_works_beside_a_count_of_one),
        CASE(expiry_in_front_of_a_batch_takes_all_that_was_stored),
        CASE(expiry_of_an_unknown_or_empty_channel_is_fine),
        CASE(progress_belongs_to_the_latest_record),
        CASE(unknown_subscriptions_are_no_error),
        CASE(the_highest_subscription_id_survives_deletion),
        CASE(subscriptions_come_back_behind_their_channel),
        CASE(a_deleted_channel_is_gone_and_its_name_starts_anew),
        CASE(the_id_of_a_deleted_channel_may_be_used_after_a_restart),
        CASE(one_batch_may_create_use_and_delete_a_channel),
        CASE(a_refused_batch_leaves_everything_as_it_was),
        CASE(an_empty_batch_is_fine),
        CASE(the_wait_for_the_disk_is_told),
        CASE(a_run_outlives_its_messages),
        CASE(reads_beside_commits_see_whole_batches_in_order),
        CASE(closing_nothing_is_fine),
        CASE(random_batches_agree_with_a_naive_model),
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): cmocka takes no const */
        tests[i].initial_state = (void *)(uintptr_t)backend;
    }
    return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}

int main(void)
{
    return run_all(&backend_memory) + run_all(&backend_leveldb) +
           run_all(&backend_small_segments);
}
