#include "streamd/options_value.h"

#include "streamd/base/text.h"

#include <string.h>
#include <strings.h>

bool options_value_boolean(const char *text, bool *value)
{
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *value = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* The value of a digit in bases up to 16; 16 if it is none. */
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A' + 10);
    return 16;
}

/* Skips the prefix; *underscore tells if a '_' may come first then. */
static unsigned base_of(const char **text, bool *underscore)
{
    static const struct {
        char letter;
        unsigned base;
    } prefixes[] = {{'x', 16}, {'b', 2}, {'o', 8}};
    *underscore = false;
    const char *at = *text;
    if (at[0] != '0' || at[1] == '\0')
        return 10;
    *underscore = true;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if ((at[1] | 0x20) == prefixes[i].letter) {
            *text = at + 2;
            return prefixes[i].base;
        }
    }
    *text = at + 1;
    return 8;
}

/* Digits up to the end, with single underscores between them. Too large a
 * number is still read to its end: what is no number at all says so. */
static enum status digits_read(const char *text, unsigned base,
                               bool underscore_allowed, uint64_t *value)
{
    bool overflow = false;
    bool digit_last = false;
    *value = 0;
    for (; *text != '\0'; text++) {
        if (*text == '_') {
            if (!digit_last && !underscore_allowed)
                return STATUS_INVALID;
            digit_last = underscore_allowed = false;
            continue;
        }
        unsigned digit = digit_value(*text);
        if (digit >= base)
            return STATUS_INVALID;
        uint64_t scaled;
        overflow |= __builtin_mul_overflow(*value, (uint64_t)base, &scaled) ||
                    __builtin_add_overflow(scaled, (uint64_t)digit, value);
        digit_last = true;
        underscore_allowed = false;
    }
    if (!digit_last)
        return STATUS_INVALID;
    return overflow ? STATUS_TOO_BIG : STATUS_OK;
}

/* sign * magnitude, if it fits. */
static bool signed_value(bool negative, uint64_t magnitude, int64_t *value)
{
    uint64_t most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (magnitude > most)
        return false;
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

enum status options_value_integer(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    bool underscore;
    unsigned base = base_of(&text, &underscore);
    uint64_t magnitude;
    enum status status = digits_read(text, base, underscore, &magnitude);
    if (status != STATUS_OK)
        return status;
    return signed_value(negative, magnitude, value) ? STATUS_OK
                                                    : STATUS_TOO_BIG;
}

/* A factor and what follows it: K, KB, Ki, KiB in any case. Returns 0 if the
 * suffix is none of these. */
static uint64_t suffix_factor(const char *suffix, size_t size)
{
    static const char letters[] = "kmgtpe";
    if (size == 0)
        return 1;
    const char *letter = strchr(letters, suffix[0] | 0x20);
    if (letter == NULL)
        return 0;
    bool binary = (size == 2 && strchr("bBiI", suffix[1]) != NULL) ||
                  (size == 3 && strncasecmp(suffix + 1, "ib", 2) == 0);
    if (size != 1 && !binary)
        return 0;
    uint64_t factor = 1;
    for (const char *at = letters; at <= letter; at++)
        factor *= binary ? 1024 : 1000;
    return factor;
}

static enum status not_a_size(const char *name, const char *text,
                              struct error *err)
{
    return fail(err, STATUS_INVALID, "%s should be a size, got '%.100s'", name,
                text);
}

/* 1.5MB: the grammar ends a float at the first letter and then sees that the
 * line goes on. */
static bool is_cut_float(const char *text, size_t digits)
{
    if (digits == 0 || text[digits] != '.')
        return false;
    const char *fraction = text + digits + 1;
    size_t size = strspn(fraction, "0123456789");
    return size > 0 && fraction[size] != '\0' && fraction[size] != '.' &&
           fraction[size] != ':';
}

static enum status parse_error(const char *text, struct error *err)
{
    return fail(err, STATUS_INVALID,
                "Parse error on line 1: 'Expected a top-level value to end "
                "with a new line, comment or EOF, but got '%.40s' instead.'",
                text);
}

enum status options_value_size(const char *name, const char *text,
                               int64_t *value, struct error *err)
{
    static const char blanks[] = " \t";
    const char *start = text + strspn(text, blanks);
    bool negative = *start == '-';
    const char *digits = start + (negative ? 1 : 0);
    size_t digits_size = strspn(digits, "0123456789");
    if (is_cut_float(digits, digits_size))
        return parse_error(digits + digits_size, err);
    size_t word = strcspn(digits, blanks);
    const char *rest = digits + word + strspn(digits + word, blanks);
    if (*rest != '\0')
        return parse_error(rest, err);
    uint64_t factor = suffix_factor(digits + digits_size, word - digits_size);
    if (digits_size == 0 || factor == 0)
        return not_a_size(name, text, err);
    uint64_t magnitude = 0;
    bool overflow = false;
    for (size_t i = 0; i < digits_size; i++) {
        overflow |= __builtin_mul_overflow(magnitude, 10, &magnitude) ||
                    __builtin_add_overflow(
                        magnitude, (uint64_t)(digits[i] - '0'), &magnitude);
    }
    overflow |= __builtin_mul_overflow(magnitude, factor, &magnitude);
    if (overflow || !signed_value(negative, magnitude, value)) {
        return fail(err, STATUS_INVALID, "integer '%.100s' is out of the range",
                    text);
    }
    return STATUS_OK;
}
