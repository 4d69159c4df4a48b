/* metrics_channels.h - the metrics of each channel, subscription and consumer.
 *
 * Series with the same labels would make a reader refuse all of them, so
 * subscriptions that look the same are summed up in one. */
#ifndef MONITOR_METRICS_CHANNELS_H
#define MONITOR_METRICS_CHANNELS_H

#include "monitor/openmetrics.h"
#include "streamd/engine/view.h"

struct metrics_channels {
    const char *server_id; /* label of the nss_ metrics */
    const char *role;
    size_t most; /* channels, and subscriptions, shown one by one */
    bool inbox;  /* with the inbox as a label */
};

/* *view holds at most `most` channels, with their subscriptions; what was left
 * out of all there are is counted in metrics of its own. Out of memory sets
 * metrics->failed. */
void metrics_channels_write(struct metrics *metrics,
                            const struct metrics_channels *settings,
                            const struct view *view);

#endif
