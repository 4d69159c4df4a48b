/* wire.h - protobuf's wire form, read by the rules of protocol.md section 4.
 *
 * Private to proto. Readers borrow from the input and allocate nothing; a
 * failed read leaves its result as it was, which is how what came before the
 * damage stays. */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3,
    WIRE_GROUP_END = 4,
    WIRE_FIXED32 = 5,
};

enum {
    WIRE_VARINT_MAX = 10,
    WIRE_GROUPS_MAX = 32, /* groups open at a time in one unknown field */
};

/* A tag is number and wire type as they are on the wire. */
#define WIRE_TAG(number, type) ((uint32_t)(number) << 3 | (uint32_t)(type))
#define WIRE_NUMBER(tag) ((tag) >> 3)

struct wire {
    const uint8_t *at, *end;
};

static inline struct wire wire_open(struct bytes input)
{
    if (input.size == 0) /* data may be NULL, to which nothing may be added */
        return (struct wire){NULL, NULL};
    return (struct wire){input.data, input.data + input.size};
}

static inline bool wire_more(const struct wire *wire)
{
    return wire->at < wire->end;
}

MUST_CHECK bool wire_varint_long(struct wire *wire, uint64_t *value);

MUST_CHECK static inline bool wire_varint(struct wire *wire, uint64_t *value)
{
    if (wire->at < wire->end && *wire->at < 0x80) {
        *value = *wire->at++;
        return true;
    }
    return wire_varint_long(wire, value);
}

/* Numbers from 1 to 2^29-1; any wire type. */
MUST_CHECK static inline bool wire_tag(struct wire *wire, uint32_t *tag)
{
    uint64_t value;
    if (!wire_varint(wire, &value))
        return false;
    *tag = (uint32_t)value;
    return value >= WIRE_TAG(1, 0) && value <= UINT32_MAX;
}

MUST_CHECK static inline bool wire_bytes(struct wire *wire, struct bytes *out)
{
    uint64_t size;
    if (!wire_varint(wire, &size) || size > (uint64_t)(wire->end - wire->at))
        return false;
    *out = bytes_of(wire->at, (size_t)size);
    wire->at += size;
    return true;
}

/* Skips the value of an unknown field, whose tag was read. */
MUST_CHECK bool wire_skip(struct wire *wire, uint32_t tag);

/* ---- messages by table ---- */

enum wire_kind {                   /* and the type of the member */
                 WIRE_KIND_BYTES,  /* struct bytes */
                 WIRE_KIND_UINT64, /* uint64_t, int64_t */
                 WIRE_KIND_UINT32, /* uint32_t, int32_t */
                 WIRE_KIND_BOOL,
};

struct wire_field {
    uint32_t number;
    enum wire_kind kind;
    size_t offset; /* of the member, or WIRE_NO_MEMBER */
};

#define WIRE_NO_MEMBER SIZE_MAX

#define WIRE_FIELD(number, kind, type, member)                                 \
    {                                                                          \
        number, WIRE_KIND_##kind, offsetof(type, member)                       \
    }
/* Known, so it must have the right wire type, but of no use to us. */
#define WIRE_IGNORED(number, kind)                                             \
    {                                                                          \
        number, WIRE_KIND_##kind, WIRE_NO_MEMBER                               \
    }
#define WIRE_COUNT(fields) (sizeof(fields) / sizeof(fields)[0])

/* Sets the members named by fields from input. out was zeroed before. */
MUST_CHECK bool wire_decode(struct bytes input, const struct wire_field *fields,
                            size_t count, void *out);

/* ---- writing; out has the room ---- */

static inline size_t wire_varint_size(uint64_t value)
{
    size_t bits = 64U - (size_t)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

static inline uint8_t *wire_put_varint(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

/* Fields with a number below 16, whose tag is one byte. A default (empty, 0)
 * takes no room. */
static inline size_t wire_uint64_field_size(uint64_t value)
{
    return value == 0 ? 0 : 1 + wire_varint_size(value);
}

static inline uint8_t *wire_put_uint64_field(uint8_t *out, unsigned number,
                                             uint64_t value)
{
    if (value == 0)
        return out;
    *out++ = (uint8_t)WIRE_TAG(number, WIRE_VARINT);
    return wire_put_varint(out, value);
}

static inline size_t wire_bytes_field_size(struct bytes bytes)
{
    return bytes.size == 0 ? 0 : 1 + wire_varint_size(bytes.size) + bytes.size;
}

static inline uint8_t *wire_put_bytes_field(uint8_t *out, unsigned number,
                                            struct bytes bytes)
{
    if (bytes.size == 0)
        return out;
    *out++ = (uint8_t)WIRE_TAG(number, WIRE_BYTES);
    out = wire_put_varint(out, bytes.size);
    memcpy(out, bytes.data, bytes.size);
    return out + bytes.size;
}

#endif
