#include "natsclient/dial.h"

#include "natsclient/deadline.h"
#include "natsclient/dial_error.h"
#include "natsclient/dial_security.h"
#include "natsclient/link.h"
#include "natsclient/nkey.h"
#include "streamd/base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define CONNECT_TIMEOUT_MS 2000
/* For one URL in all; nats.c's own limit leaves out the handshake of TLS. */
#define CONNECT_WITHIN (5 * CLOCK_SECOND)

struct attempt {
    const struct dial_options *options;
    const struct nkey *nkey; /* NULL: none */
    const struct deadline *deadline;
    bool is_discovered;
    struct url url;
    char tls_name[URL_LENGTH_MAX + 1]; /* to be verified; "": url's host */
    char *shown;                       /* DIAL_SHOWN_MAX: url, no secrets */
};

static enum status failed(const struct attempt *attempt, natsStatus status,
                          struct error *err)
{
    char reason[200];
    dial_error_text(status, &attempt->url, attempt->options->security, reason,
                    sizeof reason);
    return fail(err, link_status(status), "nats: %s: %s", attempt->shown,
                reason);
}

static natsStatus set_basics(natsOptions *nats, const struct attempt *attempt)
{
    const struct url *url = &attempt->url;
    bool is_ip6 = strchr(url->host, ':') != NULL;
    char address[URL_LENGTH_MAX + 32];
    (void)snprintf(address, sizeof address, "nats://%s%s%s:%d",
                   is_ip6 ? "[" : "", url->host, is_ip6 ? "]" : "", url->port);
    natsStatus status = natsOptions_SetURL(nats, address);
    if (status == NATS_OK)
        status = natsOptions_SetTimeout(nats, CONNECT_TIMEOUT_MS);
    if (status == NATS_OK)
        status = dial_set_name(nats, attempt->options->name);
    if (status == NATS_OK)
        status = attempt->options->prepare(nats, attempt->options->context);
    return status;
}

static const char *tls_name(const struct attempt *attempt)
{
    const char *told = attempt->options->security->tls_server_name;
    return security_has(told) ? told : attempt->tls_name;
}

static enum status try_options(const struct attempt *attempt, natsOptions *nats,
                               natsConnection **out, struct error *err)
{
    natsStatus status = set_basics(nats, attempt);
    if (status == NATS_OK) {
        status =
            dial_set_security(nats, attempt->options->security, &attempt->url,
                              attempt->nkey, tls_name(attempt));
    }
    if (status == NATS_OK) {
        deadline_arm(attempt->deadline, CONNECT_WITHIN);
        status = natsConnection_Connect(out, nats);
        deadline_disarm(attempt->deadline);
    }
    return status == NATS_OK ? STATUS_OK : failed(attempt, status, err);
}

static bool is_address(const char *host)
{
    unsigned char waste[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, waste) == 1 ||
           inet_pton(AF_INET6, host, waste) == 1;
}

/* A server that another one told of comes without a user, and often as an
 * address that no certificate has: both are taken from the URL we were given
 * first. */
static void inherit(struct attempt *attempt, const char *first)
{
    struct url url;
    struct url *own = &attempt->url;
    if (url_parse(first, &url, NULL) == STATUS_OK) {
        if (is_address(own->host) && !is_address(url.host))
            memcpy(attempt->tls_name, url.host, sizeof url.host);
        memcpy(url.host, own->host, sizeof url.host);
        url.port = own->port;
        url.tls = own->tls;
        *own = url;
        if (security_has(url.user)) {
            (void)snprintf(attempt->shown, DIAL_SHOWN_MAX,
                           "nats://[REDACTED]@%s:%d", url.host, url.port);
        }
    }
    OPENSSL_cleanse(&url, sizeof url);
}

static enum status try_url(struct attempt *attempt, const char *text,
                           natsConnection **out, struct error *err)
{
    enum status status = url_parse(text, &attempt->url, err);
    if (status != STATUS_OK)
        return status;
    attempt->tls_name[0] = '\0';
    url_redact(text, attempt->shown, DIAL_SHOWN_MAX);
    if (attempt->is_discovered)
        inherit(attempt, attempt->options->urls->items[0]);
    natsOptions *nats = NULL;
    if (natsOptions_Create(&nats) != NATS_OK)
        return fail(err, STATUS_NO_MEMORY, "nats: options");
    ERR_clear_error(); /* libnats takes what an earlier one left for its own */
    status = try_options(attempt, nats, out, err);
    natsOptions_Destroy(nats);
    OPENSSL_cleanse(&attempt->url, sizeof attempt->url);
    return status;
}

/* So that many servers of ours spread over many of NATS. */
static int any_below(int count)
{
    unsigned value = 0;
    (void)!getrandom(&value, sizeof value, GRND_NONBLOCK);
    return (int)(value % (unsigned)count);
}

static enum status try_list(struct attempt *attempt, const struct urls *urls,
                            natsConnection **out, struct error *err)
{
    enum status status = STATUS_UNAVAILABLE;
    int first = urls->count > 0 ? any_below(urls->count) : 0;
    for (int i = 0; i < urls->count && status != STATUS_OK; i++) {
        status =
            try_url(attempt, urls->items[(first + i) % urls->count], out, err);
    }
    return status;
}

/* nats.c reads the file of credentials for itself, but only once a server asks,
 * and goes on without it: it is looked at before. */
static enum status load_key(const struct security *security, struct nkey **out,
                            struct error *err)
{
    if (security_has(security->nkey_seed_file)) {
        return nkey_load(security->nkey_seed_file, "nkey seed file", out, err);
    }
    if (!security_has(security->credentials))
        return STATUS_OK;
    struct nkey *nkey = NULL;
    enum status status =
        nkey_load(security->credentials, "credentials file", &nkey, err);
    nkey_free(nkey);
    return status;
}

enum status dial(const struct dial_options *options, natsConnection **out,
                 char shown[DIAL_SHOWN_MAX], struct error *err)
{
    *out = NULL;
    struct nkey *nkey = NULL;
    struct deadline deadline = {0};
    enum status status = load_key(options->security, &nkey, err);
    if (status == STATUS_OK)
        status = deadline_init(&deadline, -1, err);
    if (status == STATUS_OK) {
        struct attempt attempt = {.options = options,
                                  .nkey = nkey,
                                  .deadline = &deadline,
                                  .shown = shown};
        status = try_list(&attempt, options->urls, out, err);
        attempt.is_discovered = true;
        if (status != STATUS_OK)
            status = try_list(&attempt, options->discovered, out, NULL);
    }
    deadline_release(&deadline);
    nkey_free(nkey);
    return status;
}
