/* log_file.h - the log file: appended to, rotated at a size, opened again
 * (cli-config.md 10.3 to 10.5).
 *
 * Any thread writes, without a lock: the descriptor never changes, another
 * file is put under it in one step. A line may thus still go to the file that
 * has just been put away, but none is lost or torn. What is no regular file
 * (a FIFO, /dev/stdout) is written as a log_stream, and never rotated. */
#ifndef STREAMD_BASE_LOG_FILE_H
#define STREAMD_BASE_LOG_FILE_H

#include "streamd/base/log_format.h"

#include <stdint.h>

struct log_file;

/* Opens or makes path (mode 0660). Above limit bytes (0: never) the file is
 * renamed to "<path>.<local time>" and made anew; format is for the lines that
 * say so. On STATUS_OK the caller owns *out. Errors: STATUS_IO, NO_MEMORY. */
MUST_CHECK enum status log_file_open(const char *path, int64_t limit,
                                     const struct log_format *format,
                                     struct log_file **out, struct error *err);
void log_file_close(struct log_file *file); /* NULL is allowed */

/* One whole line. What cannot be written is dropped. */
void log_file_write(struct log_file *file, const char *line, size_t size);

/* Goes over to a new file if path was renamed; its first line is "File log
 * re-opened". On failure all is as before. Errors: STATUS_IO. */
MUST_CHECK enum status log_file_reopen(struct log_file *file,
                                       struct error *err);

/* Another limit and format, and if path is another one that file, which is
 * begun as by log_file_reopen(). On failure the file is as before. Errors:
 * STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status log_file_adjust(struct log_file *file, const char *path,
                                       int64_t limit,
                                       const struct log_format *format,
                                       struct error *err);

#endif
