#include "monitor/rfc3339.h"

#include "streamd/base/clock.h"

#include <stdio.h>
#include <time.h>

void rfc3339_write(int64_t wall, char out[RFC3339_MAX])
{
    time_t seconds = (time_t)(wall / CLOCK_SECOND);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL)
        parts = (struct tm){.tm_mday = 1, .tm_year = 70};
    size_t size = strftime(out, RFC3339_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out + size, RFC3339_MAX - size, ".%09dZ",
                   (int)(wall % CLOCK_SECOND));
}

struct reader {
    const uint8_t *at, *end;
};

static bool literal(struct reader *reader, const char *any)
{
    if (reader->at == reader->end || *reader->at == '\0' ||
        strchr(any, *reader->at) == NULL)
        return false;
    reader->at++;
    return true;
}

static bool number(struct reader *reader, int digits, int low, int high,
                   int *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++) {
        if (reader->at == reader->end || *reader->at < '0' || *reader->at > '9')
            return false;
        *out = *out * 10 + (*reader->at++ - '0');
    }
    return *out >= low && *out <= high;
}

static bool fraction(struct reader *reader, int64_t *ns)
{
    int64_t unit = CLOCK_SECOND;
    int digit = 0;
    *ns = 0;
    if (!literal(reader, "."))
        return true;
    if (!number(reader, 1, 0, 9, &digit))
        return false;
    do {
        unit /= 10;
        *ns += digit * unit;
    } while (unit > 1 && number(reader, 1, 0, 9, &digit));
    return true;
}

/* "Z" or "+01:00", in seconds. */
static bool offset(struct reader *reader, int *seconds)
{
    int hours = 0;
    int minutes = 0;
    *seconds = 0;
    if (literal(reader, "Zz"))
        return true;
    int sign = reader->at < reader->end && *reader->at == '-' ? -1 : 1;
    if (!literal(reader, "+-") || !number(reader, 2, 0, 23, &hours) ||
        !literal(reader, ":") || !number(reader, 2, 0, 59, &minutes))
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

bool rfc3339_read(struct bytes text, int64_t *wall)
{
    struct reader reader = {.at = text.data, .end = text.data + text.size};
    struct tm parts = {0};
    int year = 0;
    int month = 0;
    int shift = 0;
    int64_t ns = 0;
    if (text.size == 0 || !number(&reader, 4, 1970, 2262, &year) ||
        !literal(&reader, "-") || !number(&reader, 2, 1, 12, &month) ||
        !literal(&reader, "-") ||
        !number(&reader, 2, 1, days_of(year, month), &parts.tm_mday) ||
        !literal(&reader, "Tt ") ||
        !number(&reader, 2, 0, 23, &parts.tm_hour) || !literal(&reader, ":") ||
        !number(&reader, 2, 0, 59, &parts.tm_min) || !literal(&reader, ":") ||
        !number(&reader, 2, 0, 60, &parts.tm_sec) || !fraction(&reader, &ns) ||
        !offset(&reader, &shift) || reader.at != reader.end)
        return false;
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    int64_t seconds = (int64_t)timegm(&parts) - shift;
    return seconds >= 0 &&
           !__builtin_mul_overflow(seconds, CLOCK_SECOND, wall) &&
           !__builtin_add_overflow(*wall, ns, wall);
}
