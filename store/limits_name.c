#include "store/limits_name.h"

/* Takes the first token off *name, which is not empty or was not at its end. */
static struct bytes token_take(struct bytes *name)
{
    const uint8_t *dot =
        name->size == 0 ? NULL : memchr(name->data, '.', name->size);
    size_t size = dot == NULL ? name->size : (size_t)(dot - name->data);
    struct bytes token = bytes_of(name->data, size);
    if (dot == NULL) {
        *name = bytes_of(NULL, 0);
    } else {
        *name = bytes_of(dot + 1, name->size - size - 1);
    }
    return token;
}

static bool is_token(struct bytes token, char c)
{
    return token.size == 1 && token.data[0] == (uint8_t)c;
}

static bool has_byte(struct bytes bytes, char c)
{
    return bytes.size > 0 && memchr(bytes.data, c, bytes.size) != NULL;
}

static bool token_valid(struct bytes token, bool last)
{
    if (token.size == 0)
        return false;
    if (has_byte(token, '*'))
        return token.size == 1;
    if (has_byte(token, '>'))
        return token.size == 1 && last;
    return true;
}

bool limits_name_valid(struct bytes name)
{
    if (name.size == 0 || has_byte(name, '/') || has_byte(name, '\0'))
        return false;
    bool valid = name.data[name.size - 1] != '.';
    while (valid && name.size > 0) {
        struct bytes token = token_take(&name);
        valid = token_valid(token, name.size == 0);
    }
    return valid;
}

bool limits_name_is_wildcard(struct bytes name)
{
    return has_byte(name, '*') || has_byte(name, '>');
}

size_t limits_name_tokens(struct bytes name)
{
    size_t count = 0;
    while (name.size > 0) {
        (void)token_take(&name);
        count++;
    }
    return count;
}

bool limits_name_matches(struct bytes pattern, struct bytes name)
{
    while (pattern.size > 0 && name.size > 0) {
        struct bytes want = token_take(&pattern);
        if (is_token(want, '>'))
            return true;
        struct bytes token = token_take(&name);
        if (!is_token(want, '*') && !bytes_equal(want, token))
            return false;
    }
    return pattern.size == 0 && name.size == 0;
}

/* The wider the lower. */
static int token_rank(struct bytes token)
{
    if (is_token(token, '>'))
        return 0;
    return is_token(token, '*') ? 1 : 2;
}

static int token_order(struct bytes a, struct bytes b)
{
    int rank = token_rank(a) - token_rank(b);
    if (rank != 0)
        return rank;
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

int limits_name_order(struct bytes a, struct bytes b)
{
    while (a.size > 0 && b.size > 0) {
        struct bytes first = token_take(&a);
        int order = token_order(first, token_take(&b));
        if (order != 0)
            return order;
    }
    return (a.size > 0) - (b.size > 0);
}
