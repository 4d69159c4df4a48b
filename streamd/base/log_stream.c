#include "streamd/base/log_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe or terminal is shared with others, who would not expect it to become
 * non-blocking: it is asked first, and then takes PIPE_BUF bytes for sure. */
void log_stream_init(struct log_stream *stream, int fd)
{
    struct stat stat;
    int flags = fcntl(fd, F_GETFL);
    bool blocks = flags >= 0 && (flags & O_NONBLOCK) == 0 &&
                  fstat(fd, &stat) == 0 && !S_ISREG(stat.st_mode);
    *stream = (struct log_stream){
        .fd = fd,
        .piece = blocks ? PIPE_BUF : SIZE_MAX,
    };
}

/* Waits until fd takes something; at most until the time end. */
static bool wait_room(const struct log_stream *stream, int64_t end)
{
    struct pollfd one = {.fd = stream->fd, .events = POLLOUT};
    for (;;) {
        int64_t left = end - clock_monotonic(&clock_system);
        int timeout = stream->stalled || left < 0
                          ? 0
                          : (int)(left / CLOCK_MILLISECOND) + 1;
        int ready = poll(&one, 1, timeout);
        if (ready < 0 && errno == EINTR)
            continue;
        return ready != 0; /* what is wrong with it, the write will tell */
    }
}

enum log_stream_result log_stream_write(struct log_stream *stream,
                                        const char *line, size_t size)
{
    int64_t end = clock_monotonic(&clock_system) + LOG_STREAM_PATIENCE;
    size_t done = 0;
    if (stream->torn) {
        if (!wait_room(stream, end) || write(stream->fd, "\n", 1) != 1)
            return LOG_STREAM_STALLED;
        stream->torn = false;
    }
    while (done < size && wait_room(stream, end)) {
        size_t piece = size - done;
        if (piece > stream->piece)
            piece = stream->piece;
        ssize_t written = write(stream->fd, line + done, piece);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno != EAGAIN)
            return LOG_STREAM_BROKEN;
        if (written <= 0)
            break; /* it was ready and is not: no use to ask again */
        done += (size_t)written;
        stream->stalled = false;
    }
    stream->stalled = done < size;
    stream->torn = stream->stalled && done > 0;
    return stream->stalled ? LOG_STREAM_STALLED : LOG_STREAM_DONE;
}
