/* notify.h - tells systemd how we are (Type=notify, cli-config.md 14): the
 * protocol of sd_notify(3), datagrams of NAME=value lines.
 *
 * Main thread only. Without $NOTIFY_SOCKET every call does nothing; a message
 * that is not taken is dropped, for nothing may wait for it. */
#ifndef STREAMD_NOTIFY_H
#define STREAMD_NOTIFY_H

#include "streamd/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct notify {
    int fd; /* connected; -1: nobody wants to know */
    bool ready;
    int64_t watchdog; /* ns between signs of life, 0: none are wanted */
    int64_t next;     /* monotonic: the next one is due */
};

/* Takes $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID out of the environment
 * (our child has nothing to tell), so no other thread may run yet. On failure
 * (STATUS_INVALID, STATUS_IO) it is as if nobody wanted to know. End it with
 * notify_close(). */
MUST_CHECK enum status notify_open(struct notify *notify, struct error *err);
void notify_close(struct notify *notify);

/* STATUS=text; one line. Before notify_ready(), and again as long as there is
 * progress: the next one may take ten minutes, however short the time that
 * systemd has for a start. */
void notify_starting(const struct notify *notify, const char *text);
/* READY=1, with the state as the status. */
void notify_ready(struct notify *notify, const char *state);
/* RELOADING=1 and, when that is over, notify_reloaded(); both are nothing
 * before notify_ready(), which would be taken back. */
void notify_reloading(struct notify *notify);
void notify_reloaded(struct notify *notify);
void notify_stopping(struct notify *notify);

/* A sign of life, WATCHDOG=1, if one is due. Returns how long until the next,
 * in ms for poll(): -1 if none is wanted. */
int notify_alive(struct notify *notify);

#endif
