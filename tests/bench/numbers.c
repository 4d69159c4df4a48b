#include "tests/bench/numbers.h"

uint8_t *number_put_decimal(uint8_t *out, uint64_t number)
{
    uint8_t digits[NUMBERS_DECIMAL_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(out, digits + at, sizeof digits - at);
    return out + (sizeof digits - at);
}

bool number_read_decimal(struct bytes text, uint64_t *number)
{
    enum { SAFE_DIGITS = 19 }; /* so many cannot overflow */
    uint64_t value = 0;
    if (text.size == 0 || text.size > SAFE_DIGITS)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

void number_put_hex(uint8_t out[NUMBERS_HEX_SIZE], uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = NUMBERS_HEX_SIZE; i > 0; i--) {
        out[i - 1] = (uint8_t)digits[number & 15];
        number >>= 4;
    }
}

bool number_read_hex(const uint8_t text[NUMBERS_HEX_SIZE], uint64_t *number)
{
    uint64_t value = 0;
    for (size_t i = 0; i < NUMBERS_HEX_SIZE; i++) {
        unsigned digit = (unsigned)text[i] - '0';
        if (digit > 9)
            digit = (unsigned)text[i] - 'a' + 10;
        if (digit > 15)
            return false;
        value = value << 4 | digit;
    }
    *number = value;
    return true;
}
