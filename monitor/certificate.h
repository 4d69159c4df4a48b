/* certificate.h - the server's certificate and key for HTTPS, from files. */
#ifndef MONITOR_CERTIFICATE_H
#define MONITOR_CERTIFICATE_H

#include "streamd/base/status.h"

enum { CERTIFICATE_FILE_MAX = 1 << 20 };

/* PEM texts, owned. Zero-initialise; end with certificate_release(), which
 * wipes the key. */
struct certificate {
    char *chain;
    char *key;
};

/* Errors: STATUS_IO (no file, or an empty one), STATUS_TOO_BIG,
 * STATUS_NO_MEMORY; the text begins as that of the Go server. */
MUST_CHECK enum status certificate_load(const char *chain_path,
                                        const char *key_path,
                                        struct certificate *certificate,
                                        struct error *err);
void certificate_release(struct certificate *certificate);

#endif
