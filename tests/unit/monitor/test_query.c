#include "monitor/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_path_ends_at_the_question_mark_and_is_unescaped(void **s)
{
    (void)s;
    static const struct {
        const char *target, *path;
    } cases[] = {
        {"/", "/"},
        {"/streaming?x=y", "/streaming"},
        {"/streaming%2Fserverz", "/streaming/serverz"},
        {"/stre%61ming", "/streaming"},
        {"/a+b", "/a+b"},
        {"/a#frag", "/a#frag"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct blob path;
        assert_int_equal(query_path(cases[i].target, &path), STATUS_OK);
        assert_string_equal((const char *)path.data, cases[i].path);
        blob_release(&path);
    }
}

static void a_target_that_is_no_path_is_refused(void **s)
{
    (void)s;
    static const char *const cases[] = {
        "", "*", "?x", "a", "/%", "/%2", "/%zz", "/%0", "/a%00b", "/%-1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct blob path;
        assert_int_equal(query_path(cases[i], &path), STATUS_INVALID);
        assert_null(path.data);
    }
}

static void cleaning_takes_out_empty_and_dot_segments(void **s)
{
    (void)s;
    static const struct {
        const char *target, *path;
    } cases[] = {
        {"/", NULL},
        {"/a", NULL},
        {"/a/", NULL},
        {"/a/.../b", NULL},
        {"//", "/"},
        {"//a/b", "/a/b"},
        {"/a//b", "/a/b"},
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/b/..", "/a"},
        {"/a/b/../", "/a/"},
        {"/..", "/"},
        {"/../../x", "/x"},
        {"/.", "/"},
        {"/aa/bb/../cc/.//../dd", "/aa/dd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct blob path;
        assert_int_equal(query_path(cases[i].target, &path), STATUS_OK);
        assert_int_equal(query_path_clean(&path), cases[i].path != NULL);
        const char *expected =
            cases[i].path != NULL ? cases[i].path : cases[i].target;
        assert_string_equal((const char *)path.data, expected);
        assert_int_equal(path.size, strlen(expected));
        blob_release(&path);
    }
}

static void the_first_whole_pair_of_that_name_counts(void **s)
{
    (void)s;
    static const struct {
        const char *target, *value;
    } cases[] = {
        {"/", ""},
        {"/?", ""},
        {"/?a", ""},
        {"/?a=", ""},
        {"/?a=1", "1"},
        {"/?b=2&a=1", "1"},
        {"/?a=1&a=2", "1"},
        {"/?A=1", ""},
        {"/?aa=1", ""},
        {"/?&&&a=1", "1"},
        {"/?=&a=1", "1"},
        {"/?a=b=c", "b=c"},
        {"/?a=x+y%20z%2B", "x y z+"},
        {"/?%61=1", "1"},
        {"/?a=1;b=2", ""},
        {"/?a=%zz&a=2", "2"},
        {"/?%zz=1&a=2", "2"},
        {"/?a=%", ""},
        {"/?a=%2", ""},
        {"/?x?a=1", ""},
        {"/?a=/?", "/?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct blob value;
        assert_int_equal(query_parameter(cases[i].target, "a", &value),
                         STATUS_OK);
        assert_string_equal((const char *)value.data, cases[i].value);
        assert_int_equal(value.size, strlen(cases[i].value));
        blob_release(&value);
    }
}

static void numbers_are_decimal_and_all_else_is_zero(void **s)
{
    (void)s;
    static const struct {
        const char *target;
        int64_t number;
    } cases[] = {
        {"/?n=5", 5},
        {"/?n=02", 2},
        {"/?n=%2B2", 2},
        {"/?n=-7", -7},
        {"/?n=", 0},
        {"/?n=-", 0},
        {"/?n=+2", 0},
        {"/?n=0x2", 0},
        {"/?n=1e1", 0},
        {"/?n=1.5", 0},
        {"/?n=abc", 0},
        {"/?n=5%00", 0},
        {"/?n=9223372036854775807", INT64_MAX},
        {"/?n=99999999999999999999", INT64_MAX},
        {"/?n=-9223372036854775808", INT64_MIN},
        {"/?n=-99999999999999999999", INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct blob value;
        assert_int_equal(query_parameter(cases[i].target, "n", &value),
                         STATUS_OK);
        assert_int_equal(query_number(&value), cases[i].number);
        blob_release(&value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_ends_at_the_question_mark_and_is_unescaped),
        cmocka_unit_test(a_target_that_is_no_path_is_refused),
        cmocka_unit_test(cleaning_takes_out_empty_and_dot_segments),
        cmocka_unit_test(the_first_whole_pair_of_that_name_counts),
        cmocka_unit_test(numbers_are_decimal_and_all_else_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
