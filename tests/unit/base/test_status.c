#include "streamd/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#undef fail /* a macro of cmocka */

#include <string.h>

static void fail_returns_the_status_and_fills_the_error(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(fail(&err, STATUS_IO, "open %s: %d", "x", 7), STATUS_IO);
    assert_int_equal(err.status, STATUS_IO);
    assert_string_equal(err.detail, "open x: 7");
}

static void fail_takes_no_error(void **state)
{
    (void)state;
    assert_int_equal(fail(NULL, STATUS_LIMIT, "x"), STATUS_LIMIT);
}

static void a_detail_too_long_is_cut_and_terminated(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    struct error err = {0};
    assert_int_equal(fail(&err, STATUS_IO, "%s", text), STATUS_IO);
    assert_int_equal(strlen(err.detail), sizeof err.detail - 1);
}

static void every_status_has_its_own_text(void **state)
{
    (void)state;
#define CODE(code, text) code,
    const enum status codes[] = {STATUS_MAP(CODE)};
#undef CODE
    enum { COUNT = sizeof codes / sizeof codes[0] };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(status_text(codes[i]),
                                    status_text(codes[j]));
        }
    }
    assert_string_equal(status_text(STATUS_OK), "ok");
    assert_string_equal(status_text((enum status)COUNT), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_returns_the_status_and_fills_the_error),
        cmocka_unit_test(fail_takes_no_error),
        cmocka_unit_test(a_detail_too_long_is_cut_and_terminated),
        cmocka_unit_test(every_status_has_its_own_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
