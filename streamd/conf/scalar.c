#include "streamd/conf/scalar.h"

#include "streamd/conf/scan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The text read so far is the token. */
static enum status finish(const struct lexer *lexer, struct token *token,
                          enum token_type type)
{
    token->type = type;
    token->text.size = (size_t)(lexer->at - token->text.data);
    return STATUS_OK;
}

enum status scalar_verbatim(struct lexer *lexer, char quote,
                            struct token *token, struct error *err)
{
    token->text.data = lexer->at;
    while (scan_peek(lexer) != SCAN_END && scan_peek(lexer) != quote)
        scan_skip(lexer);
    if (scan_peek(lexer) == SCAN_END)
        return scan_error(lexer, err, "Unexpected EOF.");
    (void)finish(lexer, token, TOKEN_STRING);
    scan_skip(lexer);
    return STATUS_OK;
}

/* ---- escapes ---- */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "configuration: a string");
}

static int hex_value(int c)
{
    if (scan_is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum status hex_read(struct lexer *lexer, uint8_t *byte,
                            struct error *err)
{
    int value = 0;
    for (int i = 0; i < 2; i++) {
        int digit = hex_value(scan_peek(lexer));
        if (digit < 0) {
            return scan_unexpected(
                lexer, err,
                "Expected two hexadecimal digits after '\\x', but got '",
                "' instead.");
        }
        value = value * 16 + digit;
        scan_skip(lexer);
    }
    *byte = (uint8_t)value;
    return STATUS_OK;
}

/* Behind the backslash: what it means goes to the unescaped text. */
static enum status escape_read(struct lexer *lexer, struct error *err)
{
    static const char names[] = "tnr\"\\";
    static const char bytes[] = "\t\n\r\"\\";
    int c = scan_peek(lexer);
    const char *name = c > 0 ? strchr(names, c) : NULL;
    uint8_t byte = 0;
    if (name != NULL) {
        byte = (uint8_t)bytes[name - names];
        scan_skip(lexer);
    } else if (c == 'x') {
        scan_skip(lexer);
        enum status status = hex_read(lexer, &byte, err);
        if (status != STATUS_OK)
            return status;
    } else {
        return scan_unexpected(
            lexer, err, "Invalid escape character '",
            "'. Only the following escape characters are allowed: \\xXX, "
            "\\t, \\n, \\r, \\\", \\\\.");
    }
    return blob_append(&lexer->unescaped, &byte, 1) ? STATUS_OK
                                                    : no_memory(err);
}

/* ---- strings ---- */

static bool ends_bare(int c)
{
    return c == SCAN_END || scan_is_blank(c) || scan_is_line_end(c) ||
           strchr(";,]}'", c) != NULL;
}

/* Up to where ends() says, with escapes. *escaped: the text is in
 * lexer->unescaped. */
static enum status escaped_read(struct lexer *lexer, bool (*ends)(int c),
                                bool *escaped, struct error *err)
{
    const uint8_t *plain = lexer->at; /* not yet in the unescaped text */
    *escaped = false;
    lexer->unescaped.size = 0;
    while (!ends(scan_peek(lexer))) {
        if (scan_peek(lexer) != '\\') {
            scan_skip(lexer);
            continue;
        }
        *escaped = true;
        if (!blob_append(&lexer->unescaped, plain, (size_t)(lexer->at - plain)))
            return no_memory(err);
        scan_skip(lexer);
        enum status status = escape_read(lexer, err);
        if (status != STATUS_OK)
            return status;
        plain = lexer->at;
    }
    if (*escaped &&
        !blob_append(&lexer->unescaped, plain, (size_t)(lexer->at - plain)))
        return no_memory(err);
    return STATUS_OK;
}

static bool ends_quoted(int c)
{
    return c == SCAN_END || c == '"';
}

static enum status quoted_read(struct lexer *lexer, struct token *token,
                               struct error *err)
{
    bool escaped;
    token->text.data = lexer->at;
    enum status status = escaped_read(lexer, ends_quoted, &escaped, err);
    if (status != STATUS_OK)
        return status;
    if (scan_peek(lexer) == SCAN_END)
        return scan_error(lexer, err, "Unexpected EOF.");
    (void)finish(lexer, token, TOKEN_STRING);
    if (escaped)
        token->text = blob_bytes(&lexer->unescaped);
    scan_skip(lexer);
    return STATUS_OK;
}

static bool is_boolean(struct bytes text)
{
    static const char *const words[] = {"true", "false", "on",
                                        "off",  "yes",   "no"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text.size == strlen(words[i]) &&
            strncasecmp((const char *)text.data, words[i], text.size) == 0)
            return true;
    }
    return false;
}

/* "$2a$..." is a hashed password, not a variable. */
static bool is_variable(struct bytes text)
{
    static const char hash[] = "$2a$";
    if (text.size == 0 || text.data[0] != '$')
        return false;
    return text.size < sizeof hash - 1 ||
           memcmp(text.data, hash, sizeof hash - 1) != 0;
}

/* A bare string that began at the token; what was read of it already is read
 * again, as it may hold no escape. */
static enum status bare_read(struct lexer *lexer, struct token *token,
                             struct error *err)
{
    bool escaped;
    lexer->at = token->text.data; /* on the same line */
    enum status status = escaped_read(lexer, ends_bare, &escaped, err);
    if (status != STATUS_OK)
        return status;
    (void)finish(lexer, token, TOKEN_STRING);
    if (escaped)
        token->text = blob_bytes(&lexer->unescaped);
    if (scan_peek(lexer) == '\'') {
        scan_skip(lexer);
    } else if (!escaped && is_boolean(token->text)) {
        token->type = TOKEN_BOOLEAN;
    } else if (!escaped && is_variable(token->text)) {
        token->type = TOKEN_VARIABLE;
        token->text.data++;
        token->text.size--;
    }
    return STATUS_OK;
}

/* True for the ')' that ends a block: alone on its line, without a blank. */
static bool ends_block(const struct lexer *lexer, const uint8_t *start)
{
    if (lexer->at == start || !scan_is_line_end(lexer->at[-1]))
        return false;
    return lexer->at + 1 == lexer->end || scan_is_line_end(lexer->at[1]);
}

static enum status block_read(struct lexer *lexer, struct token *token,
                              struct error *err)
{
    const uint8_t *start = lexer->at;
    token->text.data = start;
    while (scan_peek(lexer) != SCAN_END) {
        if (scan_peek(lexer) == ')' && ends_block(lexer, start)) {
            (void)finish(lexer, token, TOKEN_STRING);
            scan_skip(lexer);
            return STATUS_OK;
        }
        scan_skip(lexer);
    }
    return scan_error(lexer, err, "Unexpected EOF processing block.");
}

/* ---- what starts with a digit ---- */

static size_t digits_skip(struct lexer *lexer)
{
    size_t count = 0;
    for (; scan_is_digit(scan_peek(lexer)); count++)
        scan_skip(lexer);
    return count;
}

static bool is_one_of(int c, const char *set)
{
    return c > 0 && strchr(set, c) != NULL;
}

/* A ']' counts, so that "[1,2]" is an array of numbers. */
static bool ends_number(int c)
{
    return c == SCAN_END || scan_is_blank(c) || scan_is_line_end(c) ||
           is_one_of(c, ",;}]");
}

/* Behind "YYYY", at the '-'. */
static enum status datetime_read(struct lexer *lexer, struct token *token,
                                 struct error *err)
{
    for (const char *form = "-00-00T00:00:00Z"; *form != '\0'; form++) {
        int c = scan_peek(lexer);
        if (*form == '0' && !scan_is_digit(c)) {
            return scan_unexpected(
                lexer, err, "Expected digit in ISO8601 datetime, but found '",
                "' instead.");
        }
        if (*form != '0' && *form != c) {
            char before[64];
            (void)snprintf(before, sizeof before,
                           "Expected '%c' in ISO8601 datetime, but found '",
                           *form);
            return scan_unexpected(lexer, err, before, "' instead.");
        }
        scan_skip(lexer);
    }
    return finish(lexer, token, TOKEN_DATETIME);
}

/* At the first '.': a float, or with a second one an address. */
static enum status float_read(struct lexer *lexer, struct token *token,
                              struct error *err)
{
    scan_skip(lexer);
    if (digits_skip(lexer) == 0) {
        return scan_unexpected(lexer, err,
                               "Floats must have a digit after the '.', but "
                               "got '",
                               "' instead.");
    }
    if (scan_peek(lexer) != '.')
        return finish(lexer, token, TOKEN_FLOAT);
    while (scan_is_digit(scan_peek(lexer)) ||
           is_one_of(scan_peek(lexer), ".:-"))
        scan_skip(lexer);
    return finish(lexer, token, TOKEN_STRING);
}

/* At the letter of a size. A digit behind it ends the number too: "1m30s" is
 * an error, not a string (6.5). */
static enum status suffix_read(struct lexer *lexer, struct token *token,
                               struct error *err)
{
    scan_skip(lexer);
    while (is_one_of(scan_peek(lexer), "bBiI"))
        scan_skip(lexer);
    if (ends_number(scan_peek(lexer)) || scan_is_digit(scan_peek(lexer)))
        return finish(lexer, token, TOKEN_INTEGER);
    return bare_read(lexer, token, err);
}

static enum status number_read(struct lexer *lexer, struct token *token,
                               struct error *err)
{
    bool negative = scan_peek(lexer) == '-';
    if (negative)
        scan_skip(lexer);
    size_t digits = digits_skip(lexer);
    int c = scan_peek(lexer);
    if (digits == 0)
        return scan_unexpected(lexer, err, "Expected a digit but got '", "'.");
    if (c == '-' && !negative && digits == 4)
        return datetime_read(lexer, token, err);
    if (c == '-' && !negative) {
        return scan_error(lexer, err,
                          "All ISO8601 dates must be in full Zulu form.");
    }
    if (c == '.')
        return float_read(lexer, token, err);
    if (is_one_of(c, "kKmMgGtTpPeE"))
        return suffix_read(lexer, token, err);
    if (negative || ends_number(c))
        return finish(lexer, token, TOKEN_INTEGER);
    return bare_read(lexer, token, err);
}

enum status scalar_read(struct lexer *lexer, struct token *token,
                        struct error *err)
{
    int c = scan_peek(lexer);
    if (c == '-' || scan_is_digit(c))
        return number_read(lexer, token, err);
    switch (c) {
    case '"':
        scan_skip(lexer);
        return quoted_read(lexer, token, err);
    case '\'':
        scan_skip(lexer);
        return scalar_verbatim(lexer, '\'', token, err);
    case '(':
        scan_skip(lexer);
        return block_read(lexer, token, err);
    case '.':
        return scan_error(lexer, err, "Floats must start with a digit");
    default:
        return bare_read(lexer, token, err);
    }
}
