/* nkey.h - the key pair of a NATS user: its public name, and signatures.
 *
 * A seed is base32 of: two bytes of kind, 32 of key, two of checksum; the
 * public name likewise with one byte of kind. No thread. */
#ifndef NATSCLIENT_NKEY_H
#define NATSCLIENT_NKEY_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stddef.h>

#define NKEY_PUBLIC_SIZE 56
#define NKEY_SIGNATURE_SIZE 64
#define NKEY_FILE_MAX ((size_t)64 * 1024)

struct nkey;

/* Reads the first seed of a user (SU...) in text, which may stand alone or
 * between -----BEGIN and -----END lines. name says of what, for errors. On
 * STATUS_OK the caller owns *out. Errors: STATUS_INVALID, STATUS_NO_MEMORY; no
 * error text holds any of text. */
MUST_CHECK enum status nkey_parse(struct bytes text, const char *name,
                                  struct nkey **out, struct error *err);

/* The same from a file, read up to NKEY_FILE_MAX bytes; kind says what it is,
 * for errors. Also: STATUS_IO. */
MUST_CHECK enum status nkey_load(const char *path, const char *kind,
                                 struct nkey **out, struct error *err);
void nkey_free(struct nkey *nkey); /* wipes; NULL is allowed */

/* U..., terminated, valid as long as nkey. */
const char *nkey_public(const struct nkey *nkey);

/* Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status nkey_sign(const struct nkey *nkey, struct bytes data,
                                 unsigned char out[NKEY_SIGNATURE_SIZE]);

#endif
