#include "store/leveldb/database.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* It holds records and the index, no messages. */
static const size_t write_buffer_size = (size_t)8 << 20;
static const size_t cache_size = (size_t)8 << 20;
static const int open_files = 1000;
/* Two changes of a directory within this may carry the same time. */
static const int64_t tick = INT64_C(100000000);

struct database {
    char *path;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_readoptions_t *read;
    leveldb_writeoptions_t *write;
    pthread_rwlock_t in_use;    /* handle: read to use, write to replace */
    pthread_mutex_t write_lock; /* trusted, and one write at a time */
    bool trusted;
    leveldb_t *handle; /* NULL while it could not be opened again */
    int directory;     /* -1: not opened yet; write_lock, as the next */
    struct timespec names_synced; /* its time then; 0: never */
};

static bool has_suffix(const char *name, const char *suffix)
{
    size_t size = strlen(name), end = strlen(suffix);
    return size >= end && strcmp(name + size - end, suffix) == 0;
}

/* LevelDB has texts only; this is where they become codes. Frees text. */
static enum status translate(struct error *err, const char *what, char *text)
{
    enum status status = STATUS_IO;
    /* Of an open file: it ends before what is to be read. */
    bool is_short = strncmp(text, "IO error", 8) == 0 &&
                    has_suffix(text, ".ldb: Invalid argument");
    if (strncmp(text, "Corruption", 10) == 0 || is_short) {
        status = STATUS_CORRUPT;
    } else if (strstr(text, "/LOCK") != NULL) {
        status = STATUS_UNAVAILABLE;
    }
    enum status result = fail(err, status, "%s: %s", what, text);
    leveldb_free(text);
    return result;
}

/* Without CURRENT LevelDB would take the directory for an empty one, make a
 * new database in it and remove the files of the old. */
