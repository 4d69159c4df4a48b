#include "streamd/conf/scan.h"

#include <stdio.h>

enum { SHOWN_MAX = 16 };

bool scan_comment(struct lexer *lexer)
{
    int c = scan_peek(lexer);
    bool slashes =
        c == '/' && lexer->end - lexer->at > 1 && lexer->at[1] == '/';
    if (c != '#' && !slashes)
        return false;
    while (scan_peek(lexer) != SCAN_END && !scan_is_line_end(scan_peek(lexer)))
        scan_skip(lexer);
    return true;
}

void scan_gap(struct lexer *lexer)
{
    do {
        scan_spaces(lexer);
    } while (scan_comment(lexer));
}

void scan_begin(const struct lexer *lexer, struct token *token)
{
    *token = (struct token){
        .text = bytes_of(lexer->at, 0),
        .line = lexer->line,
        .column = (int)(lexer->at - lexer->line_start) + 1,
    };
}

/* The next character, all of it if it is UTF-8. */
static void character_show(const struct lexer *lexer, char out[SHOWN_MAX])
{
    int c = scan_peek(lexer);
    if (c == SCAN_END) {
        (void)snprintf(out, SHOWN_MAX, "EOF");
    } else if (c == '\n') {
        (void)snprintf(out, SHOWN_MAX, "\\n");
    } else if (c == '\r') {
        (void)snprintf(out, SHOWN_MAX, "\\r");
    } else if (c < ' ' || c == 0x7f) {
        (void)snprintf(out, SHOWN_MAX, "\\x%02x", (unsigned)c);
    } else {
        size_t size = 1;
        while (c >= 0xc0 && size < 4 && lexer->at + size < lexer->end &&
               (lexer->at[size] & 0xc0) == 0x80)
            size++;
        (void)snprintf(out, SHOWN_MAX, "%.*s", (int)size,
                       (const char *)lexer->at);
    }
}

enum status scan_unexpected(const struct lexer *lexer, struct error *err,
                            const char *before, const char *behind)
{
    char shown[SHOWN_MAX];
    character_show(lexer, shown);
    return fail(err, STATUS_INVALID, "Parse error on line %d: '%s%s%s'",
                lexer->line, before, shown, behind);
}

enum status scan_error(const struct lexer *lexer, struct error *err,
                       const char *text)
{
    return fail(err, STATUS_INVALID, "Parse error on line %d: '%s'",
                lexer->line, text);
}
