/* gotext.h - texts the way the Go server writes them (monitoring.md 3, 10). */
#ifndef MONITOR_GOTEXT_H
#define MONITOR_GOTEXT_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdint.h>

enum { GOTEXT_TIME_MAX = 48, GOTEXT_UPTIME_MAX = 48 };

/* Wall time in ns as RFC 3339 in local time, without trailing zeros. */
void gotext_time(int64_t wall, char out[GOTEXT_TIME_MAX]);

/* ns as "1d2h3m4s"; a negative span (the clock was set back) is "0s". */
void gotext_uptime(int64_t span, char out[GOTEXT_UPTIME_MAX]);

/* Appends bytes as valid UTF-8: each byte that is no part of a character
 * becomes U+FFFD. False when out of memory. */
MUST_CHECK bool gotext_utf8(struct bytes bytes, struct blob *out);

/* Appends JSON text with the escapes Go's encoder prefers: < > & U+2028 U+2029
 * U+FFFD and all control characters but \n \r \t as \u and small digits. False
 * when out of memory. */
MUST_CHECK bool gotext_json(struct bytes json, struct blob *out);

#endif