static enum status check_current(const char *path, struct error *err)
{
    bool data = false, current = false;
    DIR *directory = opendir(path);
    if (directory == NULL && errno == ENOENT)
        return STATUS_OK;
    if (directory == NULL) {
        return fail(err, STATUS_IO, "unable to read the directory [%s]: %s",
                    path, strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
    }
    const struct dirent *entry;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    while ((entry = readdir(directory)) != NULL) {
        current = current || strcmp(entry->d_name, "CURRENT") == 0;
        data = data || has_suffix(entry->d_name, ".ldb") ||
               has_suffix(entry->d_name, ".sst") ||
               has_suffix(entry->d_name, ".log") ||
               has_suffix(entry->d_name, ".seg");
    }
    (void)closedir(directory);
    if (data && !current) {
        return fail(err, STATUS_CORRUPT,
                    "[%s] holds data but no file CURRENT: it is damaged; "
                    "copy the directory before anything else",
                    path);
    }
    return STATUS_OK;
}

static enum status open_handle(struct database *database, struct error *err)
{
    enum status status = check_current(database->path, err);
    if (status != STATUS_OK)
        return status;
    char *text = NULL;
    leveldb_t *handle = leveldb_open(database->options, database->path, &text);
    if (text == NULL) {
        database->handle = handle;
        return STATUS_OK;
    }
    struct error cause = {0};
    status = translate(&cause, "open", text);
    return fail(err, status, "unable to open the database [%.*s]: %.*s%s", 80,
                database->path, 100, cause.detail,
                status == STATUS_CORRUPT
                    ? "; nothing was changed: copy the directory, then "
                      "restore a backup"
                    : "");
}

static enum status open_directory(struct database *database, struct error *err)
{
    database->directory =
        open(database->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (database->directory >= 0)
        return STATUS_OK;
    return fail(err, STATUS_IO, "unable to open the directory [%.*s]: %s", 80,
                database->path,
                strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

/* LevelDB does not sync the directory when it begins a new log. Where a sync
 * of a file does not keep its name as well, a power cut would take the log and
 * all that was reported done in it. */
static enum status sync_names(struct database *database, struct error *err)
{
    struct stat info = {0};
    struct timespec now = {0};
    bool known = fstat(database->directory, &info) == 0;
    if (known &&
        nanoseconds(&info.st_mtim) == nanoseconds(&database->names_synced))
        return STATUS_OK;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (!known || fsync(database->directory) != 0) {
        return fail(err, STATUS_IO, "write: sync of the directory: %s",
                    strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
    }
    if (nanoseconds(&now) - nanoseconds(&info.st_mtim) > tick)
        database->names_synced = info.st_mtim;
    return STATUS_OK;
}

/* Without the handle; NULL when out of memory. */
static struct database *make(const char *path)
{
    struct database *database = calloc(1, sizeof *database);
    if (database == NULL)
        return NULL;
    database->path = strdup(path);
    if (database->path == NULL) {
        free(database);
        return NULL;
    }
    pthread_rwlockattr_t attributes;
    (void)pthread_rwlockattr_init(&attributes);
    /* A reader that never pauses must not keep the log from being mended. */
    (void)pthread_rwlockattr_setkind_np(
        &attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&database->in_use, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
    (void)pthread_mutex_init(&database->write_lock, NULL);
    database->directory = -1;
    database->cache = leveldb_cache_create_lru(cache_size);
    database->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(database->options, 1);
    leveldb_options_set_paranoid_checks(database->options, 1);
    leveldb_options_set_compression(database->options, leveldb_no_compression);
    leveldb_options_set_write_buffer_size(database->options, write_buffer_size);
    leveldb_options_set_cache(database->options, database->cache);
    leveldb_options_set_max_open_files(database->options, open_files);
    database->read = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(database->read, 1);
    leveldb_readoptions_set_fill_cache(database->read, 0);
    database->write = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(database->write, 1);
    return database;
}

enum status database_open(const char *path, struct database **out,
                          struct error *err)
{
    *out = NULL;
    struct database *database = make(path);
    if (database == NULL)
        return fail(err, STATUS_NO_MEMORY, "database");
    enum status status = open_handle(database, err);
    if (status == STATUS_OK)
        status = open_directory(database, err);
    if (status != STATUS_OK) {
        database_close(database);
        return status;
    }
    database->trusted = true;
    *out = database;
    return STATUS_OK;
}

void database_close(struct database *database)
{
    if (database == NULL)
        return;
    if (database->handle != NULL)
        leveldb_close(database->handle);
    if (database->directory >= 0)
        (void)close(database->directory);
    leveldb_options_destroy(database->options);
    leveldb_cache_destroy(database->cache);
    leveldb_readoptions_destroy(database->read);
    leveldb_writeoptions_destroy(database->write);
    (void)pthread_rwlock_destroy(&database->in_use);
    (void)pthread_mutex_destroy(&database->write_lock);
    free(database->path);
    free(database);
}

void database_hold(struct database *database)
{
    (void)pthread_rwlock_rdlock(&database->in_use);
}

void database_release(struct database *database)
{
    (void)pthread_rwlock_unlock(&database->in_use);
}

enum status database_write(struct database *database,
                           leveldb_writebatch_t *changes, struct error *err)
{
    enum status status = STATUS_OK;
    char *text = NULL;
    (void)pthread_mutex_lock(&database->write_lock);
    if (!database->trusted || database->handle == NULL) {
        status = fail(err, STATUS_IO,
                      "write: the database's log is not "
                      "trusted after a failed write");
        goto out;
    }
    leveldb_write(database->handle, database->write, changes, &text);
    status = text != NULL ? translate(err, "write", text)
                          : sync_names(database, err);
    database->trusted = status == STATUS_OK;
out:
    (void)pthread_mutex_unlock(&database->write_lock);
    return status;
}

bool database_is_trusted(struct database *database)
{
    (void)pthread_mutex_lock(&database->write_lock);
    bool trusted = database->trusted;
    (void)pthread_mutex_unlock(&database->write_lock);
    return trusted;
}

enum status database_reopen(struct database *database, struct error *err)
{
    (void)pthread_rwlock_wrlock(&database->in_use);
    if (database->handle != NULL)
        leveldb_close(database->handle);
    database->handle = NULL;
    enum status status = open_handle(database, err);
    (void)pthread_rwlock_unlock(&database->in_use);
    (void)pthread_mutex_lock(&database->write_lock);
    database->trusted = status == STATUS_OK;
    (void)pthread_mutex_unlock(&database->write_lock);
    return status;
}

static enum status not_open(struct error *err)
{
    return fail(err, STATUS_IO, "the database is not open");
}

enum status database_get(struct database *database, struct bytes key,
                         struct blob *out, struct error *err)
{
    *out = (struct blob){0};
    if (database->handle == NULL)
        return not_open(err);
    char *text = NULL;
    size_t size = 0;
    char *value = leveldb_get(database->handle, database->read,
                              (const char *)key.data, key.size, &size, &text);
    if (text != NULL)
        return translate(err, "read", text);
    if (value == NULL)
        return fail(err, STATUS_NOT_FOUND, "read: no such key");
    /* LevelDB's memory is malloc's, as leveldb_free says. */
    *out =
        (struct blob){.data = (uint8_t *)value, .size = size, .capacity = size};
    return STATUS_OK;
}

struct cursor cursor_open(struct database *database)
{
    struct cursor cursor = {0};
    if (database->handle != NULL) {
        cursor.iterator =
            leveldb_create_iterator(database->handle, database->read);
    }
    return cursor;
}

void cursor_close(struct cursor cursor)
{
    if (cursor.iterator != NULL)
        leveldb_iter_destroy(cursor.iterator);
}

void cursor_seek(struct cursor cursor, struct bytes key)
{
    if (cursor.iterator != NULL)
        leveldb_iter_seek(cursor.iterator, (const char *)key.data, key.size);
}

void cursor_next(struct cursor cursor)
{
    leveldb_iter_next(cursor.iterator);
}

void cursor_last(struct cursor cursor, struct bytes below)
{
    cursor_seek(cursor, below);
    if (cursor_valid(cursor)) {
        leveldb_iter_prev(cursor.iterator);
    } else if (cursor.iterator != NULL) {
        leveldb_iter_seek_to_last(cursor.iterator);
    }
}

bool cursor_valid(struct cursor cursor)
{
    return cursor.iterator != NULL && leveldb_iter_valid(cursor.iterator) != 0;
}

struct bytes cursor_key(struct cursor cursor)
{
    size_t size;
    const char *data = leveldb_iter_key(cursor.iterator, &size);
    return bytes_of(data, size);
}

struct bytes cursor_value(struct cursor cursor)
{
    size_t size;
    const char *data = leveldb_iter_value(cursor.iterator, &size);
    return bytes_of(data, size);
}

enum status cursor_status(struct cursor cursor, struct error *err)
{
    if (cursor.iterator == NULL)
        return not_open(err);
    char *text = NULL;
    leveldb_iter_get_error(cursor.iterator, &text);
    return text == NULL ? STATUS_OK : translate(err, "read", text);
}
