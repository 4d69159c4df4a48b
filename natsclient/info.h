/* info.h - what a NATS server says of itself in INFO, as far as we use it.
 *
 * Pure functions over bytes that may be anything. */
#ifndef NATSCLIENT_INFO_H
#define NATSCLIENT_INFO_H

#include "natsclient/urls.h"
#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct info {
    size_t max_payload; /* bytes; 0: not said */
    bool lame_duck;     /* the server is about to end */
};

/* Reads the JSON of an INFO; the members of the NATS cluster that it names are
 * added to urls as nats://host:port, as long as there is room. Errors:
 * STATUS_INVALID (no JSON object); what is said of another type than it should
 * be is not said. */
MUST_CHECK enum status info_read(struct bytes json, struct info *out,
                                 struct urls *urls, struct error *err);

#endif
