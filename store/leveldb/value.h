/* value.h - what stands before every stored payload, and the checks on it.
 *
 *   record   format 1 | crc 4 | payload
 *   message  format 1 | crc 4 | timestamp 8 | encoded MsgProto
 *   mark     format 2 | crc 4 | timestamp 8 | messages 8 | bytes 8 | MsgProto
 *
 * A mark is a message that also tells what its channel held once it was
 * appended, before limits dropped anything for it: every MARK_EVERYth sequence
 * is one, so that recovery need not count from the channel record on.
 * Numbers big-endian. crc is the CRC-32 of key, format byte and all behind the
 * crc: a value that was moved to another key is damage, too. A new layout gets
 * a new format byte, and the old ones stay readable. */
#ifndef STORE_LEVELDB_VALUE_H
#define STORE_LEVELDB_VALUE_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { VALUE_FORMAT = 1, VALUE_HEADER = 5, MESSAGE_HEADER = 13 };
enum { MARK_FORMAT = 2, MARK_HEADER = 29, MARK_EVERY = 64 };

struct mark {
    uint64_t messages, bytes; /* of the channel, as counted */
};

/* Replace what is in out; false when out of memory. */
MUST_CHECK bool value_seal(struct blob *out, struct bytes key,
                           struct bytes payload);
/* mark may be NULL: no mark. */
MUST_CHECK bool message_seal(struct blob *out, struct bytes key,
                             int64_t timestamp, const struct mark *mark,
                             struct bytes message);

/* False on damage. What they give points into value. */
MUST_CHECK bool value_open(struct bytes key, struct bytes value,
                           struct bytes *payload);
MUST_CHECK bool message_open(struct bytes key, struct bytes value,
                             int64_t *timestamp, struct bytes *message);
/* Of a value that message_open() took; false if it is no mark. */
bool message_mark(struct bytes value, struct mark *out);

#endif
