/* What only a store on disk can get wrong: directories and locks, damage,
 * background deletion. */
#include "store/leveldb/database.h"
#include "store/leveldb/keys.h"
#include "store/leveldb/leveldb_store.h"
#include "store/leveldb/record.h"
#include "store/leveldb/runs.h"
#include "store/leveldb/value.h"
#include "tests/store_suite/rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int setup(void **state)
{
    static struct rig rig;
    rig_init(&rig, &backend_leveldb);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_release(*state);
    return 0;
}

static void path_in(const struct rig *rig, const char *name, char out[256])
{
    (void)snprintf(out, 256, "%s/nss.ldb%s%s", rig->directory,
                   name[0] == '\0' ? "" : "/", name);
}

/* ---- directory and lock ---- */

static enum status open_at(const struct rig *rig, const char *directory,
                           struct store **out, struct error *err)
{
    const struct store_config config = {.limits = &rig->limits,
                                        .clock = &rig->clock};
    return leveldb_store_open(directory, &config, out, err);
}

static void a_directory_must_be_given(void **state)
{
    struct store *store;
    struct error err = {0};
    assert_int_equal(open_at(*state, "", &store, &err), STATUS_INVALID);
    assert_string_equal(err.detail,
                        "for FILE stores, root directory must be specified");
    assert_int_equal(open_at(*state, NULL, &store, &err), STATUS_INVALID);
    assert_null(store);
}

static void the_directory_is_made_with_its_parents(void **state)
{
    const struct rig *rig = *state;
    struct store *store;
    struct error err = {0};
    char path[512], file[128];
    (void)snprintf(path, sizeof path, "%s/a/b//c/", rig->directory);
    assert_int_equal(open_at(rig, path, &store, &err), STATUS_OK);
    assert_string_equal(store_name(store), "FILE");
    store_close(store);
    (void)snprintf(file, sizeof file, "%s/file", rig->directory);
    int descriptor = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    assert_true(descriptor >= 0);
    (void)close(descriptor);
    (void)snprintf(path, sizeof path, "%s/below", file);
    assert_int_equal(open_at(rig, path, &store, &err), STATUS_IO);
    (void)snprintf(path, sizeof path,
                   "unable to create the root directory [%s/below]: "
                   "Not a directory",
                   file);
    assert_string_equal(err.detail, path);
    assert_int_equal(open_at(rig, file, &store, &err), STATUS_IO);
}

/* The other process: says by its exit code how opening went. */
static int open_in_child(const char *directory)
{
    struct rig rig = {.backend = &backend_leveldb};
    struct store *store = NULL;
    struct error err = {0};
    enum status status = open_at(&rig, directory, &store, &err);
    store_close(store);
    if (status == STATUS_UNAVAILABLE && strstr(err.detail, directory) == NULL)
        return 99;
    return (int)status;
}

static int spawn_and_wait(const char *mode, const char *directory)
{
    char program[] = "test", first[16], second[256];
    char *const arguments[] = {program, first, second, NULL};
    (void)snprintf(first, sizeof first, "%s", mode);
    (void)snprintf(second, sizeof second, "%s", directory);
    pid_t child;
    int code = 0;
    assert_int_equal(
        posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ),
        0);
    assert_int_equal(waitpid(child, &code, 0), child);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

/* S24 */
static void a_second_process_or_store_is_refused_by_name(void **state)
{
    struct rig *rig = *state;
    struct store *second;
    struct error err = {0};
    rig_open(rig);
    assert_int_equal(spawn_and_wait("open", rig->directory),
                     STATUS_UNAVAILABLE);
    for (int i = 0; i < 2; i++) { /* trying does not cost the first its lock */
        assert_int_equal(open_at(rig, rig->directory, &second, &err),
                         STATUS_UNAVAILABLE);
        assert_non_null(strstr(err.detail, rig->directory));
    }
    assert_int_equal(spawn_and_wait("open", rig->directory),
                     STATUS_UNAVAILABLE);
    rig_close(rig);
    assert_int_equal(spawn_and_wait("open", rig->directory), STATUS_OK);
}

static void a_commit_before_recovery_is_refused(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(open_at(rig, rig->directory, &rig->store, &rig->error),
                     STATUS_OK);
    rig_channel(rig, 1, "foo");
    assert_int_equal(rig_try_commit(rig), STATUS_INVALID);
}

