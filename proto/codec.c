/* The hot path of codec.h: a case for each tag, no table, no allocation. */
#include "proto/codec.h"

#include "proto/wire.h"

/* A field of the message in known (bit = number) has the wrong wire type, or
 * it would have had its own case; any other is skipped. */
static bool skip_unknown(struct wire *wire, uint32_t tag, uint32_t known)
{
    uint32_t number = WIRE_NUMBER(tag);
    if (number < 32 && (known >> number & 1) != 0)
        return false;
    return wire_skip(wire, tag);
}

#define NUMBERS_1_TO(last) ((2U << (last)) - 2U)
#define NUMBER(number) (1U << (number))

bool pub_msg_decode(struct bytes input, struct pub_msg *out)
{
    const uint32_t known = NUMBERS_1_TO(6) | NUMBER(10);
    *out = (struct pub_msg){0};
    struct bytes sha256 = {0};
    struct wire wire = wire_open(input);
    while (wire_more(&wire)) {
        uint32_t tag;
        struct bytes *field = NULL;
        if (!wire_tag(&wire, &tag))
            return false;
        switch (tag) {
        case WIRE_TAG(1, WIRE_BYTES):
            field = &out->client_id;
            break;
        case WIRE_TAG(2, WIRE_BYTES):
            field = &out->guid;
            break;
        case WIRE_TAG(3, WIRE_BYTES):
            field = &out->subject;
            break;
        case WIRE_TAG(4, WIRE_BYTES):
            field = &out->reply;
            break;
        case WIRE_TAG(5, WIRE_BYTES):
            field = &out->data;
            break;
        case WIRE_TAG(6, WIRE_BYTES):
            field = &out->conn_id;
            break;
        case WIRE_TAG(10, WIRE_BYTES):
            field = &sha256;
            break;
        default:
            if (!skip_unknown(&wire, tag, known))
                return false;
            continue;
        }
        if (!wire_bytes(&wire, field))
            return false;
    }
    return true;
}

bool ack_decode(struct bytes input, struct ack *out)
{
    *out = (struct ack){0};
    struct wire wire = wire_open(input);
    while (wire_more(&wire)) {
        uint32_t tag;
        if (!wire_tag(&wire, &tag))
            return false;
        bool ok;
        switch (tag) {
        case WIRE_TAG(1, WIRE_BYTES):
            ok = wire_bytes(&wire, &out->subject);
            break;
        case WIRE_TAG(2, WIRE_VARINT):
            ok = wire_varint(&wire, &out->sequence);
            break;
        default:
            ok = skip_unknown(&wire, tag, NUMBERS_1_TO(2));
        }
        if (!ok)
            return false;
    }
    return true;
}

size_t pub_ack_size(struct bytes guid, struct bytes error)
{
    return wire_bytes_field_size(guid) + wire_bytes_field_size(error);
}

size_t pub_ack_encode(struct bytes guid, struct bytes error, uint8_t *out)
{
    uint8_t *end = wire_put_bytes_field(out, 1, guid);
    end = wire_put_bytes_field(end, 2, error);
    return (size_t)(end - out);
}

size_t msg_proto_size(const struct msg_proto *message)
{
    return wire_uint64_field_size(message->sequence) +
           wire_bytes_field_size(message->subject) +
           wire_bytes_field_size(message->reply) +
           wire_bytes_field_size(message->data) +
           wire_uint64_field_size((uint64_t)message->timestamp);
}

size_t msg_proto_encode(const struct msg_proto *message, uint8_t *out)
{
    uint8_t *end = wire_put_uint64_field(out, 1, message->sequence);
    end = wire_put_bytes_field(end, 2, message->subject);
    end = wire_put_bytes_field(end, 3, message->reply);
    end = wire_put_bytes_field(end, 4, message->data);
    end = wire_put_uint64_field(end, 5, (uint64_t)message->timestamp);
    return (size_t)(end - out);
}

size_t msg_proto_redelivery(uint32_t count,
                            uint8_t out[MSG_PROTO_REDELIVERY_MAX])
{
    uint8_t *end = wire_put_uint64_field(out, 6, true);
    end = wire_put_uint64_field(end, 7, count);
    return (size_t)(end - out);
}

/* Members that are narrower than what a varint can hold. */
struct narrow {
    uint64_t timestamp, redelivered, redelivery_count, crc32;
};

static bool msg_proto_fields(struct bytes input, struct msg_proto *out,
                             struct narrow *narrow)
{
    const uint32_t known = NUMBERS_1_TO(7) | NUMBER(10);
    struct wire wire = wire_open(input);
    while (wire_more(&wire)) {
        uint32_t tag;
        if (!wire_tag(&wire, &tag))
            return false;
        bool ok;
        switch (tag) {
        case WIRE_TAG(1, WIRE_VARINT):
            ok = wire_varint(&wire, &out->sequence);
            break;
        case WIRE_TAG(2, WIRE_BYTES):
            ok = wire_bytes(&wire, &out->subject);
            break;
        case WIRE_TAG(3, WIRE_BYTES):
            ok = wire_bytes(&wire, &out->reply);
            break;
        case WIRE_TAG(4, WIRE_BYTES):
            ok = wire_bytes(&wire, &out->data);
            break;
        case WIRE_TAG(5, WIRE_VARINT):
            ok = wire_varint(&wire, &narrow->timestamp);
            break;
        case WIRE_TAG(6, WIRE_VARINT):
            ok = wire_varint(&wire, &narrow->redelivered);
            break;
        case WIRE_TAG(7, WIRE_VARINT):
            ok = wire_varint(&wire, &narrow->redelivery_count);
            break;
        case WIRE_TAG(10, WIRE_VARINT):
            ok = wire_varint(&wire, &narrow->crc32);
            break;
        default:
            ok = skip_unknown(&wire, tag, known);
        }
        if (!ok)
            return false;
    }
    return true;
}

bool msg_proto_decode(struct bytes input, struct msg_proto *out)
{
    struct narrow narrow = {0};
    *out = (struct msg_proto){0};
    bool ok = msg_proto_fields(input, out, &narrow);
    out->timestamp = (int64_t)narrow.timestamp;
    out->redelivered = narrow.redelivered != 0;
    out->redelivery_count = (uint32_t)narrow.redelivery_count;
    return ok;
}
