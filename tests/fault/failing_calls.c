/* Every call that changes a file fails in its turn: the batch it was for fails
 * with a text and leaves nothing, reads go on, and once the fault is gone the
 * store takes batches again. SEED in the environment. */
#include "streamd/base/clock.h"
#include "tests/fault/disk.h"
#include "tests/fault/oracle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCHES = 40, TURNS_MAX = 2000, HALF = 0 };

struct turn {
    struct rig rig;
    struct oracle *oracle;
    uint64_t seed;
    uint64_t failures; /* batches and opens that failed */
    uint64_t times;    /* calls that may fail */
};

static uint64_t seed_of_today(void)
{
    const char *text = getenv("SEED");
    uint64_t seed =
        text == NULL ? (uint64_t)time(NULL) : strtoull(text, NULL, 10);
    (void)printf("SEED=%llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    return seed;
}

/* Opens, however often that is refused. */
static void open_store(struct turn *turn)
{
    while (rig_try_open(&turn->rig) != STATUS_OK) {
        assert_true(turn->rig.error.detail[0] != '\0');
        assert_in_range(turn->failures++, 0, 2 * turn->times);
    }
    oracle_check(turn->oracle, &turn->rig);
}

static void commit(struct turn *turn)
{
    while (oracle_commit(turn->oracle, &turn->rig, &turn->seed) != STATUS_OK) {
        assert_true(turn->rig.error.detail[0] != '\0');
        if (getenv("SHOW") != NULL)
            (void)printf("  %s\n", turn->rig.error.detail);
        assert_int_equal(turn->rig.batch->state_count, 0);
        (void)oracle_reads(turn->oracle, &turn->rig);
        /* One fault is met by two at most: by what compacts behind the
         * batches, and by the batch that hears of it. */
        assert_in_range(turn->failures++, 0, 2 * turn->times);
    }
}

/* The index comes back on its own once the fault is gone, a little later. */
static void wait_for_reads(struct turn *turn)
{
    int64_t deadline = clock_monotonic(&clock_system) + 60 * CLOCK_SECOND;
    while (!oracle_reads(turn->oracle, &turn->rig))
        assert_true(clock_monotonic(&clock_system) < deadline);
}

/* A life of a store in which `times` calls behind `calls` more fail; false if
 * it made fewer calls than that. */
static bool take_turn(uint64_t seed, uint64_t calls, int number, uint64_t times,
                      uint64_t hits[DISK_CALLS])
{
    static struct turn turn;
    char path[128];
    turn = (struct turn){.oracle = oracle_new(), .seed = seed, .times = times};
    rig_init(&turn.rig, &backend_small_segments);
    oracle_limits(&turn.rig);
    (void)snprintf(path, sizeof path, "%s/nss.ldb", turn.rig.directory);
    disk_watch(path);
    disk_fail_after(calls, number, times);
    open_store(&turn);
    for (int i = 0; i < BATCHES; i++) {
        commit(&turn);
        if (i != BATCHES / 2)
            continue;
        rig_close(&turn.rig);
        open_store(&turn);
    }
    enum disk_call failed = disk_failed();
    disk_heal();
    commit(&turn);
    wait_for_reads(&turn);
    rig_close(&turn.rig);
    open_store(&turn);
    disk_forget();
    rig_release(&turn.rig);
    oracle_free(turn.oracle);
    if (failed != DISK_CALLS)
        hits[failed]++;
    return failed != DISK_CALLS;
}

/* hits: of all tests together. The keeper works beside the batches, so what it
 * does in one life is not what it does in the next. */
static void each_call_in_turn(uint64_t hits[DISK_CALLS], int number,
                              uint64_t times_max)
{
    uint64_t seed = seed_of_today();
    uint64_t calls = 0;
    while (calls < TURNS_MAX) {
        uint64_t times = 1 + random_next(&seed) % times_max;
        if (!take_turn(seed, calls, number, times, hits))
            break;
        calls++;
    }
    assert_true(calls < TURNS_MAX);
}

static void every_kind_of_call_failed(void **state)
{
    static const char *const names[] = {"create", "write", "sync", "rename",
                                        "unlink"};
    const uint64_t *hits = *state;
    for (int i = 0; i < DISK_CALLS; i++) {
        (void)printf("%llu %s, ", (unsigned long long)hits[i], names[i]);
        assert_true(hits[i] > 0);
    }
    (void)printf("one life each\n");
}

static void one_call_fails_with_EIO(void **state)
{
    each_call_in_turn(*state, EIO, 1);
}

static void one_call_fails_with_ENOSPC(void **state)
{
    each_call_in_turn(*state, ENOSPC, 1);
}

static void one_write_is_cut_short(void **state)
{
    each_call_in_turn(*state, HALF, 2);
}

static void many_calls_in_a_row_fail(void **state)
{
    each_call_in_turn(*state, EIO, 20);
}

int main(void)
{
    uint64_t hits[DISK_CALLS] = {0};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(one_call_fails_with_EIO, hits),
        cmocka_unit_test_prestate(one_call_fails_with_ENOSPC, hits),
        cmocka_unit_test_prestate(one_write_is_cut_short, hits),
        cmocka_unit_test_prestate(many_calls_in_a_row_fail, hits),
        cmocka_unit_test_prestate(every_kind_of_call_failed, hits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
