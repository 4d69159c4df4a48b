#include "streamd/base/log.h"

#include "streamd/base/log_file.h"
#include "streamd/base/log_format.h"
#include "streamd/base/log_stream.h"
#include "streamd/base/log_syslog.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_SIZE = 1024,    /* on the stack; longer lines use the heap */
    LINE_MOST = 1 << 20, /* names come from clients: longer text is cut */
};

static const char streaming[] = "STREAM: ";

struct log {
    struct log_format format;
    bool debug, trace;

    /* One of them; neither: stderr. */
    struct log_file *file;
    struct log_syslog *syslog;

    pthread_mutex_t lock; /* of stderr: the two below */
    struct log_stream stream;
    uint64_t dropped; /* lines since the last that was written */
};

static bool is_character_device(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISCHR(stat.st_mode);
}

static enum status open_target(struct log *log,
                               const struct log_options *options,
                               struct error *err)
{
    if (options->file != NULL) {
        return log_file_open(options->file, options->size_limit, &log->format,
                             &log->file, err);
    }
    if (options->remote != NULL || options->syslog) {
        const struct log_syslog_options syslog = {
            .remote = options->remote,
            .tag = options->syslog_tag == NULL ? program_invocation_short_name
                                               : options->syslog_tag,
        };
        log->format.bare = true;
        return log_syslog_open(&syslog, &log->syslog, err);
    }
    log_stream_init(&log->stream, STDERR_FILENO);
    log->format.colour = is_character_device(STDERR_FILENO);
    return STATUS_OK;
}

enum status log_new(const struct log_options *options, struct log **out,
                    struct error *err)
{
    *out = NULL;
    struct log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return fail(err, STATUS_NO_MEMORY, "log: new");
    if (pthread_mutex_init(&log->lock, NULL) != 0) {
        free(log);
        return fail(err, STATUS_NO_MEMORY, "log: lock");
    }
    log->format.json = options->json;
    log->format.time = options->time;
    log->format.utc = options->utc;
    log->debug = options->debug;
    log->trace = options->trace;
    tzset(); /* localtime_r() need not read TZ itself */
    enum status status = open_target(log, options, err);
    if (status != STATUS_OK) {
        log_free(log);
        return status;
    }
    *out = log;
    return STATUS_OK;
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    log_file_close(log->file);
    log_syslog_close(log->syslog);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}

void log_reopen(struct log *log)
{
    struct error err = {0};
    if (log == NULL)
        return;
    if (log->file == NULL) {
        log_info(log, "File log re-open ignored, not a file logger");
    } else if (log_file_reopen(log->file, &err) != STATUS_OK) {
        log_error(log, "Unable to re-open the log file: %s", err.detail);
    }
}

static void set(bool *place, bool value)
{
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
}

enum status log_adjust(struct log *log, const struct log_options *options,
                       struct error *err)
{
    set(&log->debug, options->debug);
    set(&log->trace, options->trace);
    set(&log->format.time, options->time);
    set(&log->format.utc, options->utc);
    if (log->file == NULL || options->file == NULL)
        return STATUS_OK;
    return log_file_adjust(log->file, options->file, options->size_limit,
                           &log->format, err);
}

bool log_enabled(const struct log *log, enum log_level level)
{
    if (log == NULL)
        return false;
    if (level == LOG_LEVEL_DEBUG)
        return __atomic_load_n(&log->debug, __ATOMIC_RELAXED);
    return level != LOG_LEVEL_TRACE ||
           __atomic_load_n(&log->trace, __ATOMIC_RELAXED);
}

/* True if it was written. */
static bool write_stderr(struct log *log, const char *line, size_t size)
{
    return log_stream_write(&log->stream, line, size) == LOG_STREAM_DONE;
}

/* Before the first line after a gap: that there was one. */
static bool tell_dropped(struct log *log)
{
    char text[64];
    char line[LOG_FORMAT_FRAME + sizeof text];
    if (log->dropped == 0)
        return true;
    int size = snprintf(text, sizeof text, "%" PRIu64 " log lines were dropped",
                        log->dropped);
    size_t used =
        log_format_line(&log->format, LOG_LEVEL_WARN, streaming, text,
                        size < 0 ? 0 : (size_t)size, line, sizeof line);
    return write_stderr(log, line, used);
}

static void write_line(struct log *log, enum log_level level, const char *line,
                       size_t size)
{
    if (log->file != NULL) {
        log_file_write(log->file, line, size);
        return;
    }
    if (log->syslog != NULL) {
        log_syslog_write(log->syslog, level, line, size);
        return;
    }
    (void)pthread_mutex_lock(&log->lock);
    if (tell_dropped(log) && write_stderr(log, line, size)) {
        log->dropped = 0;
    } else {
        log->dropped++;
    }
    (void)pthread_mutex_unlock(&log->lock);
}

static void emit(struct log *log, enum log_level level, const char *subject,
                 const char *text, size_t size)
{
    char stack[LINE_SIZE];
    if (size > LINE_MOST)
        size = LINE_MOST;
    char *line = stack;
    size_t room = log_format_room(&log->format, size);
    if (room > sizeof stack)
        line = malloc(room);
    if (line == NULL) { /* a cut line is better than none */
        line = stack;
        room = sizeof stack;
    }
    size_t used =
        log_format_line(&log->format, level, subject, text, size, line, room);
    write_line(log, level, line, used);
    if (line != stack)
        free(line);
}

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
    if (!log_enabled(log, level))
        return;
    int saved = errno; /* a caller may log first and look at errno then */
    char stack[LINE_SIZE];
    char *heap = NULL;
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(stack, sizeof stack, format, args);
    if (size >= LINE_SIZE) {
        size = size < LINE_MOST ? size : LINE_MOST;
        heap = malloc((size_t)size + 1);
        if (heap == NULL) {
            size = LINE_SIZE - 1;
        } else {
            (void)vsnprintf(heap, (size_t)size + 1, format, again);
        }
    }
    va_end(again);
    va_end(args);
    if (size >= 0)
        emit(log, level, streaming, heap == NULL ? stack : heap, (size_t)size);
    free(heap);
    errno = saved;
}

void log_foreign(struct log *log, enum log_level level, const char *text,
                 int size)
{
    if (log == NULL || size < 0)
        return;
    int saved = errno;
    emit(log, level, "", text, (size_t)size);
    errno = saved;
}
