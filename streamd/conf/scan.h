/* scan.h - the lexer's view of its text, a byte at a time: classes of bytes,
 * blanks and comments, errors. */
#ifndef STREAMD_CONF_SCAN_H
#define STREAMD_CONF_SCAN_H

#include "streamd/conf/lexer.h"

#include <stdbool.h>

enum { SCAN_END = -1 };

/* The next byte; SCAN_END. */
static inline int scan_peek(const struct lexer *lexer)
{
    return lexer->at < lexer->end ? *lexer->at : SCAN_END;
}

static inline bool scan_is_blank(int c)
{
    return c == ' ' || c == '\t';
}

static inline bool scan_is_line_end(int c)
{
    return c == '\n' || c == '\r';
}

static inline bool scan_is_space(int c)
{
    return scan_is_blank(c) || scan_is_line_end(c) || c == '\v' || c == '\f';
}

static inline bool scan_is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Steps over the next byte. */
static inline void scan_skip(struct lexer *lexer)
{
    if (*lexer->at++ == '\n') {
        lexer->line++;
        lexer->line_start = lexer->at;
    }
}

static inline void scan_blanks(struct lexer *lexer)
{
    while (scan_is_blank(scan_peek(lexer)))
        scan_skip(lexer);
}

static inline void scan_spaces(struct lexer *lexer)
{
    while (scan_is_space(scan_peek(lexer)))
        scan_skip(lexer);
}

/* Steps over a comment, up to the end of its line; false if there is none. */
bool scan_comment(struct lexer *lexer);

/* Spaces and comments. */
void scan_gap(struct lexer *lexer);

/* Starts a token here. */
void scan_begin(const struct lexer *lexer, struct token *token);

/* "Parse error on line <n>: '<before><next byte><behind>'". */
enum status scan_unexpected(const struct lexer *lexer, struct error *err,
                            const char *before, const char *behind);
enum status scan_error(const struct lexer *lexer, struct error *err,
                       const char *text);

#endif
