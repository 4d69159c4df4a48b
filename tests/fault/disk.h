/* disk.h - a disk that loses power, or refuses a call, when a test says so.
 *
 * Stands between the program and libc for the calls that change files: open,
 * write, fsync, fdatasync, rename, unlink and their *at forms, whoever makes
 * them, LevelDB or the store. What belongs to the watched directory is tracked:
 * how far each file was synced, and which changes of names since the directory
 * was. The files are real, so that everything else reads them as ever.
 *
 * A sync of a file does not keep its name, only a sync of the directory does.
 * What a journal orders reaches the disk in order: changes of names and growth
 * of files. What the files grew by may be there, in part, or be garbage. */
#ifndef TESTS_FAULT_DISK_H
#define TESTS_FAULT_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* Of the database's directory, absolute, not there yet. Ends the watch over
 * the one before and removes what that left. */
void disk_watch(const char *directory);
void disk_forget(void);

enum disk_call {
    DISK_CREATE,
    DISK_WRITE,
    DISK_SYNC,
    DISK_RENAME,
    DISK_UNLINK,
    DISK_CALLS,
};

/* Calls that change something, made so far. */
uint64_t disk_count(void);

/* The power goes instead of the call behind `calls` more: it fails, and all
 * after it. */
void disk_cut_after(uint64_t calls);
bool disk_is_off(void);

/* Power is back: what was not synced is gone, torn, or there. Everything that
 * had files open is closed by then. */
void disk_power_on(uint64_t *seed);

/* How far the file of that name is synced now (all of it, after power_on). */
uint64_t disk_kept(const char *name);

/* The call behind `calls` more fails with the number; `times` of them in a
 * row. Number 0: a write does half, says so, and the next says ENOSPC. */
void disk_fail_after(uint64_t calls, int number, uint64_t times);
/* What failed first since disk_fail_after(); DISK_CALLS: nothing. */
enum disk_call disk_failed(void);
void disk_heal(void);

#endif
