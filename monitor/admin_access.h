/* admin_access.h - who may administer: the token, and what wrong ones cost.
 *
 * The token is the content of a file; only its digest is kept. Any thread. */
#ifndef MONITOR_ADMIN_ACCESS_H
#define MONITOR_ADMIN_ACCESS_H

#include "streamd/base/buffer.h"
#include "streamd/base/clock.h"
#include "streamd/base/log.h"
#include "streamd/base/status.h"

#include <stdbool.h>

enum {
    ADMIN_TOKEN_MIN = 16,
    ADMIN_TOKEN_MAX = 1024,
    ADMIN_FAILURES_MAX = 10, /* wrong tokens of one peer in a second */
};

enum admin_verdict {
    ADMIN_GRANTED,
    ADMIN_DENIED,  /* no token, or a wrong one: said in the log */
    ADMIN_LIMITED, /* too many wrong ones: not looked at */
};

struct admin_access;

/* Reads the token out of the file at path (copied): what stands in it, without
 * white space around, 16 to 1024 visible ASCII characters. A file that others
 * may read is warned of. On STATUS_OK the caller owns *out; log and clock are
 * borrowed. Errors: STATUS_IO, STATUS_INVALID, STATUS_NO_MEMORY. */
MUST_CHECK enum status admin_access_new(const char *path, struct log *log,
                                        const struct clock *clock,
                                        struct admin_access **out,
                                        struct error *err);
void admin_access_free(struct admin_access *access); /* NULL is allowed */

/* Reads the file again. After an error, as above, the old token stays. */
MUST_CHECK enum status admin_access_reload(struct admin_access *access,
                                           struct error *err);

/* peer is who asks, for the log; what stands before its last ':' is counted as
 * one. Takes as long for any token. */
enum admin_verdict admin_access_check(struct admin_access *access,
                                      struct bytes token, const char *peer);

/* True if it is the token. Counts nothing: for what only spares work, not for
 * what is told to a peer. */
bool admin_access_knows(struct admin_access *access, struct bytes token);

/* Who may, asked for what makes no sense and never reached the engine: a line
 * in the log, as the engine writes one for each request. */
void admin_note(struct log *log, const char *peer, const char *what,
                const char *refused);

#endif
