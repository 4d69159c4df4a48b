/* supervisor.h - keeps a nats-server of our own running (cli-config.md 13): one
 * that ended by itself is started again, on the same port, later and later; the
 * clients and our own connection come back by themselves.
 *
 * Main thread. Times are ns of the monotonic clock, passed in. */
#ifndef STREAMD_SUPERVISOR_H
#define STREAMD_SUPERVISOR_H

#include "streamd/base/log.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What it needs of a server_process; a test has its own. */
struct supervised {
    void *context;
    bool (*ended)(void *context, struct error *err);
    bool (*ready)(void *context);
    enum status (*restart)(void *context, struct error *err);
    void (*kill)(void *context);
};

/*              ended              due, restart          ready
 *  RUNNING ------------> WAITING ---------> STARTING ----------> RUNNING
 *                           ^                  |
 *                           `---- ended, late -'     10 in a row: given up
 */
enum supervisor_state {
    SUPERVISOR_RUNNING,
    SUPERVISOR_WAITING,
    SUPERVISOR_STARTING,
};

struct supervisor {
    struct supervised process;
    struct log *log;
    enum supervisor_state state;
    int failures;  /* in a row */
    int64_t since; /* of RUNNING and STARTING */
    int64_t due;   /* of WAITING */
};

/* Of a process that is ready. */
void supervisor_init(struct supervisor *supervisor,
                     const struct supervised *process, struct log *log,
                     int64_t now);

/* Looks after it: when it ended, and when supervisor_wait() is over. False
 * when it is given up: the log says so. */
bool supervisor_turn(struct supervisor *supervisor, int64_t now);

/* How long until it is to be looked after in any case, in ms for poll(); -1:
 * only when it ends. */
int supervisor_wait(const struct supervisor *supervisor, int64_t now);

#endif
