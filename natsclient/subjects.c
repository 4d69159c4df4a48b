#include "natsclient/subjects.h"

#include <stddef.h>
#include <stdint.h>

enum class {
    CLASS_PLAIN,
    CLASS_DOT,
    CLASS_WILDCARD,
    CLASS_FORBIDDEN,
};

/* What a byte is in a subject that we write into a line of the NATS protocol.
 * A table, as every message that leaves is checked with it. The first rows are
 * the control characters. */
#define FORBIDDEN_4                                                            \
    CLASS_FORBIDDEN, CLASS_FORBIDDEN, CLASS_FORBIDDEN, CLASS_FORBIDDEN
#define FORBIDDEN_16 FORBIDDEN_4, FORBIDDEN_4, FORBIDDEN_4, FORBIDDEN_4
static const uint8_t CLASSES[256] = {
    FORBIDDEN_16,
    FORBIDDEN_16,
    [' '] = CLASS_FORBIDDEN,
    ['*'] = CLASS_WILDCARD,
    ['.'] = CLASS_DOT,
    ['>'] = CLASS_WILDCARD,
    [0x7f] = CLASS_FORBIDDEN,
};

bool channel_name_is_valid(struct bytes name)
{
    bool token_empty = true;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (byte == '*' || byte == '>' || byte == '/')
            return false;
        if (byte == '.' && token_empty)
            return false;
        token_empty = byte == '.';
    }
    return !token_empty; /* true for the empty name and a trailing dot too */
}

static bool is_client_id_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

bool client_id_is_valid(struct bytes id)
{
    for (size_t i = 0; i < id.size; i++) {
        if (!is_client_id_byte(id.data[i]))
            return false;
    }
    return id.size > 0;
}

/* True if the token that ends before `end` is one byte long and a wildcard. */
static bool is_wildcard_token(struct bytes subject, size_t start, size_t end)
{
    return end - start == 1 && CLASSES[subject.data[start]] == CLASS_WILDCARD;
}

bool subject_is_publishable(struct bytes subject)
{
    size_t start = 0; /* of the current token */
    for (size_t i = 0; i < subject.size; i++) {
        uint8_t class = CLASSES[subject.data[i]];
        if (class == CLASS_PLAIN)
            continue;
        if (class == CLASS_FORBIDDEN)
            return false;
        if (class == CLASS_DOT) {
            if (i == start || is_wildcard_token(subject, start, i))
                return false;
            start = i + 1;
        }
    }
    return start < subject.size &&
           !is_wildcard_token(subject, start, subject.size);
}
