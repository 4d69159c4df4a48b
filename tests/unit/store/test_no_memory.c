/* The n-th allocation of a store fails, for every n: a commit is there as a
 * whole or not at all and its status says which, a read gives all or an error,
 * an open fails and harms nothing; once there is memory again all goes on.
 *
 * What LevelDB itself allocates does not fail: C++ without memory ends the
 * process. */
#include "tests/store_suite/rig.h"
#include "tests/unit/base/allocation.h"

enum { ALLOCATIONS_MAX = 2000, BEFORE = 5, MORE = 3 };

/* One channel with five messages, a client, a subscription. */
static void begin(struct rig *rig, const struct backend *backend)
{
    rig_init(rig, backend);
    rig_open(rig);
    must(batch_server(rig->batch, bytes_text("server")));
    must(batch_client_put(rig->batch, bytes_text("me"), bytes_text("before")));
    rig_channel(rig, 1, "foo");
    must(batch_subscription_put(rig->batch, 1, 1, bytes_text("before")));
    must(batch_progress(rig->batch, 1, 1, bytes_text("before")));
    (void)rig_commit(rig, 1);
    (void)rig_fill(rig, 1, 1, BEFORE);
}

/* Of everything something: more messages than a buffer has room for, a new
 * channel, records, an expiration. */
static void fill_batch(struct rig *rig)
{
    for (uint64_t i = BEFORE + 1; i <= BEFORE + MORE; i++)
        rig_append_filled(rig, 1, i, (int64_t)i, 300);
    rig_channel(rig, 2, "bar");
    for (uint64_t i = 1; i <= 40; i++)
        rig_append_filled(rig, 2, i, (int64_t)i, 300);
    must(batch_expire(rig->batch, 1, 2));
    must(batch_client_put(rig->batch, bytes_text("me"), bytes_text("after")));
    must(batch_subscription_put(rig->batch, 1, 1, bytes_text("after")));
    must(batch_progress(rig->batch, 1, 1, bytes_text("after")));
    rig->batch->sync = true;
}

static void check_recovered(struct rig *rig, bool stored)
{
    const char *expected = stored ? "after" : "before";
    const struct recovered *recovered = &rig->recovered;
    assert_int_equal(recovered->channels, stored ? 2 : 1);
    assert_string_equal(recovered->client_records[0], expected);
    assert_string_equal(recovered->subscription[0].record, expected);
    assert_string_equal(recovered->subscription[0].progress, expected);
}

static void check(struct rig *rig, bool stored)
{
    rig_expect(rig, 1, stored ? 3 : 1, BEFORE + (stored ? MORE : 0));
    if (stored) {
        rig_expect(rig, 2, 1, 40);
    } else {
        assert_null(rig_read(rig, 2, 0, 1));
    }
}

/* Goes on with the sequence that is next, and closes. */
static void end(struct rig *rig, bool stored)
{
    uint64_t last = BEFORE + (stored ? MORE : 0);
    allocation_repair();
    check(rig, stored);
    (void)rig_fill(rig, 1, last + 1, last + 1);
    if (rig->backend->is_persistent) {
        rig_reopen(rig);
        check_recovered(rig, stored);
        rig_expect(rig, 1, stored ? 3 : 1, last + 1);
    }
    rig_release(rig);
}

static bool commit_without(const struct backend *backend, int n,
                           void (*break_at)(int good))
{
    static struct rig rig;
    begin(&rig, backend);
    fill_batch(&rig);
    break_at(n);
    enum status status = rig_try_commit(&rig);
    bool failed = allocation_failed();
    allocation_repair();
    if (status != STATUS_OK)
        assert_true(rig.error.detail[0] != '\0');
    batch_clear(rig.batch);
    end(&rig, status == STATUS_OK);
    return failed;
}

static bool read_without(const struct backend *backend, int n,
                         void (*break_at)(int good))
{
    static struct rig rig;
    begin(&rig, backend);
    struct read read = {
        .channel = 1, .sequence = 2, .max_messages = 10, .max_bytes = 1000};
    struct read by_time = {.channel = 1,
                           .by_time = true,
                           .timestamp = 4,
                           .max_messages = 1,
                           .max_bytes = 1};
    break_at(n);
    enum status status = rig_try_read(&rig, &read);
    enum status status_by_time = rig_try_read(&rig, &by_time);
    bool failed = allocation_failed();
    allocation_repair();
    if (status == STATUS_OK) {
        assert_non_null(read.run);
        assert_int_equal(read.run->count, 4);
        assert_int_equal(read.run->entries[0].sequence, 2);
    } else {
        assert_null(read.run);
    }
    if (status_by_time == STATUS_OK)
        assert_int_equal(by_time.run->entries[0].sequence, 4);
    run_free(read.run);
    run_free(by_time.run);
    end(&rig, false);
    return failed;
}