/* ---- damage of single values ---- */

/* A store with one of everything, closed. */
static void fill_and_close(struct rig *rig)
{
    rig_open(rig);
    must(batch_server(rig->batch, bytes_text("server")));
    must(batch_client_put(rig->batch, bytes_text("me"), bytes_text("c")));
    rig_channel(rig, 1, "foo.bar");
    must(batch_subscription_put(rig->batch, 1, 1, bytes_text("s")));
    must(batch_progress(rig->batch, 1, 1, bytes_text("p")));
    for (uint64_t i = 1; i <= 50; i++)
        rig_append_filled(rig, 1, i, (int64_t)i, 100);
    (void)rig_commit(rig, 1);
    rig_close(rig);
}

/* Behind the store's back. A NULL value deletes. */
static void put_raw(const struct rig *rig, struct bytes key,
                    const struct bytes *value)
{
    char path[256];
    struct database *database;
    struct error err = {0};
    path_in(rig, "", path);
    if (database_open(path, &database, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    leveldb_writebatch_t *changes = leveldb_writebatch_create();
    if (value == NULL) {
        leveldb_writebatch_delete(changes, (const char *)key.data, key.size);
    } else {
        leveldb_writebatch_put(changes, (const char *)key.data, key.size,
                               (const char *)value->data, value->size);
    }
    database_hold(database);
    assert_int_equal(database_write(database, changes, &err), STATUS_OK);
    database_release(database);
    leveldb_writebatch_destroy(changes);
    database_close(database);
    path_in(rig, "witness", path); /* it does not speak of this change */
    (void)unlink(path);
}

/* Flips the last bit of what is stored under key. */
static void damage(const struct rig *rig, struct bytes key)
{
    char path[256];
    struct database *database;
    struct error err = {0};
    struct blob value;
    path_in(rig, "", path);
    assert_int_equal(database_open(path, &database, &err), STATUS_OK);
    database_hold(database);
    assert_int_equal(database_get(database, key, &value, &err), STATUS_OK);
    database_release(database);
    database_close(database);
    value.data[value.size - 1] ^= 1;
    struct bytes bytes = blob_bytes(&value);
    put_raw(rig, key, &bytes);
    blob_release(&value);
}

/* Flips a bit in the last byte of a message of `size` filled bytes, wherever it
 * is; false: it is in no segment. */
static bool damage_message(const struct rig *rig, uint64_t channel,
                           uint64_t sequence, size_t size)
{
    uint8_t wanted[512];
    char path[256], name[256];
    const struct dirent *entry;
    bool found = false;
    for (size_t i = 0; i < size; i++)
        wanted[i] = (uint8_t)(channel * 31 + sequence * 7 + i);
    path_in(rig, "", path);
    DIR *stream = opendir(path);
    assert_non_null(stream);
    while (!found && (entry = readdir(stream)) != NULL) {
        uint64_t number;
        struct stat info;
        if (!segment_parse_name(entry->d_name, &number))
            continue;
        path_in(rig, entry->d_name, name);
        int file = open(name, O_RDWR | O_CLOEXEC);
        assert_int_equal(fstat(file, &info), 0);
        uint8_t *data = calloc(1, (size_t)info.st_size);
        assert_non_null(data);
        assert_int_equal(read(file, data, (size_t)info.st_size), info.st_size);
        uint8_t *at = memmem(data, (size_t)info.st_size, wanted, size);
        found = at != NULL;
        if (found) {
            uint8_t byte = (uint8_t)(at[size - 1] ^ 1);
            off_t offset = (off_t)(at - data) + (off_t)size - 1;
            assert_int_equal(pwrite(file, &byte, 1, offset), 1);
        }
        free(data);
        (void)close(file);
    }
    (void)closedir(stream);
    return found;
}

static void expect_refused(struct rig *rig, struct key key, const char *text)
{
    fill_and_close(rig);
    damage(rig, key_bytes(&key));
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    if (strstr(rig->error.detail, text) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", rig->error.detail, text);
}

static void a_damaged_server_record_is_named(void **state)
{
    expect_refused(*state, key_alone(KEY_SERVER), "server record");
}

static void a_damaged_client_record_is_named(void **state)
{
    struct key key = {.data = "cme", .size = 3};
    expect_refused(*state, key, "client \"me\"");
}

static void a_damaged_channel_record_is_named(void **state)
{
    expect_refused(*state, key_channel(1), "channel number 1");
}

static void a_damaged_subscription_is_named(void **state)
{
    expect_refused(*state, key_pair(KEY_SUBSCRIPTION, 1, 1),
                   "channel \"foo.bar\": the record of subscription 1");
}

static void damaged_progress_is_named(void **state)
{
    expect_refused(*state, key_pair(KEY_PROGRESS, 1, 1),
                   "channel \"foo.bar\": the record of subscription 1");
}

static void a_damaged_last_message_is_named(void **state)
{
    struct rig *rig = *state;
    fill_and_close(rig);
    assert_true(damage_message(rig, 1, 50, 100));
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_string_equal(rig->error.detail,
                        "channel \"foo.bar\": message 50 is damaged");
}

static void a_damaged_first_message_is_named(void **state)
{
    struct rig *rig = *state;
    fill_and_close(rig);
    assert_true(damage_message(rig, 1, 1, 100));
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_string_equal(rig->error.detail,
                        "channel \"foo.bar\": message 1 is damaged");
}

static void a_damaged_page_of_the_index_is_named(void **state)
{
    expect_refused(*state, key_pair(KEY_RUNS, 1, 50),
                   "channel \"foo.bar\": the index of messages up to 50");
}

static void a_damaged_position_of_the_journal_is_named(void **state)
{
    expect_refused(*state, key_alone(KEY_JOURNAL), "journal's position");
}

static void a_damaged_format_record_is_named(void **state)
{
    expect_refused(*state, key_alone(KEY_FORMAT), "format record");
}

/* Never a shorter result: the reader is told, from wherever it comes. */
static void a_damaged_message_fails_the_read_that_meets_it(void **state)
{
    struct rig *rig = *state;
    fill_and_close(rig);
    assert_true(damage_message(rig, 1, 20, 100));
    rig_open(rig);
    struct read read = {.channel = 1,
                        .sequence = 1,
                        .max_messages = 100,
                        .max_bytes = SIZE_MAX};
    assert_int_equal(rig_try_read(rig, &read), STATUS_CORRUPT);
    assert_string_equal(rig->error.detail,
                        "channel \"foo.bar\": message 20 is damaged");
    assert_null(read.run);
    struct run *run = rig_read(rig, 1, 1, 19);
    assert_int_equal(run->count, 19);
    run_free(run);
    run = rig_read(rig, 1, 21, 100);
    assert_int_equal(run->count, 30);
    run_free(run);
    /* It goes in its turn, and does not stop the limits. */
    must(batch_expire(rig->batch, 1, 30));
    struct channel_state now = rig_commit(rig, 1);
    assert_int_equal(now.first, 31);
    assert_int_equal(now.messages, 20);
    assert_int_equal(now.bytes, 20 * 140);
}

static void a_missing_last_message_is_found_at_recovery(void **state)
{
    struct rig *rig = *state;
    struct key key = key_pair(KEY_RUNS, 1, 50);
    fill_and_close(rig);
    put_raw(rig, key_bytes(&key), NULL);
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_non_null(strstr(rig->error.detail,
                           "channel \"foo.bar\": message 50 is missing"));
}

/* Whatever may leave keys under a number that has no record. */
static void messages_without_a_channel_never_show_up_in_a_new_one(void **state)
{
    struct rig *rig = *state;
    struct blob value = {0};
    struct blob page = {0};
    struct key key = key_pair(KEY_RUNS, 2, 7);
    const struct place place = {
        .first = 7, .last = 7, .count = 1, .position = 99, .size = 30};
    fill_and_close(rig);
    must(page_encode(&place, 1, &page));
    must(value_seal(&value, key_bytes(&key), blob_bytes(&page)));
    blob_release(&page);
    struct bytes bytes = blob_bytes(&value);
    put_raw(rig, key_bytes(&key), &bytes);
    blob_release(&value);
    rig_open(rig);
    assert_int_equal(rig->recovered.channels, 1);
    rig_channel(rig, 2, "new");
    (void)rig_commit(rig, 2);
    rig_reopen(rig); /* would count on from the stray one */
    assert_int_equal(rig_recovered(rig, 2)->messages, 0);
    (void)rig_fill(rig, 2, 8, 9);
    rig_expect(rig, 2, 8, 9);
    rig_reopen(rig);
    rig_expect(rig, 2, 8, 9);
    assert_int_equal(rig_recovered(rig, 2)->messages, 2);
    must(batch_expire(rig->batch, 2, INT64_MAX));
    assert_int_equal(rig_commit(rig, 2).messages, 0);
    (void)rig_fill(rig, 2, 10, 10);
    rig_expect(rig, 2, 10, 10);
}

static void an_unknown_format_is_refused_clearly(void **state)
{
    struct rig *rig = *state;
    struct blob value = {0};
    struct key key = key_alone(KEY_FORMAT);
    uint8_t version[8];
    fill_and_close(rig);
    for (uint64_t format = 1; format <= 3; format += 2) {
        char text[64];
        number_encode(format, version);
        assert_true(value_seal(&value, key_bytes(&key), bytes_of(version, 8)));
        struct bytes bytes = blob_bytes(&value);
        put_raw(rig, key_bytes(&key), &bytes);
        assert_int_equal(rig_try_open(rig), STATUS_INVALID);
        (void)snprintf(text, sizeof text,
                       "unsupported store format: %d (supports [2..2])",
                       (int)format);
        assert_string_equal(rig->error.detail, text);
    }
    put_raw(rig, key_bytes(&key), NULL);
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_string_equal(rig->error.detail, "the format record is missing");
    blob_release(&value);
}

static void a_lost_current_file_does_not_begin_a_new_database(void **state)
{
    struct rig *rig = *state;
    char path[256];
    fill_and_close(rig);
    path_in(rig, "witness", path);
    (void)unlink(path);
    path_in(rig, "CURRENT", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_non_null(strstr(rig->error.detail, "CURRENT"));
}

static void a_log_cut_while_closed_is_found(void **state)
{
    struct rig *rig = *state;
    char path[256];
    fill_and_close(rig);
    path_in(rig, "", path);
    DIR *stream = opendir(path);
    assert_non_null(stream);
    const struct dirent *entry;
    bool cut = false;
    while ((entry = readdir(stream)) != NULL) {
        struct stat info;
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".log") != 0)
            continue;
        path_in(rig, entry->d_name, path);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(truncate(path, info.st_size - 1), 0);
        cut = true;
    }
    (void)closedir(stream);
    assert_true(cut);
    assert_int_equal(rig_try_open(rig), STATUS_CORRUPT);
    assert_non_null(strstr(rig->error.detail, ".log"));
}

/* ---- damage anywhere ---- */

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

/* Copies all of one directory into another, which is emptied first. */
static void copy_directory(const char *from, const char *to)
{
    char a[512], b[512];
    const struct dirent *entry;
    DIR *stream = opendir(to);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        (void)snprintf(b, sizeof b, "%s/%s", to, entry->d_name);
        (void)unlink(b);
    }
    if (stream != NULL)
        (void)closedir(stream);
    (void)mkdir(to, 0777);
    stream = opendir(from);
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(a, sizeof a, "%s/%s", from, entry->d_name);
        (void)snprintf(b, sizeof b, "%s/%s", to, entry->d_name);
        copy_file(a, b);
    }
    (void)closedir(stream);
}

