#include "streamd/base/nuid.h"
#include "streamd/base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <string.h>

static void a_nuid_is_22_letters_and_digits(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char nuid[NUID_SIZE + 1];
        nuid_next(nuid);
        assert_int_equal(strlen(nuid), 22);
        assert_int_equal(strspn(nuid, "0123456789"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz"),
                         22);
    }
}

static void no_nuid_comes_twice_and_all_characters_are_used(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct table *seen = table_new();
    int used[256] = {0};
    assert_non_null(seen);
    for (int i = 0; i < COUNT; i++) {
        char nuid[NUID_SIZE + 1];
        nuid_next(nuid);
        assert_null(table_get(seen, nuid, NUID_SIZE));
        assert_true(table_put(seen, nuid, NUID_SIZE, seen));
        for (int k = 0; k < NUID_SIZE; k++)
            used[(unsigned char)nuid[k]]++;
    }
    table_free(seen);
    /* 440,000 draws of 62: about 7,097 each, deviation 84. Ten of those. */
    int letters = 0;
    for (int c = 0; c < 256; c++) {
        if (used[c] == 0)
            continue;
        letters++;
        assert_in_range(used[c], 6260, 7940);
    }
    assert_int_equal(letters, 62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nuid_is_22_letters_and_digits),
        cmocka_unit_test(no_nuid_comes_twice_and_all_characters_are_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
