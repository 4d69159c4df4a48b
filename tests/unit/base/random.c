#include "tests/unit/base/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void random_init(struct random *random)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    random->state = (uint64_t)now.tv_sec * 1000000007U + (uint64_t)now.tv_nsec;
    const char *seed = getenv("SEED");
    if (seed != NULL)
        random->state = strtoull(seed, NULL, 10);
    (void)fprintf(stderr, "SEED=%" PRIu64 "\n", random->state);
}

/* splitmix64 */
uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t limit)
{
    return random_next(random) % limit;
}
