/* ports_file.h - the file in the user's -ports_file_dir, which the Go server
 * writes there: <program>_<pid>.ports, JSON, lists of URLs by name. */
#ifndef STREAMD_PORTS_FILE_H
#define STREAMD_PORTS_FILE_H

#include "streamd/base/status.h"

/* text is the ports file of the nats-server; its monitoring, which is for us
 * alone, is left out. *path is the caller's, for ports_file_remove(). Errors:
 * STATUS_IO ("Error writing ports file ..."), STATUS_NO_MEMORY. */
MUST_CHECK enum status ports_file_write(const char *directory, const char *text,
                                        char **path, struct error *err);

/* Removes the file and frees path; NULL is allowed. */
void ports_file_remove(char *path);

#endif
