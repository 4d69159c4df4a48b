#include "tests/bench/payload.h"

#include <endian.h>
#include <stdlib.h>

bool payload_init(struct payload *payload, size_t size)
{
    *payload = (struct payload){.size = size};
    if (size < PAYLOAD_SIZE_MIN || size > PAYLOAD_SIZE_MAX)
        return false;
    payload->pattern = malloc(size);
    if (payload->pattern == NULL)
        return false;
    uint64_t state = 88172645463325252U; /* xorshift64 */
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        payload->pattern[i] = (uint8_t)(state >> 32);
    }
    return true;
}

void payload_release(struct payload *payload)
{
    free(payload->pattern);
    *payload = (struct payload){0};
}

void payload_stamp(uint64_t number, int64_t sent_at,
                   uint8_t out[PAYLOAD_SIZE_MIN])
{
    const uint64_t stamp[2] = {htole64(number), htole64((uint64_t)sent_at)};
    memcpy(out, stamp, PAYLOAD_SIZE_MIN);
}

void payload_write(const struct payload *payload, uint64_t number,
                   int64_t sent_at, uint8_t *out)
{
    payload_stamp(number, sent_at, out);
    memcpy(out + PAYLOAD_SIZE_MIN, payload->pattern + PAYLOAD_SIZE_MIN,
           payload->size - PAYLOAD_SIZE_MIN);
}

bool payload_read(const struct payload *payload, struct bytes data,
                  uint64_t *number, int64_t *sent_at)
{
    uint64_t stamp[2];
    if (data.size != payload->size ||
        memcmp(data.data + sizeof stamp, payload->pattern + sizeof stamp,
               data.size - sizeof stamp) != 0)
        return false;
    memcpy(stamp, data.data, sizeof stamp);
    *number = le64toh(stamp[0]);
    *sent_at = (int64_t)le64toh(stamp[1]);
    return true;
}
