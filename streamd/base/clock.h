/* clock.h - the two clocks, as a value, so that a test passes its own.
 *
 * Both in nanoseconds. monotonic never goes back and measures intervals; wall
 * is Unix time and goes only into message timestamps and what is shown. */
#ifndef STREAMD_BASE_CLOCK_H
#define STREAMD_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_MICROSECOND INT64_C(1000)
#define CLOCK_MILLISECOND INT64_C(1000000)
#define CLOCK_SECOND INT64_C(1000000000)

struct clock {
    int64_t (*monotonic)(void *context);
    int64_t (*wall)(void *context);
    void *context;
};

extern const struct clock clock_system; /* any thread */

static inline int64_t clock_monotonic(const struct clock *clock)
{
    return clock->monotonic(clock->context);
}

static inline int64_t clock_wall(const struct clock *clock)
{
    return clock->wall(clock->context);
}

#endif
