/* duration.h - time spans as people write them: "1h30m", "500ms", "1.5s"
 * (cli-config.md 2.4). In memory they are nanoseconds. */
#ifndef STREAMD_BASE_DURATION_H
#define STREAMD_BASE_DURATION_H

#include "streamd/base/status.h"

#include <stdint.h>

/* Enough for the longest text, "-2562047h47m16.854775808s", and its end. */
enum { DURATION_TEXT_MAX = 32 };

/* On STATUS_OK *ns is the span, negative ones included; else it is as before.
 * Errors: STATUS_INVALID with the "time: ..." text of the spec. */
MUST_CHECK enum status duration_parse(const char *text, int64_t *ns,
                                      struct error *err);

void duration_format(int64_t ns, char out[DURATION_TEXT_MAX]);

#endif
