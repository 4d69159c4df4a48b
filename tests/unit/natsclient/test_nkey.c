#include "natsclient/nkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The pair that the documentation of NATS uses as its example. */
#define SEED "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
#define SEED_AND_MORE                                                          \
    "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VYA"
#define PUBLIC "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
#define DECORATED                                                              \
    "-----BEGIN USER NKEY SEED-----\n" SEED "\n------END USER NKEY "           \
    "SEED------\n"

static struct nkey *parsed(const char *text)
{
    struct nkey *nkey = NULL;
    struct error err = {0};
    if (nkey_parse(bytes_text(text), "f", &nkey, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    return nkey;
}

static void a_seed_gives_its_public_name(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        SEED,
        "  " SEED "\r\n",
        DECORATED,
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct nkey *nkey = parsed(TEXTS[i]);
        assert_string_equal(nkey_public(nkey), PUBLIC);
        nkey_free(nkey);
    }
}

static void a_signature_is_always_the_same_and_of_its_text(void **state)
{
    (void)state;
    struct nkey *nkey = parsed(SEED);
    unsigned char a[NKEY_SIGNATURE_SIZE];
    unsigned char b[NKEY_SIGNATURE_SIZE];
    assert_int_equal(nkey_sign(nkey, bytes_text("nonce"), a), STATUS_OK);
    assert_int_equal(nkey_sign(nkey, bytes_text("nonce"), b), STATUS_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(nkey_sign(nkey, bytes_text("other"), b), STATUS_OK);
    assert_memory_not_equal(a, b, sizeof a);
    nkey_free(nkey);
}

static void what_is_no_seed_of_a_user_is_refused(void **state)
{
    (void)state;
    char changed[] = SEED;
    changed[20] = changed[20] == 'A' ? 'B' : 'A';
    const char *const texts[] = {
        "",
        "\n \n",
        PUBLIC,
        changed, /* the checksum tells */
        SEED_AND_MORE,
        "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3V",
        "suacssl3uahudxkfsnvuzrf5uhpmwz6bfdtj7m6usdxiednppqyyycu3vy",
        /* of an account */
        "SAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct nkey *nkey = NULL;
        struct error err = {0};
        assert_int_equal(nkey_parse(bytes_text(texts[i]), "f", &nkey, &err),
                         STATUS_INVALID);
        assert_null(nkey);
        assert_string_equal(err.detail, "f: no user seed");
    }
}

static void a_file_is_read_up_to_its_limit(void **state)
{
    (void)state;
    char path[] = "/tmp/test_nkey-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, SEED "\n", strlen(SEED) + 1), strlen(SEED) + 1);
    struct nkey *nkey = NULL;
    assert_int_equal(nkey_load(path, "seed file", &nkey, NULL), STATUS_OK);
    assert_string_equal(nkey_public(nkey), PUBLIC);
    nkey_free(nkey);
    char *blanks = malloc(NKEY_FILE_MAX); /* the seed is beyond the limit */
    assert_non_null(blanks);
    memset(blanks, ' ', NKEY_FILE_MAX);
    assert_int_equal(pwrite(fd, blanks, NKEY_FILE_MAX, 0), NKEY_FILE_MAX);
    assert_int_equal(pwrite(fd, SEED, strlen(SEED), NKEY_FILE_MAX),
                     strlen(SEED));
    assert_int_equal(nkey_load(path, "seed file", &nkey, NULL), STATUS_INVALID);
    free(blanks);
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
}

static void a_missing_file_and_a_directory_are_named(void **state)
{
    (void)state;
    struct nkey *nkey = NULL;
    struct error err = {0};
    assert_int_equal(nkey_load("/nonexistent", "seed file", &nkey, &err),
                     STATUS_IO);
    assert_string_equal(err.detail, "seed file \"/nonexistent\": "
                                    "No such file or directory");
    assert_int_equal(nkey_load("/", "seed file", &nkey, &err), STATUS_IO);
    assert_int_equal(nkey_load("/dev/zero", "seed file", &nkey, &err),
                     STATUS_INVALID);
    assert_null(nkey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_its_public_name),
        cmocka_unit_test(a_signature_is_always_the_same_and_of_its_text),
        cmocka_unit_test(what_is_no_seed_of_a_user_is_refused),
        cmocka_unit_test(a_file_is_read_up_to_its_limit),
        cmocka_unit_test(a_missing_file_and_a_directory_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
