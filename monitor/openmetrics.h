/* openmetrics.h - writes metrics, as OpenMetrics or in the older text format
 * of Prometheus (0.0.4).
 *
 * A family, then its samples, then the next family. The first failure (out of
 * memory) sticks in failed. No thread, no lock. */
#ifndef MONITOR_OPENMETRICS_H
#define MONITOR_OPENMETRICS_H

#include "streamd/base/buffer.h"
#include "streamd/base/histogram.h"

#include <stdbool.h>
#include <stdint.h>

enum metric_type {
    METRIC_GAUGE,
    METRIC_COUNTER, /* samples end in _total, the name given does not */
    METRIC_HISTOGRAM,
    METRIC_INFO, /* one sample of value 1, its name ends in _info */
    /* A counter for exporters of old, whose name does not end in _total as
     * OpenMetrics demands: of unknown type there. */
    METRIC_BARE_COUNTER,
};

struct label {
    const char *name;
    struct bytes value; /* any bytes: made valid UTF-8 */
};

struct metrics {
    struct blob *out;
    bool openmetrics; /* else text */
    bool failed;
    const char *name; /* of the family */
    enum metric_type type;
};

/* name and help are static: plain words, no quotes. */
void metrics_family(struct metrics *metrics, const char *name,
                    enum metric_type type, const char *help);

void metrics_count(struct metrics *metrics, const struct label *labels,
                   size_t size, uint64_t value);
void metrics_signed(struct metrics *metrics, const struct label *labels,
                    size_t size, int64_t value);
/* ns, written in seconds; never below 0. */
void metrics_seconds(struct metrics *metrics, const struct label *labels,
                     size_t size, int64_t value);
/* seconds: the values are ns. */
void metrics_histogram(struct metrics *metrics,
                       const struct histogram *histogram,
                       const struct histogram_bounds *bounds, bool seconds);

/* After the last. */
void metrics_end(struct metrics *metrics);

#endif
