/* Segments and the index beside each other: one of them older, shorter or gone;
 * garbage that goes, and live messages in the midst of it. */
#include "store/leveldb/segment.h"
#include "tests/store_suite/rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEGMENT = 16 << 10 }; /* of backend_small_segments */

static int setup(void **state)
{
    static struct rig rig;
    rig_init(&rig, &backend_small_segments);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_release(*state);
    return 0;
}

/* ---- files ---- */

static void path_in(const struct rig *rig, const char *folder, const char *name,
                    char out[512])
{
    (void)snprintf(out, 512, "%s/%s/%s", rig->directory, folder, name);
}

static void copy_file(const char *from, const char *to)
{
    char chunk[65536];
    size_t count;
    FILE *in = fopen(from, "re");
    FILE *out = fopen(to, "we");
    assert_non_null(in);
    assert_non_null(out);
    while ((count = fread(chunk, 1, sizeof chunk, in)) > 0)
        assert_int_equal(fwrite(chunk, 1, count, out), count);
    (void)fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* LevelDB's files, without the segments, from one folder to the other, in which
 * they replace those that are there. */
static void copy_index(const struct rig *rig, const char *from, const char *to)
{
    char a[512], b[512];
    uint64_t number;
    const struct dirent *entry;
    path_in(rig, to, "", b);
    (void)mkdir(b, 0777);
    DIR *stream = opendir(b);
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        path_in(rig, to, entry->d_name, b);
        if (!segment_parse_name(entry->d_name, &number))
            (void)unlink(b);
    }
    (void)closedir(stream);
    path_in(rig, from, "", a);
    stream = opendir(a);
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        path_in(rig, from, entry->d_name, a);
        path_in(rig, to, entry->d_name, b);
        if (entry->d_name[0] != '.' &&
            !segment_parse_name(entry->d_name, &number))
            copy_file(a, b);
    }
    (void)closedir(stream);
}

struct segments_seen {
    uint64_t lowest, highest, bytes;
    size_t count;
};

static struct segments_seen segments_of(const struct rig *rig)
{
    struct segments_seen seen = {.lowest = UINT64_MAX};
    char path[512];
    uint64_t number;
    struct stat info;
    const struct dirent *entry;
    path_in(rig, "nss.ldb", "", path);
    DIR *stream = opendir(path);
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        path_in(rig, "nss.ldb", entry->d_name, path);
        if (!segment_parse_name(entry->d_name, &number) ||
            stat(path, &info) != 0)
            continue;
        seen.count++;
        seen.bytes += (uint64_t)info.st_size;
        if (number < seen.lowest)
            seen.lowest = number;
        if (number > seen.highest)
            seen.highest = number;
    }
    (void)closedir(stream);
    return seen;
}

static void segment_path(const struct rig *rig, uint64_t number, char out[512])
{
    char name[SEGMENT_NAME];
    segment_name(number, name);
    path_in(rig, "nss.ldb", name, out);
}

/* `count` commits of ten messages of 100 bytes each. */
static void fill(struct rig *rig, uint64_t channel, uint64_t first,
                 uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        for (uint64_t j = 0; j < 10; j++) {
            uint64_t sequence = first + 10 * i + j;
            rig_append_filled(rig, channel, sequence, (int64_t)sequence, 100);
        }
        rig->batch->sync = true;
        (void)rig_commit(rig, channel);
    }
}

/* Messages first..last of channel are there and as they were made. */
static void expect_filled(struct rig *rig, uint64_t channel, uint64_t first,
                          uint64_t last)
{
    struct run *run = rig_read(rig, channel, 0, UINT32_MAX);
    assert_non_null(run);
    assert_int_equal(run->count, last - first + 1);
    for (size_t i = 0; i < run->count; i++) {
        struct bytes bytes = slice_bytes(run->entries[i].message);
        assert_int_equal(run->entries[i].sequence, first + i);
        assert_int_equal(bytes.size, 100);
        for (size_t j = 0; j < bytes.size; j++) {
            assert_int_equal(bytes.data[j],
                             (uint8_t)(channel * 31 + (first + i) * 7 + j));
        }
    }
    run_free(run);
}

/* ---- one older than the other ---- */

