/* Bits flip, ranges turn to zeros, files are cut short while the store is
 * closed, or behind a crash. Whatever was hit: what is served is right, or it
 * is said what is not; nothing is shorter without a word, and what is whole is
 * served. SEED and ROUNDS in the environment. */
#include "tests/store_suite/rig.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS = 300,
    CHANNELS = 8,
    MESSAGES = 300,
    STEP = 20, /* of one commit, in each channel */
    SUBSCRIPTIONS = 30,
    FILES_MAX = 256,
};

struct file {
    char name[64];
    struct blob data;
};

/* The store as it was closed, or in the midst of its life. */
struct image {
    struct file files[FILES_MAX];
    size_t count;
    bool is_crash; /* the latest two may be gone if zeros are over both */
};

enum fate { LOST, SERVED, BLOCKED };

struct picture {
    enum fate fates[CHANNELS + 1];
    struct channel_state states[CHANNELS + 1];
    size_t subscriptions[CHANNELS + 1];
    size_t clients;
    bool server;
};

struct tally {
    uint64_t refused, blocked, unreadable, stuck, harmless;
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* ---- the store ---- */

static size_t size_of(uint64_t sequence)
{
    return 50 + sequence * 37 % 400;
}

static void name_of(uint64_t channel, char name[32])
{
    (void)snprintf(name, 32, "channel.%llu", (unsigned long long)channel);
}

static void add_channel(struct rig *rig, uint64_t channel)
{
    char text[32];
    name_of(channel, text);
    rig_channel(rig, channel, text);
    for (uint64_t id = 1; id <= SUBSCRIPTIONS; id++) {
        (void)snprintf(text, sizeof text, "s%llu", (unsigned long long)id);
        must(batch_subscription_put(rig->batch, channel, id, bytes_text(text)));
        must(batch_progress(rig->batch, channel, id, bytes_text(text)));
    }
    (void)rig_commit(rig, 0);
}

/* ---- files ---- */

static void open_path(const struct rig *rig, const char *name, char path[256])
{
    (void)snprintf(path, 256, "%s/nss.ldb/%s", rig->directory, name);
}

static void load_file(const struct rig *rig, struct file *file)
{
    char path[256];
    uint8_t chunk[4096];
    size_t count;
    open_path(rig, file->name, path);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    while ((count = fread(chunk, 1, sizeof chunk, stream)) > 0)
        must(blob_append(&file->data, chunk, count));
    (void)fclose(stream);
}

static void load(const struct rig *rig, struct image *image)
{
    char path[256];
    const struct dirent *entry;
    open_path(rig, "", path);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        assert_true(image->count < FILES_MAX);
        struct file *file = &image->files[image->count++];
        (void)snprintf(file->name, sizeof file->name, "%.63s", entry->d_name);
        load_file(rig, file);
    }
    (void)closedir(directory);
}

static void unload(struct image *image)
{
    for (size_t i = 0; i < image->count; i++)
        blob_release(&image->files[i].data);
}

