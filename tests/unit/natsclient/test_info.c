#include "natsclient/info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void members_and_limits_are_read(void **state)
{
    (void)state;
    struct info info;
    struct urls urls = {0};
    assert_int_equal(
        info_read(bytes_text("{\"max_payload\":4096,\"ldm\":true,\"connect_"
                             "urls\":[\"127.0.0.1:1\",\"[::1]:2\"]} "),
                  &info, &urls, NULL),
        STATUS_OK);
    assert_int_equal(info.max_payload, 4096);
    assert_true(info.lame_duck);
    assert_int_equal(urls.count, 2);
    assert_string_equal(urls.items[0], "nats://127.0.0.1:1");
    assert_string_equal(urls.items[1], "nats://[::1]:2");
    urls_release(&urls);
}

static void what_is_not_said_or_of_a_wrong_type_is_left_out(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "{}",
        "{\"max_payload\":-1,\"ldm\":1,\"connect_urls\":{}}",
        "{\"max_payload\":\"5\",\"connect_urls\":[1,null,\"\",[]]}",
        "{\"max_payload\":0.5,\"connect_urls\":[\"a b:1\",\"u@h:1\",\"a,b\"]}",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct info info;
        struct urls urls = {0};
        assert_int_equal(info_read(bytes_text(TEXTS[i]), &info, &urls, NULL),
                         STATUS_OK);
        assert_int_equal(info.max_payload, 0);
        assert_false(info.lame_duck);
        assert_int_equal(urls.count, 0);
        urls_release(&urls);
    }
}

static void what_is_no_object_is_invalid(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"", "[]", "{", "1", "{\"a\":}", "{}}"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct info info;
        struct urls urls = {0};
        assert_int_equal(info_read(bytes_text(TEXTS[i]), &info, &urls, NULL),
                         STATUS_INVALID);
        assert_int_equal(urls.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_limits_are_read),
        cmocka_unit_test(what_is_not_said_or_of_a_wrong_type_is_left_out),
        cmocka_unit_test(what_is_no_object_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
