#include "tests/unit/base/allocation.h"

#include <stdatomic.h>
#include <stddef.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the
 * names are the linker's */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
/* Weak: a program that calls it nowhere need not wrap it. */
__attribute__((weak)) void *__real_reallocarray(void *old, size_t count,
                                                size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

/* Of the process, as the allocator is; -1: none fails. */
static atomic_int good_left = -1;
static atomic_bool only_one, has_failed;
static atomic_int suspended;

void allocation_break(int good)
{
    only_one = false;
    has_failed = false;
    good_left = good;
}

void allocation_break_once(int good)
{
    allocation_break(good);
    only_one = true;
}

void allocation_repair(void)
{
    good_left = -1;
}

void allocation_suspend(void)
{
    suspended++;
}

void allocation_resume(void)
{
    suspended--;
}

bool allocation_failed(void)
{
    return has_failed;
}

/* One of the threads that ask at the same time gets each number. */
static bool fails(void)
{
    int left = good_left;
    do {
        if (left < 0 || suspended > 0)
            return false;
        if (left == 0 && !only_one)
            break; /* all fail from here on */
        /* behind 0 all are good again */
    } while (!atomic_compare_exchange_weak(&good_left, &left, left - 1));
    if (left == 0)
        has_failed = true;
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

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, count, size);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