/* Flips one bit of one file, chosen by its weight; LOG and LOCK hold no data.
 */
static void flip_one_bit(const char *directory, uint64_t *seed, char name[512])
{
    struct stat info;
    char path[512];
    uint64_t total = 0;
    const struct dirent *entry;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t place = total == 0 ? 0 : random_next(seed) % total;
        DIR *stream = opendir(directory);
        assert_non_null(stream);
        while ((entry = readdir(stream)) != NULL) {
            (void)snprintf(path, sizeof path, "%s/%s", directory,
                           entry->d_name);
            if (entry->d_name[0] == '.' ||
                strncmp(entry->d_name, "LO", 2) == 0 ||
                stat(path, &info) != 0 || info.st_size == 0)
                continue;
            if (pass == 0) {
                total += (uint64_t)info.st_size;
                continue;
            }
            if (place >= (uint64_t)info.st_size) {
                place -= (uint64_t)info.st_size;
                continue;
            }
            (void)snprintf(name, 512, "%s at %llu", entry->d_name,
                           (unsigned long long)place);
            int file = open(path, O_RDWR | O_CLOEXEC);
            uint8_t byte;
            assert_int_equal(pread(file, &byte, 1, (off_t)place), 1);
            byte ^= (uint8_t)(1 << random_next(seed) % 8);
            assert_int_equal(pwrite(file, &byte, 1, (off_t)place), 1);
            (void)close(file);
            break;
        }
        (void)closedir(stream);
    }
}

