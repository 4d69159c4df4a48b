/* timer.h - timers of one thread, kept in a heap: nothing costs while nothing
 * is due.
 *
 * Times are nanoseconds of the monotonic clock and are passed in. A timer is
 * part of its owner's struct; zero-initialise it and set fire and context.
 *
 * Its owner reserves a place for it when it is made, the one moment at which
 * memory may run out: to set a timer cannot fail, so none is ever forgotten. */
#ifndef STREAMD_BASE_TIMER_H
#define STREAMD_BASE_TIMER_H

#include "streamd/base/list.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due;
    size_t place;     /* in the heap, from 1; 0 = not set */
    struct list link; /* of those that one timers_run() has yet to fire */
    void (*fire)(struct timer *timer, int64_t now);
    void *context; /* the owner's */
};

struct timers {
    struct timer **heap; /* heap[0] is unused */
    size_t count;
    size_t capacity;
    size_t reserved;
};

void timers_release(struct timers *timers);

/* Places for `more` timers; false, and nothing changed, when out of memory. */
MUST_CHECK bool timers_reserve(struct timers *timers, size_t more);
/* Gives places back; timers that had them are no longer set. */
void timers_unreserve(struct timers *timers, size_t fewer);

/* Sets or moves timer, for which there is a place, to due. */
void timer_set(struct timers *timers, struct timer *timer, int64_t due);
void timer_clear(struct timers *timers, struct timer *timer);

static inline bool timer_is_set(const struct timer *timer)
{
    return timer->place != 0;
}

/* True, and the earliest due time in *due, if any timer is set. */
bool timers_next(const struct timers *timers, int64_t *due);

/* Fires, earliest first, what is due at now and was set before this call;
 * a timer is no longer set when its fire is called, and may be set again. */
void timers_run(struct timers *timers, int64_t now);

#endif