/* A session with everything of which only the segments are left. */
static void leave_an_old_index(struct rig *rig)
{
    rig_open(rig);
    rig_channel(rig, 1, "one");
    rig_channel(rig, 2, "two");
    rig_channel(rig, 3, "gone");
    (void)rig_commit(rig, 1);
    fill(rig, 1, 1, 20);
    rig_close(rig);
    copy_index(rig, "nss.ldb", "old");
    rig_open(rig);
    must(batch_server(rig->batch, bytes_text("server")));
    must(batch_client_put(rig->batch, bytes_text("me"), bytes_text("c")));
    must(batch_subscription_put(rig->batch, 2, 7, bytes_text("s")));
    must(batch_progress(rig->batch, 2, 7, bytes_text("p")));
    must(batch_channel_delete(rig->batch, 3));
    rig_channel(rig, 4, "new");
    (void)rig_commit(rig, 1);
    fill(rig, 1, 201, 20);
    fill(rig, 2, 1, 20);
    fill(rig, 4, 1, 2);
    must(batch_expire(rig->batch, 2, 50));
    (void)rig_commit(rig, 2);
    rig_close(rig);
    copy_index(rig, "old", "nss.ldb");
}

/* The database is as of an earlier checkpoint: as if the later ones were lost.
 */
static void an_index_older_than_the_journal_is_brought_up(void **state)
{
    struct rig *rig = *state;
    leave_an_old_index(rig);
    for (int i = 0; i < 2; i++) {
        rig_open(rig);
        assert_string_equal(rig->recovered.server, "server");
        assert_int_equal(rig->recovered.clients, 1);
        assert_int_equal(rig->recovered.channels, 3);
        assert_int_equal(rig->recovered.subscriptions, 1);
        assert_string_equal(rig->recovered.subscription[0].progress, "p");
        assert_int_equal(rig_recovered(rig, 1)->bytes, 400 * 140);
        assert_int_equal(rig_recovered(rig, 2)->messages, 150);
        assert_int_equal(rig_recovered(rig, 2)->last_subscription, 7);
        expect_filled(rig, 1, 1, 400);
        expect_filled(rig, 2, 51, 200);
        expect_filled(rig, 4, 1, 20);
        rig_close(rig);
    }
}

