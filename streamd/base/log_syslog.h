/* log_syslog.h - syslog, of this machine or another one (cli-config.md 10.3).
 *
 * Any thread; one lock, held while a line is sent: at most as long as
 * log_stream.h says. A connection that is lost is made again, at most once a
 * second; lines that cannot be sent are dropped and counted. */
#ifndef STREAMD_BASE_LOG_SYSLOG_H
#define STREAMD_BASE_LOG_SYSLOG_H

#include "streamd/base/log.h"

#include <stddef.h>

struct log_syslog;

struct log_syslog_options {
    const char *remote; /* udp://host:port, tcp://, unix:///path; NULL: local */
    const char *local;  /* its socket; NULL: the usual place */
    const char *tag;
};

/* On STATUS_OK the caller owns *out. Waits some seconds for a name or a
 * connection. Errors, with the text for the user: STATUS_INVALID (the URL),
 * STATUS_UNAVAILABLE (nobody there), STATUS_NO_MEMORY. */
MUST_CHECK enum status log_syslog_open(const struct log_syslog_options *options,
                                       struct log_syslog **out,
                                       struct error *err);
void log_syslog_close(struct log_syslog *syslog); /* NULL is allowed */

/* One line, without time and level: syslog has its own. */
void log_syslog_write(struct log_syslog *syslog, enum log_level level,
                      const char *line, size_t size);

#endif
