/* query.h - a request's target: the path, decoded and clean, and parameters.
 *
 * Takes them from the raw text as Go does (monitoring.md 2), which is not how
 * libmicrohttpd does: a pair with a bad escape or a ';' does not count. */
#ifndef MONITOR_QUERY_H
#define MONITOR_QUERY_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>

/* The part before '?', unescaped. On STATUS_OK the caller ends *path with
 * blob_release(); it is terminated, the 0 not counted. Errors: STATUS_INVALID
 * (a bad escape, a NUL, no '/' in front), STATUS_NO_MEMORY. */
MUST_CHECK enum status query_path(const char *target, struct blob *path);

/* Without "//", "." and "..": in place; true if that changed it. */
bool query_path_clean(struct blob *path);

/* The first value of the parameter called name, unescaped and terminated; an
 * empty one if there is none. To be released as above. Errors:
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status query_parameter(const char *target, const char *name,
                                       struct blob *value);

/* Text without its escapes ('+' is itself), terminated; to be released as
 * above. Errors: STATUS_INVALID (a bad escape), STATUS_NO_MEMORY. */
MUST_CHECK enum status query_unescape(struct bytes text, struct blob *out);

/* A decimal number, sign allowed; what is none is 0, what is too large becomes
 * the nearest number. */
int64_t query_number(const struct blob *value);

#endif
