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

static bool seal(struct blob *out, struct bytes key, uint8_t format,
                 struct bytes header, struct bytes payload)
{
    out->size = 0;
    if (!blob_append(out, header.data, header.size) ||
        !blob_append(out, payload.data, payload.size))
        return false;
    finish(out, key, format);
    return true;
}

bool value_seal(struct blob *out, struct bytes key, struct bytes payload)
{
    static const uint8_t room[VALUE_HEADER];
    return seal(out, key, VALUE_FORMAT, bytes_of(room, sizeof room), payload);
}

bool message_seal(struct blob *out, struct bytes key, int64_t timestamp,
                  const struct mark *mark, struct bytes message)
{
    uint8_t header[MARK_HEADER] = {0};
    number_encode((uint64_t)timestamp, header + VALUE_HEADER);
    if (mark == NULL) {
        return seal(out, key, VALUE_FORMAT, bytes_of(header, MESSAGE_HEADER),
                    message);
    }
    number_encode(mark->messages, header + MESSAGE_HEADER);
    number_encode(mark->bytes, header + MESSAGE_HEADER + 8);
    return seal(out, key, MARK_FORMAT, bytes_of(header, MARK_HEADER), message);
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

/* 0 if the value cannot be a message. */
static size_t message_header(struct bytes value)
{
    size_t header = 0;
    if (value.size > 0 && value.data[0] == VALUE_FORMAT) {
        header = MESSAGE_HEADER;
    } else if (value.size > 0 && value.data[0] == MARK_FORMAT) {
        header = MARK_HEADER;
    }
    return value.size >= header ? header : 0;
}

bool message_open(struct bytes key, struct bytes value, int64_t *timestamp,
                  struct bytes *message)
{
    size_t header = message_header(value);
    if (header == 0 || !is_whole(key, value))
        return false;
    *timestamp = (int64_t)number_decode(value.data + VALUE_HEADER);
    *message = bytes_of(value.data + header, value.size - header);
    return true;
}

bool message_mark(struct bytes value, struct mark *out)
{
    if (message_header(value) != MARK_HEADER)
        return false;
    out->messages = number_decode(value.data + MESSAGE_HEADER);
    out->bytes = number_decode(value.data + MESSAGE_HEADER + 8);
    return true;
}
