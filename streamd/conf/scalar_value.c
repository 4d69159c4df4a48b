#include "streamd/conf/scalar_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { TEXT_MAX = 120, NUMBER_MAX = 400 };

/* The text of a token as %.*s wants it, cut for an error. */
static int shown(const struct token *token)
{
    return token->text.size < TEXT_MAX ? (int)token->text.size : TEXT_MAX;
}

static enum status not_expected(const struct token *token, const char *what,
                                struct error *err)
{
    return fail(err, STATUS_INVALID, "expected %s, but got '%.*s'", what,
                shown(token), (const char *)token->text.data);
}

static enum status out_of_range(const struct token *token, const char *what,
                                struct error *err)
{
    return fail(err, STATUS_INVALID, "%s '%.*s' is out of the range", what,
                shown(token), (const char *)token->text.data);
}

int64_t scalar_factor(struct bytes suffix)
{
    static const char letters[] = "kmgtpe";
    if (suffix.size == 0)
        return 1;
    const char *text = (const char *)suffix.data;
    const char *letter = strchr(letters, text[0] | 0x20);
    bool binary = (suffix.size == 2 && strchr("bBiI", text[1]) != NULL) ||
                  (suffix.size == 3 && strncasecmp(text + 1, "ib", 2) == 0);
    if (letter == NULL || text[0] == '\0' || (suffix.size > 1 && !binary))
        return 0;
    int64_t factor = 1;
    for (const char *at = letters; at <= letter; at++)
        factor *= binary ? 1024 : 1000;
    return factor;
}

static enum status integer_read(const struct token *token, int64_t *value,
                                struct error *err)
{
    const char *text = (const char *)token->text.data;
    size_t size = token->text.size;
    bool negative = size > 0 && text[0] == '-';
    size_t at = negative ? 1 : 0;
    bool overflow = false;
    *value = 0;
    for (; at < size && text[at] >= '0' && text[at] <= '9'; at++) {
        int digit = negative ? '0' - text[at] : text[at] - '0';
        overflow |= __builtin_mul_overflow(*value, 10, value);
        overflow |= __builtin_add_overflow(*value, digit, value);
    }
    int64_t factor = scalar_factor(bytes_of(text + at, size - at));
    if (factor == 0)
        return not_expected(token, "integer", err);
    overflow |= __builtin_mul_overflow(*value, factor, value);
    return overflow ? out_of_range(token, "integer", err) : STATUS_OK;
}

static enum status float_read(const struct token *token, double *value,
                              struct error *err)
{
    char text[NUMBER_MAX];
    if (token->text.size >= sizeof text)
        return not_expected(token, "float", err);
    memcpy(text, token->text.data, token->text.size);
    text[token->text.size] = '\0';
    *value = strtod(text, NULL); /* the lexer saw to the form */
    return isfinite(*value) ? STATUS_OK : out_of_range(token, "float", err);
}

static int two_digits(const uint8_t *at)
{
    return (at[0] - '0') * 10 + at[1] - '0';
}

static bool same_day(const struct tm *a, const struct tm *b)
{
    return a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
           a->tm_hour == b->tm_hour && a->tm_min == b->tm_min &&
           a->tm_sec == b->tm_sec;
}

/* "2016-05-04T18:53:41Z"; the lexer saw to the form. */
static enum status datetime_read(const struct token *token, int64_t *value,
                                 struct error *err)
{
    const uint8_t *at = token->text.data;
    struct tm given = {
        .tm_year = two_digits(at) * 100 + two_digits(at + 2) - 1900,
        .tm_mon = two_digits(at + 5) - 1,
        .tm_mday = two_digits(at + 8),
        .tm_hour = two_digits(at + 11),
        .tm_min = two_digits(at + 14),
        .tm_sec = two_digits(at + 17),
    };
    struct tm normal = given;
    *value = timegm(&normal); /* turns February 30 into March */
    if (!same_day(&given, &normal))
        return not_expected(token, "Zulu formatted DateTime", err);
    return STATUS_OK;
}

static bool boolean_of(struct bytes text)
{
    char first = (char)(text.data[0] | 0x20);
    return first == 't' || first == 'y' || (first == 'o' && text.size == 2);
}

static enum conf_type type_of(enum token_type type)
{
    if (type == TOKEN_BOOLEAN)
        return CONF_BOOLEAN;
    if (type == TOKEN_INTEGER)
        return CONF_INTEGER;
    if (type == TOKEN_FLOAT)
        return CONF_FLOAT;
    return type == TOKEN_DATETIME ? CONF_DATETIME : CONF_STRING;
}

enum status scalar_value(struct conf *conf, const struct token *token,
                         struct conf_value **out, struct error *err)
{
    struct conf_value *value = conf_value_new(conf, type_of(token->type));
    *out = value;
    if (value == NULL)
        return fail(err, STATUS_NO_MEMORY, "configuration: one more value");
    switch (value->type) {
    case CONF_BOOLEAN:
        value->as.boolean = boolean_of(token->text);
        return STATUS_OK;
    case CONF_INTEGER:
        return integer_read(token, &value->as.integer, err);
    case CONF_FLOAT:
        return float_read(token, &value->as.real, err);
    case CONF_DATETIME:
        return datetime_read(token, &value->as.datetime, err);
    case CONF_STRING:
    case CONF_ARRAY:
    case CONF_MAP:
        break;
    }
    const char *copy = conf_copy(conf, token->text);
    if (copy == NULL)
        return fail(err, STATUS_NO_MEMORY, "configuration: one more string");
    value->as.string = bytes_of(copy, token->text.size);
    return STATUS_OK;
}
