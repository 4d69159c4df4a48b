#include "proto/pack.h"

bool pack_append(const ProtobufCMessage *message, struct blob *out)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    if (!blob_reserve(out, size))
        return false;
    if (size > 0)
        out->size += protobuf_c_message_pack(message, out->data + out->size);
    return true;
}
