/* status.h - the one error type: a code to branch on, a sentence for people. */
#ifndef STREAMD_BASE_STATUS_H
#define STREAMD_BASE_STATUS_H

#define STATUS_MAP(X)                                                          \
    X(STATUS_OK, "ok")                                                         \
    X(STATUS_INVALID, "invalid argument")                                      \
    X(STATUS_NO_MEMORY, "out of memory")                                       \
    X(STATUS_LIMIT, "limit reached")                                           \
    X(STATUS_IO, "input/output error")                                         \
    X(STATUS_CORRUPT, "damaged data")                                          \
    X(STATUS_NOT_FOUND, "not found")                                           \
    X(STATUS_EXISTS, "already exists")                                         \
    X(STATUS_CONFLICT, "not in this state")                                    \
    X(STATUS_UNAVAILABLE, "not available now")                                 \
    X(STATUS_TOO_BIG, "too big")                                               \
    X(STATUS_CLOSED, "closed")

#define STATUS_CODE(code, text) code,
enum status { STATUS_MAP(STATUS_CODE) };
#undef STATUS_CODE

struct error {
    enum status status;
    char detail[512]; /* what was being done, to what; cut if too long */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Fill *err (NULL allowed) and return status, so a failing path is one line. */
enum status fail(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The text of a code, for logs; never NULL. */
const char *status_text(enum status status);

#endif
