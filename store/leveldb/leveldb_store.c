/* Opening, the threads, and the verbs, which only queue. */
#include "store/leveldb/leveldb_store.h"

#include "store/leveldb/commit.h"
#include "store/leveldb/file_store.h"
#include "store/leveldb/keeper.h"
#include "store/leveldb/recover.h"
#include "store/leveldb/replay.h"
#include "store/leveldb/restore.h"
#include "store/leveldb/torn.h"
#include "store/leveldb/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What recovery may have to read again, twice; it takes some 50 ms. */
static const uint64_t segment_bytes = UINT64_C(64) << 20;

/* ---- threads ---- */

static void *write_batches(void *context)
{
    struct file_store *store = context;
    struct list batches;
    list_init(&batches);
    while (queue_wait(store->batches, &batches)) {
        while (!list_empty(&batches)) {
            struct batch *batch = list_entry(batches.next, struct batch, link);
            list_remove(&batch->link);
            commit_run(store, batch);
            batch->done(batch);
        }
    }
    return NULL;
}

static void *answer_reads(void *context)
{
    struct file_store *store = context;
    struct replay replay = {0};
    struct list reads;
    list_init(&reads);
    while (queue_wait(store->reads, &reads)) {
        while (!list_empty(&reads)) {
            struct read *read = list_entry(reads.next, struct read, link);
            list_remove(&read->link);
            replay_run(store, &replay, read);
            read->done(read);
        }
    }
    replay_release(&replay);
    return NULL;
}

static void commit(struct store *store, struct batch *batch)
{
    queue_push(((struct file_store *)store)->batches, &batch->link);
}

static void start_read(struct store *store, struct read *read)
{
    queue_push(((struct file_store *)store)->reads, &read->link);
}

/* ---- the directory ---- */

