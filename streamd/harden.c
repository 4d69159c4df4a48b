#include "streamd/harden.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum status harden_process(struct error *err)
{
    mode_t mask = umask(S_IRWXO);
    (void)umask(mask | S_IRWXO);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail(err, STATUS_IO, "harden: no new privileges: %s",
                    strerror(errno));
    }
    return STATUS_OK;
}

static bool holds_secrets(const struct options *options)
{
    const char *const secrets[] = {
        options->password,           options->token,
        options->streaming_password, options->streaming_token,
        options->credentials,        options->nkey_seed_file,
        options->client_tls.key,     options->tls_key,
        options->admin_token_file,   options->encryption_key,
    };
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        if (secrets[i][0] != '\0')
            return true;
    }
    return strchr(options->nats_server, '@') != NULL;
}

enum status harden_secrets(const struct options *options, struct error *err)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    bool wanted = false;
#else
    bool wanted = true;
#endif
    if (wanted && holds_secrets(options) &&
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail(err, STATUS_IO, "harden: core dump: %s", strerror(errno));
    return STATUS_OK;
}