static void a_segment_missing_in_the_journal_refuses_the_start(void **state)
{
    struct rig *rig = *state;
    char path[512];
    leave_an_old_index(rig);
    struct segments_seen seen = segments_of(rig);
    assert_true(seen.count > 4);
    segment_path(rig, seen.highest - 1, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_non_null(strstr(rig->error.detail, "with whole records after that"));
}

static void a_damaged_record_of_the_journal_refuses_the_start(void **state)
{
    struct rig *rig = *state;
    char path[512];
    leave_an_old_index(rig);
    segment_path(rig, segments_of(rig).highest - 1, path);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    assert_int_equal(fseek(file, SEGMENT_HEADER + 20, SEEK_SET), 0);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    if (strstr(rig->error.detail, "is damaged behind byte 64") == NULL)
        fail_msg("%s", rig->error.detail);
}

static void a_damaged_header_of_the_journal_refuses_the_start(void **state)
{
    struct rig *rig = *state;
    char path[512];
    leave_an_old_index(rig);
    segment_path(rig, segments_of(rig).highest, path);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    assert_int_equal(fseek(file, 30, SEEK_SET), 0);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_non_null(strstr(rig->error.detail, "damaged header"));
}

/* What the segments hold without a database is not a new store. */
static void segments_without_a_database_refuse_the_start(void **state)
{
    struct rig *rig = *state;
    char path[512];
    rig_open(rig);
    rig_channel(rig, 1, "one");
    (void)rig_commit(rig, 1);
    rig_close(rig);
    path_in(rig, "empty", "", path);
    assert_int_equal(mkdir(path, 0777), 0);
    copy_index(rig, "empty", "nss.ldb");
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_non_null(strstr(rig->error.detail, "CURRENT"));
}

static void a_segment_cut_short_while_closed_is_found(void **state)
{
    struct rig *rig = *state;
    char path[512];
    struct stat info;
    rig_open(rig);
    rig_channel(rig, 1, "one");
    (void)rig_commit(rig, 1);
    fill(rig, 1, 1, 20);
    rig_close(rig);
    segment_path(rig, segments_of(rig).highest, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(truncate(path, info.st_size - 8), 0);
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_non_null(
        strstr(rig->error.detail, "channel \"one\": message 200 is missing"));
}

/* ---- garbage ---- */

/* Commits until the segments hold no more than that. */
static void wait_for_bytes(struct rig *rig, uint64_t most)
{
    int64_t deadline = clock_monotonic(&clock_system) + 60 * CLOCK_SECOND;
    while (segments_of(rig).bytes > most) {
        assert_true(clock_monotonic(&clock_system) < deadline);
        rig->batch->sync = true;
        (void)rig_commit(rig, 0);
    }
}

static void what_is_dropped_leaves_the_disk_in_the_end(void **state)
{
    struct rig *rig = *state;
    rig_open(rig);
    rig_channel(rig, 1, "one");
    (void)rig_commit(rig, 1);
    fill(rig, 1, 1, 1000);
    assert_true(segments_of(rig).bytes > 1000000);
    must(batch_expire(rig->batch, 1, 9000));
    (void)rig_commit(rig, 1);
    wait_for_bytes(rig, UINT64_C(1000) * 124 * 2 + 8 * (uint64_t)SEGMENT);
    expect_filled(rig, 1, 9001, 10000);
    rig_reopen(rig);
    expect_filled(rig, 1, 9001, 10000);
    must(batch_channel_delete(rig->batch, 1));
    (void)rig_commit(rig, 0);
    wait_for_bytes(rig, 4 * (uint64_t)SEGMENT);
}

/* A message now and then of a channel that keeps all, between many of one that
 * keeps few: each is in a segment of its own. */
static void segments_with_little_left_are_put_together(void **state)
{
    enum { TURNS = 300 };
    struct rig *rig = *state;
    uint64_t sequence = 1;
    rig->limits.global.max_messages = 400;
    rig_open(rig);
    rig_channel(rig, 1, "slow");
    rig_channel(rig, 2, "busy");
    (void)rig_commit(rig, 1);
    for (uint64_t i = 1; i <= TURNS; i++) {
        rig_append_filled(rig, 1, i, (int64_t)i, 100);
        (void)rig_commit(rig, 1);
        fill(rig, 2, sequence, 14);
        sequence += 140;
        if (i % 50 != 0)
            continue;
        expect_filled(rig, 1, 1, i);
        expect_filled(rig, 2, sequence - 400, sequence - 1);
    }
    /* 300 segments were made, with 700 live messages. */
    uint64_t most = UINT64_C(700) * 124 * 2 + 8 * (uint64_t)SEGMENT;
    wait_for_bytes(rig, most);
    expect_filled(rig, 1, 1, TURNS);
    expect_filled(rig, 2, sequence - 400, sequence - 1);
    for (int i = 0; i < 3; i++) {
        rig_reopen(rig);
        assert_int_equal(rig_recovered(rig, 1)->messages, TURNS);
        expect_filled(rig, 1, 1, TURNS);
        expect_filled(rig, 2, sequence - 400, sequence - 1);
    }
    assert_true(segments_of(rig).bytes <= most);
}

/* Many short lives leave many small files. */
static void small_segments_are_put_together(void **state)
{
    struct rig *rig = *state;
    rig_open(rig);
    rig_channel(rig, 1, "one");
    (void)rig_commit(rig, 1);
    for (uint64_t i = 0; i < 60; i++) {
        fill(rig, 1, 10 * i + 1, 1);
        rig_reopen(rig);
    }
    fill(rig, 1, 601, 40);
    int64_t deadline = clock_monotonic(&clock_system) + 60 * CLOCK_SECOND;
    while (segments_of(rig).count > 50) {
        assert_true(clock_monotonic(&clock_system) < deadline);
        rig->batch->sync = true;
        (void)rig_commit(rig, 0);
    }
    expect_filled(rig, 1, 1, 1000);
    rig_reopen(rig);
    expect_filled(rig, 1, 1, 1000);
}

/* What messages are wrapped in is more than they are: to put them together once
 * more would gain nothing, and going on with it would stop the commits. */
static void tiny_messages_are_put_together_once(void **state)
{
    struct rig *rig = *state;
    enum { CHANNELS = 9000 };
    rig_open(rig);
    for (uint64_t channel = 2; channel <= CHANNELS; channel++) {
        char name[32];
        (void)snprintf(name, sizeof name, "c%d", (int)channel);
        rig_channel(rig, channel, name);
        rig_append(rig, channel, 1, 1, "");
        if (channel % 100 == 0)
            (void)rig_commit(rig, channel);
    }
    for (uint64_t channel = 2; channel <= CHANNELS; channel++) {
        if (channel % 3 != 0)
            must(batch_channel_delete(rig->batch, channel));
    }
    rig_channel(rig, 1, "one");
    fill(rig, 1, 1, 200);
    expect_filled(rig, 1, 1, 2000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_index_older_than_the_journal_is_brought_up),
        CASE(a_segment_missing_in_the_journal_refuses_the_start),
        CASE(a_damaged_record_of_the_journal_refuses_the_start),
        CASE(a_damaged_header_of_the_journal_refuses_the_start),
        CASE(segments_without_a_database_refuse_the_start),
        CASE(a_segment_cut_short_while_closed_is_found),
        CASE(what_is_dropped_leaves_the_disk_in_the_end),
        CASE(segments_with_little_left_are_put_together),
        CASE(small_segments_are_put_together),
        CASE(tiny_messages_are_put_together_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
