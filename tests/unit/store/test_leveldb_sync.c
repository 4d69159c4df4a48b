/* A store that does not sync each batch: when its data reaches the disk. What
 * the disk has is what fdatasync() was told of, which this program watches. */
#include "tests/store_suite/rig.h"

#include "store/leveldb/leveldb_store.h"
#include "streamd/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t interval = 40 * CLOCK_MILLISECOND;

/* ---- the disk ---- */

enum { SYNCS_MAX = 1000 };

/* The only global of this program. */
static struct {
    pthread_mutex_t lock;
    bool fails;
    int failed, count; /* calls */
    struct {
        ino_t file;
        off_t size; /* that is on the disk */
    } synced[SYNCS_MAX];
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int fdatasync(int descriptor)
{
    struct stat info;
    int result = -1;
    (void)pthread_mutex_lock(&disk.lock);
    if (disk.fails || disk.count == SYNCS_MAX) {
        disk.failed++;
        errno = EIO;
    } else if (fstat(descriptor, &info) == 0) {
        result = (int)syscall(SYS_fdatasync, descriptor);
        disk.synced[disk.count].file = info.st_ino;
        disk.synced[disk.count++].size = info.st_size;
    }
    (void)pthread_mutex_unlock(&disk.lock);
    return result;
}

static void let_sync_fail(bool fails)
{
    (void)pthread_mutex_lock(&disk.lock);
    disk.fails = fails;
    (void)pthread_mutex_unlock(&disk.lock);
}

static int count_of(const int *counter)
{
    (void)pthread_mutex_lock(&disk.lock);
    int count = *counter;
    (void)pthread_mutex_unlock(&disk.lock);
    return count;
}

static bool is_on_disk(const struct stat *info)
{
    bool found = false;
    (void)pthread_mutex_lock(&disk.lock);
    for (int i = 0; i < disk.count; i++) {
        found = found || (disk.synced[i].file == info->st_ino &&
                          disk.synced[i].size == info->st_size);
    }
    (void)pthread_mutex_unlock(&disk.lock);
    return found;
}

/* Every segment, to its last byte. */
static bool all_is_on_disk(const struct rig *rig)
{
    char path[128];
    bool all = true;
    int segments = 0;
    (void)snprintf(path, sizeof path, "%s/nss.ldb", rig->directory);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        struct stat info;
        if (strstr(entry->d_name, ".seg") == NULL)
            continue;
        assert_int_equal(fstatat(dirfd(directory), entry->d_name, &info, 0), 0);
        all = all && is_on_disk(&info);
        segments++;
    }
    (void)closedir(directory);
    assert_true(segments > 0);
    return all;
}

/* ---- time ---- */

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = CLOCK_MILLISECOND};
    (void)nanosleep(&pause, NULL);
}

static void wait_for_disk(const struct rig *rig)
{
    int64_t begun = clock_monotonic(&clock_system);
    while (!all_is_on_disk(rig)) {
        if (clock_monotonic(&clock_system) - begun > 60 * CLOCK_SECOND)
            fail_msg("%s", "not on the disk after a minute");
        pause_a_little();
    }
}

static void let_pass(int64_t time)
{
    int64_t begun = clock_monotonic(&clock_system);
    while (clock_monotonic(&clock_system) - begun < time)
        pause_a_little();
}

/* ---- stores ---- */

static enum status open_late(const char *directory,
                             const struct store_config *config,
                             struct store **out, struct error *err)
{
    struct store_config late = *config;
    late.no_sync = true;
    late.auto_sync = interval;
    return leveldb_store_open(directory, &late, out, err);
}

static enum status open_never(const char *directory,
                              const struct store_config *config,
                              struct store **out, struct error *err)
{
    struct store_config never = *config;
    never.no_sync = true;
    return leveldb_store_open(directory, &never, out, err);
}

static enum status open_both(const char *directory,
                             const struct store_config *config,
                             struct store **out, struct error *err)
{
    struct store_config both = *config;
    both.auto_sync = interval;
    return leveldb_store_open(directory, &both, out, err);
}

