#include "streamd/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MODE = 0660, TEXT_SIZE = 24 };

enum status pid_file_write(const char *path, struct error *err)
{
    char text[TEXT_SIZE];
    char reason[128];
    int size = snprintf(text, sizeof text, "%ld", (long)getpid());
    /* Not to be held by a FIFO that nobody reads. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK,
                  FILE_MODE);
    bool done = fd >= 0 && write(fd, text, (size_t)size) == size;
    int code = errno;
    if (fd >= 0 && close(fd) != 0 && done) {
        code = errno;
        done = false;
    }
    if (done)
        return STATUS_OK;
    return fail(err, STATUS_IO, "Could not write pidfile: %s %s: %s",
                fd < 0 ? "open" : "write", path,
                strerror_r(code, reason, sizeof reason));
}
