/* forward.h - a page of another HTTP server on this machine, passed through.
 *
 * A plain socket and HTTP/1.0 (no chunks, the end is the end) are all that a
 * loopback needs; no library. Blocks the calling thread. */
#ifndef MONITOR_FORWARD_H
#define MONITOR_FORWARD_H

#include "monitor/http.h"

#include <stdint.h>

enum { FORWARD_BYTES_MAX = 64 << 20 };

/* Gets target from base ("http://127.0.0.1:8222") and puts status, type,
 * body and what else matters into *reply. Errors: STATUS_INVALID (base or
 * target), STATUS_UNAVAILABLE (not whole after timeout ns), STATUS_IO (no
 * connection, or no HTTP), STATUS_TOO_BIG, STATUS_NO_MEMORY; *reply is then
 * to be released, too. */
MUST_CHECK enum status forward_get(const char *base, const char *target,
                                   int64_t timeout, struct reply *reply,
                                   struct error *err);

#endif
