/* histogram.h - times in ns, counted in classes no wider than 1.6 %. */
#ifndef TESTS_BENCH_HISTOGRAM_H
#define TESTS_BENCH_HISTOGRAM_H

#include <stdint.h>

/* A class is the highest bit and the six bits behind it. */
enum { HISTOGRAM_STEPS = 64, HISTOGRAM_CLASSES = 59 * HISTOGRAM_STEPS };

struct histogram { /* zero-initialise */
    uint64_t counts[HISTOGRAM_CLASSES];
    uint64_t total;
    int64_t max;
};

void histogram_add(struct histogram *histogram, int64_t time);
/* The time that share (0 to 1) of all are not above; 0 if there are none. */
int64_t histogram_at(const struct histogram *histogram, double share);
/* Prints ,"p50_us":..,"p99_us":..,"max_us":.. */
void histogram_print(const struct histogram *histogram);

#endif
