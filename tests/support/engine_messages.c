#include "tests/support/engine_messages.h"

#include <stdlib.h>

enum { VARINT = 0, LENGTH = 2 };

static void put_varint(struct blob *out, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        if (!blob_append(out, &byte, 1))
            abort();
        value >>= 7;
    } while (value > 0);
}

void field_bytes(struct blob *out, unsigned number, struct bytes value)
{
    if (value.size == 0)
        return;
    put_varint(out, number << 3 | LENGTH);
    put_varint(out, value.size);
    if (!blob_append(out, value.data, value.size))
        abort();
}

void field_text(struct blob *out, unsigned number, const char *value)
{
    if (value != NULL)
        field_bytes(out, number, bytes_text(value));
}

void field_number(struct blob *out, unsigned number, uint64_t value)
{
    if (value == 0)
        return;
    put_varint(out, number << 3 | VARINT);
    put_varint(out, value);
}

static uint64_t get_varint(struct bytes input, size_t *at)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*at >= input.size)
            abort();
        uint8_t byte = input.data[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    abort();
}

/* Both forms of the last field of this number. */
static void get(struct bytes input, unsigned number, struct bytes *bytes,
                uint64_t *value)
{
    for (size_t at = 0; at < input.size;) {
        uint64_t tag = get_varint(input, &at);
        uint64_t content = get_varint(input, &at);
        struct bytes found = {0};
        if ((tag & 7) == LENGTH) {
            if (content > input.size - at)
                abort();
            found = bytes_of(input.data + at, (size_t)content);
            at += (size_t)content;
        } else if ((tag & 7) != VARINT) {
            abort();
        }
        if (tag >> 3 == number) {
            *bytes = found;
            *value = content;
        }
    }
}

struct bytes field_of(struct bytes input, unsigned number)
{
    struct bytes bytes = {0};
    uint64_t value = 0;
    get(input, number, &bytes, &value);
    return bytes;
}

uint64_t field_number_of(struct bytes input, unsigned number)
{
    struct bytes bytes = {0};
    uint64_t value = 0;
    get(input, number, &bytes, &value);
    return value;
}
