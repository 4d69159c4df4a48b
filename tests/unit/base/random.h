/* random.h - numbers for tests that can be had again: the seed is printed and
 * taken from the environment variable SEED if that is set. */
#ifndef TESTS_UNIT_BASE_RANDOM_H
#define TESTS_UNIT_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

/* Prints the seed. */
void random_init(struct random *random);
uint64_t random_next(struct random *random);
/* From 0 to below limit (> 0). */
uint64_t random_below(struct random *random, uint64_t limit);

#endif
