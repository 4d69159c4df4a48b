#include "natsclient/dial_security.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* nats.c puts texts into its JSON as they are: what JSON escapes must come
 * escaped, else a quote in a password ends it. NULL when out of memory. */
static char *escape(const char *text)
{
    char *out = malloc(6 * strlen(text) + 1);
    char *end = out;
    if (out == NULL)
        return NULL;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            *end++ = '\\';
            *end++ = (char)c;
        } else if (c < ' ') {
            end += snprintf(end, 7, "\\u%04x", c);
        } else {
            *end++ = (char)c;
        }
    }
    *end = '\0';
    return out;
}

natsStatus dial_set_name(natsOptions *nats, const char *name)
{
    char *escaped = escape(name);
    natsStatus status =
        escaped == NULL ? NATS_NO_MEMORY : natsOptions_SetName(nats, escaped);
    free(escaped);
    return status;
}

static natsStatus set_user(natsOptions *nats, const char *user,
                           const char *password)
{
    char *user_escaped = escape(user);
    char *password_escaped = escape(password);
    natsStatus status = NATS_NO_MEMORY;
    if (user_escaped != NULL && password_escaped != NULL)
        status = natsOptions_SetUserInfo(nats, user_escaped, password_escaped);
    security_forget(user_escaped);
    security_forget(password_escaped);
    return status;
}

static natsStatus set_token(natsOptions *nats, const char *token)
{
    char *escaped = escape(token);
    natsStatus status =
        escaped == NULL ? NATS_NO_MEMORY : natsOptions_SetToken(nats, escaped);
    security_forget(escaped);
    return status;
}

/* natsSignatureHandler: what it hands over is freed by nats.c. */
static natsStatus on_sign(char **error_text, unsigned char **signature,
                          int *size, const char *nonce, void *closure)
{
    (void)error_text;
    unsigned char *out = malloc(NKEY_SIGNATURE_SIZE);
    if (out == NULL)
        return NATS_NO_MEMORY;
    if (nkey_sign(closure, bytes_text(nonce), out) != STATUS_OK) {
        free(out);
        return NATS_NO_MEMORY;
    }
    *signature = out;
    *size = NKEY_SIGNATURE_SIZE;
    return NATS_OK;
}

/* A URL's own user goes before all; one without a password is a token. */
static natsStatus set_identity(natsOptions *nats,
                               const struct security *security,
                               const struct url *url, const struct nkey *nkey)
{
    natsStatus status = NATS_OK;
    if (security_has(security->credentials)) {
        status = natsOptions_SetUserCredentialsFromFiles(
            nats, security->credentials, NULL);
    } else if (nkey != NULL) {
        status =
            natsOptions_SetNKey(nats, nkey_public(nkey), on_sign, (void *)nkey);
    }
    if (status != NATS_OK)
        return status;
    if (url->has_password)
        return set_user(nats, url->user, url->password);
    if (security_has(url->user))
        return set_token(nats, url->user);
    if (security_has(security->user)) {
        status = set_user(nats, security->user,
                          security->password != NULL ? security->password : "");
    }
    if (status == NATS_OK && security_has(security->token))
        status = set_token(nats, security->token);
    return status;
}

/* What is set although the URL does not ask for TLS is for a server that
 * demands it: nats.c then changes over by itself. */
static natsStatus set_tls(natsOptions *nats, const struct security *security,
                          const struct url *url)
{
    natsStatus status = NATS_OK;
    if (security_wants_tls(security) || url->tls)
        status = natsOptions_SetSecure(nats, true);
    if (status == NATS_OK && security_has(security->tls_ca)) {
        status = natsOptions_LoadCATrustedCertificates(nats, security->tls_ca);
    }
    if (status == NATS_OK && security_has(security->tls_cert)) {
        status = natsOptions_LoadCertificatesChain(nats, security->tls_cert,
                                                   security->tls_key);
    }
    if (status == NATS_OK && security->tls_skip_verify)
        status = natsOptions_SkipServerVerification(nats, true);
    return status;
}

natsStatus dial_set_security(natsOptions *nats, const struct security *security,
                             const struct url *url, const struct nkey *nkey,
                             const char *tls_name)
{
    natsStatus status = set_identity(nats, security, url, nkey);
    if (status == NATS_OK)
        status = set_tls(nats, security, url);
    if (status == NATS_OK && security_has(tls_name))
        status = natsOptions_SetExpectedHostname(nats, tls_name);
    return status;
}
