/* certificate.h - a certificate for 127.0.0.1 and its key, signed by itself,
 * as files for a test of TLS. Asserts on what goes wrong. */
#ifndef TESTS_SUPPORT_CERTIFICATE_H
#define TESTS_SUPPORT_CERTIFICATE_H

struct certificate {
    char path[64];
    char key_path[64];
};

/* In /tmp, valid for a day. */
void certificate_make(struct certificate *certificate);
void certificate_remove(const struct certificate *certificate);

#endif
