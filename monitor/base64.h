/* base64.h - base64 of RFC 4648 section 4, by OpenSSL. */
#ifndef MONITOR_BASE64_H
#define MONITOR_BASE64_H

#include "streamd/base/status.h"
#include "streamd/base/text.h"

/* Appends it to *out; false when out of memory. */
MUST_CHECK bool base64_write(struct bytes data, struct blob *out);

/* Into *out, which is replaced. Errors: STATUS_INVALID (another character, no
 * multiple of four: padding is needed), STATUS_NO_MEMORY. */
MUST_CHECK enum status base64_read(struct bytes text, struct text *out);

#endif
