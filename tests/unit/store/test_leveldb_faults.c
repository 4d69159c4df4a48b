/* The process dies, the disk refuses: what was reported done stays, what
 * failed leaves nothing. */
#include "tests/store_suite/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- a disk that fails to sync ---- */

/* Stands before libc's for LevelDB, too. The only global of this program. */
static bool sync_fails;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int descriptor)
{
    if (__atomic_load_n(&sync_fails, __ATOMIC_SEQ_CST)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, descriptor);
}

static void let_sync_fail(bool fails)
{
    __atomic_store_n(&sync_fails, fails, __ATOMIC_SEQ_CST);
}

static int setup(void **state)
{
    static struct rig rig;
    let_sync_fail(false);
    rig_init(&rig, &backend_small_segments);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    let_sync_fail(false);
    rig_release(*state);
    return 0;
}

static uint64_t seed_of_today(void)
{
    const char *chosen = getenv("STORE_SEED");
    uint64_t seed =
        chosen != NULL ? strtoull(chosen, NULL, 10) : (uint64_t)time(NULL);
    (void)printf("STORE_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* ---- kill -9 ---- */

enum { KEPT = 2, LIMITED = 3, LIMIT = 60 };

/* One batch: `count` messages to each of two channels and to one that keeps
 * the newest LIMIT, and a record that tells how far it goes. */
static void add_round(struct rig *rig, uint64_t first, uint64_t count)
{
    char text[32];
    for (uint64_t i = first; i < first + count; i++) {
        for (uint64_t channel = 1; channel <= LIMITED; channel++)
            rig_append_filled(rig, channel, i, (int64_t)i, 20 + i % 100);
    }
    must(batch_expire(rig->batch, LIMITED,
                      (int64_t)(first + count - 1) - LIMIT));
    (void)snprintf(text, sizeof text, "%llu",
                   (unsigned long long)(first + count - 1));
    must(batch_progress(rig->batch, 1, 1, bytes_text(text)));
}

static void make_channels(struct rig *rig)
{
    rig_channel(rig, 1, "one");
    rig_channel(rig, KEPT, "two");
    rig_channel(rig, LIMITED, "three");
    must(batch_subscription_put(rig->batch, 1, 1, bytes_text("s")));
    (void)rig_commit(rig, 1);
}

/* The child: commits for ever, tells the last sequence after each done. */
static int write_for_ever(const char *directory, const char *seed_text)
{
    static struct rig rig;
    uint64_t seed = strtoull(seed_text, NULL, 10), next = 1;
    rig.backend = &backend_small_segments;
    rig.clock = clock_system;
    rig.batch = batch_new();
    (void)snprintf(rig.directory, sizeof rig.directory, "%s", directory);
    rig_open(&rig);
    if (rig.recovered.channels == 0) {
        make_channels(&rig);
    } else {
        next = rig_recovered(&rig, 1)->last + 1;
    }
    for (;;) {
        uint64_t count = 1 + random_next(&seed) % 90;
        add_round(&rig, next, count);
        rig.batch->sync = random_next(&seed) % 3 == 0;
        (void)rig_commit(&rig, 1);
        next += count;
        uint64_t last = next - 1;
        if (write(STDOUT_FILENO, &last, sizeof last) != sizeof last)
            return 1;
    }
}

static pid_t start_writer(const char *directory, uint64_t seed, int *out)
{
    char text[32];
    int ends[2];
    pid_t child;
    posix_spawn_file_actions_t actions;
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    char program[] = "test", mode[] = "writer", path[256];
    char *const arguments[] = {program, mode, path, text, NULL};
    (void)snprintf(path, sizeof path, "%s", directory);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn(&child, "/proc/self/exe", &actions, NULL,
                                 arguments, environ),
                     0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    *out = ends[0];
    return child;
}

/* Kills it after a random number of reports; gives the last one. */
static uint64_t kill_writer(pid_t child, int reports, uint64_t *seed)
{
    uint64_t last = 0, report;
    uint64_t wanted = 1 + random_next(seed) % 120;
    for (uint64_t i = 0; i < wanted; i++) {
        if (read(reports, &report, sizeof report) != sizeof report)
            fail_msg("%s", "the writer ended by itself");
        last = report;
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(reports, &report, sizeof report) == sizeof report)
        last = report;
    (void)close(reports);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return last;
}

static void expect_filled(struct rig *rig, uint64_t channel, uint64_t first,
                          uint64_t last)
{
    struct run *run = rig_read(rig, channel, 1, UINT32_MAX);
    assert_non_null(run);
    assert_int_equal(run->count, last - first + 1);
    for (size_t i = 0; i < run->count; i++) {
        uint64_t sequence = first + i;
        struct bytes bytes = slice_bytes(run->entries[i].message);
        assert_int_equal(run->entries[i].sequence, sequence);
        assert_int_equal(bytes.size, 20 + sequence % 100);
        for (size_t j = 0; j < bytes.size; j++) {
            assert_int_equal(bytes.data[j],
                             (uint8_t)(channel * 31 + sequence * 7 + j));
        }
    }
    run_free(run);
}

/* What messages first..last of add_round() count for. */
static uint64_t counted_bytes(uint64_t first, uint64_t last)
{
    uint64_t bytes = 0;
    for (uint64_t i = first; i <= last; i++)
        bytes += 20 + i % 100 + 40;
    return bytes;
}

static void all_that_was_reported_survives_kill_9(void **state)
{
    enum { ROUNDS = 14 };
    struct rig *rig = *state;
    uint64_t seed = seed_of_today();
    for (int round = 0; round < ROUNDS; round++) {
        int reports;
        pid_t child =
            start_writer(rig->directory, random_next(&seed), &reports);
        uint64_t reported = kill_writer(child, reports, &seed);
        rig_open(rig);
        assert_int_equal(rig->recovered.channels, LIMITED);
        uint64_t last = rig_recovered(rig, 1)->last;
        assert_true(last >= reported);
        /* All of the last batch or nothing of it. */
        assert_int_equal(rig_recovered(rig, KEPT)->last, last);
        assert_int_equal(rig_recovered(rig, LIMITED)->last, last);
        assert_int_equal(
            strtoull(rig->recovered.subscription[0].progress, NULL, 10), last);
        uint64_t kept = last < LIMIT ? last : LIMIT;
        assert_int_equal(rig_recovered(rig, LIMITED)->messages, kept);
        expect_filled(rig, LIMITED, last - kept + 1, last);
        assert_int_equal(rig_recovered(rig, LIMITED)->bytes,
                         counted_bytes(last - kept + 1, last));
        assert_int_equal(rig_recovered(rig, 1)->messages, last);
        assert_int_equal(rig_recovered(rig, 1)->bytes, counted_bytes(1, last));
        expect_filled(rig, 1, 1, last);
        expect_filled(rig, KEPT, 1, last);
        rig_close(rig);
    }
}

/* ---- writes that fail ---- */

/* A store with some of everything, open, with a limit of ten messages. */
static void prepare(struct rig *rig)
{
    rig->limits.global.max_messages = 10;
    rig_open(rig);
    must(batch_server(rig->batch, bytes_text("server")));
    must(batch_client_put(rig->batch, bytes_text("old"), bytes_text("o")));
    rig_channel(rig, 1, "one");
    rig_channel(rig, 2, "two");
    must(batch_subscription_put(rig->batch, 1, 1, bytes_text("s")));
    must(batch_progress(rig->batch, 1, 1, bytes_text("p")));
    (void)rig_commit(rig, 1);
    (void)rig_fill(rig, 1, 1, 15);
    (void)rig_fill(rig, 2, 1, 3);
}

/* Changes whatever can be changed. */
static void add_everything(struct rig *rig)
{
    must(batch_server(rig->batch, bytes_text("another")));
    must(batch_client_delete(rig->batch, bytes_text("old")));
    must(batch_client_put(rig->batch, bytes_text("new"), bytes_text("n")));
    must(batch_subscription_put(rig->batch, 1, 7, bytes_text("t")));
    must(batch_subscription_put(rig->batch, 1, 1, bytes_text("u")));
    rig_channel(rig, 3, "three");
    rig_append(rig, 3, 1, 1, "x");
    for (uint64_t i = 16; i <= 30; i++)
        rig_append(rig, 1, i, (int64_t)i, "x");
    must(batch_channel_delete(rig->batch, 2));
}

static void expect_unchanged(struct rig *rig)
{
    rig_expect(rig, 1, 6, 15);
    rig_expect(rig, 2, 1, 3);
    assert_null(rig_read(rig, 3, 0, 1));
}

static void expect_unchanged_on_disk(struct rig *rig)
{
    assert_string_equal(rig->recovered.server, "server");
    assert_int_equal(rig->recovered.clients, 1);
    assert_string_equal(rig->recovered.client_ids[0], "old");
    assert_int_equal(rig->recovered.channels, 2);
    assert_int_equal(rig->recovered.subscriptions, 1);
    assert_string_equal(rig->recovered.subscription[0].record, "s");
    assert_string_equal(rig->recovered.subscription[0].progress, "p");
    assert_int_equal(rig_recovered(rig, 1)->last_subscription, 1);
    assert_int_equal(rig_recovered(rig, 1)->bytes, 10 * 41);
    assert_int_equal(rig_recovered(rig, 1)->first_timestamp, 6);
}

/* LevelDB's log holds the batch although it failed: it must not come back. */
static void a_batch_whose_sync_failed_leaves_nothing(void **state)
{
    struct rig *rig = *state;
    prepare(rig);
    add_everything(rig);
    rig->batch->sync = true;
    let_sync_fail(true);
    assert_int_equal(rig_try_commit(rig), STATUS_IO);
    assert_non_null(strstr(rig->error.detail, "Input/output error"));
    assert_int_equal(rig->batch->state_count, 0);
    batch_clear(rig->batch);
    expect_unchanged(rig);
    let_sync_fail(false);
    (void)rig_commit(rig, 0); /* an empty one: opens again, undoes */
    expect_unchanged(rig);
    rig_reopen(rig);
    expect_unchanged(rig);
    expect_unchanged_on_disk(rig);
    struct channel_state now = rig_fill(rig, 1, 16, 16);
    assert_int_equal(now.first, 7);
    rig_expect(rig, 1, 7, 16);
}

static void commits_fail_while_the_disk_does_and_work_again_after(void **state)
{
    struct rig *rig = *state;
    prepare(rig);
    let_sync_fail(true);
    for (int i = 0; i < 5; i++) {
        add_everything(rig);
        rig->batch->sync = true;
        assert_int_equal(rig_try_commit(rig), STATUS_IO);
        assert_true(rig->error.detail[0] != '\0');
        batch_clear(rig->batch);
        /* A read is right or says that it is not. */
        struct read read = {.channel = 1,
                            .sequence = 1,
                            .max_messages = 100,
                            .max_bytes = SIZE_MAX};
        if (rig_try_read(rig, &read) == STATUS_OK)
            assert_int_equal(read.run->count, 10);
        run_free(read.run);
    }
    let_sync_fail(false);
    add_everything(rig);
    rig->batch->sync = true;
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 21);
    assert_int_equal(now.last, 30);
    rig_expect(rig, 1, 21, 30);
    rig_expect(rig, 3, 1, 1);
    assert_null(rig_read(rig, 2, 0, 1));
    rig_reopen(rig);
    rig_expect(rig, 1, 21, 30);
    rig_expect(rig, 3, 1, 1);
    assert_int_equal(rig->recovered.channels, 2);
    assert_string_equal(rig->recovered.client_ids[0], "new");
    assert_string_equal(rig->recovered.server, "another");
}

/* The store is closed while it is broken; nothing acked is lost by that. */
static void closing_a_broken_store_keeps_what_was_stored(void **state)
{
    struct rig *rig = *state;
    prepare(rig);
    add_everything(rig);
    rig->batch->sync = true;
    let_sync_fail(true);
    assert_int_equal(rig_try_commit(rig), STATUS_IO);
    batch_clear(rig->batch);
    rig_close(rig);
    let_sync_fail(false);
    rig_open(rig);
    assert_true(rig_recovered(rig, 1)->last >= 15);
    assert_int_equal(rig_recovered(rig, 1)->messages, 10);
}

static void limit_files(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size == 0 ? limit.rlim_max : size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A full disk, made of a limit on the size of files: the batch that does not
 * fit leaves half a record in the log. */
static void a_batch_that_does_not_fit_leaves_nothing(void **state)
{
    enum { ROOM = 300000, EACH = 20, SIZE = 500 };
    struct rig *rig = *state;
    uint64_t last = 0;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    rig->backend = &backend_leveldb; /* segments that reach the limit */
    rig_open(rig);
    rig_channel(rig, 1, "one");
    (void)rig_commit(rig, 1);
    limit_files(ROOM);
    enum status status = STATUS_OK;
    for (int round = 0; round < 200; round++) {
        for (uint64_t i = 1; i <= EACH; i++)
            rig_append_filled(rig, 1, last + i, 1, SIZE);
        rig->batch->sync = round % 2 == 0;
        status = rig_try_commit(rig);
        batch_clear(rig->batch);
        if (status != STATUS_OK)
            break;
        last += EACH;
    }
    enum status again = rig_try_commit(rig);
    limit_files(0);
    assert_int_equal(status, STATUS_IO);
    assert_true(again == STATUS_IO || again == STATUS_OK);
    assert_true(last > 100);
    (void)rig_commit(rig, 1);
    rig_expect(rig, 1, 1, last);
    struct channel_state now = {0};
    for (int round = 0; round < 50; round++) {
        for (uint64_t i = 1; i <= EACH; i++)
            rig_append_filled(rig, 1, last + i, 1, SIZE);
        now = rig_commit(rig, 1);
        last += EACH;
    }
    assert_int_equal(now.messages, last);
    rig_expect(rig, 1, 1, last);
    rig_reopen(rig);
    rig_expect(rig, 1, 1, last);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "writer") == 0)
        return write_for_ever(argv[2], argv[3]);
    const struct CMUnitTest tests[] = {
        CASE(all_that_was_reported_survives_kill_9),
        CASE(a_batch_whose_sync_failed_leaves_nothing),
        CASE(commits_fail_while_the_disk_does_and_work_again_after),
        CASE(closing_a_broken_store_keeps_what_was_stored),
        CASE(a_batch_that_does_not_fit_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
