#include "streamd/conf/lexer.h"

#include "streamd/conf/scalar.h"
#include "streamd/conf/scan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void lexer_init(struct lexer *lexer, struct bytes text)
{
    *lexer = (struct lexer){.state = LEXER_KEY, .line = 1};
    const uint8_t *nul =
        text.size == 0 ? NULL : memchr(text.data, '\0', text.size);
    lexer->at = lexer->line_start = lexer->end = text.data;
    if (text.size > 0)
        lexer->end = nul != NULL ? nul : text.data + text.size;
}

void lexer_release(struct lexer *lexer)
{
    blob_release(&lexer->unescaped);
}

/* '{', '[', or 0 at top level. */
static char innermost(const struct lexer *lexer)
{
    if (lexer->depth == 0)
        return '\0';
    return lexer->open[lexer->depth - 1];
}

static enum status opened(struct lexer *lexer, struct token *token,
                          struct error *err)
{
    char c = scan_peek(lexer) == '{' ? '{' : '[';
    if (lexer->depth == LEXER_DEPTH_MAX) {
        return scan_error(lexer, err,
                          "Maps and arrays are nested too deeply (limit 64)");
    }
    scan_skip(lexer);
    lexer->open[lexer->depth++] = c;
    lexer->state = c == '{' ? LEXER_KEY : LEXER_ELEMENT;
    token->type = c == '{' ? TOKEN_MAP_START : TOKEN_ARRAY_START;
    return STATUS_OK;
}
_Static_assert((int)LEXER_DEPTH_MAX == 64, "the text above says so");

static enum status closed(struct lexer *lexer, struct token *token)
{
    scan_begin(lexer, token);
    token->type = innermost(lexer) == '{' ? TOKEN_MAP_END : TOKEN_ARRAY_END;
    scan_skip(lexer);
    lexer->depth--;
    lexer->state = LEXER_AFTER;
    return STATUS_OK;
}

static enum status map_unfinished(const struct lexer *lexer, struct error *err)
{
    return scan_error(lexer, err, "Unexpected EOF processing map.");
}

/* ---- keys ---- */

static bool is_separator(int c)
{
    return c == '=' || c == ':';
}

static enum status bare_key(struct lexer *lexer, struct token *token,
                            struct error *err)
{
    static const char keyword[] = "include";
    do {
        scan_skip(lexer);
    } while (scan_peek(lexer) != SCAN_END && !scan_is_space(scan_peek(lexer)) &&
             !is_separator(scan_peek(lexer)));
    token->type = TOKEN_KEY;
    token->text.size = (size_t)(lexer->at - token->text.data);
    int c = scan_peek(lexer);
    if (c == SCAN_END && lexer->depth > 0)
        return map_unfinished(lexer, err);
    lexer->state = LEXER_VALUE;
    if (scan_is_space(c) && token->text.size == sizeof keyword - 1 &&
        strncasecmp((const char *)token->text.data, keyword,
                    sizeof keyword - 1) == 0) {
        token->type = TOKEN_NONE;
        lexer->state = LEXER_INCLUDE;
    }
    return STATUS_OK;
}

static enum status quoted_key(struct lexer *lexer, struct token *token,
                              struct error *err)
{
    char quote = scan_peek(lexer) == '"' ? '"' : '\'';
    scan_skip(lexer);
    enum status status = scalar_verbatim(lexer, quote, token, err);
    token->type = TOKEN_KEY;
    lexer->state = LEXER_VALUE;
    return status;
}

static enum status end_read(const struct lexer *lexer, struct token *token,
                            struct error *err)
{
    if (lexer->depth > 0)
        return map_unfinished(lexer, err);
    token->type = TOKEN_END;
    return STATUS_OK;
}

static enum status key_read(struct lexer *lexer, struct token *token,
                            struct error *err)
{
    bool top = lexer->depth == 0;
    scan_gap(lexer);
    scan_begin(lexer, token);
    int c = scan_peek(lexer);
    if (c == SCAN_END)
        return end_read(lexer, token, err);
    if (top && (c == '{' || c == '}')) { /* braces around the whole file */
        scan_skip(lexer);
        return STATUS_OK;
    }
    if (c == '}')
        return closed(lexer, token);
    if (is_separator(c))
        return scan_unexpected(lexer, err, "Unexpected key separator '", "'");
    if (c == ',' && !top)
        return scan_error(lexer, err, "Unexpected map value terminator ','.");
    if (c == '"' || c == '\'')
        return quoted_key(lexer, token, err);
    return bare_key(lexer, token, err);
}

/* ---- include ---- */

static bool ends_path(int c)
{
    return c == SCAN_END || scan_is_space(c) || c == ';' || c == '}' ||
           c == '\'';
}

/* What a path may not start with; NULL if c is fine. */
static const char *not_a_path(int c)
{
    if (c == '-' || scan_is_digit(c))
        return "start of a number";
    switch (c) {
    case '[':
        return "start of an array";
    case '{':
        return "start of a map";
    case '(':
        return "start of a block";
    case '\\':
        return "escape sequence";
    case '\r':
    case '\n':
    case SCAN_END:
        return "new line";
    default:
        return NULL;
    }
}