/* Either an error, or everything as it was. */
static void expect_all_or_error(struct rig *rig, const char *what)
{
    if (rig_try_open(rig) != STATUS_OK)
        return;
    assert_string_equal(rig->recovered.server, "server");
    assert_int_equal(rig->recovered.clients, 1);
    assert_int_equal(rig->recovered.subscriptions, 1);
    for (uint64_t channel = 1; channel <= 3; channel++) {
        struct read read = {.channel = channel,
                            .sequence = 1,
                            .max_messages = UINT32_MAX,
                            .max_bytes = SIZE_MAX};
        if (rig_recovered(rig, channel)->messages != 300)
            fail_msg("%s: channel %d is short", what, (int)channel);
        if (rig_try_read(rig, &read) != STATUS_OK)
            continue;
        if (read.run == NULL || read.run->count != 300) {
            fail_msg("%s: a read of channel %d is short", what, (int)channel);
            return;
        }
        for (size_t i = 0; i < 300; i++) {
            struct bytes bytes = slice_bytes(read.run->entries[i].message);
            assert_int_equal(bytes.size, 100);
            for (size_t j = 0; j < bytes.size; j++) {
                assert_int_equal(bytes.data[j],
                                 (uint8_t)(channel * 31 + (i + 1) * 7 + j));
            }
        }
        run_free(read.run);
    }
    rig_close(rig);
}

