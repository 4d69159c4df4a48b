#include "natsclient/security.h"

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* All strings of the struct, so that none is forgotten. */
static const size_t strings[] = {
    offsetof(struct security, user),
    offsetof(struct security, password),
    offsetof(struct security, token),
    offsetof(struct security, credentials),
    offsetof(struct security, nkey_seed_file),
    offsetof(struct security, tls_ca),
    offsetof(struct security, tls_cert),
    offsetof(struct security, tls_key),
    offsetof(struct security, tls_server_name),
};

enum { STRINGS = sizeof strings / sizeof strings[0] };

static const char **string_at(struct security *security, int index)
{
    return (const char **)(void *)((char *)security + strings[index]);
}

bool security_has(const char *text)
{
    return text != NULL && text[0] != '\0';
}

bool security_wants_tls(const struct security *security)
{
    return security->secure || security_has(security->tls_ca) ||
           security_has(security->tls_cert);
}

enum status security_check(const struct security *security, struct error *err)
{
    if (security_has(security->tls_cert) != security_has(security->tls_key)) {
        bool has_key = security_has(security->tls_key);
        return fail(err, STATUS_INVALID,
                    "TLS client %s \"%s\" is given without its %s",
                    has_key ? "key" : "certificate",
                    has_key ? security->tls_key : security->tls_cert,
                    has_key ? "certificate (client_cert)" : "key (client_key)");
    }
    if (security_has(security->credentials) &&
        security_has(security->nkey_seed_file)) {
        return fail(err, STATUS_INVALID,
                    "credentials and nkey_seed_file exclude each other");
    }
    return STATUS_OK;
}

enum status security_copy(const struct security *security, struct security *out,
                          struct error *err)
{
    *out = *security;
    for (int i = 0; i < STRINGS; i++)
        *string_at(out, i) = NULL;
    struct security from = *security;
    for (int i = 0; i < STRINGS; i++) {
        const char *text = *string_at(&from, i);
        if (!security_has(text))
            continue;
        *string_at(out, i) = strdup(text);
        if (*string_at(out, i) == NULL) {
            security_release(out);
            return fail(err, STATUS_NO_MEMORY, "security: copy");
        }
    }
    return STATUS_OK;
}

void security_release(struct security *copy)
{
    for (int i = 0; i < STRINGS; i++)
        security_forget((char *)*string_at(copy, i));
    *copy = (struct security){0};
}

void security_forget(char *text)
{
    if (text == NULL)
        return;
    OPENSSL_cleanse(text, strlen(text));
    free(text);
}
