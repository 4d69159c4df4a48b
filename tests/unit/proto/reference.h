/* reference.h - every message of the house beside its protobuf-c twin, so that
 * one test serves all of them. */
#ifndef TESTS_UNIT_PROTO_REFERENCE_H
#define TESTS_UNIT_PROTO_REFERENCE_H

#include "streamd/base/buffer.h"
#include "tests/unit/base/random.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct member {
    unsigned number;
    size_t offset; /* in our struct; its type follows from the descriptor */
};

enum { REFERENCE_MEMBERS = 16, REFERENCE_SIZE = 512 };

struct reference {
    const ProtobufCMessageDescriptor *descriptor;
    bool (*decode)(struct bytes input, void *out);
    /* NULL if the house only reads this message. It may first change what of
     * the message cannot be encoded. */
    bool (*encode)(void *message, struct blob *out);
    size_t size; /* of our struct, at most REFERENCE_SIZE */
    struct member members[REFERENCE_MEMBERS]; /* ends with number 0 */
};

extern const struct reference references[];
extern const size_t reference_count;

/* A message with random fields; protobuf_c_message_free_unpacked() ends it. */
ProtobufCMessage *reference_random(const struct reference *reference,
                                   struct random *random);

/* Sets the members of ours, which is zeroed, to those of theirs; borrows. */
void reference_copy(const struct reference *reference,
                    const ProtobufCMessage *theirs, void *ours);

/* Fails the test where a member of ours differs from its twin. */
void reference_compare(const struct reference *reference, const void *ours,
                       const ProtobufCMessage *theirs);

#endif
