/* numbers.h - numbers in messages, as text and as bytes. */
#ifndef TESTS_BENCH_NUMBERS_H
#define TESTS_BENCH_NUMBERS_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NUMBERS_DECIMAL_MAX = 20,
    NUMBERS_HEX_SIZE = 12, /* a hexadecimal number, always this long */
};

/* Returns the end. */
uint8_t *number_put_decimal(uint8_t *out, uint64_t number);
/* False if text is not a decimal number, all of it. */
MUST_CHECK bool number_read_decimal(struct bytes text, uint64_t *number);

/* The lowest 48 bits. */
void number_put_hex(uint8_t out[NUMBERS_HEX_SIZE], uint64_t number);
MUST_CHECK bool number_read_hex(const uint8_t text[NUMBERS_HEX_SIZE],
                                uint64_t *number);

#endif
