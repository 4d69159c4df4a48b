/* Loaded into a streamd before libc: fails calls and moves its wall clock as
 * the file named by FAULT_CONTROL says, at any moment. Numbers of the file, in
 * the machine's order: errno for syncs, for writes to the database, for files
 * created in it (each 32 bits, 0: none), 32 bits unused, and what is added to
 * the wall clock (64 bits, ns). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct control {
    int32_t sync_errno, write_errno, create_errno, unused;
    int64_t clock_offset;
};

/* Set once, before main(). */
static const volatile struct control *control;

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("FAULT_CONTROL");
    if (path == NULL)
        return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    void *mapped =
        mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, file, 0);
    if (file < 0 || mapped == MAP_FAILED)
        abort();
    (void)close(file);
    control = mapped;
}

static bool fails(int32_t number)
{
    if (number == 0)
        return false;
    errno = number;
    return true;
}

static bool in_database(const char *path)
{
    return strstr(path, "/nss.ldb/") != NULL;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

int fdatasync(int file)
{
    if (control != NULL && fails(control->sync_errno))
        return -1;
    return (int)syscall(SYS_fdatasync, file);
}

int fsync(int file)
{
    if (control != NULL && fails(control->sync_errno))
        return -1;
    return (int)syscall(SYS_fsync, file);
}

ssize_t write(int file, const void *data, size_t size)
{
    if (control != NULL && control->write_errno != 0) {
        char link[64], path[PATH_MAX];
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t count = readlink(link, path, sizeof path - 1);
        path[count < 0 ? 0 : count] = '\0';
        if (in_database(path) && fails(control->write_errno))
            return -1;
    }
    return syscall(SYS_write, file, data, size);
}

static int do_open(const char *path, int flags, mode_t mode)
{
    if ((flags & O_CREAT) != 0 && control != NULL && in_database(path) &&
        fails(control->create_errno))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return do_open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return do_open(path, flags, mode);
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    static const int64_t second = INT64_C(1000000000);
    int result = (int)syscall(SYS_clock_gettime, id, time);
    if (result != 0 || id != CLOCK_REALTIME || control == NULL)
        return result;
    int64_t now =
        (int64_t)time->tv_sec * second + time->tv_nsec + control->clock_offset;
    time->tv_sec = now / second;
    time->tv_nsec = now % second;
    return 0;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
