/* dial_security.h - struct security as options of nats.c. */
#ifndef NATSCLIENT_DIAL_SECURITY_H
#define NATSCLIENT_DIAL_SECURITY_H

#include "natsclient/nkey.h"
#include "natsclient/security.h"
#include "natsclient/urls.h"

#include <nats/nats.h>

/* tls_name, if not "", is verified instead of the URL's host. nkey, which may
 * be NULL, is borrowed until the connection is made. Files are read here, but
 * for that of credentials, which is read when connecting. The text of an error
 * is nats_GetLastError(). */
natsStatus dial_set_security(natsOptions *nats, const struct security *security,
                             const struct url *url, const struct nkey *nkey,
                             const char *tls_name);

/* The connection's name, which may hold any characters. */
natsStatus dial_set_name(natsOptions *nats, const char *name);

#endif
