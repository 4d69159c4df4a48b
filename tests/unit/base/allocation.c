#include "tests/unit/base/allocation.h"

#include <stdbool.h>
#include <stddef.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the
 * names are the linker's */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* Of the process, as the allocator is; -1: none fails. */
static int good_left = -1;

void allocation_break(int good)
{
    __atomic_store_n(&good_left, good, __ATOMIC_SEQ_CST);
}

void allocation_repair(void)
{
    allocation_break(-1);
}

static bool fails(void)
{
    int left = __atomic_load_n(&good_left, __ATOMIC_SEQ_CST);
    if (left > 0)
        allocation_break(left - 1);
    return left == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