static bool open_without(const struct backend *backend, int n,
                         void (*break_at)(int good))
{
    static struct rig rig;
    begin(&rig, backend);
    fill_batch(&rig);
    (void)rig_commit(&rig, 1);
    rig_close(&rig);
    break_at(n);
    enum status status = rig_try_open(&rig);
    bool failed = allocation_failed();
    allocation_repair();
    if (status != STATUS_OK) {
        assert_true(rig.error.detail[0] != '\0');
        rig_open(&rig);
    }
    check_recovered(&rig, true);
    end(&rig, true);
    return failed;
}

static void sweep(const struct backend *backend,
                  bool (*act)(const struct backend *backend, int n,
                              void (*break_at)(int good)))
{
    int n = 0;
    for (bool failed = true; failed; n++) {
        failed = act(backend, n, allocation_break_once);
        failed = act(backend, n, allocation_break) || failed;
        assert_true(n < ALLOCATIONS_MAX);
    }
    assert_true(n > 1);
}

static void a_commit_without_memory_is_whole_or_not_there(void **state)
{
    (void)state;
    sweep(&backend_memory, commit_without);
    sweep(&backend_leveldb, commit_without);
}

static void a_read_without_memory_is_an_error(void **state)
{
    (void)state;
    sweep(&backend_memory, read_without);
    sweep(&backend_leveldb, read_without);
}

static void an_open_without_memory_harms_nothing(void **state)
{
    (void)state;
    sweep(&backend_leveldb, open_without);
}

/* ---- batch ---- */

static bool add(struct batch *batch, int which, struct slice message)
{
    switch (which) {
    case 0:
        return batch_server(batch, bytes_text("server"));
    case 1:
        return batch_client_put(batch, bytes_text("id"), bytes_text("record"));
    case 2:
        return batch_client_delete(batch, bytes_text("id"));
    case 3:
        return batch_channel_put(batch, 1, bytes_text("name"));
    case 4:
        return batch_channel_delete(batch, 1);
    case 5:
        return batch_append(batch, 1, 1, 1, message);
    case 6:
        return batch_expire(batch, 1, 1);
    case 7:
        return batch_subscription_put(batch, 1, 1, bytes_text("record"));
    case 8:
        return batch_subscription_delete(batch, 1, 1);
    case 9:
        return batch_progress(batch, 1, 1, bytes_text("record"));
    default:
        return batch_reserve(batch, 100, 1000);
    }
}

static void without_memory_a_batch_is_as_it_was(void **state)
{
    (void)state;
    struct buffer *buffer = buffer_new(8);
    assert_non_null(buffer);
    const struct slice message = {.buffer = buffer, .size = 1};
    for (int which = 0; which <= 10; which++) {
        for (int n = 0; n < 3; n++) {
            struct batch *batch = batch_new();
            assert_non_null(batch);
            allocation_break(n);
            bool done = add(batch, which, message);
            bool failed = allocation_failed();
            allocation_repair();
            assert_int_equal(done, !failed);
            assert_int_equal(batch->count, done && which < 10 ? 1 : 0);
            assert_int_equal(batch->message_bytes, done && which == 5 ? 1 : 0);
            assert_true(add(batch, which, message));
            batch_free(batch);
        }
    }
    buffer_unref(buffer);
}

static void what_was_reserved_needs_no_memory(void **state)
{
    (void)state;
    struct batch *batch = batch_new();
    assert_non_null(batch);
    assert_true(batch_reserve(batch, 50, 500));
    allocation_break(0);
    for (int i = 0; i < 50; i++) {
        assert_true(
            batch_client_put(batch, bytes_text("id"), bytes_text("8 bytes.")));
    }
    allocation_repair();
    assert_int_equal(batch->count, 50);
    batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_without_memory_is_whole_or_not_there),
        cmocka_unit_test(a_read_without_memory_is_an_error),
        cmocka_unit_test(an_open_without_memory_harms_nothing),
        cmocka_unit_test(without_memory_a_batch_is_as_it_was),
        cmocka_unit_test(what_was_reserved_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
