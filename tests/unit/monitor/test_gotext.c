#include "monitor/gotext.h"

#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* M15 */
static void m15_uptime_starts_at_its_largest_unit_and_prints_all_below(void **s)
{
    (void)s;
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1s"},
        {62, "1m2s"},
        {120, "2m0s"},
        {3723, "1h2m3s"},
        {86400, "1d0h0m0s"},
        {93784, "1d2h3m4s"},
        {365 * 86400 + 2 * 86400 + 3 * 3600 + 4 * 60 + 5, "1y2d3h4m5s"},
        {-5, "0s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[GOTEXT_UPTIME_MAX];
        gotext_uptime(cases[i].seconds * CLOCK_SECOND, text);
        assert_string_equal(text, cases[i].text);
    }
    char text[GOTEXT_UPTIME_MAX];
    gotext_uptime(2 * CLOCK_SECOND - 1, text);
    assert_string_equal(text, "1s");
    gotext_uptime(INT64_MAX, text);
    assert_string_equal(text, "292y171d23h47m16s");
}

static void zone(const char *name)
{
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
}

static void times_drop_trailing_zeros_and_carry_the_local_offset(void **s)
{
    (void)s;
    static const struct {
        const char *zone;
        int64_t wall;
        const char *text;
    } cases[] = {
        {"UTC0", 0, "1970-01-01T00:00:00Z"},
        {"UTC0", 1, "1970-01-01T00:00:00.000000001Z"},
        {"UTC0", 1600000000500000000, "2020-09-13T12:26:40.5Z"},
        {"UTC0", -1, "1969-12-31T23:59:59.999999999Z"},
        {"XXX6", 1600000000000000000, "2020-09-13T06:26:40-06:00"},
        {"XXX-5:30", 1600000000120000000, "2020-09-13T17:56:40.12+05:30"},
        {"XXX0:30", 1600000000000000000, "2020-09-13T11:56:40-00:30"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        zone(cases[i].zone);
        char text[GOTEXT_TIME_MAX];
        gotext_time(cases[i].wall, text);
        assert_string_equal(text, cases[i].text);
    }
    zone("UTC0");
    char text[GOTEXT_TIME_MAX];
    gotext_time(INT64_MIN, text);
    gotext_time(INT64_MAX, text);
    assert_string_equal(text, "2262-04-11T23:47:16.854775807Z");
}

typedef bool convert(struct bytes bytes, struct blob *out);

static void converts(convert *function, const char *from, size_t size,
                     const char *to)
{
    struct blob out = {0};
    /* A copy of just that size, so that a sanitizer sees reads behind it. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, from, size);
    assert_true(function(bytes_of(copy, size), &out));
    assert_true(bytes_equal(blob_bytes(&out), bytes_text(to)));
    free(copy);
    blob_release(&out);
}

#define CONVERTS(function, from, to)                                           \
    converts(function, from, sizeof(from) - 1, to)

static void bytes_that_are_no_utf8_are_replaced_one_by_one(void **s)
{
    (void)s;
    CONVERTS(gotext_utf8, "", "");
    CONVERTS(gotext_utf8, "plain", "plain");
    CONVERTS(gotext_utf8, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
             "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    CONVERTS(gotext_utf8, "a\xFFz", "a\xEF\xBF\xBDz");
    CONVERTS(gotext_utf8, "\xC3", "\xEF\xBF\xBD");
    CONVERTS(gotext_utf8, "\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD");
    CONVERTS(gotext_utf8, "\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD");
    CONVERTS(gotext_utf8, "\xED\xA0\x80",
             "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    CONVERTS(gotext_utf8, "\xF4\x90\x80\x80",
             "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    CONVERTS(gotext_utf8, "\xC3(", "\xEF\xBF\xBD(");
}

static void json_gets_the_escapes_of_gos_encoder(void **s)
{
    (void)s;
    CONVERTS(gotext_json, "", "");
    CONVERTS(gotext_json, "\"foo.>\"", "\"foo.\\u003e\"");
    CONVERTS(gotext_json, "\"<&>\"", "\"\\u003c\\u0026\\u003e\"");
    CONVERTS(gotext_json, "\"\xE2\x80\xA8\xE2\x80\xA9\"", "\"\\u2028\\u2029\"");
    CONVERTS(gotext_json, "\"\xEF\xBF\xBD\"", "\"\\ufffd\"");
    CONVERTS(gotext_json, "\"\xE2\x82\xAC\xEF\xBC\xA1\"",
             "\"\xE2\x82\xAC\xEF\xBC\xA1\"");
    CONVERTS(gotext_json, "\"\\b\\f\\n\\r\\t\"", "\"\\u0008\\u000c\\n\\r\\t\"");
    CONVERTS(gotext_json, "\"\\u001F\"", "\"\\u001f\"");
    CONVERTS(gotext_json, "\"\\\\b\\\"<\"", "\"\\\\b\\\"\\u003c\"");
    CONVERTS(gotext_json, "\\", "\\");
    CONVERTS(gotext_json, "\xE2", "\xE2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            m15_uptime_starts_at_its_largest_unit_and_prints_all_below),
        cmocka_unit_test(times_drop_trailing_zeros_and_carry_the_local_offset),
        cmocka_unit_test(bytes_that_are_no_utf8_are_replaced_one_by_one),
        cmocka_unit_test(json_gets_the_escapes_of_gos_encoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
