#include "tests/unit/proto/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

/* Bytes that mean something at many places. */
static uint8_t telling_byte(struct random *random)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0x08, 0x0a, 0x0b, 0x0c,
                                    0x12, 0x1a, 0x13, 0x14, 0x50, 0x52,
                                    0x7f, 0x80, 0x81, 0xff};
    uint64_t next = random_next(random);
    if (next % 2 == 0)
        return (uint8_t)(next >> 8);
    return bytes[(next >> 8) % sizeof bytes];
}

static void insert(struct blob *blob, size_t at, struct bytes bytes)
{
    assert_true(blob_reserve(blob, bytes.size + 1));
    memmove(blob->data + at + bytes.size, blob->data + at, blob->size - at);
    if (bytes.size > 0)
        memcpy(blob->data + at, bytes.data, bytes.size);
    blob->size += bytes.size;
}

/* Whole fields, valid or not, that mutation alone would seldom make. */
static void insert_field(struct blob *blob, size_t at, struct random *random)
{
#define FIELD(text) bytes_of(text, sizeof(text) - 1)
    const struct bytes fields[] = {
        FIELD("\x90\x03\x07"),                  /* unknown 50, varint */
        FIELD("\x92\x03\x02hi"),                /* unknown 50, bytes */
        FIELD("\x91\x03\1\2\3\4\5\6\7\10"),     /* unknown 50, 8 bytes */
        FIELD("\x95\x03\1\2\3\4"),              /* unknown 50, 4 bytes */
        FIELD("\x93\x03\x08\x01\x94\x03"),      /* unknown 50, group */
        FIELD("\x93\x03\x08\x01"),              /* never ended */
        FIELD("\x94\x03"),                      /* ended, not begun */
        FIELD("\x96\x03"),                      /* wire type 6 */
        FIELD("\x02\x01x"),                     /* number 0 */
        FIELD("\x82\x00\x01x"),                 /* number 0, two bytes */
        FIELD("\x8a\x80\x80\x80\x80\x00\x01x"), /* number 1, six bytes */
        FIELD("\xfa\xff\xff\xff\x0f\x01x"),     /* highest number */
        FIELD("\xfa\xff\xff\xff\x1f\x01x"),     /* one more bit */
        FIELD("\x0a\x81\x80\x80\x80\x80\x00x"), /* length, six bytes */
        FIELD("\x0a\xff\xff\xff\xff\x7f"),      /* length beyond the end */
        FIELD("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        FIELD("\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"),
        FIELD("\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
        FIELD("\x28\xff\xff\xff\xff\x7f"),
    };
#undef FIELD
    enum { COUNT = sizeof fields / sizeof fields[0] };
    insert(blob, at, fields[random_below(random, COUNT)]);
}

void damage(struct blob *blob, struct random *random)
{
    size_t at = random_below(random, blob->size + 1);
    uint8_t byte = telling_byte(random);
    switch (random_below(random, 6)) {
    case 0:
        blob->size = at;
        return;
    case 1:
        insert_field(blob, at, random);
        return;
    case 2:
        insert_field(blob, 0, random);
        return;
    case 3:
        insert_field(blob, blob->size, random);
        return;
    case 4:
        insert(blob, at, bytes_of(&byte, 1));
        return;
    default:
        if (at < blob->size)
            blob->data[at] = byte;
        return;
    }
}

struct reader {
    struct bytes input;
    size_t at;
    size_t length;  /* of the varint read last */
    bool tenth_odd; /* it has bits that do not fit */
};

static bool read_varint(struct reader *reader, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < 10 && reader->at < reader->input.size; i++) {
        uint8_t byte = reader->input.data[reader->at++];
        reader->length = i + 1;
        reader->tenth_odd = i == 9 && (byte & 0x7e) != 0;
        *value += (uint64_t)(byte % 128) << (7 * i);
        if (byte / 128 == 0)
            return true;
    }
    return false;
}

/* Moves over a value that is no group; false if it is not all there. */
static bool read_value(struct reader *reader, unsigned type, unsigned *found)
{
    uint64_t value = 0;
    size_t left = reader->input.size - reader->at;
    if (type == 0) {
        bool ok = read_varint(reader, &value);
        *found |= reader->tenth_odd ? DIFFERENCE_BOOL_BITS : 0;
        return ok;
    }
    if (type == 2) {
        if (!read_varint(reader, &value))
            return false;
        *found |= reader->length > 5 ? DIFFERENCE_LENGTH : 0;
        left = reader->input.size - reader->at;
    } else if (type == 1 || type == 5) {
        value = type == 1 ? 8 : 4;
    } else {
        return false;
    }
    if (value > left)
        return false;
    reader->at += value;
    return true;
}

static unsigned tag_differences(const struct reader *reader, uint64_t tag,
                                const ProtobufCMessageDescriptor *descriptor)
{
    unsigned found = 0;
    if (reader->length > 5 || tag > UINT32_MAX)
        found |= DIFFERENCE_TAG;
    if (tag >> 3 == 0)
        found |= DIFFERENCE_ZERO;
    if (tag % 8 == 3)
        found |= DIFFERENCE_GROUP;
    const ProtobufCFieldDescriptor *field =
        tag > UINT32_MAX ? NULL
                         : protobuf_c_message_descriptor_get_field(
                               descriptor, (unsigned)(tag >> 3));
    if (field != NULL && field->type == PROTOBUF_C_TYPE_BOOL && tag % 8 != 0)
        found |= DIFFERENCE_BOOL_TYPE;
    return found;
}

unsigned differences(struct bytes input,
                     const ProtobufCMessageDescriptor *descriptor)
{
    struct reader reader = {.input = input};
    unsigned found = 0;
    while (reader.at < input.size) {
        uint64_t tag = 0;
        if (!read_varint(&reader, &tag)) {
            /* six continued bytes fail in both */
            return found;
        }
        found |= tag_differences(&reader, tag, descriptor);
        if ((found & DIFFERENCE_GROUP) != 0)
            return found; /* nothing behind it matters to protobuf-c */
        if (!read_value(&reader, tag % 8, &found))
            return found;
    }
    return found;
}
