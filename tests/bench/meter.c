#include "tests/bench/meter.h"

#include "streamd/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t cpu_time(clockid_t clock)
{
    struct timespec used = {0};
    (void)clock_gettime(clock, &used);
    return (int64_t)used.tv_sec * CLOCK_SECOND + used.tv_nsec;
}

/* The number behind key in /proc/PID/file; 0 if there is none. */
static uint64_t read_proc(pid_t pid, const char *file, const char *key)
{
    char path[64];
    char line[256];
    uint64_t value = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return 0;
    while (fgets(line, sizeof line, stream) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            value = strtoull(line + strlen(key), NULL, 10);
            break;
        }
    }
    (void)fclose(stream);
    return value;
}

static uint64_t bytes_written(pid_t pid)
{
    return read_proc(pid, "io", "write_bytes:");
}

/* "name=pid"; the end of it in *end. */
static bool add_process(struct meter *meter, const char *text, char **end)
{
    const char *sign = strchr(text, '=');
    if (sign == NULL || sign - text >= METER_NAME_MAX ||
        meter->count == METER_PROCESSES_MAX)
        return false;
    struct meter_process *process = &meter->processes[meter->count];
    memcpy(process->name, text, (size_t)(sign - text));
    errno = 0;
    long pid = strtol(sign + 1, end, 10);
    process->pid = (pid_t)pid;
    if (errno != 0 || *end == sign + 1 || process->pid != pid || pid <= 0 ||
        clock_getcpuclockid(process->pid, &process->clock) != 0)
        return false;
    meter->count++;
    return true;
}

bool meter_init(struct meter *meter, const char *watched)
{
    *meter = (struct meter){0};
    while (*watched != '\0') {
        char *end;
        if (!add_process(meter, watched, &end) || (*end != '\0' && *end != ','))
            return false;
        watched = *end == ',' ? end + 1 : end;
    }
    return true;
}

void meter_start(struct meter *meter)
{
    for (int i = 0; i < meter->count; i++) {
        struct meter_process *process = &meter->processes[i];
        process->cpu_before = cpu_time(process->clock);
        process->written_before = bytes_written(process->pid);
    }
    meter->cpu_before = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
    meter->started_at = clock_monotonic(&clock_system);
}

void meter_stop(struct meter *meter)
{
    meter->ended_at = clock_monotonic(&clock_system);
    meter->cpu_after = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
}

static void print_processes(const struct meter *meter, const char *name,
                            uint64_t (*value)(const struct meter_process *))
{
    (void)printf(",\"%s\":{", name);
    for (int i = 0; i < meter->count; i++) {
        const struct meter_process *process = &meter->processes[i];
        (void)printf("%s\"%s\":%llu", i == 0 ? "" : ",", process->name,
                     (unsigned long long)value(process));
    }
    (void)printf("}");
}

static uint64_t memory_all(const struct meter_process *process)
{
    return read_proc(process->pid, "status", "VmRSS:");
}

static uint64_t memory_anonymous(const struct meter_process *process)
{
    return read_proc(process->pid, "status", "RssAnon:");
}

static uint64_t written(const struct meter_process *process)
{
    return bytes_written(process->pid) - process->written_before;
}

void meter_print(const struct meter *meter, uint64_t messages, uint64_t size)
{
    double count = messages == 0 ? 1 : (double)messages;
    int64_t time = meter->ended_at - meter->started_at;
    double seconds = (double)(time > 0 ? time : 1) / 1e9;
    (void)printf(",\"seconds\":%.6f,\"rate\":%.1f", seconds,
                 (double)messages / seconds);
    (void)printf(",\"megabytes_per_second\":%.2f",
                 (double)messages * (double)size / seconds / 1e6);
    (void)printf(",\"cpu_us\":{\"load\":%.3f",
                 (double)(meter->cpu_after - meter->cpu_before) / 1e3 / count);
    for (int i = 0; i < meter->count; i++) {
        const struct meter_process *process = &meter->processes[i];
        int64_t used = cpu_time(process->clock) - process->cpu_before;
        (void)printf(",\"%s\":%.3f", process->name, (double)used / 1e3 / count);
    }
    (void)printf("}");
    print_processes(meter, "memory_kb", memory_all);
    print_processes(meter, "memory_anonymous_kb", memory_anonymous);
    print_processes(meter, "written_bytes", written);
}
