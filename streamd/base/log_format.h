/* log_format.h - one log line as bytes: the text form of cli-config.md 10.1 or
 * one JSON object.
 *
 * Any thread; no state. Text holds names that clients chose: whatever it is,
 * a line stays one line and steers no terminal. */
#ifndef STREAMD_BASE_LOG_FORMAT_H
#define STREAMD_BASE_LOG_FORMAT_H

#include "streamd/base/log.h"

#include <stddef.h>

struct log_format {
    bool json;
    bool time;   /* when, in front or as a member; atomic, */
    bool utc;    /* as this: they may change */
    bool colour; /* the level, for a terminal */
    bool bare;   /* text alone, without pid, time and level: syslog has them */
};

/* Room around the text: pid, time, coloured level or their JSON, line end. */
enum { LOG_FORMAT_FRAME = 192 };

/* The most room a line with size bytes of subject and text can need. */
size_t log_format_room(const struct log_format *format, size_t size);

/* Writes the line, which ends with LF, into out, and returns its size.
 * capacity is at least LOG_FORMAT_FRAME; text that does not fit is cut. */
size_t log_format_line(const struct log_format *format, enum log_level level,
                       const char *subject, const char *text, size_t size,
                       char *out, size_t capacity);

#endif
