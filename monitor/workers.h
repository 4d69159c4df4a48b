/* workers.h - threads that answer requests which may wait or take long.
 *
 * Jobs are taken in order, each by the next thread that is free. Any thread
 * may add some. */
#ifndef MONITOR_WORKERS_H
#define MONITOR_WORKERS_H

#include "streamd/base/list.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Part of its owner's struct; run is the last use of it. */
struct job {
    struct list link;
    void (*run)(struct job *job);
};

struct workers;

/* On STATUS_OK the caller owns *out and ends it with workers_free(). Errors:
 * STATUS_NO_MEMORY, STATUS_IO. */
MUST_CHECK enum status workers_start(size_t threads, const char *name,
                                     struct workers **out, struct error *err);

/* False after workers_stop(): the job is not taken. */
MUST_CHECK bool workers_add(struct workers *workers, struct job *job);

/* Takes no more, runs what waits, and returns when all is done. Once, or more
 * often without effect. NULL is allowed, and below. */
void workers_stop(struct workers *workers);
void workers_free(struct workers *workers); /* stops it first */

#endif
