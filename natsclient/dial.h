/* dial.h - into a NATS server: the URLs one after the other until one lets us
 * in, each with its own user and the name that its certificate must have. */
#ifndef NATSCLIENT_DIAL_H
#define NATSCLIENT_DIAL_H

#include "natsclient/security.h"
#include "natsclient/urls.h"
#include "streamd/base/status.h"

#include <nats/nats.h>

#define DIAL_SHOWN_MAX 160

struct dial_options {
    const struct urls *urls;
    const struct urls *discovered; /* tried behind them; may be empty */
    const struct security *security;
    const char *name; /* of the connection */
    /* Sets what has nothing to do with who and where. */
    natsStatus (*prepare)(natsOptions *options, void *context);
    void *context;
};

/* Blocks, 5 s for each URL at most, beginning with any of them. On STATUS_OK
 * the caller owns *out, and shown is the URL without what is secret. Errors,
 * with what went wrong at the last of urls: STATUS_UNAVAILABLE, STATUS_INVALID,
 * STATUS_IO (a file), STATUS_NO_MEMORY. */
MUST_CHECK enum status dial(const struct dial_options *options,
                            natsConnection **out, char shown[DIAL_SHOWN_MAX],
                            struct error *err);

#endif
