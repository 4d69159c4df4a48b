/* signals.h - the signals of cli-config.md 11.1 as a descriptor to poll.
 *
 * Main thread only, before any other thread starts: what is blocked there is
 * blocked in every thread after it, so that the descriptor gets it. A child
 * must unblock them again before it executes another program. */
#ifndef STREAMD_SIGNALS_H
#define STREAMD_SIGNALS_H

#include "streamd/base/status.h"

enum signals_event {
    SIGNALS_NONE,      /* nothing more to read now */
    SIGNALS_INTERRUPT, /* SIGINT: shut down, exit 0 */
    SIGNALS_TERMINATE, /* SIGTERM: shut down, exit 143 */
    SIGNALS_REOPEN,    /* SIGUSR1: open the log file again */
    SIGNALS_RELOAD,    /* SIGHUP */
};

/* Blocks what the descriptor is for and ignores SIGPIPE and SIGUSR2. On
 * STATUS_OK *descriptor is non-blocking, readable once a signal has come, and
 * ended with close(); otherwise it is -1. Errors: STATUS_IO. */
MUST_CHECK enum status signals_open(int *descriptor, struct error *err);

/* Takes the next signal; never blocks. */
enum signals_event signals_next(int descriptor);

#endif
