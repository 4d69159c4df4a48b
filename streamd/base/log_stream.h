/* log_stream.h - a descriptor that may not take what is written to it at once:
 * standard error, a socket.
 *
 * Any thread, one at a time: the owner has a lock. A write lasts at most
 * LOG_STREAM_PATIENCE: who takes nothing for that long is offered each further
 * line without any wait. */
#ifndef STREAMD_BASE_LOG_STREAM_H
#define STREAMD_BASE_LOG_STREAM_H

#include "streamd/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_STREAM_PATIENCE CLOCK_SECOND

struct log_stream {
    int fd;
    size_t piece; /* what one write may have without blocking */
    bool stalled; /* the last line had to be given up for want of room */
    bool torn;    /* ... after a part of it was written */
};

enum log_stream_result {
    LOG_STREAM_DONE,
    LOG_STREAM_STALLED, /* the line is dropped */
    LOG_STREAM_BROKEN,  /* the line is dropped, the descriptor useless */
};

/* fd stays the caller's. */
void log_stream_init(struct log_stream *stream, int fd);

/* One line. */
enum log_stream_result log_stream_write(struct log_stream *stream,
                                        const char *line, size_t size);

#endif
