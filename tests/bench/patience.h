/* patience.h - how long a load goes on although nothing happens. */
#ifndef TESTS_BENCH_PATIENCE_H
#define TESTS_BENCH_PATIENCE_H

#include "streamd/base/status.h"
#include "tests/bench/load_options.h"

#include <stdbool.h>
#include <stdint.h>

struct patience {
    int64_t timeout, last_change; /* ns, monotonic */
    uint64_t progress;            /* then */
};

/* As long as the options' timeout, from now on (ns, monotonic). */
void patience_init(struct patience *patience,
                   const struct load_options *options, int64_t now);
/* progress: anything that grows while there is some. False, with why on
 * standard error, if it has not for too long. */
MUST_CHECK bool patience_left(struct patience *patience, uint64_t progress,
                              int64_t now, const char *why);

#endif
