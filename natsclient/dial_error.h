/* dial_error.h - why a server was not reached, in words for its operator. */
#ifndef NATSCLIENT_DIAL_ERROR_H
#define NATSCLIENT_DIAL_ERROR_H

#include "natsclient/security.h"
#include "natsclient/urls.h"

#include <nats/nats.h>
#include <stddef.h>

/* Must follow the failed call of nats.c on its thread. Says what to do about
 * it where that is not plain; no secrets. May look up the host and try to reach
 * it, for half a second, as nats.c does not tell why it could not. */
void dial_error_text(natsStatus status, const struct url *url,
                     const struct security *security, char *out,
                     size_t capacity);

#endif
