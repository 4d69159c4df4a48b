/* deadline.h - an end to calls of nats.c that may wait for ever.
 *
 * With TLS nats.c waits, within a call, for the rest of a record or a
 * handshake, with no limit: a server that stops in the middle would hold the
 * thread for good. A timer of the kernel then signals the thread: that breaks
 * off a blocking read, and where the socket is known its handler shuts it down,
 * so that all waiting for it ends.
 *
 * The signal is DEADLINE_SIGNAL, which the process must neither block on that
 * thread nor use for anything else. One thread makes, arms and disarms. */
#ifndef NATSCLIENT_DEADLINE_H
#define NATSCLIENT_DEADLINE_H

#include "streamd/base/status.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define DEADLINE_SIGNAL (SIGRTMIN + 3)

struct deadline {
    timer_t timer;
    bool made;
};

/* For the calling thread. socket is shut down in the end; -1: unknown, only the
 * thread is signalled. Errors: STATUS_NO_MEMORY, STATUS_IO. */
MUST_CHECK enum status deadline_init(struct deadline *deadline, int socket,
                                     struct error *err);
/* Zero-initialised ones are allowed. */
void deadline_release(struct deadline *deadline);

/* From now on after wait ns, and then again and again until disarmed, as a
 * signal between two calls of the system would be lost. */
void deadline_arm(const struct deadline *deadline, int64_t wait);
void deadline_disarm(const struct deadline *deadline);

#endif
