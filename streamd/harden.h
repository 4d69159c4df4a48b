/* harden.h - what the process gives up before it does anything for others. */
#ifndef STREAMD_HARDEN_H
#define STREAMD_HARDEN_H

#include "streamd/base/status.h"
#include "streamd/options.h"

/* Once, before any other thread and before any file is made: neither we nor a
 * child gains privileges by running a program, and others may not read what we
 * write, whatever umask we were started with. Errors: STATUS_IO. */
MUST_CHECK enum status harden_process(struct error *err);

/* If there are keys or passwords among the options, or files of such: from here
 * on the process leaves no core dump, and only root may look into its memory.
 * With a sanitizer nothing is done, as leaks are looked for that way. Errors:
 * STATUS_IO. */
MUST_CHECK enum status harden_secrets(const struct options *options,
                                      struct error *err);

#endif
