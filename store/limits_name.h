/* limits_name.h - names of limits: channels with wildcards, token by token
 * (stores.md 3.2, 3.3). */
#ifndef STORE_LIMITS_NAME_H
#define STORE_LIMITS_NAME_H

#include "streamd/base/buffer.h"

#include <stdbool.h>

/* Not empty, no '/', no empty token; '*' and '>' are tokens of their own, '>'
 * the last one. */
bool limits_name_valid(struct bytes name);

/* True if '*' or '>' is in it; name is valid. */
bool limits_name_is_wildcard(struct bytes name);

size_t limits_name_tokens(struct bytes name);

/* True if pattern covers name. Wildcards in name are taken as they stand. */
bool limits_name_matches(struct bytes pattern, struct bytes name);

/* Below, at or above 0: the order of a walk over all names, at each token '>'
 * first, then '*', then literal ones by their bytes. Of two names that cover a
 * third the wider comes first. */
int limits_name_order(struct bytes a, struct bytes b);

#endif
