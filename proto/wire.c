#include "proto/wire.h"

bool wire_varint_long(struct wire *wire, uint64_t *value)
{
    size_t most = (size_t)(wire->end - wire->at);
    if (most > WIRE_VARINT_MAX)
        most = WIRE_VARINT_MAX;
    uint64_t result = 0;
    for (size_t i = 0; i < most; i++) {
        uint8_t byte = wire->at[i];
        /* Of the tenth byte only one bit has room; the Go server drops the
         * others without an error, so we do. */
        result |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *value = result;
            wire->at += i + 1;
            return true;
        }
    }
    return false;
}

static bool skip_bytes(struct wire *wire, uint64_t size)
{
    if (size > (uint64_t)(wire->end - wire->at))
        return false;
    wire->at += size;
    return true;
}

/* Anything but a group. */
static bool skip_value(struct wire *wire, uint32_t tag)
{
    uint64_t value;
    switch ((enum wire_type)(tag & 7)) {
    case WIRE_VARINT:
        return wire_varint(wire, &value);
    case WIRE_FIXED64:
        return skip_bytes(wire, 8);
    case WIRE_BYTES:
        return wire_varint(wire, &value) && skip_bytes(wire, value);
    case WIRE_FIXED32:
        return skip_bytes(wire, 4);
    case WIRE_GROUP:
    case WIRE_GROUP_END:
        break;
    }
    return false; /* an end without a start; types 6 and 7 */
}

/* To the end of the group that tag opened. */
static bool skip_group(struct wire *wire, uint32_t tag)
{
    uint32_t open[WIRE_GROUPS_MAX];
    size_t depth = 0;
    open[depth++] = WIRE_NUMBER(tag);
    while (depth > 0) {
        if (!wire_tag(wire, &tag))
            return false;
        if ((tag & 7) == WIRE_GROUP) {
            if (depth == WIRE_GROUPS_MAX)
                return false;
            open[depth++] = WIRE_NUMBER(tag);
        } else if ((tag & 7) == WIRE_GROUP_END) {
            if (open[--depth] != WIRE_NUMBER(tag))
                return false;
        } else if (!skip_value(wire, tag)) {
            return false;
        }
    }
    return true;
}

bool wire_skip(struct wire *wire, uint32_t tag)
{
    if ((tag & 7) == WIRE_GROUP)
        return skip_group(wire, tag);
    return skip_value(wire, tag);
}

static const struct wire_field *find(const struct wire_field *fields,
                                     size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].number == number)
            return &fields[i];
    }
    return NULL;
}

static void set_number(void *member, enum wire_kind kind, uint64_t value)
{
    uint32_t low = (uint32_t)value; /* an int32 keeps the low 32 bits */
    bool truth = value != 0;
    switch (kind) {
    case WIRE_KIND_UINT64:
        memcpy(member, &value, sizeof value);
        break;
    case WIRE_KIND_UINT32:
        memcpy(member, &low, sizeof low);
        break;
    case WIRE_KIND_BOOL:
        memcpy(member, &truth, sizeof truth);
        break;
    case WIRE_KIND_BYTES:
        break;
    }
}

static bool decode_field(struct wire *wire, uint32_t tag,
                         const struct wire_field *field, void *out)
{
    bool is_bytes = field->kind == WIRE_KIND_BYTES;
    if ((tag & 7) != (is_bytes ? WIRE_BYTES : WIRE_VARINT))
        return false;
    if (field->offset == WIRE_NO_MEMBER)
        return wire_skip(wire, tag);
    void *member = (char *)out + field->offset;
    if (is_bytes)
        return wire_bytes(wire, member);
    uint64_t value;
    if (!wire_varint(wire, &value))
        return false;
    set_number(member, field->kind, value);
    return true;
}

bool wire_decode(struct bytes input, const struct wire_field *fields,
                 size_t count, void *out)
{
    struct wire wire = wire_open(input);
    while (wire_more(&wire)) {
        uint32_t tag;
        if (!wire_tag(&wire, &tag))
            return false;
        const struct wire_field *field = find(fields, count, WIRE_NUMBER(tag));
        if (field == NULL ? !wire_skip(&wire, tag)
                          : !decode_field(&wire, tag, field, out))
            return false;
    }
    return true;
}
