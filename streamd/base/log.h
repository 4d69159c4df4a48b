/* log.h - log lines in the form and with the gates of cli-config.md section 10.
 *
 * Any thread. A line that cannot be written is dropped, after a second at most;
 * nobody is held for ever. Streaming lines carry "STREAM: "; lines
 * taken over from the nats-server carry no prefix. */
#ifndef STREAMD_BASE_LOG_H
#define STREAMD_BASE_LOG_H

#include "streamd/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level {
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_FATAL, /* the caller then ends the process with status 1 */
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_TRACE,
};

struct log_options {
    /* Where to: the first of these that is set, else stderr. */
    const char *file;   /* appended to, created with mode 0660 */
    const char *remote; /* syslog at udp://host:port, tcp://..., unix:///path */
    bool syslog;        /* of this machine */

    const char *syslog_tag; /* NULL: the base name of the program */
    int64_t size_limit; /* of the file, above which it is rotated; 0: none */
    bool json;          /* each line is a JSON object */
    bool time;          /* date and time in front */
    bool utc;
    bool debug; /* gates of streaming DBG and TRC lines */
    bool trace;
};

struct log;

/* On STATUS_OK the caller owns *out; nothing of options is kept. Errors:
 * STATUS_IO (file), STATUS_INVALID and STATUS_UNAVAILABLE (syslog), NO_MEMORY.
 */
MUST_CHECK enum status log_new(const struct log_options *options,
                               struct log **out, struct error *err);
void log_free(struct log *log); /* NULL is allowed */

/* Goes over to a new file after the old one was renamed, and says so in the
 * log; without a file, or if it cannot be opened, that is said and all is as
 * before. */
void log_reopen(struct log *log);

/* Takes over from options what can change while it is written to: times,
 * levels, the size limit, and another file in place of a file. On failure the
 * file is as before. Errors: STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status log_adjust(struct log *log,
                                  const struct log_options *options,
                                  struct error *err);

/* False if a streaming line of this level would be dropped: test it before
 * formatting what is expensive. */
bool log_enabled(const struct log *log, enum log_level level);

/* One streaming line. A NULL log drops it. */
void log_line(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One line without prefix and without gate: text is as long as size says. */
void log_foreign(struct log *log, enum log_level level, const char *text,
                 int size);

#define log_info(log, ...) log_line(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(log, ...) log_line(log, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(log, ...) log_line(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_fatal(log, ...) log_line(log, LOG_LEVEL_FATAL, __VA_ARGS__)
#define log_debug(log, ...) log_line(log, LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_trace(log, ...) log_line(log, LOG_LEVEL_TRACE, __VA_ARGS__)

#endif
