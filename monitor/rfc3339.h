/* rfc3339.h - times as administration reads and writes them: RFC 3339, UTC. */
#ifndef MONITOR_RFC3339_H
#define MONITOR_RFC3339_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { RFC3339_MAX = 40 };

/* Wall time in ns (not before 1970) as "2026-11-25T16:52:54.123456789Z". */
void rfc3339_write(int64_t wall, char out[RFC3339_MAX]);

/* The other way; any offset, up to nine digits of a second's fraction. False if
 * text is no such time, or one before 1970 or after what ns can count (2262).
 * A leap second counts as the next one. */
bool rfc3339_read(struct bytes text, int64_t *wall);

#endif