static enum status bad_directory(const char *directory, struct error *err)
{
    return fail(err, STATUS_IO, "unable to create the root directory [%s]: %s",
                directory, strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

/* Makes sure that a power cut leaves the names in path, too. */
static enum status sync_directory(const char *path, struct error *err)
{
    int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status status = STATUS_OK;
    if (file < 0 || fsync(file) != 0) {
        status =
            fail(err, STATUS_IO, "unable to sync the directory [%s]: %s", path,
                 strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
    }
    if (file >= 0)
        (void)close(file);
    return status;
}

static enum status sync_parent(const char *path, struct error *err)
{
    char *parent;
    if (asprintf(&parent, "%s/..", path) < 0)
        return fail(err, STATUS_NO_MEMORY, "store directory");
    enum status status = sync_directory(parent, err);
    free(parent);
    return status;
}

/* directory and its parents. */
static enum status make_directory(const char *directory, struct error *err)
{
    char *path = strdup(directory);
    if (path == NULL)
        return fail(err, STATUS_NO_MEMORY, "store directory");
    enum status status = STATUS_OK;
    for (char *end = path + 1; status == STATUS_OK; end++) {
        char kept = *end;
        if (kept != '/' && kept != '\0')
            continue;
        *end = '\0';
        if (mkdir(path, 0777) == 0) {
            status = sync_parent(path, err);
        } else if (errno != EEXIST) {
            status = bad_directory(directory, err);
        }
        *end = kept;
        if (kept == '\0')
            break;
    }
    struct stat info;
    if (status == STATUS_OK && stat(directory, &info) != 0)
        status = bad_directory(directory, err);
    if (status == STATUS_OK && !S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        status = bad_directory(directory, err);
    }
    free(path);
    return status;
}

/* An open-file-description lock: it excludes processes that use the classic
 * kind as well, but is not lost when another descriptor of the file closes. */
static enum status lock_directory(const char *directory, int *out,
                                  struct error *err)
{
    char *path;
    if (asprintf(&path, "%s/.rootdir.lck", directory) < 0)
        return fail(err, STATUS_NO_MEMORY, "store directory");
    *out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    free(path);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (*out >= 0 && fcntl(*out, F_OFD_SETLK, &lock) == 0)
        return STATUS_OK;
    int cause = errno;
    if (*out >= 0 && (cause == EAGAIN || cause == EACCES)) {
        return fail(err, STATUS_UNAVAILABLE,
                    "the store directory [%s] is in use by another process",
                    directory);
    }
    return fail(err, STATUS_IO, "unable to lock the store directory [%s]: %s",
                directory, strerror(cause)); /* NOLINT(concurrency-mt-unsafe) */
}

/* ---- life ---- */

static void release(struct file_store *store)
{
    struct slot *slot;
    while (store->channels != NULL &&
           (slot = table_first(store->channels)) != NULL) {
        struct channel *channel = table_value(slot);
        (void)table_remove(store->channels, &channel->state.channel,
                           sizeof channel->state.channel);
        channel_free(channel);
    }
    table_free(store->channels);
    checkpoint_free(store->checkpoint);
    dirty_release(&store->dirty);
    journal_release(&store->journal);
    segments_release(&store->segments);
    lookup_release(&store->writer_lookup);
    runs_release(&store->places);
    free(store->chain);
    free(store->path);
    blob_release(&store->record);
    blob_release(&store->key);
    blob_release(&store->payload);
    blob_release(&store->value);
    if (store->locks_made) {
        (void)pthread_mutex_destroy(&store->lock);
        (void)pthread_mutex_destroy(&store->write_lock);
        (void)pthread_cond_destroy(&store->drained);
    }
    if (store->directory >= 0)
        (void)close(store->directory);
    if (store->lock_file >= 0)
        (void)close(store->lock_file);
    free(store);
}

/* Takes a half-opened one, too. */
static void close_store(struct store *base)
{
    struct file_store *store = (struct file_store *)base;
    struct error err = {0};
    if (store->batches != NULL)
        queue_close(store->batches);
    if (store->writer_runs)
        (void)pthread_join(store->writer, NULL);
    if (store->reads != NULL)
        queue_close(store->reads);
    if (store->reader_runs)
        (void)pthread_join(store->reader, NULL);
    bool in_order = false;
    keeper_stop(store, &in_order);
    database_close(store->database);
    if (in_order && witness_write(store->path, &err) != STATUS_OK)
        log_warn(store->log, "Closed without a witness: %s", err.detail);
    queue_free(store->batches);
    queue_free(store->reads);
    release(store);
}

static enum status start(struct file_store *store, struct error *err)
{
    enum status status = keeper_start(store, err);
    if (status == STATUS_OK)
        status = queue_new(NULL, NULL, &store->batches, err);
    if (status == STATUS_OK)
        status = queue_new(NULL, NULL, &store->reads, err);
    if (status != STATUS_OK)
        return status;
    store->writer_runs =
        pthread_create(&store->writer, NULL, write_batches, store) == 0;
    store->reader_runs =
        pthread_create(&store->reader, NULL, answer_reads, store) == 0;
    if (!store->writer_runs || !store->reader_runs)
        return fail(err, STATUS_NO_MEMORY, "store: thread");
    return STATUS_OK;
}

static enum status open_database(struct file_store *store,
                                 const char *directory, struct error *err)
{
    char *path;
    if (asprintf(&path, "%s/nss.ldb", directory) < 0)
        return fail(err, STATUS_NO_MEMORY, "store directory");
    bool closed_well = false, mended = false;
    enum status status = witness_check(path, &closed_well, err);
    if (status == STATUS_OK)
        status = database_open(path, &store->database, err);
    if (status == STATUS_CORRUPT && !closed_well) {
        status =
            torn_mend(path, store->log, &mended, err) == STATUS_OK && mended
                ? database_open(path, &store->database, err)
                : STATUS_CORRUPT;
    }
    store->path = path;
    if (status == STATUS_OK) {
        store->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (store->directory < 0)
            status = bad_directory(directory, err);
    }
    if (status == STATUS_OK)
        status = recover_format(store, err);
    if (status == STATUS_OK)
        status = sync_directory(directory, err);
    if (status == STATUS_OK)
        status = restore_run(store, err);
    return status;
}

static const struct store_operations operations = {
    .name = "FILE",
    .recover = recover_run,
    .commit = commit,
    .read = start_read,
    .close = close_store,
};

enum status leveldb_store_open(const char *directory,
                               const struct store_config *config,
                               struct store **out, struct error *err)
{
    *out = NULL;
    if (directory == NULL || directory[0] == '\0') {
        return fail(err, STATUS_INVALID,
                    "for FILE stores, root directory must be specified");
    }
    struct file_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return fail(err, STATUS_NO_MEMORY, "store");
    store->store.operations = &operations;
    store->limits = config->limits;
    store->clock = config->clock;
    store->log = config->log;
    store->no_sync = config->no_sync;
    store->auto_sync = config->auto_sync;
    store->segment_bytes =
        config->segment_bytes == 0 ? segment_bytes : config->segment_bytes;
    store->lock_file = store->directory = store->journal.file = -1;
    store->channels = table_new();
    store->locks_made = pthread_mutex_init(&store->lock, NULL) == 0 &&
                        pthread_mutex_init(&store->write_lock, NULL) == 0 &&
                        pthread_cond_init(&store->drained, NULL) == 0;
    enum status status = STATUS_OK;
    if (!dirty_init(&store->dirty) || store->channels == NULL ||
        !store->locks_made)
        status = fail(err, STATUS_NO_MEMORY, "store");
    if (status == STATUS_OK)
        status = make_directory(directory, err);
    if (status == STATUS_OK)
        status = lock_directory(directory, &store->lock_file, err);
    if (status == STATUS_OK)
        status = open_database(store, directory, err);
    if (status == STATUS_OK)
        status = start(store, err);
    if (status != STATUS_OK) {
        close_store(&store->store);
        return status;
    }
    *out = &store->store;
    return STATUS_OK;
}
