/* pid_file.h - the file that holds our process id (cli-config.md 11.2). */
#ifndef STREAMD_PID_FILE_H
#define STREAMD_PID_FILE_H

#include "streamd/base/status.h"

/* Writes the decimal id of this process, and nothing else, over what path had;
 * made with mode 0660. It stays after our end. Errors: STATUS_IO, whose text
 * is that of cli-config.md. */
MUST_CHECK enum status pid_file_write(const char *path, struct error *err);

#endif
