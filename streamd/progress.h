/* progress.h - tells how far the recovery of the stored state is: systemd
 * often, the log now and then.
 *
 * Main thread only. Times are nanoseconds of the monotonic clock, passed in. */
#ifndef STREAMD_PROGRESS_H
#define STREAMD_PROGRESS_H

#include "streamd/base/log.h"
#include "streamd/notify.h"

#include <stdint.h>

struct progress {
    const struct notify *notify; /* borrowed, as the log */
    struct log *log;
    uint64_t channels, messages; /* told last */
    int64_t tell_at, log_at;     /* monotonic */
};

/* The recovery begins at now. */
void progress_init(struct progress *progress, const struct notify *notify,
                   struct log *log, int64_t now);

/* So many are recovered. Tells that if it is time and there is news. Returns
 * how long until the next time, in ms for poll(). */
int progress_step(struct progress *progress, uint64_t channels,
                  uint64_t messages, int64_t now);

#endif