static void store_file(const struct rig *rig, const struct file *file,
                       size_t size)
{
    char path[256];
    open_path(rig, file->name, path);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    if (size > 0)
        assert_int_equal(fwrite(file->data.data, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

static void put_back(const struct rig *rig, const struct image *image)
{
    char path[256];
    const struct dirent *entry;
    open_path(rig, "", path);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
    }
    (void)closedir(directory);
    for (size_t i = 0; i < image->count; i++)
        store_file(rig, &image->files[i], image->files[i].data.size);
}

/* Damages one file, says in what how. */
static void harm(const struct rig *rig, const struct image *image,
                 uint64_t *seed, char what[128])
{
    assert(image->count > 0);
    const struct file *from;
    bool of_segments = random_next(seed) % 2 == 0;
    do {
        from = &image->files[random_next(seed) % image->count];
    } while (from->data.size == 0 || strncmp(from->name, "LO", 2) == 0 ||
             (of_segments && strstr(from->name, ".seg") == NULL));
    struct file file = *from;
    file.data = (struct blob){0};
    must(blob_append(&file.data, from->data.data, from->data.size));
    size_t size = file.data.size, at = random_next(seed) % size;
    size_t length = 1 + random_next(seed) % 5000;
    /* Of a journal cut short behind a crash nothing can tell: that is what a
     * power cut leaves of a file that was never synced. */
    bool can_cut = !image->is_crash || strstr(from->name, ".seg") == NULL;
    switch (random_next(seed) % (can_cut ? 3 : 2)) {
    case 0:
        length = 0;
        file.data.data[at] ^= (uint8_t)(1U << random_next(seed) % 8);
        break;
    case 1:
        if (length > size - at)
            length = size - at;
        memset(file.data.data + at, 0, length);
        break;
    default:
        size = at;
        break;
    }
    (void)snprintf(what, 128, "%s: %zu bytes at %zu, %zu of %zu left",
                   file.name, length, at, size, file.data.size);
    store_file(rig, &file, size);
    blob_release(&file.data);
}

/* ---- what recovery hands over ---- */

static enum status on_server(void *context, struct bytes record,
                             struct error *err)
{
    struct picture *picture = context;
    (void)err;
    picture->server = bytes_equal(record, bytes_text("server"));
    return STATUS_OK;
}

static enum status on_client(void *context, struct bytes id,
                             struct bytes record, struct error *err)
{
    struct picture *picture = context;
    (void)err;
    assert_true(bytes_equal(id, bytes_text("me")));
    assert_true(bytes_equal(record, bytes_text("c")));
    picture->clients++;
    return STATUS_OK;
}

static void meet(struct picture *picture, uint64_t channel, struct bytes name,
                 enum fate fate)
{
    char wanted[32];
    assert_in_range(channel, 1, CHANNELS);
    assert_int_equal(picture->fates[channel], LOST);
    name_of(channel, wanted);
    assert_true(bytes_equal(name, bytes_text(wanted)));
    picture->fates[channel] = fate;
}

static enum status on_channel(void *context, const struct channel_state *state,
                              struct bytes name, struct error *err)
{
    struct picture *picture = context;
    (void)err;
    meet(picture, state->channel, name, SERVED);
    picture->states[state->channel] = *state;
    return STATUS_OK;
}

static enum status on_damaged(void *context, uint64_t channel,
                              struct bytes name, struct error *err)
{
    (void)err;
    meet(context, channel, name, BLOCKED);
    return STATUS_OK;
}

static enum status on_subscription(void *context, uint64_t channel,
                                   uint64_t subscription, struct bytes record,
                                   struct bytes progress, struct error *err)
{
    struct picture *picture = context;
    char text[32];
    (void)err;
    (void)snprintf(text, sizeof text, "s%llu",
                   (unsigned long long)subscription);
    assert_int_equal(picture->fates[channel], SERVED);
    assert_true(bytes_equal(record, bytes_text(text)));
    assert_true(bytes_equal(progress, bytes_text(text)));
    picture->subscriptions[channel]++;
    return STATUS_OK;
}

static enum status open_store(struct rig *rig, struct picture *picture)
{
    const struct store_config config = {.limits = &rig->limits,
                                        .clock = &rig->clock};
    const struct store_visitor visitor = {
        .context = picture,
        .server = on_server,
        .client = on_client,
        .channel = on_channel,
        .subscription = on_subscription,
        .damaged = on_damaged,
    };
    *picture = (struct picture){0};
    rig->error = (struct error){0};
    enum status status =
        rig->backend->open(rig->directory, &config, &rig->store, &rig->error);
    if (status == STATUS_OK)
        status = store_recover(rig->store, &visitor, &rig->error);
    if (status != STATUS_OK)
        rig_close(rig);
    return status;
}

/* Leaves the store open. */
static void fill(struct rig *rig)
{
    struct picture picture;
    assert_int_equal(open_store(rig, &picture), STATUS_OK);
    must(batch_server(rig->batch, bytes_text("server")));
    must(batch_client_put(rig->batch, bytes_text("me"), bytes_text("c")));
    for (uint64_t channel = 1; channel <= CHANNELS; channel++)
        add_channel(rig, channel);
    for (uint64_t first = 1; first <= MESSAGES; first += STEP) {
        for (uint64_t channel = 1; channel <= CHANNELS; channel++) {
            for (uint64_t i = first; i < first + STEP; i++)
                rig_append_filled(rig, channel, i, (int64_t)i, size_of(i));
        }
        rig->batch->sync = true;
        (void)rig_commit(rig, 0);
    }
}

/* What the log holds goes into tables. */
static void close_twice(struct rig *rig)
{
    struct picture picture;
    rig_close(rig);
    assert_int_equal(open_store(rig, &picture), STATUS_OK);
    rig_close(rig);
}

/* ---- what is served ---- */

static void check_run(const struct run *run, uint64_t channel, uint64_t *next)
{
    for (size_t i = 0; run != NULL && i < run->count; i++) {
        struct bytes bytes = slice_bytes(run->entries[i].message);
        assert_int_equal(run->entries[i].sequence, *next);
        assert_int_equal(bytes.size, size_of(*next));
        for (size_t j = 0; j < bytes.size; j++) {
            assert_int_equal(bytes.data[j],
                             (uint8_t)(channel * 31 + *next * 7 + j));
        }
        ++*next;
    }
}

/* Reads all of a channel; false if the store said that it could not. */
static bool check_messages(struct rig *rig, uint64_t channel, uint64_t last)
{
    uint64_t next = 1;
    while (next <= last) {
        struct read read = {.channel = channel,
                            .sequence = next,
                            .max_messages = 64,
                            .max_bytes = SIZE_MAX};
        if (rig_try_read(rig, &read) != STATUS_OK) {
            assert_true(rig->error.detail[0] != '\0');
            return false;
        }
        assert_non_null(read.run);
        check_run(read.run, channel, &next);
        run_free(read.run);
    }
    return true;
}

/* True if all is as it was and takes new messages. */
static bool check_channel(struct rig *rig, const struct image *image,
                          const struct picture *picture, uint64_t channel,
                          struct tally *tally)
{
    const struct channel_state *state = &picture->states[channel];
    uint64_t last = state->last;
    assert_int_equal(state->first, 1);
    assert_in_range(last, MESSAGES - (image->is_crash ? 2 * STEP : 0),
                    MESSAGES);
    assert_int_equal(last % STEP, 0); /* whole commits */
    assert_int_equal(state->messages, last);
    assert_int_equal(picture->subscriptions[channel], SUBSCRIPTIONS);
    bool whole = check_messages(rig, channel, last);
    tally->unreadable += whole ? 0 : 1;
    rig_append_filled(rig, channel, last + 1, (int64_t)last + 1,
                      size_of(last + 1));
    rig->batch->sync = true;
    enum status status = rig_try_commit(rig);
    batch_clear(rig->batch);
    if (status != STATUS_OK) {
        /* LevelDB met the damage while compacting: it takes no writes. */
        assert_int_equal(status, STATUS_CORRUPT);
        tally->stuck++;
    } else if (whole) {
        assert_true(check_messages(rig, channel, last + 1));
    }
    return whole && status == STATUS_OK;
}

static void check(struct rig *rig, const struct image *image,
                  const struct picture *picture, struct tally *tally)
{
    bool whole = true;
    assert_true(picture->server);
    assert_int_equal(picture->clients, 1);
    for (uint64_t channel = 1; channel <= CHANNELS; channel++) {
        if (picture->fates[channel] == LOST) {
            fail_msg("channel %llu is not there, and nothing was said",
                     (unsigned long long)channel);
        }
        if (picture->fates[channel] == BLOCKED) {
            tally->blocked++;
            whole = false;
        } else if (!check_channel(rig, image, picture, channel, tally)) {
            whole = false;
        }
    }
    tally->harmless += whole ? 1 : 0;
}

/* A blocked channel stays as it is over another start. */
static void check_again(struct rig *rig, const struct picture *before)
{
    struct picture now;
    rig_close(rig);
    assert_int_equal(open_store(rig, &now), STATUS_OK);
    for (uint64_t channel = 1; channel <= CHANNELS; channel++)
        assert_int_equal(now.fates[channel], before->fates[channel]);
}

static void one_round(struct rig *rig, const struct image *image,
                      uint64_t *seed, struct tally *tally)
{
    struct picture picture;
    char what[128];
    put_back(rig, image);
    harm(rig, image, seed, what);
    enum status status = open_store(rig, &picture);
    if (getenv("SHOW") != NULL)
        (void)printf("%s -> %s\n", what, rig->error.detail);
    if (status != STATUS_OK) {
        assert_true(rig->error.detail[0] != '\0');
        tally->refused++;
        return;
    }
    check(rig, image, &picture, tally);
    if (random_next(seed) % 8 == 0)
        check_again(rig, &picture);
    rig_close(rig);
}

static void run(const struct backend *backend, bool is_crash)
{
    static struct rig rig;
    struct image image = {.is_crash = is_crash};
    struct tally tally = {0};
    uint64_t seed = number_of("SEED", (uint64_t)time(NULL));
    uint64_t rounds = number_of("ROUNDS", ROUNDS);
    (void)printf("SEED=%llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    rig_init(&rig, backend);
    fill(&rig);
    if (!is_crash)
        close_twice(&rig);
    load(&rig, &image);
    rig_close(&rig);
    for (uint64_t round = 0; round < rounds; round++)
        one_round(&rig, &image, &seed, &tally);
    (void)printf(
        "%llu rounds: refused %llu, harmless %llu; channels: blocked "
        "%llu, unreadable in part %llu, read-only %llu\n",
        (unsigned long long)rounds, (unsigned long long)tally.refused,
        (unsigned long long)tally.harmless, (unsigned long long)tally.blocked,
        (unsigned long long)tally.unreadable, (unsigned long long)tally.stuck);
    assert_true(rounds < ROUNDS || tally.refused > 0);
    assert_true(rounds < ROUNDS || is_crash ||
                (tally.blocked > 0 && tally.unreadable > 0));
    unload(&image);
    rig_release(&rig);
}

static void damage_is_named_and_nothing_is_silently_shorter(void **state)
{
    (void)state;
    run(&backend_leveldb, false);
}

static void so_is_damage_of_many_segments(void **state)
{
    (void)state;
    run(&backend_small_segments, false);
}

/* All of it is in the journal. */
static void so_is_damage_behind_a_crash(void **state)
{
    (void)state;
    run(&backend_leveldb, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_named_and_nothing_is_silently_shorter),
        cmocka_unit_test(so_is_damage_of_many_segments),
        cmocka_unit_test(so_is_damage_behind_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
