/* allocation.h - lets allocations fail. Programs that use it are linked with
 * --wrap for malloc, calloc, realloc and reallocarray. */
#ifndef TESTS_UNIT_BASE_ALLOCATION_H
#define TESTS_UNIT_BASE_ALLOCATION_H

#include <stdbool.h>

/* After `good` more allocations all fail, until allocation_repair(). */
void allocation_break(int good);
/* After `good` more allocations one fails. */
void allocation_break_once(int good);
void allocation_repair(void);

/* Between the two allocations neither fail nor count: the test's own, in the
 * middle of what it tests. May be nested; one thread. */
void allocation_suspend(void);
void allocation_resume(void);

/* Whether one has failed since the last allocation_break...(). */
bool allocation_failed(void);

#endif
