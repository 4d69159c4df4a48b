#include "monitor/process.h"

#include "streamd/base/clock.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

int64_t process_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    int64_t count = -1; /* its own */
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] != '.')
            count++;
    }
    (void)closedir(directory);
    return count;
}

int64_t process_max_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    return limit.rlim_cur == RLIM_INFINITY ? -1 : (int64_t)limit.rlim_cur;
}

int64_t process_memory(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    char line[128] = "";
    long long total = 0;
    long long resident = 0;
    bool read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers fit */
    if (!read || sscanf(line, "%lld %lld", &total, &resident) != 2)
        return 0;
    return resident * sysconf(_SC_PAGESIZE);
}

static int64_t nanoseconds(struct timeval time)
{
    return time.tv_sec * CLOCK_SECOND + time.tv_usec * INT64_C(1000);
}

int64_t process_cpu(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

int64_t process_cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count;
}