static enum status include_read(struct lexer *lexer, struct token *token,
                                struct error *err)
{
    scan_blanks(lexer);
    scan_begin(lexer, token);
    int c = scan_peek(lexer);
    const char *found = not_a_path(c);
    if (found != NULL) {
        char text[64];
        (void)snprintf(text, sizeof text, "Expected include value but found %s",
                       found);
        return scan_error(lexer, err, text);
    }
    lexer->state = LEXER_AFTER;
    if (c == '"' || c == '\'') {
        scan_skip(lexer);
        enum status status = scalar_verbatim(lexer, (char)c, token, err);
        token->type = TOKEN_INCLUDE;
        return status;
    }
    while (!ends_path(scan_peek(lexer)))
        scan_skip(lexer);
    token->type = TOKEN_INCLUDE;
    token->text.size = (size_t)(lexer->at - token->text.data);
    if (scan_peek(lexer) == '\'')
        scan_skip(lexer);
    return STATUS_OK;
}

/* ---- values ---- */

static enum status any_read(struct lexer *lexer, struct token *token,
                            struct error *err)
{
    scan_begin(lexer, token);
    int c = scan_peek(lexer);
    if (c == '{' || c == '[')
        return opened(lexer, token, err);
    lexer->state = LEXER_AFTER;
    return scalar_read(lexer, token, err);
}

/* Between a key and its value. New lines may stand in front of the separator,
 * behind it only inside of a map. */
static enum status value_read(struct lexer *lexer, struct token *token,
                              struct error *err)
{
    bool top = lexer->depth == 0;
    bool separated = false;
    scan_spaces(lexer);
    if (is_separator(scan_peek(lexer))) {
        scan_skip(lexer);
        separated = true;
        if (top) {
            scan_blanks(lexer);
        } else {
            scan_spaces(lexer);
        }
    }
    int c = scan_peek(lexer);
    if (c == SCAN_END && !separated)
        return end_read(lexer, token, err);
    if (top && scan_is_line_end(c))
        return scan_error(lexer, err, "Expected value but found new line");
    if (!top && c == SCAN_END)
        return map_unfinished(lexer, err);
    if (!top && (c == ',' || c == '}')) {
        return scan_unexpected(lexer, err, "Unexpected map value terminator '",
                               "'.");
    }
    return any_read(lexer, token, err);
}

static enum status element_read(struct lexer *lexer, struct token *token,
                                struct error *err)
{
    scan_gap(lexer);
    int c = scan_peek(lexer);
    if (c == SCAN_END)
        return scan_error(lexer, err, "Unexpected EOF processing array.");
    if (c == ',') {
        return scan_error(lexer, err, "Unexpected array value terminator ','.");
    }
    if (c == ']')
        return closed(lexer, token);
    return any_read(lexer, token, err);
}

/* ---- behind a value ---- */

static enum status after_top(struct lexer *lexer, struct error *err)
{
    scan_blanks(lexer);
    int c = scan_peek(lexer);
    bool ends = c == SCAN_END || scan_is_line_end(c) || c == ';' || c == ',' ||
                c == '}';
    if (ends && c != SCAN_END) {
        scan_skip(lexer);
    } else if (!ends && !scan_comment(lexer)) {
        return scan_unexpected(lexer, err,
                               "Expected a top-level value to end with a new "
                               "line, comment or EOF, but got '",
                               "' instead.");
    }
    lexer->state = LEXER_KEY;
    return STATUS_OK;
}

static enum status after_entry(struct lexer *lexer, struct token *token,
                               struct error *err)
{
    scan_blanks(lexer);
    (void)scan_comment(lexer);
    int c = scan_peek(lexer);
    if (c == '}')
        return closed(lexer, token);
    if (c == SCAN_END)
        return map_unfinished(lexer, err);
    if (c != ',' && c != ';' && !scan_is_line_end(c)) {
        return scan_unexpected(lexer, err,
                               "Expected a map value terminator ',' or a map "
                               "terminator '}', but got '",
                               "' instead.");
    }
    scan_skip(lexer);
    lexer->state = LEXER_KEY;
    return STATUS_OK;
}

static enum status after_element(struct lexer *lexer, struct token *token,
                                 struct error *err)
{
    scan_blanks(lexer);
    (void)scan_comment(lexer);
    int c = scan_peek(lexer);
    if (c == ']')
        return closed(lexer, token);
    if (c != ',' && !scan_is_line_end(c)) {
        return scan_unexpected(lexer, err,
                               "Expected an array value terminator ',' or an "
                               "array terminator ']', but got '",
                               "' instead.");
    }
    scan_skip(lexer);
    lexer->state = LEXER_ELEMENT;
    return STATUS_OK;
}

static enum status after_read(struct lexer *lexer, struct token *token,
                              struct error *err)
{
    switch (innermost(lexer)) {
    case '{':
        return after_entry(lexer, token, err);
    case '[':
        return after_element(lexer, token, err);
    default:
        return after_top(lexer, err);
    }
}

/* One step, which may bring no token. */
static enum status step(struct lexer *lexer, struct token *token,
                        struct error *err)
{
    switch (lexer->state) {
    case LEXER_KEY:
        return key_read(lexer, token, err);
    case LEXER_VALUE:
        return value_read(lexer, token, err);
    case LEXER_INCLUDE:
        return include_read(lexer, token, err);
    case LEXER_ELEMENT:
        return element_read(lexer, token, err);
    case LEXER_AFTER:
        break;
    }
    return after_read(lexer, token, err);
}

enum status lexer_next(struct lexer *lexer, struct token *token,
                       struct error *err)
{
    enum status status = STATUS_OK;
    *token = (struct token){.type = TOKEN_NONE};
    while (status == STATUS_OK && token->type == TOKEN_NONE)
        status = step(lexer, token, err);
    return status;
}
