#include "streamd/base/log_file.h"

#include "streamd/base/clock.h"
#include "streamd/base/log_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FILE_MODE = 0660,   /* cli-config.md 10.3 */
    SUFFIX_SIZE = 64,   /* ".YYYY.MM.DD.hh.mm.ss.nnnnnnnnn" */
    BACKUP_MAX = 4096,  /* PATH_MAX: a longer path cannot be opened */
    REASON_SIZE = 128,  /* a system text */
    NOTE_SIZE = 5 << 10 /* a note about one path */
};

struct log_file {
    int fd; /* for all its life; see the header */
    char *path;
    struct log_format format;
    bool regular;
    struct log_stream stream; /* if it is not; under lock */
    bool limited;             /* atomic, too */
    int64_t limit; /* atomic, like size: the size that starts a rotation */
    int64_t size;  /* about: a line under way while it is set may be missed */
    pthread_mutex_t
        lock; /* who puts another file under fd, or writes a stream */
};

/* A FIFO without a reader must not hold us; a file does not care. */
static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
                FILE_MODE);
}

static int64_t size_of(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 ? (int64_t)stat.st_size : 0;
}

static bool is_regular(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false; /* nowhere left to complain */
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* A line of the log about itself, without looking at the limit. */
static void note(const struct log_file *file, int fd, enum log_level level,
                 const char *subject, const char *text)
{
    char line[NOTE_SIZE];
    size_t size = log_format_line(&file->format, level, subject, text,
                                  strlen(text), line, sizeof line);
    (void)write_all(fd, line, size);
}

/* Puts the file of fd, which is used up, in the place of the present one. */
static bool replace(struct log_file *file, int fd)
{
    int64_t size = size_of(fd);
    bool done = dup3(fd, file->fd, O_CLOEXEC) >= 0;
    (void)close(fd);
    if (done)
        __atomic_store_n(&file->size, size, __ATOMIC_RELAXED);
    return done;
}

/* ---- rotation ---- */

/* As Go names them: local time, whatever the lines have. */
static void backup_name(const char *path, char out[BACKUP_MAX])
{
    char when[SUFFIX_SIZE] = "";
    int64_t now = clock_wall(&clock_system);
    time_t seconds = (time_t)(now / CLOCK_SECOND);
    struct tm tm = {0};
    if (localtime_r(&seconds, &tm) != NULL)
        (void)strftime(when, sizeof when, "%Y.%m.%d.%H.%M.%S", &tm);
    (void)snprintf(out, BACKUP_MAX, "%s.%s.%09d", path, when,
                   (int)(now % CLOCK_SECOND));
}

/* 0, or an errno and nothing has changed. */
static int move_away(struct log_file *file, const char *backup)
{
    char text[BACKUP_MAX + 64];
    if (rename(file->path, backup) != 0)
        return errno;
    int fd = open_path(file->path);
    if (fd >= 0) {
        (void)snprintf(text, sizeof text, "Rotated log, backup saved as \"%s\"",
                       backup);
        note(file, fd, LOG_LEVEL_INFO, "", text);
        if (replace(file, fd))
            return 0;
    }
    int code = errno;
    (void)rename(backup, file->path);
    return code;
}

static void rotate_locked(struct log_file *file)
{
    char backup[BACKUP_MAX];
    int64_t limit = __atomic_load_n(&file->limit, __ATOMIC_RELAXED);
    if (__atomic_load_n(&file->size, __ATOMIC_RELAXED) <= limit)
        return; /* another thread has just done it */
    backup_name(file->path, backup);
    int code = move_away(file, backup);
    if (code == 0)
        return;
    char text[REASON_SIZE * 2];
    char reason[REASON_SIZE];
    limit = limit > INT64_MAX / 2 ? INT64_MAX : limit * 2;
    __atomic_store_n(&file->limit, limit, __ATOMIC_RELAXED);
    (void)snprintf(text, sizeof text,
                   "Unable to rotate logfile (%s), will attempt next rotation "
                   "at size %" PRId64,
                   strerror_r(code, reason, sizeof reason), limit);
    note(file, file->fd, LOG_LEVEL_ERROR, "", text);
}

static bool is_limited(const struct log_file *file)
{
    return __atomic_load_n(&file->limited, __ATOMIC_RELAXED);
}

static bool over_limit(const struct log_file *file)
{
    return is_limited(file) &&
           __atomic_load_n(&file->size, __ATOMIC_RELAXED) >
               __atomic_load_n(&file->limit, __ATOMIC_RELAXED);
}

static void write_stream(struct log_file *file, const char *line, size_t size)
{
    (void)pthread_mutex_lock(&file->lock);
    (void)log_stream_write(&file->stream, line, size);
    (void)pthread_mutex_unlock(&file->lock);
}

void log_file_write(struct log_file *file, const char *line, size_t size)
{
    if (!file->regular) {
        write_stream(file, line, size);
        return;
    }
    if (!write_all(file->fd, line, size) || !is_limited(file))
        return;
    (void)__atomic_add_fetch(&file->size, (int64_t)size, __ATOMIC_RELAXED);
    if (!over_limit(file) || pthread_mutex_trylock(&file->lock) != 0)
        return; /* whoever has the lock sees to it */
    rotate_locked(file);
    (void)pthread_mutex_unlock(&file->lock);
}

/* A file that is too long from the start is put away at once. */
static void rotate_grown(struct log_file *file)
{
    static const char text[] = "Rotating logfile...";
    char line[LOG_FORMAT_FRAME * 2];
    if (!over_limit(file))
        return;
    size_t size = log_format_line(&file->format, LOG_LEVEL_INFO, "", text,
                                  sizeof text - 1, line, sizeof line);
    log_file_write(file, line, size);
}

/* ---- open, open again, close ---- */

static enum status refused(const struct log_file *file, struct error *err)
{
    char reason[REASON_SIZE];
    return fail(err, STATUS_IO, "log: open %s: %s", file->path,
                strerror_r(errno, reason, sizeof reason));
}

enum status log_file_open(const char *path, int64_t limit,
                          const struct log_format *format,
                          struct log_file **out, struct error *err)
{
    *out = NULL;
    struct log_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return fail(err, STATUS_NO_MEMORY, "log: new file");
    file->fd = -1;
    if (pthread_mutex_init(&file->lock, NULL) != 0) {
        free(file);
        return fail(err, STATUS_NO_MEMORY, "log: lock");
    }
    enum status status = STATUS_OK;
    file->path = strdup(path);
    if (file->path == NULL) {
        status = fail(err, STATUS_NO_MEMORY, "log: path");
        goto failed;
    }
    file->fd = open_path(path);
    if (file->fd < 0) {
        status = refused(file, err);
        goto failed;
    }
    file->format = *format;
    file->regular = is_regular(file->fd);
    log_stream_init(&file->stream, file->fd);
    file->limited = limit > 0 && file->regular;
    file->limit = limit;
    file->size = size_of(file->fd);
    rotate_grown(file);
    *out = file;
    return STATUS_OK;
failed:
    log_file_close(file);
    return status;
}

void log_file_close(struct log_file *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        (void)close(file->fd);
    (void)pthread_mutex_destroy(&file->lock);
    free(file->path);
    free(file);
}

static enum status reopen_locked(struct log_file *file, struct error *err)
{
    int fd = open_path(file->path);
    if (fd < 0)
        return refused(file, err);
    note(file, fd, LOG_LEVEL_INFO, "STREAM: ", "File log re-opened");
    return replace(file, fd) ? STATUS_OK : refused(file, err);
}

/* Another path, or the one there was if that cannot be opened. */
static enum status move_locked(struct log_file *file, const char *path,
                               struct error *err)
{
    char *before = file->path;
    file->path = strdup(path);
    enum status status = file->path == NULL
                             ? fail(err, STATUS_NO_MEMORY, "log: path")
                             : reopen_locked(file, err);
    if (status == STATUS_OK) {
        free(before);
    } else {
        free(file->path);
        file->path = before;
    }
    return status;
}

enum status log_file_adjust(struct log_file *file, const char *path,
                            int64_t limit, const struct log_format *format,
                            struct error *err)
{
    enum status status = STATUS_OK;
    (void)pthread_mutex_lock(&file->lock);
    __atomic_store_n(&file->format.time, format->time, __ATOMIC_RELAXED);
    __atomic_store_n(&file->format.utc, format->utc, __ATOMIC_RELAXED);
    if (file->regular && strcmp(path, file->path) != 0)
        status = move_locked(file, path, err);
    __atomic_store_n(&file->size, size_of(file->fd), __ATOMIC_RELAXED);
    __atomic_store_n(&file->limit, limit, __ATOMIC_RELAXED);
    __atomic_store_n(&file->limited, limit > 0 && file->regular,
                     __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&file->lock);
    return status;
}

enum status log_file_reopen(struct log_file *file, struct error *err)
{
    (void)pthread_mutex_lock(&file->lock);
    enum status status = reopen_locked(file, err);
    (void)pthread_mutex_unlock(&file->lock);
    if (status == STATUS_OK)
        rotate_grown(file);
    return status;
}
