#include "tests/support/certificate.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#define SECONDS_VALID 86400L

static void add_extension(X509 *x509, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert(extension != NULL);
    int done = X509_add_ext(x509, extension, -1);
    assert(done == 1);
    X509_EXTENSION_free(extension);
}

static X509 *sign(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    assert(x509 != NULL);
    (void)X509_set_version(x509, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(x509), -SECONDS_VALID);
    (void)X509_gmtime_adj(X509_getm_notAfter(x509), SECONDS_VALID);
    (void)X509_set_pubkey(x509, key);
    X509_NAME *name = X509_get_subject_name(x509);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)"test", -1, -1, 0);
    (void)X509_set_issuer_name(x509, name);
    add_extension(x509, NID_subject_alt_name, "IP:127.0.0.1");
    add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
    int size = X509_sign(x509, key, EVP_sha256());
    assert(size > 0);
    return x509;
}

static FILE *create(char *path)
{
    int fd = mkstemp(path);
    assert(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert(file != NULL);
    return file;
}

void certificate_make(struct certificate *certificate)
{
    *certificate = (struct certificate){
        .path = "/tmp/test-certificate-XXXXXX",
        .key_path = "/tmp/test-key-XXXXXX",
    };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert(key != NULL);
    X509 *x509 = sign(key);
    FILE *file = create(certificate->path);
    int done = PEM_write_X509(file, x509);
    assert(done == 1);
    (void)fclose(file);
    file = create(certificate->key_path);
    done = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    assert(done == 1);
    (void)fclose(file);
    X509_free(x509);
    EVP_PKEY_free(key);
}

void certificate_remove(const struct certificate *certificate)
{
    (void)unlink(certificate->path);
    (void)unlink(certificate->key_path);
}
