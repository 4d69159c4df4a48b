/* allocation.h - lets one allocation fail. Programs that use it are linked
 * with --wrap for malloc, calloc and realloc. */
#ifndef TESTS_UNIT_BASE_ALLOCATION_H
#define TESTS_UNIT_BASE_ALLOCATION_H

/* After `good` more allocations all fail, until allocation_repair(). */
void allocation_break(int good);
void allocation_repair(void);

#endif
