#include "streamd/ports_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MODE = 0644 };

/* text without the list called monitoring: no URL holds a bracket but those of
 * an IPv6 address, and those of monitoring are 127.0.0.1. */
static char *without_monitoring(const char *text)
{
    char *copy = strdup(text);
    char *start = copy == NULL ? NULL : strstr(copy, "\"monitoring\"");
    char *end = start == NULL ? NULL : strchr(start, ']');
    if (end == NULL)
        return copy;
    end++;
    end += strspn(end, ", \t\n");
    if (*end == '}') { /* the last one: the comma is in front of it */
        while (start > copy && strchr(", \t\n", start[-1]) != NULL)
            start--;
    }
    memmove(start, end, strlen(end) + 1);
    return copy;
}

static enum status write_failed(const char *path, struct error *err)
{
    char reason[128];
    return fail(err, STATUS_IO, "Error writing ports file to %s: %s", path,
                strerror_r(errno, reason, sizeof reason));
}

/* Complete or not at all, for those who wait for it. */
static enum status put(const char *path, const char *text, struct error *err)
{
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.new", path) < 0)
        return fail(err, STATUS_NO_MEMORY, "ports file");
    int fd =
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    size_t size = strlen(text);
    bool done = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    if (fd >= 0)
        done = close(fd) == 0 && done;
    if (done)
        done = rename(temporary, path) == 0;
    enum status status = done ? STATUS_OK : write_failed(path, err);
    if (!done)
        (void)unlink(temporary);
    free(temporary);
    return status;
}

enum status ports_file_write(const char *directory, const char *text,
                             char **path, struct error *err)
{
    *path = NULL;
    char *shown = without_monitoring(text);
    if (shown == NULL ||
        asprintf(path, "%s/%s_%ld.ports", directory,
                 program_invocation_short_name, (long)getpid()) < 0) {
        *path = NULL;
        free(shown);
        return fail(err, STATUS_NO_MEMORY, "ports file");
    }
    enum status status = put(*path, shown, err);
    free(shown);
    if (status != STATUS_OK) {
        free(*path);
        *path = NULL;
    }
    return status;
}

void ports_file_remove(char *path)
{
    if (path != NULL)
        (void)unlink(path);
    free(path);
}