static void a_flipped_bit_anywhere_is_an_error_or_harmless(void **state)
{
    struct rig *rig = *state;
    char database[256], good[256], what[512] = "";
    const char *chosen = getenv("STORE_SEED");
    uint64_t seed =
        chosen != NULL ? strtoull(chosen, NULL, 10) : (uint64_t)time(NULL);
    (void)printf("STORE_SEED=%llu\n", (unsigned long long)seed);
    fill_and_close(rig);
    rig_open(rig);
    rig_channel(rig, 2, "two");
    rig_channel(rig, 3, "three");
    for (uint64_t i = 1; i <= 200; i++) {
        for (uint64_t channel = 1; channel <= 3; channel++)
            rig_append_filled(rig, channel, i, (int64_t)i, 100);
    }
    (void)rig_commit(rig, 1);
    rig_reopen(rig); /* so far in a table, the rest in the log */
    for (uint64_t i = 201; i <= 300; i++) {
        for (uint64_t channel = 1; channel <= 3; channel++)
            rig_append_filled(rig, channel, i, (int64_t)i, 100);
        (void)rig_commit(rig, 1);
    }
    rig_close(rig);
    path_in(rig, "", database);
    (void)snprintf(good, sizeof good, "%s/good", rig->directory);
    copy_directory(database, good);
    expect_all_or_error(rig, "untouched");
    for (int round = 0; round < 300; round++) {
        copy_directory(good, database);
        flip_one_bit(database, &seed, what);
        expect_all_or_error(rig, what);
    }
}

/* ---- background deletion ---- */

