/* admin_token.h - the token in a JSON text of somebody nobody knows yet.
 *
 * A parser builds what it reads; so who is not let in would have us allocate
 * whatever comes to a sender's mind. This only looks for the token. */
#ifndef MONITOR_ADMIN_TOKEN_H
#define MONITOR_ADMIN_TOKEN_H

#include "monitor/admin_access.h"

/* The text of the member "token" of the object that json seems to be, in out;
 * returns its size. 0: there is none, or none that could be a token. json need
 * not be valid, and is read once, to the token; nothing is allocated. Where
 * json is valid and names no member twice, what is found is what a parser would
 * find, but for a name that is spelled with escapes, which is not found. */
size_t admin_token_find(struct bytes json, char out[ADMIN_TOKEN_MAX]);

#endif
