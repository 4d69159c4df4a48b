/* payload.h - what the messages of a load say, so that it can be verified.
 *
 * Bytes 0-7 the number of the message in its channel, 8-15 when it was sent
 * (monotonic clock, ns), both little-endian; then a pattern without
 * repetition, which no store can compress away. */
#ifndef TESTS_BENCH_PAYLOAD_H
#define TESTS_BENCH_PAYLOAD_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { PAYLOAD_SIZE_MIN = 16, PAYLOAD_SIZE_MAX = 1 << 20 };

struct payload {
    uint8_t *pattern; /* size bytes */
    size_t size;
};

/* False when out of memory, or if size is not between min and max. */
MUST_CHECK bool payload_init(struct payload *payload, size_t size);
void payload_release(struct payload *payload);

/* The first bytes of a payload alone. */
void payload_stamp(uint64_t number, int64_t sent_at,
                   uint8_t out[PAYLOAD_SIZE_MIN]);
/* out has payload->size bytes. */
void payload_write(const struct payload *payload, uint64_t number,
                   int64_t sent_at, uint8_t *out);
/* False if data is not a payload; else what it says. */
MUST_CHECK bool payload_read(const struct payload *payload, struct bytes data,
                             uint64_t *number, int64_t *sent_at);

#endif
