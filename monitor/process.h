/* process.h - what this process takes of the machine. Any thread. */
#ifndef MONITOR_PROCESS_H
#define MONITOR_PROCESS_H

#include <stdint.h>

/* 0 where there is no /proc. */
int64_t process_open_descriptors(void);
/* The soft limit; -1: none, 0: not known. */
int64_t process_max_descriptors(void);
/* Bytes in memory now; 0 where there is no /proc. */
int64_t process_memory(void);
/* Time on processors since the start, ns. */
int64_t process_cpu(void);
/* Processors there are; at least 1. */
int64_t process_cores(void);

#endif
