/* histogram.h - how often values of which size came.
 *
 * No thread of its own, no lock. Bounds are static tables. */
#ifndef STREAMD_BASE_HISTOGRAM_H
#define STREAMD_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS_MAX = 16 };

/* Upper bounds, ascending and inclusive. */
struct histogram_bounds {
    size_t count;
    uint64_t upper[HISTOGRAM_BOUNDS_MAX];
};

/* 100 us to 10 s, in ns */
extern const struct histogram_bounds histogram_durations;
/* 256 B to 16 MB */
extern const struct histogram_bounds histogram_bytes;
/* 1 to 16384 */
extern const struct histogram_bounds histogram_numbers;

/* Zero-initialise. */
struct histogram {
    uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* by bucket; last: above all */
    uint64_t sum;
};

void histogram_add(struct histogram *histogram,
                   const struct histogram_bounds *bounds, uint64_t value);

#endif
