#include "streamd/base/timer.h"

#include <assert.h>
#include <stdlib.h>

/* The place of a timer that timers_run() took out of the heap and will fire:
 * still set, still to be moved or cleared by those fired before it. */
#define TIMER_FIRING SIZE_MAX

static void place(struct timers *timers, struct timer *timer, size_t at)
{
    timers->heap[at] = timer;
    timer->place = at;
}

static void rise(struct timers *timers, struct timer *timer)
{
    size_t at = timer->place;
    while (at > 1 && timers->heap[at / 2]->due > timer->due) {
        place(timers, timers->heap[at / 2], at);
        at /= 2;
    }
    place(timers, timer, at);
}

static void sink(struct timers *timers, struct timer *timer)
{
    size_t at = timer->place;
    for (;;) {
        size_t child = at * 2;
        if (child > timers->count)
            break;
        if (child < timers->count &&
            timers->heap[child + 1]->due < timers->heap[child]->due)
            child++;
        if (timers->heap[child]->due >= timer->due)
            break;
        place(timers, timers->heap[child], at);
        at = child;
    }
    place(timers, timer, at);
}

void timers_release(struct timers *timers)
{
    for (size_t i = 1; i <= timers->count; i++)
        timers->heap[i]->place = 0;
    free(timers->heap);
    *timers = (struct timers){0};
}

bool timers_reserve(struct timers *timers, size_t more)
{
    size_t capacity = timers->capacity == 0 ? 16 : timers->capacity;
    while (capacity <= timers->reserved + more) /* heap[0] is unused */
        capacity *= 2;
    if (capacity != timers->capacity) {
        struct timer **heap =
            realloc(timers->heap, capacity * sizeof(struct timer *));
        if (heap == NULL)
            return false;
        timers->heap = heap;
        timers->capacity = capacity;
    }
    timers->reserved += more;
    return true;
}

void timers_unreserve(struct timers *timers, size_t fewer)
{
    assert(fewer <= timers->reserved);
    timers->reserved -= fewer;
    assert(timers->count <= timers->reserved);
}

void timer_set(struct timers *timers, struct timer *timer, int64_t due)
{
    if (timer->place == TIMER_FIRING)
        timer_clear(timers, timer);
    if (!timer_is_set(timer)) {
        assert(timers->count < timers->reserved);
        place(timers, timer, ++timers->count);
    }
    timer->due = due;
    rise(timers, timer);
    sink(timers, timer);
}

void timer_clear(struct timers *timers, struct timer *timer)
{
    if (!timer_is_set(timer))
        return;
    if (timer->place == TIMER_FIRING) {
        list_remove(&timer->link);
        timer->place = 0;
        return;
    }
    struct timer *last = timers->heap[timers->count--];
    if (last != timer) {
        place(timers, last, timer->place);
        rise(timers, last);
        sink(timers, last);
    }
    timer->place = 0;
}

bool timers_next(const struct timers *timers, int64_t *due)
{
    if (timers->count == 0)
        return false;
    *due = timers->heap[1]->due;
    return true;
}

void timers_run(struct timers *timers, int64_t now)
{
    /* Taken out first: what a fire sets, be it due at once, waits for the next
     * run and cannot keep us here, nor overtake what was due before. */
    struct list firing;
    list_init(&firing);
    while (timers->count > 0 && timers->heap[1]->due <= now) {
        struct timer *timer = timers->heap[1];
        timer_clear(timers, timer);
        timer->place = TIMER_FIRING;
        list_append(&firing, &timer->link);
    }
    while (!list_empty(&firing)) {
        struct timer *timer = list_entry(firing.next, struct timer, link);
        timer_clear(timers, timer);
        timer->fire(timer, now);
    }
}
