#include "store/leveldb/pack.h"

enum { NUMBER_MAX = 10 };

bool pack_number(struct blob *out, uint64_t value)
{
    uint8_t bytes[NUMBER_MAX];
    size_t size = 0;
    while (value >= 128) {
        bytes[size++] = (uint8_t)(value | 128);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    return blob_append(out, bytes, size);
}

bool pack_signed(struct blob *out, int64_t value)
{
    uint64_t bits = (uint64_t)value << 1;
    return pack_number(out, value < 0 ? ~bits : bits);
}

bool pack_bytes(struct blob *out, struct bytes bytes)
{
    return pack_number(out, bytes.size) &&
           blob_append(out, bytes.data, bytes.size);
}

uint64_t unpack_number(struct unpack *unpack)
{
    uint64_t value = 0;
    for (size_t i = 0; i < unpack->left.size && i < NUMBER_MAX; i++) {
        uint8_t byte = unpack->left.data[i];
        if (i == NUMBER_MAX - 1 && byte > 1)
            break;
        value |= (uint64_t)(byte & 127) << (7 * i);
        if (byte < 128) {
            unpack->left.data += i + 1;
            unpack->left.size -= i + 1;
            return value;
        }
    }
    unpack->failed = true;
    unpack->left.size = 0;
    return 0;
}

int64_t unpack_signed(struct unpack *unpack)
{
    uint64_t bits = unpack_number(unpack);
    return (int64_t)((bits & 1) != 0 ? ~(bits >> 1) : bits >> 1);
}

struct bytes unpack_raw(struct unpack *unpack, uint64_t size)
{
    if (size > unpack->left.size) {
        unpack->failed = true;
        unpack->left.size = 0;
        return bytes_of(NULL, 0);
    }
    struct bytes bytes = bytes_of(unpack->left.data, (size_t)size);
    unpack->left.data += size;
    unpack->left.size -= (size_t)size;
    return bytes;
}

struct bytes unpack_bytes(struct unpack *unpack)
{
    return unpack_raw(unpack, unpack_number(unpack));
}
