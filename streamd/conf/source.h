/* source.h - configuration files as they lie on disk: reading one whole, and
 * finding what it includes. */
#ifndef STREAMD_CONF_SOURCE_H
#define STREAMD_CONF_SOURCE_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

/* Puts all of the file behind what is in *text. Errors: STATUS_IO ("open
 * s.conf: no such file or directory"), STATUS_TOO_BIG (above CONF_FILE_MAX),
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status source_read(const char *path, struct blob *text,
                                   struct error *err);

/* Where the file included by the one at path lies: beside that one, even if
 * its name is absolute, as long as something is there. The caller frees; NULL
 * when out of memory. */
char *source_beside(const char *path, const char *included);

#endif
