/* urls.h - what we are told to connect to, as a list of NATS URLs.
 *
 * Pure functions; the rules of cli-config.md section 12. */
#ifndef NATSCLIENT_URLS_H
#define NATSCLIENT_URLS_H

#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define URL_LENGTH_MAX 1024
#define URL_COUNT_MAX 256

struct urls {
    char **items; /* owned, each terminated */
    int count;
};

/* Reads text: with a '@' or ',' in it a list, used as is, else one
 * scheme://host:port, rewritten to nats://host:port (tls stays tls). Each is
 * one that url_parse() takes. Errors: STATUS_INVALID ("malformed url: ..."),
 * STATUS_LIMIT, STATUS_NO_MEMORY; *out is then empty. */
MUST_CHECK enum status urls_parse(const char *text, struct urls *out,
                                  struct error *err);

/* Adds a copy of url unless it is there already. Errors: STATUS_LIMIT,
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status urls_add(struct urls *urls, const char *url,
                                struct error *err);
void urls_release(struct urls *urls);

/* One of them taken apart; what is secret in it is the user and password. */
struct url {
    char host[URL_LENGTH_MAX + 1]; /* an IPv6 address without its brackets */
    int port;
    bool tls;                      /* by its scheme */
    char user[URL_LENGTH_MAX + 1]; /* "" if none; alone it is a token */
    char password[URL_LENGTH_MAX + 1];
    bool has_password;
};

/* Reads [scheme://][user[:password]@]host[:port], where the scheme is nats or
 * tls, the port 4222 unless given, and user and password may hold %XX. Errors:
 * STATUS_INVALID. */
MUST_CHECK enum status url_parse(const char *text, struct url *out,
                                 struct error *err);

/* Copies url, or a list of them, with what stands between :// (or the front)
 * and @ replaced by [REDACTED]: it may be a password. Cut to capacity (> 0). */
void url_redact(const char *url, char *out, size_t capacity);

#endif