/* Keys of tag in the closed database. */
static size_t count_keys(const struct rig *rig, enum key_tag tag)
{
    char path[256];
    struct database *database;
    struct error err = {0};
    size_t count = 0;
    path_in(rig, "", path);
    if (database_open(path, &database, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    struct key key = key_alone(tag);
    database_hold(database);
    struct cursor cursor = cursor_open(database);
    for (cursor_seek(cursor, key_bytes(&key));
         cursor_valid(cursor) && cursor_key(cursor).data[0] == (uint8_t)tag;
         cursor_next(cursor))
        count++;
    cursor_close(cursor);
    database_release(database);
    database_close(database);
    path_in(rig, "witness", path);
    (void)unlink(path);
    return count;
}

/* Opens, works for a while and closes again until count keys of tag are left:
 * only a closed database can be counted. What is little waits a second before
 * it is deleted, so a turn is longer than that. */
static void wait_for_keys(struct rig *rig, enum key_tag tag, size_t count)
{
    int64_t deadline = clock_monotonic(&clock_system) + 60 * CLOCK_SECOND;
    while (count_keys(rig, tag) != count) {
        int64_t now = clock_monotonic(&clock_system);
        int64_t turn = now + 1200 * CLOCK_MILLISECOND;
        assert_true(now < deadline);
        rig_open(rig);
        while (clock_monotonic(&clock_system) < turn) {
            rig->batch->sync = true;
            (void)rig_commit(rig, 0);
        }
        rig_close(rig);
    }
}

/* Whatever the keeper was at when the store closed, it goes on with. */
static void what_is_dropped_leaves_the_index_in_the_end(void **state)
{
    struct rig *rig = *state;
    rig_open(rig);
    rig_channel(rig, 1, "foo");
    (void)rig_commit(rig, 1);
    for (uint64_t i = 0; i < 1000; i++) /* a place each, 128 a page */
        (void)rig_fill(rig, 1, 3 * i + 1, 3 * i + 3);
    rig_close(rig);
    assert_int_equal(count_keys(rig, KEY_RUNS), 8);
    rig_open(rig);
    must(batch_expire(rig->batch, 1, 2500));
    (void)rig_commit(rig, 1);
    rig_close(rig);
    wait_for_keys(rig, KEY_RUNS, 2);
    rig_open(rig);
    rig_expect(rig, 1, 2501, 3000);
}

static void a_deleted_channel_leaves_the_disk_in_the_end(void **state)
{
    struct rig *rig = *state;
    rig_open(rig);
    rig_channel(rig, 1, "gone");
    rig_channel(rig, 2, "stays");
    for (uint64_t i = 1; i <= 50; i++) {
        must(batch_subscription_put(rig->batch, 1, i, bytes_text("s")));
        must(batch_progress(rig->batch, 1, i, bytes_text("p")));
    }
    (void)rig_fill(rig, 1, 1, 120000); /* enough to be compacted behind */
    (void)rig_fill(rig, 2, 1, 10);
    must(batch_channel_delete(rig->batch, 1));
    (void)rig_commit(rig, 1);
    rig_close(rig);
    wait_for_keys(rig, KEY_CHANNEL, 1);
    assert_int_equal(count_keys(rig, KEY_RUNS), 1);
    assert_int_equal(count_keys(rig, KEY_SUBSCRIPTION), 0);
    assert_int_equal(count_keys(rig, KEY_PROGRESS), 0);
    rig_open(rig);
    rig_expect(rig, 2, 1, 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "open") == 0)
        return open_in_child(argv[2]);
    const struct CMUnitTest tests[] = {
        CASE(a_directory_must_be_given),
        CASE(the_directory_is_made_with_its_parents),
        CASE(a_second_process_or_store_is_refused_by_name),
        CASE(a_commit_before_recovery_is_refused),
        CASE(a_damaged_server_record_is_named),
        CASE(a_damaged_client_record_is_named),
        CASE(a_damaged_channel_record_is_named),
        CASE(a_damaged_subscription_is_named),
        CASE(damaged_progress_is_named),
        CASE(a_damaged_last_message_is_named),
        CASE(a_damaged_first_message_is_named),
        CASE(a_damaged_page_of_the_index_is_named),
        CASE(a_damaged_position_of_the_journal_is_named),
        CASE(a_damaged_format_record_is_named),
        CASE(a_damaged_message_fails_the_read_that_meets_it),
        CASE(a_missing_last_message_is_found_at_recovery),
        CASE(messages_without_a_channel_never_show_up_in_a_new_one),
        CASE(an_unknown_format_is_refused_clearly),
        CASE(a_lost_current_file_does_not_begin_a_new_database),
        CASE(a_log_cut_while_closed_is_found),
        CASE(a_flipped_bit_anywhere_is_an_error_or_harmless),
        CASE(what_is_dropped_leaves_the_index_in_the_end),
        CASE(a_deleted_channel_leaves_the_disk_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
