#include "streamd/base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

static int64_t system_monotonic(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

const struct clock clock_system = {
    .monotonic = system_monotonic,
    .wall = system_wall,
    .context = NULL,
};
