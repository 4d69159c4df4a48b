#include "streamd/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

static void a_text_keeps_inner_nuls_and_ends_with_one(void **state)
{
    (void)state;
    struct text text = {0};
    assert_string_equal(text_string(&text), "");
    assert_true(text_set(&text, bytes_of("a\0b", 3)));
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.data, "a\0b", 4);
    assert_true(text_set(&text, bytes_of(NULL, 0)));
    assert_int_equal(text.size, 0);
    assert_string_equal(text_string(&text), "");
    text_release(&text);
    assert_null(text.data);
}

static void quoting_is_that_of_go(void **state)
{
    (void)state;
    char out[TEXT_QUOTED_MAX];
    assert_string_equal(text_quote(bytes_text("foo.bar"), out), "\"foo.bar\"");
    assert_string_equal(text_quote(bytes_of(NULL, 0), out), "\"\"");
    assert_string_equal(text_quote(bytes_text("a\"b\\c"), out),
                        "\"a\\\"b\\\\c\"");
    assert_string_equal(text_quote(bytes_text("\a\b\t\n\v\f\r"), out),
                        "\"\\a\\b\\t\\n\\v\\f\\r\"");
    assert_string_equal(text_quote(bytes_of("\0\x1b\x7f", 3), out),
                        "\"\\x00\\x1b\\x7f\"");
    assert_string_equal(text_quote(bytes_text("gr\xc3\xbc n"), out),
                        "\"gr\xc3\xbc n\"");
}

static void a_long_name_is_cut_and_stays_in_its_room(void **state)
{
    (void)state;
    char out[TEXT_QUOTED_MAX];
    uint8_t name[1000];
    for (int fill = 0; fill < 256; fill++) {
        memset(name, fill, sizeof name);
        size_t size = strlen(text_quote(bytes_of(name, sizeof name), out));
        assert_true(size < TEXT_QUOTED_MAX);
        assert_string_equal(out + size - 4, "...\"");
    }
}

static void bytes_are_shown_for_people(void **state)
{
    (void)state;
    char out[FRIENDLY_MAX];
    assert_string_equal(text_friendly(0, out), "0 B");
    assert_string_equal(text_friendly(1023, out), "1023 B");
    assert_string_equal(text_friendly(1024, out), "1.00 KB");
    assert_string_equal(text_friendly(1024000000, out), "976.56 MB");
    assert_string_equal(text_friendly(UINT64_MAX, out), "16.00 EB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_keeps_inner_nuls_and_ends_with_one),
        cmocka_unit_test(quoting_is_that_of_go),
        cmocka_unit_test(a_long_name_is_cut_and_stays_in_its_room),
        cmocka_unit_test(bytes_are_shown_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
