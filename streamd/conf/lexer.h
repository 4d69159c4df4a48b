/* lexer.h - configuration text into tokens (cli-config.md 6.1 to 6.5).
 *
 * Where a token may stand depends on what is open around it, so the lexer
 * keeps the stack of open maps and arrays and checks the punctuation; it comes
 * out balanced. Text is borrowed; a token is valid until the next one. */
#ifndef STREAMD_CONF_LEXER_H
#define STREAMD_CONF_LEXER_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

enum { LEXER_DEPTH_MAX = 64 };

enum token_type {
    TOKEN_NONE,
    TOKEN_END,
    TOKEN_KEY,
    TOKEN_INCLUDE, /* text: the path */
    TOKEN_STRING,
    TOKEN_BOOLEAN,
    TOKEN_VARIABLE, /* text: the name, without the dollar */
    TOKEN_INTEGER,  /* text: digits with sign and suffix */
    TOKEN_FLOAT,
    TOKEN_DATETIME,
    TOKEN_MAP_START,
    TOKEN_MAP_END,
    TOKEN_ARRAY_START,
    TOKEN_ARRAY_END,
};

struct token {
    enum token_type type;
    struct bytes text; /* not terminated */
    int line, column;
};

/* What comes next. */
enum lexer_state {
    LEXER_KEY,   /* at top level or in a map */
    LEXER_VALUE, /* behind a key: the separator and the value */
    LEXER_INCLUDE,
    LEXER_ELEMENT, /* of an array */
    LEXER_AFTER,   /* a value */
};

struct lexer {
    const uint8_t *at, *end, *line_start;
    int line;
    enum lexer_state state;
    int depth;
    char open[LEXER_DEPTH_MAX]; /* '{' or '[' */
    struct blob unescaped;      /* of the last token, if it had escapes */
};

/* A NUL in text ends it. Ended with lexer_release(). */
void lexer_init(struct lexer *lexer, struct bytes text);
void lexer_release(struct lexer *lexer);

/* Errors: STATUS_INVALID ("Parse error on line 3: '...'"), NO_MEMORY. Not to
 * be called again after one, or after TOKEN_END. */
MUST_CHECK enum status lexer_next(struct lexer *lexer, struct token *token,
                                  struct error *err);

#endif
