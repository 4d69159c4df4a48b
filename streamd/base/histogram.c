#include "streamd/base/histogram.h"

#define MS UINT64_C(1000000)
#define KB UINT64_C(1024)

const struct histogram_bounds histogram_durations = {
    .count = 16,
    .upper = {MS / 10, MS / 4, MS / 2, MS, MS * 5 / 2, 5 * MS, 10 * MS, 25 * MS,
              50 * MS, 100 * MS, 250 * MS, 500 * MS, 1000 * MS, 2500 * MS,
              5000 * MS, 10000 * MS}};

const struct histogram_bounds histogram_bytes = {
    .count = 9,
    .upper = {KB / 4, KB, 4 * KB, 16 * KB, 64 * KB, 256 * KB, 1024 * KB,
              4096 * KB, 16384 * KB}};

const struct histogram_bounds histogram_numbers = {
    .count = 8, .upper = {1, 4, 16, 64, 256, 1024, 4096, 16384}};

void histogram_add(struct histogram *histogram,
                   const struct histogram_bounds *bounds, uint64_t value)
{
    size_t bucket = 0;
    while (bucket < bounds->count && value > bounds->upper[bucket])
        bucket++;
    histogram->counts[bucket]++;
    histogram->sum += value;
}
