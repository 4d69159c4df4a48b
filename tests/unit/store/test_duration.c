/* cli-config.md 2.4; C15 */
#include "streamd/base/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_unit_and_form_is_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"+0", 0},
        {"0s", 0},
        {"1ns", 1},
        {"2us", 2000},
        {"2\xc2\xb5s", 2000},
        {"2\xce\xbcs", 2000},
        {"3ms", 3000000},
        {"4s", INT64_C(4000000000)},
        {"5m", INT64_C(300000000000)},
        {"6h", INT64_C(21600000000000)},
        {"1m1h", INT64_C(3660000000000)},
        {"1h1m1h", INT64_C(7260000000000)},
        {"1.5h", INT64_C(5400000000000)},
        {".5s", 500000000},
        {"1.s", 1000000000},
        {"-1.5s", -1500000000},
        {"+2s", 2000000000},
        {"0.000000001s", 1},
        {"0.3333333333333333333h", INT64_C(1200000000000)},
        {"9223372036854775807ns", INT64_MAX},
        {"-9223372036854775808ns", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = -1;
        struct error err;
        if (duration_parse(cases[i].text, &ns, &err) != STATUS_OK)
            fail_msg("%s: %s", cases[i].text, err.detail);
        assert_int_equal(ns, cases[i].ns);
    }
}

static void errors_have_the_texts_of_the_spec(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "time: invalid duration \"\""},
        {"-", "time: invalid duration \"-\""},
        {"foo", "time: invalid duration \"foo\""},
        {".", "time: invalid duration \".\""},
        {".s", "time: invalid duration \".s\""},
        {" 1s", "time: invalid duration \" 1s\""},
        {"not_a_time", "time: invalid duration \"not_a_time\""},
        {"9223372036854775808ns",
         "time: invalid duration \"9223372036854775808ns\""},
        {"3000000h", "time: invalid duration \"3000000h\""},
        {"99999999999999999999s",
         "time: invalid duration \"99999999999999999999s\""},
        {"2562047h2562047h", "time: invalid duration \"2562047h2562047h\""},
        {"10", "time: missing unit in duration \"10\""},
        {"1s2", "time: missing unit in duration \"1s2\""},
        {"1..5s", "time: missing unit in duration \"1..5s\""},
        {"1d", "time: unknown unit \"d\" in duration \"1d\""},
        {"1h:0m", "time: unknown unit \"h:\" in duration \"1h:0m\""},
        {"1L0m", "time: unknown unit \"L\" in duration \"1L0m\""},
        {"1 s", "time: unknown unit \" s\" in duration \"1 s\""},
        {"1\"", "time: unknown unit \"\\\"\" in duration \"1\\\"\""},
        {"1\n", "time: unknown unit \"\\x0a\" in duration \"1\\x0a\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = 77;
        struct error err = {0};
        assert_int_equal(duration_parse(cases[i].text, &ns, &err),
                         STATUS_INVALID);
        assert_string_equal(err.detail, cases[i].error);
        assert_int_equal(ns, 77);
    }
}

static void spans_are_written_largest_unit_first(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {15, "15ns"},
        {250000, "250\xc2\xb5s"},
        {1500, "1.5\xc2\xb5s"},
        {500000000, "500ms"},
        {1100000, "1.1ms"},
        {1500000000, "1.5s"},
        {INT64_C(30000000000), "30s"},
        {INT64_C(150000000000), "2m30s"},
        {INT64_C(60000000000), "1m0s"},
        {INT64_C(3600000000000), "1h0m0s"},
        {INT64_C(3600000000001), "1h0m0.000000001s"},
        {-1500000000, "-1.5s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DURATION_TEXT_MAX];
        duration_format(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
        int64_t back;
        assert_int_equal(duration_parse(text, &back, NULL), STATUS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_and_form_is_parsed),
        cmocka_unit_test(errors_have_the_texts_of_the_spec),
        cmocka_unit_test(spans_are_written_largest_unit_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
