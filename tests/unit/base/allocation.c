#include "tests/unit/base/allocation.h"

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
static int good_left = -1;
static bool only_one, has_failed;
static int suspended;

static void set_left(int good)
{
    __atomic_store_n(&good_left, good, __ATOMIC_SEQ_CST);
}

void allocation_break(int good)
{
    only_one = has_failed = false;
    set_left(good);
}

void allocation_break_once(int good)
{
    allocation_break(good);
    only_one = true;
}

void allocation_repair(void)
{
    set_left(-1);
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

static bool fails(void)
{
    int left = __atomic_load_n(&good_left, __ATOMIC_SEQ_CST);
    if (left < 0 || suspended > 0)
        return false;
    if (left > 0 || only_one)
        set_left(left - 1); /* behind 0 all are good again */
    has_failed = has_failed || left == 0;
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
