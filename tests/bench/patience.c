#include "tests/bench/patience.h"

#include "streamd/base/clock.h"

#include <stdio.h>

void patience_init(struct patience *patience,
                   const struct load_options *options, int64_t now)
{
    *patience = (struct patience){
        .timeout = (int64_t)options->timeout * CLOCK_SECOND,
        .last_change = now,
    };
}

bool patience_left(struct patience *patience, uint64_t progress, int64_t now,
                   const char *why)
{
    if (progress != patience->progress) {
        patience->progress = progress;
        patience->last_change = now;
    } else if (now - patience->last_change > patience->timeout) {
        (void)fprintf(stderr, "stanload: %s\n", why);
        return false;
    }
    return true;
}
