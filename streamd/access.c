#include "streamd/access.h"

static const char *or_else(const char *text, const char *other)
{
    return text[0] != '\0' ? text : other;
}

void access_external(const struct options *options, struct security *out)
{
    const struct options_tls *tls = &options->client_tls;
    *out = (struct security){
        .user = or_else(options->user, options->streaming_user),
        .password = or_else(options->password, options->streaming_password),
        .token = or_else(options->token, options->streaming_token),
        .credentials = options->credentials,
        .nkey_seed_file = options->nkey_seed_file,
        .secure = options->secure,
        .tls_ca = tls->ca,
        .tls_cert = tls->cert,
        .tls_key = tls->key,
        .tls_server_name = tls->server_name,
        .tls_skip_verify = tls->skip_verify,
    };
}

void access_embedded(const struct options *options, bool tls,
                     struct security *out)
{
    access_external(options, out);
    if (!tls)
        return;
    out->secure = true;
    out->tls_skip_verify = true;
    if (out->tls_cert[0] == '\0' && out->tls_key[0] == '\0') {
        out->tls_cert = options->tls_cert;
        out->tls_key = options->tls_key;
    }
}
