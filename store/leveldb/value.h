/* value.h - what stands before every value of the database, and the check.
 *
 *   format 1 | crc 4 | payload
 *
 * Numbers big-endian. crc is the CRC-32 of key, format byte and payload: a
 * value that was moved to another key is damage, too. A new layout gets a new
 * format byte, and the old ones stay readable. */
#ifndef STORE_LEVELDB_VALUE_H
#define STORE_LEVELDB_VALUE_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { VALUE_FORMAT = 1, VALUE_HEADER = 5 };

/* Replaces what is in out; false when out of memory. */
MUST_CHECK bool value_seal(struct blob *out, struct bytes key,
                           struct bytes payload);

/* False on damage. payload points into value. */
MUST_CHECK bool value_open(struct bytes key, struct bytes value,
                           struct bytes *payload);

#endif
