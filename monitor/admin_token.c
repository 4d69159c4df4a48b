#include "monitor/admin_token.h"

#include <string.h>

/* What is still to be read. */
struct rest {
    const char *at, *end;
};

static void skip_space(struct rest *rest)
{
    while (rest->at < rest->end &&
           (*rest->at == ' ' || (*rest->at >= '\t' && *rest->at <= '\r')))
        rest->at++;
}

/* True, and the rest begins behind it, if c is what comes next. */
static bool take(struct rest *rest, char c)
{
    skip_space(rest);
    if (rest->at == rest->end || *rest->at != c)
        return false;
    rest->at++;
    return true;
}

/* From behind a quote to behind the one that ends the string. */
static struct bytes take_string(struct rest *rest)
{
    const char *from = rest->at;
    while (rest->at < rest->end && *rest->at != '"') {
        bool escape = *rest->at == '\\' && rest->end - rest->at > 1;
        rest->at += escape ? 2 : 1;
    }
    if (rest->at == rest->end) /* it has no end */
        return bytes_of(NULL, 0);
    return bytes_of(from, (size_t)(rest->at++ - from));
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    int value = at == NULL ? -1 : (int)(at - digits);
    return value > 15 ? value - 6 : value;
}

/* What stands behind a backslash; 0 if it is nothing for a token. */
static char unescape(struct rest *rest)
{
    if (rest->at == rest->end)
        return '\0';
    char c = *rest->at++;
    if (c == '"' || c == '\\' || c == '/')
        return c;
    if (c != 'u' || rest->end - rest->at < 4)
        return '\0';
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex(*rest->at++);
        if (digit < 0 || value > 0x7F)
            return '\0';
        value = value * 16 + digit;
    }
    if (value > 0x7F)
        return '\0';
    return (char)value;
}

/* The string as a token; 0 if it cannot be one. */
static size_t decode(struct bytes string, char out[ADMIN_TOKEN_MAX])
{
    size_t size = 0;
    struct rest rest = {(const char *)string.data,
                        (const char *)string.data + string.size};
    while (rest.at < rest.end) {
        char c = *rest.at++;
        if (c == '\\')
            c = unescape(&rest);
        if (c <= ' ' || c >= 0x7F || size == ADMIN_TOKEN_MAX)
            return 0;
        out[size++] = c;
    }
    return size;
}

size_t admin_token_find(struct bytes json, char out[ADMIN_TOKEN_MAX])
{
    struct rest rest = {(const char *)json.data,
                        (const char *)json.data + json.size};
    if (json.size == 0 || !take(&rest, '{'))
        return 0;
    for (size_t depth = 1; depth > 0 && rest.at < rest.end;) {
        char c = *rest.at++;
        depth += (size_t)(c == '{' || c == '[');
        depth -= (size_t)(c == '}' || c == ']');
        if (c != '"')
            continue;
        struct bytes string = take_string(&rest);
        /* Of strings only names are followed by a colon. */
        if (depth == 1 && bytes_equal(string, bytes_text("token")) &&
            take(&rest, ':'))
            return take(&rest, '"') ? decode(take_string(&rest), out) : 0;
    }
    return 0;
}
