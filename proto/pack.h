/* pack.h - from protobuf-c's structs to a blob, for the encoders of cold paths.
 *
 * Private to proto. */
#ifndef PROTO_PACK_H
#define PROTO_PACK_H

#include "streamd/base/buffer.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* Borrows: the library takes no const, but packing only reads. */
static inline ProtobufCBinaryData pack_bytes(struct bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.size,
                                 .data = (uint8_t *)bytes.data};
}

/* Appends the encoding; false, and out as before, when out of memory. */
MUST_CHECK bool pack_append(const ProtobufCMessage *message, struct blob *out);

#endif