static const struct backend both = {
    .name = "both", .is_persistent = true, .overhead = 40, .open = open_both};
static const struct backend late = {
    .name = "late", .is_persistent = true, .overhead = 40, .open = open_late};
static const struct backend never = {
    .name = "never", .is_persistent = true, .overhead = 40, .open = open_never};

/* With one channel, whose segment is on the disk. */
static void open_with_channel(struct rig *rig, const struct backend *backend)
{
    rig->backend = backend;
    rig_open(rig);
    rig_channel(rig, 1, "one");
    (void)rig_commit(rig, 1);
    if (backend != &never)
        wait_for_disk(rig);
}

static int setup(void **state)
{
    static struct rig rig;
    let_sync_fail(false);
    disk.failed = disk.count = 0;
    rig_init(&rig, &late);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    let_sync_fail(false);
    rig_release(*state);
    return 0;
}

static void fill(struct rig *rig, uint64_t sequence, bool sync)
{
    rig_append(rig, 1, sequence, (int64_t)sequence, "x");
    rig->batch->sync = sync;
    (void)rig_commit(rig, 1);
}

/* ---- cases ---- */

/* S27. As the machine may be slow: one for each interval that began. */
static void
one_sync_for_each_interval_with_activity_and_none_without(void **state)
{
    struct rig *rig = *state;
    uint64_t next = 1;
    open_with_channel(rig, &late);
    for (int round = 0; round < 5; round++) {
        int before = count_of(&disk.count);
        int64_t begun = clock_monotonic(&clock_system);
        for (int i = 0; i < 20; i++)
            fill(rig, next++, true);
        wait_for_disk(rig);
        int64_t took = clock_monotonic(&clock_system) - begun;
        int made = count_of(&disk.count) - before;
        assert_in_range(made, 1, (uintmax_t)(took / interval));
        let_pass(3 * interval);
        assert_int_equal(count_of(&disk.count) - before, made);
    }
    rig_expect(rig, 1, 1, next - 1);
}

static void a_clean_stop_leaves_nothing_unsynced(void **state)
{
    struct rig *rig = *state;
    open_with_channel(rig, &never);
    for (uint64_t i = 1; i <= 50; i++)
        fill(rig, i, true);
    assert_false(all_is_on_disk(rig));
    rig_close(rig);
    assert_true(all_is_on_disk(rig));
    rig_open(rig);
    rig_expect(rig, 1, 1, 50);
}

/* What need not be synced, as acks, is in the end, if nothing else does it. */
static void of_a_store_that_syncs_the_rest_is_synced_too(void **state)
{
    struct rig *rig = *state;
    open_with_channel(rig, &both);
    must(batch_subscription_put(rig->batch, 1, 1, bytes_text("s")));
    rig->batch->sync = true;
    (void)rig_commit(rig, 1);
    int before = count_of(&disk.count);
    fill(rig, 1, true);
    assert_true(all_is_on_disk(rig));
    let_pass(3 * interval);
    assert_int_equal(count_of(&disk.count), before + 1);
    must(batch_progress(rig->batch, 1, 1, bytes_text("p")));
    rig->batch->sync = false;
    (void)rig_commit(rig, 1);
    wait_for_disk(rig);
    assert_int_equal(count_of(&disk.count), before + 2);
}

static void a_sync_that_failed_is_made_up_for(void **state)
{
    struct rig *rig = *state;
    open_with_channel(rig, &late);
    let_sync_fail(true);
    fill(rig, 1, true);
    while (count_of(&disk.failed) < 2)
        pause_a_little();
    assert_false(all_is_on_disk(rig));
    let_sync_fail(false);
    wait_for_disk(rig);
    rig_expect(rig, 1, 1, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_sync_for_each_interval_with_activity_and_none_without),
        CASE(a_clean_stop_leaves_nothing_unsynced),
        CASE(of_a_store_that_syncs_the_rest_is_synced_too),
        CASE(a_sync_that_failed_is_made_up_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
