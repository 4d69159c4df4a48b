/* security.h - who we are to a NATS server, and which server we trust.
 *
 * Plain values; cli-config.md section 12. No thread. */
#ifndef NATSCLIENT_SECURITY_H
#define NATSCLIENT_SECURITY_H

#include "streamd/base/status.h"

#include <stdbool.h>

/* Strings are borrowed; NULL and "" both mean: not given. User, password and
 * token are the ones chosen already (NATS side before streaming side); a URL
 * with a user in it goes before them. Files are read again for each new
 * connection, so that renewed ones are used without a restart. */
struct security {
    const char *user;
    const char *password;
    const char *token;
    const char *credentials;     /* path of a .creds file: user JWT and seed */
    const char *nkey_seed_file;  /* path; not together with credentials */
    bool secure;                 /* TLS, also without any of those below */
    const char *tls_ca;          /* path; whom to trust besides the system's */
    const char *tls_cert;        /* path of our certificate */
    const char *tls_key;         /* path of its key; both or none */
    const char *tls_server_name; /* to be verified instead of the URL's host */
    bool tls_skip_verify;        /* neither chain nor name is verified */
};

/* True if text is given. */
bool security_has(const char *text);

/* True if TLS is wanted of any server, whatever its URL says. Name and
 * skip_verify alone do not: they are for a server that demands TLS. */
bool security_wants_tls(const struct security *security);

/* What can be said before connecting. Errors: STATUS_INVALID. */
MUST_CHECK enum status security_check(const struct security *security,
                                      struct error *err);

/* Makes *out a copy with strings of its own, to be ended with
 * security_release(). Errors: STATUS_NO_MEMORY, *out is then empty. */
MUST_CHECK enum status security_copy(const struct security *security,
                                     struct security *out, struct error *err);
/* Wipes and frees the strings of a copy. */
void security_release(struct security *copy);

/* Overwrites text with zeros and frees it; NULL is allowed. */
void security_forget(char *text);

#endif
