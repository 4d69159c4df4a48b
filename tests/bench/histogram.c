#include "tests/bench/histogram.h"

#include <stddef.h>
#include <stdio.h>

/* Times below HISTOGRAM_STEPS have a class each; from there on each doubling
 * has HISTOGRAM_STEPS classes. */
static size_t class_of(uint64_t time)
{
    if (time < HISTOGRAM_STEPS)
        return (size_t)time;
    unsigned shift = 57U - (unsigned)__builtin_clzll(time);
    return (shift + 1) * (size_t)HISTOGRAM_STEPS +
           (time >> shift) % HISTOGRAM_STEPS;
}

static int64_t class_start(size_t class)
{
    if (class < HISTOGRAM_STEPS)
        return (int64_t) class;
    size_t shift = class / HISTOGRAM_STEPS - 1;
    return (int64_t)((class % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << shift);
}

void histogram_add(struct histogram *histogram, int64_t time)
{
    if (time < 0)
        time = 0;
    histogram->counts[class_of((uint64_t)time)]++;
    histogram->total++;
    if (time > histogram->max)
        histogram->max = time;
}

int64_t histogram_at(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->total);
    uint64_t count = 0;
    for (size_t class = 0; class < HISTOGRAM_CLASSES; class ++) {
        count += histogram->counts[class];
        if (count > wanted)
            return class_start(class);
    }
    return histogram->max;
}

void histogram_print(const struct histogram *histogram)
{
    (void)printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f",
                 (double)histogram_at(histogram, 0.50) / 1e3,
                 (double)histogram_at(histogram, 0.99) / 1e3,
                 (double)histogram->max / 1e3);
}
