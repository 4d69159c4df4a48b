/* Loaded into a streamd before libc: fails calls and moves its wall clock as
 * the file named by FAULT_CONTROL says, at any moment. Numbers of the file, in
 * the machine's order: errno for syncs, for writes to the database, for files
 * created in it (each 32 bits, 0: none), how long a write to the database and a
 * read of its segments take (each 32 bits, us), and what is added to the wall
 * clock (64 bits, ns). Only streamd's own code sees the moved clock: the
 * kernel's waits until a time of day, which libraries use, go by the real one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
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
    int32_t sync_errno, write_errno, create_errno, write_us, read_us;
    int64_t clock_offset;
};

/* Set once, before main(). */
static const volatile struct control *control;
static uintptr_t code_start, code_end; /* of the program itself */

/* The program is the first of all. */
static int note_code(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            code_start = info->dlpi_addr + part->p_vaddr;
            code_end = code_start + part->p_memsz;
        }
    }
    return 1;
}

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
    (void)dl_iterate_phdr(note_code, NULL);
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

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,
 * clang-analyzer-valist.Uninitialized): libc's names; a false alarm of 14 */

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

static void path_of(int file, char path[PATH_MAX])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t count = readlink(link, path, PATH_MAX - 1);
    path[count < 0 ? 0 : count] = '\0';
}

static bool is_in_database(int file)
{
    char path[PATH_MAX];
    path_of(file, path);
    return in_database(path);
}

static bool is_database(int directory)
{
    char path[PATH_MAX];
    path_of(directory, path);
    size_t size = strlen(path);
    return size > 8 && strcmp(path + size - 8, "/nss.ldb") == 0;
}

ssize_t write(int file, const void *data, size_t size)
{
    if (control != NULL &&
        (control->write_errno != 0 || control->write_us != 0) &&
        is_in_database(file)) {
        const struct timespec pause = {.tv_nsec = control->write_us * 1000L};
        (void)nanosleep(&pause, NULL);
        if (fails(control->write_errno))
            return -1;
    }
    return syscall(SYS_write, file, data, size);
}

static void read_slowly(int file)
{
    if (control == NULL || control->read_us == 0 || !is_in_database(file))
        return;
    const struct timespec pause = {.tv_nsec = control->read_us * 1000L};
    (void)nanosleep(&pause, NULL);
}

ssize_t pread(int file, void *out, size_t size, off_t offset)
{
    read_slowly(file);
    return syscall(SYS_pread64, file, out, size, offset);
}

ssize_t pread64(int file, void *out, size_t size, off64_t offset)
{
    read_slowly(file);
    return syscall(SYS_pread64, file, out, size, offset);
}

static int do_open(int directory, const char *path, int flags, mode_t mode)
{
    if ((flags & O_CREAT) != 0 && control != NULL &&
        (directory == AT_FDCWD ? in_database(path) : is_database(directory)) &&
        fails(control->create_errno))
        return -1;
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return do_open(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return do_open(directory, path, flags, mode);
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    static const int64_t second = INT64_C(1000000000);
    int result = (int)syscall(SYS_clock_gettime, id, time);
    uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    if (result != 0 || id != CLOCK_REALTIME || control == NULL ||
        caller < code_start || caller >= code_end)
        return result;
    int64_t now =
        (int64_t)time->tv_sec * second + time->tv_nsec + control->clock_offset;
    time->tv_sec = now / second;
    time->tv_nsec = now % second;
    return 0;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name,
 * clang-analyzer-valist.Uninitialized) */
