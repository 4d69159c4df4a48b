#include "natsclient/nkey.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    KEY_SIZE = 32,
    SEED_BYTES = 2 + KEY_SIZE + 2,
    SEED_SIZE = (SEED_BYTES * 8 + 4) / 5, /* 58 letters */
    PUBLIC_BYTES = 1 + KEY_SIZE + 2,
    KIND_SEED = 18 << 3, /* S */
    KIND_USER = 20 << 3, /* U */
};

struct nkey {
    EVP_PKEY *key;
    char name[NKEY_PUBLIC_SIZE + 1];
};

/* CRC-16/XMODEM. */
static uint16_t checksum(const unsigned char *data, size_t size)
{
    unsigned crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned)data[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    }
    return (uint16_t)crc;
}

static int base32_digit(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    return letter >= '2' && letter <= '7' ? letter - '2' + 26 : -1;
}

static bool base32_decode(const char *text, size_t size, unsigned char *out)
{
    unsigned bits = 0;
    unsigned value = 0;
    for (size_t i = 0; i < size; i++) {
        int digit = base32_digit(text[i]);
        if (digit < 0)
            return false;
        value = (value << 5 | (unsigned)digit) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (unsigned char)(value >> bits);
        }
    }
    return true;
}

static void base32_encode(const unsigned char *data, size_t size, char *out)
{
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned bits = 0;
    unsigned value = 0;
    for (size_t i = 0; i < size; i++) {
        value = (value << 8 | data[i]) & 0xfff;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            *out++ = LETTERS[value >> bits & 31];
        }
    }
    if (bits > 0)
        *out++ = LETTERS[value << (5 - bits) & 31];
    *out = '\0';
}

static bool is_user_seed(const unsigned char seed[SEED_BYTES])
{
    unsigned sum = seed[SEED_BYTES - 2] | (unsigned)seed[SEED_BYTES - 1] << 8;
    return (seed[0] & 0xf8) == KIND_SEED &&
           ((seed[0] & 7) << 5 | seed[1] >> 3) == KIND_USER &&
           sum == checksum(seed, SEED_BYTES - 2);
}

static bool set_name(struct nkey *nkey)
{
    unsigned char name[PUBLIC_BYTES] = {KIND_USER};
    size_t size = KEY_SIZE;
    if (EVP_PKEY_get_raw_public_key(nkey->key, name + 1, &size) != 1 ||
        size != KEY_SIZE)
        return false;
    uint16_t sum = checksum(name, PUBLIC_BYTES - 2);
    name[PUBLIC_BYTES - 2] = (unsigned char)(sum & 0xff);
    name[PUBLIC_BYTES - 1] = (unsigned char)(sum >> 8);
    base32_encode(name, PUBLIC_BYTES, nkey->name);
    return true;
}

static enum status from_seed(const unsigned char seed[SEED_BYTES],
                             struct nkey **out, struct error *err)
{
    struct nkey *nkey = calloc(1, sizeof *nkey);
    if (nkey != NULL) {
        nkey->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
                                                 seed + 2, KEY_SIZE);
    }
    if (nkey == NULL || nkey->key == NULL || !set_name(nkey)) {
        nkey_free(nkey);
        return fail(err, STATUS_NO_MEMORY, "nkey: new key");
    }
    *out = nkey;
    return STATUS_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word, which ends at *end; NULL at the end of the text. */
static const char *next_word(const char *at, const char *end_of_text,
                             const char **end)
{
    while (at < end_of_text && is_blank(*at))
        at++;
    *end = at;
    while (*end < end_of_text && !is_blank(**end))
        (*end)++;
    return at < end_of_text ? at : NULL;
}

enum status nkey_parse(struct bytes text, const char *name, struct nkey **out,
                       struct error *err)
{
    *out = NULL;
    const char *end = (const char *)text.data;
    const char *end_of_text = end + text.size;
    const char *word = NULL;
    while ((word = next_word(end, end_of_text, &end)) != NULL) {
        if (end - word != SEED_SIZE || word[0] != 'S')
            continue;
        unsigned char seed[SEED_BYTES + 1];
        enum status status = STATUS_NOT_FOUND;
        if (base32_decode(word, SEED_SIZE, seed) && is_user_seed(seed))
            status = from_seed(seed, out, err);
        OPENSSL_cleanse(seed, sizeof seed);
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return fail(err, STATUS_INVALID, "%s: no user seed", name);
}

static ssize_t read_all(int fd, char *out, size_t capacity)
{
    size_t used = 0;
    while (used < capacity) {
        ssize_t size = read(fd, out + used, capacity - used);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return -1;
        if (size == 0)
            break;
        used += (size_t)size;
    }
    return (ssize_t)used;
}

enum status nkey_load(const char *path, const char *kind, struct nkey **out,
                      struct error *err)
{
    *out = NULL;
    char name[160];
    (void)snprintf(name, sizeof name, "%s \"%s\"", kind, path);
    char *text = malloc(NKEY_FILE_MAX);
    if (text == NULL)
        return fail(err, STATUS_NO_MEMORY, "nkey: seed file");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t size = fd < 0 ? -1 : read_all(fd, text, NKEY_FILE_MAX);
    enum status status = STATUS_OK;
    if (size < 0) {
        status = fail(err, STATUS_IO, "%s: %s", name, strerror(errno));
    } else {
        status = nkey_parse(bytes_of(text, (size_t)size), name, out, err);
    }
    if (fd >= 0)
        (void)close(fd);
    OPENSSL_cleanse(text, NKEY_FILE_MAX);
    free(text);
    return status;
}

void nkey_free(struct nkey *nkey)
{
    if (nkey == NULL)
        return;
    EVP_PKEY_free(nkey->key);
    free(nkey);
}

const char *nkey_public(const struct nkey *nkey)
{
    return nkey->name;
}

enum status nkey_sign(const struct nkey *nkey, struct bytes data,
                      unsigned char out[NKEY_SIGNATURE_SIZE])
{
    size_t size = NKEY_SIGNATURE_SIZE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done =
        context != NULL &&
        EVP_DigestSignInit(context, NULL, NULL, NULL, nkey->key) == 1 &&
        EVP_DigestSign(context, out, &size, data.data, data.size) == 1 &&
        size == NKEY_SIGNATURE_SIZE;
    EVP_MD_CTX_free(context);
    return done ? STATUS_OK : STATUS_NO_MEMORY;
}
