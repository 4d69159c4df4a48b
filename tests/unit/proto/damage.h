/* damage.h - payloads that are not what a client sends, and what in a payload
 * is read otherwise by protobuf-c than by protocol.md section 4. */
#ifndef TESTS_UNIT_PROTO_DAMAGE_H
#define TESTS_UNIT_PROTO_DAMAGE_H

#include "streamd/base/buffer.h"
#include "tests/unit/base/random.h"

#include <protobuf-c/protobuf-c.h>

/* Changes blob in one of many ways. */
void damage(struct blob *blob, struct random *random);

/* Why protobuf-c may judge differently. */
enum difference {
    /* It takes no groups at all; section 4 skips unknown ones. */
    DIFFERENCE_GROUP = 1,
    /* It reads 5 bytes of a tag, and of those only 32 bits: longer ones fail,
     * too big ones become another number. */
    DIFFERENCE_TAG = 2,
    /* It takes the number 0 if it is written in more than one byte. */
    DIFFERENCE_ZERO = 4,
    /* It reads 5 bytes of a length; section 4 any varint of up to 10. */
    DIFFERENCE_LENGTH = 8,
    /* It checks no wire type for bool: any other is read as one. */
    DIFFERENCE_BOOL_TYPE = 16,
    /* It takes a bool to be true for any bit set, also for those of a tenth
     * byte that do not fit in 64 bits. */
    DIFFERENCE_BOOL_BITS = 32,
};

/* A set of those, found by a reader of its own that stops where it cannot go
 * on. */
unsigned differences(struct bytes input,
                     const ProtobufCMessageDescriptor *descriptor);

#endif
