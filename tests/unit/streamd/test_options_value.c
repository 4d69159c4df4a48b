/* The value grammars of cli-config.md section 2. */
#include "streamd/options_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void only_the_twelve_booleans_of_the_flag_library_are_booleans(void **s)
{
    (void)s;
    static const struct {
        const char *text;
        bool known, value;
    } cases[] = {
        {"1", true, true},      {"t", true, true},      {"T", true, true},
        {"TRUE", true, true},   {"true", true, true},   {"True", true, true},
        {"0", true, false},     {"f", true, false},     {"F", true, false},
        {"FALSE", true, false}, {"false", true, false}, {"False", true, false},
        {"yes", false, false},  {"on", false, false},   {"tRUE", false, false},
        {"", false, false},     {"01", false, false},   {"true ", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool value = !cases[i].value;
        assert_int_equal(options_value_boolean(cases[i].text, &value),
                         cases[i].known);
        if (cases[i].known)
            assert_int_equal(value, cases[i].value);
    }
}

static void integers_take_prefixes_and_underscores_between_digits(void **s)
{
    (void)s;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"42", 42},
        {"+42", 42},
        {"-1", -1},
        {"1_000", 1000},
        {"0x10", 16},
        {"0XfF", 255},
        {"0b101", 5},
        {"0B1", 1},
        {"0o17", 15},
        {"017", 15},
        {"0_17", 15},
        {"0x_f", 15},
        {"0xEDB88320", 3988292384}, /* C12's number */
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 99;
        assert_int_equal(options_value_integer(cases[i].text, &value),
                         STATUS_OK);
        assert_int_equal(value, cases[i].value);
    }
}

static void what_is_no_integer_is_refused_and_leaves_the_value(void **s)
{
    (void)s;
    static const struct {
        const char *text;
        enum status status;
    } cases[] = {
        {"", STATUS_INVALID},
        {"-", STATUS_INVALID},
        {"10K", STATUS_INVALID},
        {"1.5", STATUS_INVALID},
        {" 1", STATUS_INVALID},
        {"1 ", STATUS_INVALID},
        {"0x", STATUS_INVALID},
        {"08", STATUS_INVALID},
        {"0b2", STATUS_INVALID},
        {"_1", STATUS_INVALID},
        {"1_", STATUS_INVALID},
        {"1__0", STATUS_INVALID},
        {"--1", STATUS_INVALID},
        {"abc", STATUS_INVALID},
        {"0x_", STATUS_INVALID},
        {"99999999999999999999x", STATUS_INVALID},
        {"9223372036854775808", STATUS_TOO_BIG},
        {"-9223372036854775809", STATUS_TOO_BIG},
        {"99999999999999999999999", STATUS_TOO_BIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 99;
        assert_int_equal(options_value_integer(cases[i].text, &value),
                         cases[i].status);
        assert_int_equal(value, 99);
    }
}

/* C4 among them. */
static void sizes_count_k_as_1000_and_kb_ki_kib_as_1024(void **s)
{
    (void)s;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"1024", 1024},
        {"1K", 1000},
        {"1k", 1000},
        {"1KB", 1024},
        {"1kb", 1024},
        {"1Ki", 1024},
        {"1KiB", 1024},
        {"100KB", 102400},
        {"200KB", 204800},
        {"300KB", 307200},
        {"1MB", 1048576},
        {"1M", 1000000},
        {"2G", 2000000000},
        {"2GB", INT64_C(2) << 30},
        {"1TiB", INT64_C(1) << 40},
        {"22PiB", INT64_C(22) << 50},
        {"7EB", INT64_C(7) << 60},
        {"-1", -1},
        {" 5 ", 5},
        {"0", 0},
        {"9223372036854775807", INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 99;
        struct error err;
        assert_int_equal(
            options_value_size("max_bytes", cases[i].text, &value, &err),
            STATUS_OK);
        assert_int_equal(value, cases[i].value);
    }
}

/* C5 among them. */
static void what_is_no_size_is_refused_with_the_text_of_the_spec(void **s)
{
    (void)s;
    static const struct {
        const char *text, *detail;
    } cases[] = {
        {"12abc", "mb should be a size, got '12abc'"},
        {"100a", "mb should be a size, got '100a'"},
        {"x1x", "mb should be a size, got 'x1x'"},
        {"", "mb should be a size, got ''"},
        {"-", "mb should be a size, got '-'"},
        {"1kbb", "mb should be a size, got '1kbb'"},
        {"1kx", "mb should be a size, got '1kx'"},
        {"1.5", "mb should be a size, got '1.5'"},
        {"1.2.3.4", "mb should be a size, got '1.2.3.4'"},
        {"0x10", "mb should be a size, got '0x10'"},
        {"9223372036854775808",
         "integer '9223372036854775808' is out of the range"},
        {"8EB", "integer '8EB' is out of the range"},
        {"99999999999999999999999K",
         "integer '99999999999999999999999K' is out of the range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 99;
        struct error err;
        assert_int_equal(options_value_size("mb", cases[i].text, &value, &err),
                         STATUS_INVALID);
        assert_string_equal(err.detail, cases[i].detail);
        assert_int_equal(value, 99);
    }
}

static void text_behind_a_size_is_a_grammar_error(void **s)
{
    (void)s;
    static const char *const cases[] = {"1.5MB", "10 KB"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 99;
        struct error err;
        assert_int_equal(options_value_size("mb", cases[i], &value, &err),
                         STATUS_INVALID);
        assert_non_null(strstr(err.detail, "Parse error on line 1: '"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            only_the_twelve_booleans_of_the_flag_library_are_booleans),
        cmocka_unit_test(integers_take_prefixes_and_underscores_between_digits),
        cmocka_unit_test(what_is_no_integer_is_refused_and_leaves_the_value),
        cmocka_unit_test(sizes_count_k_as_1000_and_kb_ki_kib_as_1024),
        cmocka_unit_test(what_is_no_size_is_refused_with_the_text_of_the_spec),
        cmocka_unit_test(text_behind_a_size_is_a_grammar_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
