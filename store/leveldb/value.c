#include "store/leveldb/value.h"

#include "store/leveldb/keys.h"

#include <libdeflate.h>

static uint32_t checksum(struct bytes key, uint8_t format, struct bytes rest)
{
    uint32_t crc = libdeflate_crc32(0, key.data, key.size);
    crc = libdeflate_crc32(crc, &format, 1);
    if (rest.size == 0) /* libdeflate starts anew when given NULL */
        return crc;
    return libdeflate_crc32(crc, rest.data, rest.size);
}

/* Fills in format and crc; out holds the header's room and all behind it. */
static void finish(struct blob *out, struct bytes key, uint8_t format)
{
    uint32_t crc =
        checksum(key, format,
                 bytes_of(out->data + VALUE_HEADER, out->size - VALUE_HEADER));
    out->data[0] = format;
    for (int i = 0; i < 4; i++)
        out->data[1 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

bool value_seal(struct blob *out, struct bytes key, struct bytes payload)
{
    static const uint8_t room[VALUE_HEADER];
    out->size = 0;
    if (!blob_append(out, room, sizeof room) ||
        !blob_append(out, payload.data, payload.size))
        return false;
    finish(out, key, VALUE_FORMAT);
    return true;
}

static bool is_whole(struct bytes key, struct bytes value)
{
    uint32_t crc = 0;
    for (int i = 0; i < 4; i++)
        crc = crc << 8 | value.data[1 + i];
    return crc == checksum(key, value.data[0],
                           bytes_of(value.data + VALUE_HEADER,
                                    value.size - VALUE_HEADER));
}

bool value_open(struct bytes key, struct bytes value, struct bytes *payload)
{
    if (value.size < VALUE_HEADER || value.data[0] != VALUE_FORMAT)
        return false;
    *payload = bytes_of(value.data + VALUE_HEADER, value.size - VALUE_HEADER);
    return is_whole(key, value);
}
