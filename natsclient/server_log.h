/* server_log.h - the output of the child nats-server, line by line, into our
 * log. A thread of its own reads it, so that the child never waits for us. */
#ifndef NATSCLIENT_SERVER_LOG_H
#define NATSCLIENT_SERVER_LOG_H

#include "streamd/base/log.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define SERVER_LINE_MAX 8192 /* a longer line is cut */

struct server_log;

/* Strings are copied. */
struct server_log_options {
    struct log *log;
    int descriptor;     /* a pipe */
    const char *hidden; /* lines that begin with a line of it are dropped */
    /* Where a line says `instead`, this is what the user knows it as. NULL or
     * "": it is left as it is. */
    const char *name, *instead;
};

/* Takes over the descriptor if STATUS_OK. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status server_log_new(const struct server_log_options *options,
                                      struct server_log **out,
                                      struct error *err);
/* Logs what is still in the pipe, whoever holds its other end; NULL is
 * allowed. */
void server_log_free(struct server_log *server_log);

/* Cuts "[pid] [LVL] " off the front of a line and tells its level; a line
 * without them (a panic's, say) is an error line. */
enum log_level server_line_level(const char **line, size_t *size);

#endif
