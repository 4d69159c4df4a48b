/* meter.h - what a load costs: time, CPU of other processes, their memory. */
#ifndef TESTS_BENCH_METER_H
#define TESTS_BENCH_METER_H

#include "streamd/base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { METER_PROCESSES_MAX = 4, METER_NAME_MAX = 16 };

struct meter_process {
    char name[METER_NAME_MAX];
    pid_t pid;
    clockid_t clock;
    int64_t cpu_before;      /* ns */
    uint64_t written_before; /* bytes */
};

struct meter {
    struct meter_process processes[METER_PROCESSES_MAX];
    int count;
    int64_t started_at, ended_at, cpu_before, cpu_after;
};

/* watched is "name=pid,name=pid", or empty. False if it is not that, or a
 * process is not there. */
MUST_CHECK bool meter_init(struct meter *meter, const char *watched);
void meter_start(struct meter *meter);
void meter_stop(struct meter *meter);
/* Prints ,"seconds","rate","megabytes_per_second" of `messages` of `size`,
 * then CPU us per message of this process ("load") and the watched ones, and
 * of those memory (all, and what is not files) and bytes written. */
void meter_print(const struct meter *meter, uint64_t messages, uint64_t size);

#endif
