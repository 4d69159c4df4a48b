#include "streamd/base/duration.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const uint64_t microsecond = 1000;
static const uint64_t millisecond = 1000000;
static const uint64_t second = 1000000000;

/* The largest magnitude: that of INT64_MIN. */
static const uint64_t magnitude_max = UINT64_C(1) << 63;

enum { QUOTED_MAX = 96 };

struct unit {
    const char *name;
    uint64_t ns;
};

static const struct unit units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* U+00B5 */
    {"\xce\xbcs", 1000}, /* U+03BC */
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", UINT64_C(60) * 1000000000},
    {"h", UINT64_C(3600) * 1000000000},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* text in quotes; what does not print is escaped, what is too long is cut. */
static void quote(const char *text, size_t size, char out[QUOTED_MAX])
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    out[used++] = '"';
    for (size_t i = 0; i < size && used < QUOTED_MAX - 6; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            out[used++] = '\\';
            out[used++] = (char)c;
        } else if (c < ' ' || c >= 0x7f) {
            out[used++] = '\\';
            out[used++] = 'x';
            out[used++] = hex[c >> 4];
            out[used++] = hex[c & 15];
        } else {
            out[used++] = (char)c;
        }
    }
    out[used++] = '"';
    out[used] = '\0';
}

static enum status invalid(const char *text, struct error *err)
{
    char quoted[QUOTED_MAX];
    quote(text, strlen(text), quoted);
    return fail(err, STATUS_INVALID, "time: invalid duration %s", quoted);
}

/* The digits before the point; false when above the largest magnitude. */
static bool whole(const char **at, uint64_t *value)
{
    *value = 0;
    for (; is_digit(**at); (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (*value > (magnitude_max - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

/* The digits behind it, as value/scale; those too small to matter are read
 * and dropped. */
static void fraction(const char **at, uint64_t *value, double *scale)
{
    bool full = false;
    *value = 0;
    *scale = 1;
    for (; is_digit(**at); (*at)++) {
        if (full || *value > (magnitude_max - 10) / 10) {
            full = true;
            continue;
        }
        *value = *value * 10 + (uint64_t)(**at - '0');
        *scale *= 10;
    }
}

static enum status unit_parse(const char *text, const char **at, uint64_t *ns,
                              struct error *err)
{
    char quoted[QUOTED_MAX], unit[QUOTED_MAX];
    size_t size = 0;
    while ((*at)[size] != '\0' && (*at)[size] != '.' && !is_digit((*at)[size]))
        size++;
    if (size == 0) {
        quote(text, strlen(text), quoted);
        return fail(err, STATUS_INVALID, "time: missing unit in duration %s",
                    quoted);
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].name) == size &&
            memcmp(units[i].name, *at, size) == 0) {
            *ns = units[i].ns;
            *at += size;
            return STATUS_OK;
        }
    }
    quote(text, strlen(text), quoted);
    quote(*at, size, unit);
    return fail(err, STATUS_INVALID, "time: unknown unit %s in duration %s",
                unit, quoted);
}

/* One "digits[.digits]unit" at *at, added to *total. */
static enum status part(const char *text, const char **at, uint64_t *total,
                        struct error *err)
{
    uint64_t value, below = 0, unit = 1;
    double scale = 1;
    const char *from = *at;
    if (!whole(at, &value))
        return invalid(text, err);
    bool digits = *at != from;
    if (**at == '.') {
        (*at)++;
        from = *at;
        fraction(at, &below, &scale);
        digits = digits || *at != from;
    }
    if (!digits)
        return invalid(text, err);
    enum status status = unit_parse(text, at, &unit, err);
    if (status != STATUS_OK)
        return status;
    if (value > magnitude_max / unit)
        return invalid(text, err);
    value *= unit;
    if (below > 0)
        value += (uint64_t)((double)below * ((double)unit / scale));
    if (value > magnitude_max || *total > magnitude_max - value)
        return invalid(text, err);
    *total += value;
    return STATUS_OK;
}

enum status duration_parse(const char *text, int64_t *ns, struct error *err)
{
    const char *at = text;
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (strcmp(at, "0") == 0) {
        *ns = 0;
        return STATUS_OK;
    }
    if (*at == '\0')
        return invalid(text, err);
    uint64_t total = 0;
    while (*at != '\0') {
        enum status status = part(text, &at, &total, err);
        if (status != STATUS_OK)
            return status;
    }
    if (total == magnitude_max && !negative)
        return invalid(text, err);
    if (total == magnitude_max) {
        *ns = INT64_MIN;
    } else {
        *ns = negative ? -(int64_t)total : (int64_t)total;
    }
    return STATUS_OK;
}

/* value/unit with the fraction's trailing zeros left out, then name. */
static size_t format_part(char *out, size_t room, uint64_t value, uint64_t unit,
                          const char *name)
{
    int digits = 0;
    uint64_t below = value % unit;
    for (uint64_t rest = unit; rest > 1; rest /= 10)
        digits++;
    while (digits > 0 && below % 10 == 0) {
        below /= 10;
        digits--;
    }
    int written = digits == 0
                      ? snprintf(out, room, "%llu%s",
                                 (unsigned long long)(value / unit), name)
                      : snprintf(out, room, "%llu.%0*llu%s",
                                 (unsigned long long)(value / unit), digits,
                                 (unsigned long long)below, name);
    return written < 0 ? 0 : (size_t)written;
}

void duration_format(int64_t ns, char out[DURATION_TEXT_MAX])
{
    uint64_t rest = ns < 0 ? UINT64_C(0) - (uint64_t)ns : (uint64_t)ns;
    size_t used = 0;
    if (ns < 0)
        out[used++] = '-';
    uint64_t hours = rest / (3600 * second);
    uint64_t minutes = rest / (60 * second) % 60;
    if (hours > 0) {
        used +=
            format_part(out + used, DURATION_TEXT_MAX - used, hours, 1, "h");
    }
    if (hours > 0 || minutes > 0) {
        used +=
            format_part(out + used, DURATION_TEXT_MAX - used, minutes, 1, "m");
        rest %= 60 * second;
        (void)format_part(out + used, DURATION_TEXT_MAX - used, rest, second,
                          "s");
        return;
    }
    const char *name = "s";
    uint64_t unit = second;
    if (rest > 0 && rest < microsecond) {
        unit = 1;
        name = "ns";
    } else if (rest > 0 && rest < millisecond) {
        unit = microsecond;
        name = "\xc2\xb5s";
    } else if (rest > 0 && rest < second) {
        unit = millisecond;
        name = "ms";
    }
    (void)format_part(out + used, DURATION_TEXT_MAX - used, rest, unit, name);
}
