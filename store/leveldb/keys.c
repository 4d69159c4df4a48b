#include "store/leveldb/keys.h"

void number_encode(uint64_t value, uint8_t out[8])
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

uint64_t number_decode(const uint8_t in[8])
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

struct key key_alone(enum key_tag tag)
{
    struct key key = {.size = 1};
    key.data[0] = (uint8_t)tag;
    return key;
}

static struct key key_number(enum key_tag tag, uint64_t number)
{
    struct key key = {.size = 9};
    key.data[0] = (uint8_t)tag;
    number_encode(number, key.data + 1);
    return key;
}

struct key key_channel(uint64_t number)
{
    return key_number(KEY_CHANNEL, number);
}

struct key key_segment(uint64_t number)
{
    return key_number(KEY_SEGMENT, number);
}

struct key key_pair(enum key_tag tag, uint64_t number, uint64_t second)
{
    struct key key = {.size = 17};
    key.data[0] = (uint8_t)tag;
    number_encode(number, key.data + 1);
    number_encode(second, key.data + 9);
    return key;
}

static bool parse_number(struct bytes bytes, enum key_tag tag, uint64_t *number)
{
    if (bytes.size != 9 || bytes.data[0] != (uint8_t)tag)
        return false;
    *number = number_decode(bytes.data + 1);
    return true;
}

bool key_parse_channel(struct bytes bytes, uint64_t *number)
{
    return parse_number(bytes, KEY_CHANNEL, number);
}

bool key_parse_segment(struct bytes bytes, uint64_t *number)
{
    return parse_number(bytes, KEY_SEGMENT, number);
}

bool key_parse_pair(struct bytes bytes, enum key_tag tag, uint64_t *number,
                    uint64_t *second)
{
    if (bytes.size != 17 || bytes.data[0] != (uint8_t)tag)
        return false;
    *number = number_decode(bytes.data + 1);
    *second = number_decode(bytes.data + 9);
    return true;
}
