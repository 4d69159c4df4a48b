#include "streamd/base/log.h"

#include "streamd/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_SIZE = 1024,      /* on the stack; longer lines use the heap */
    LINE_MOST = 1 << 20,   /* names come from clients: longer text is cut */
    PREFIX_SIZE = 128,     /* pid, time, coloured level, subject */
    FILE_MODE = 0660,      /* cli-config.md 10.3 */
    CONTROL_DELETE = 0x7f, /* the one control character above the space */
};

struct log {
    int fd;
    bool owned; /* fd is a file to be closed, not stderr */
    bool colour;
    bool time, utc, debug, trace;
};

static bool is_character_device(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISCHR(stat.st_mode);
}

static enum status open_target(struct log *log, const char *file,
                               struct error *err)
{
    if (file == NULL) {
        log->fd = STDERR_FILENO;
        log->colour = is_character_device(log->fd);
        return STATUS_OK;
    }
    log->fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (log->fd < 0) {
        char reason[128];
        return fail(err, STATUS_IO, "log: open %s: %s", file,
                    strerror_r(errno, reason, sizeof reason));
    }
    log->owned = true;
    return STATUS_OK;
}

enum status log_new(const struct log_options *options, struct log **out,
                    struct error *err)
{
    *out = NULL;
    struct log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return fail(err, STATUS_NO_MEMORY, "log: new");
    log->time = options->time;
    log->utc = options->utc;
    log->debug = options->debug;
    log->trace = options->trace;
    tzset(); /* localtime_r() need not read TZ itself */
    enum status status = open_target(log, options->file, err);
    if (status != STATUS_OK) {
        free(log);
        return status;
    }
    *out = log;
    return STATUS_OK;
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    if (log->owned)
        (void)close(log->fd);
    free(log);
}

bool log_enabled(const struct log *log, enum log_level level)
{
    if (log == NULL)
        return false;
    if (level == LOG_LEVEL_DEBUG)
        return log->debug;
    return level != LOG_LEVEL_TRACE || log->trace;
}

/* "YYYY/MM/DD hh:mm:ss.uuuuuu " */
static void format_time(const struct log *log, char *out, size_t size)
{
    int64_t now = clock_wall(&clock_system);
    time_t seconds = (time_t)(now / CLOCK_SECOND);
    struct tm tm = {0};
    if ((log->utc ? gmtime_r : localtime_r)(&seconds, &tm) == NULL)
        return;
    size_t used = strftime(out, size, "%Y/%m/%d %H:%M:%S", &tm);
    (void)snprintf(out + used, size - used, ".%06d ",
                   (int)(now % CLOCK_SECOND / CLOCK_MICROSECOND));
}

/* All in front of the text; returns its size. */
static size_t format_prefix(const struct log *log, enum log_level level,
                            const char *subject, char out[PREFIX_SIZE])
{
    static const struct {
        const char *label, *colour;
    } levels[] = {
        [LOG_LEVEL_INFO] = {"INF", "\x1b[32m"},
        [LOG_LEVEL_WARN] = {"WRN", "\x1b[0;93m"},
        [LOG_LEVEL_ERROR] = {"ERR", "\x1b[31m"},
        [LOG_LEVEL_FATAL] = {"FTL", "\x1b[31m"},
        [LOG_LEVEL_DEBUG] = {"DBG", "\x1b[36m"},
        [LOG_LEVEL_TRACE] = {"TRC", "\x1b[33m"},
    };
    char when[64] = "";
    if (log->time)
        format_time(log, when, sizeof when);
    int size =
        snprintf(out, PREFIX_SIZE, "[%ld] %s[%s%s%s] %s", (long)getpid(), when,
                 log->colour ? levels[level].colour : "", levels[level].label,
                 log->colour ? "\x1b[0m" : "", subject);
    if (size < 0)
        return 0;
    return size < PREFIX_SIZE ? (size_t)size : PREFIX_SIZE - 1;
}

/* Text holds names that clients chose: no byte of it may start a new line or
 * steer a terminal. */
static char printable(char c)
{
    unsigned char byte = (unsigned char)c;
    if ((byte < ' ' && byte != '\t') || byte == CONTROL_DELETE)
        return '?';
    return c;
}

static void write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nowhere left to complain */
        data += written;
        size -= (size_t)written;
    }
}

static void emit(const struct log *log, enum log_level level,
                 const char *subject, const char *text, size_t size)
{
    char stack[LINE_SIZE];
    if (size > LINE_MOST)
        size = LINE_MOST;
    char *line = stack;
    if (PREFIX_SIZE + size + 1 > sizeof stack)
        line = malloc(PREFIX_SIZE + size + 1);
    if (line == NULL) { /* a cut line is better than none */
        line = stack;
        size = sizeof stack - PREFIX_SIZE - 1;
    }
    size_t used = format_prefix(log, level, subject, line);
    for (size_t i = 0; i < size; i++)
        line[used++] = printable(text[i]);
    line[used++] = '\n';
    write_all(log->fd, line, used);
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
        emit(log, level, "STREAM: ", heap == NULL ? stack : heap, (size_t)size);
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
