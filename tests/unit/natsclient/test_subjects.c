#include "natsclient/subjects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *text;
    size_t size; /* 0: up to the end of text */
    bool valid;
};

#define ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

static void check(bool (*is_valid)(struct bytes), const struct row *rows,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = rows[i].size != 0 ? rows[i].size : strlen(rows[i].text);
        if (is_valid(bytes_of(rows[i].text, size)) != rows[i].valid) {
            fail_msg("\"%s\" should be %s", rows[i].text,
                     rows[i].valid ? "valid" : "invalid");
        }
    }
}

static void client_ids_are_letters_digits_underscore_hyphen(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* E14 */
        {"", 0, false},
        {"id with spaces", 0, false},
        {"id:with:columns", 0, false},
        {"id,with,commas", 0, false},
        {"id.with.dots", 0, false},
        {"id_with_!@#$%^&*()", 0, false},
        {"id\n", 0, false},
        {"id\0", 3, false},
        {"\xc3\xa4", 0, false},
        {"@", 0, false},
        {"[", 0, false},
        {"`", 0, false},
        {"{", 0, false},
        {"/", 0, false},
        /* E15 */
        {"id", 0, true},
        {"id_with_underscores", 0, true},
        {"id-with-hypens", 0, true},
        {"AZaz09_-", 0, true},
    };
    check(client_id_is_valid, ROWS(rows));
}

static void channel_names_are_literal_subjects_without_slash(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* E36 */
        {"foo*.bar", 0, false},    {"foo.bar*", 0, false}, {"foo.*", 0, false},
        {"foo.>", 0, false},       {"foo..bar", 0, false}, {".foo", 0, false},
        {"foo.", 0, false},        {".", 0, false},        {"..", 0, false},
        {"foo/bar", 0, false},     {"", 0, false},         {"foo>", 0, false},
        {"foo", 0, true},          {"foo.bar", 0, true},   {"foo bar", 0, true},
        {"FOO.\xc3\xa4", 0, true}, {"a\0b", 3, true},      {"a\r\nb", 0, true},
        {"_STAN.pub", 0, true},
    };
    check(channel_name_is_valid, ROWS(rows));
}

static void a_channel_of_101_tokens_is_valid_E37(void **state)
{
    (void)state;
    char name[101 * 2];
    for (size_t i = 0; i < sizeof name; i += 2) {
        name[i] = 'x';
        name[i + 1] = '.';
    }
    assert_true(channel_name_is_valid(bytes_of(name, sizeof name - 1)));
    assert_false(channel_name_is_valid(bytes_of(name, sizeof name)));
}

static void what_could_forge_a_protocol_line_is_not_publishable(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", 0, false},
        {"foo\r\nPUB bar 0\r\n", 0, false},
        {"a b", 0, false},
        {"a\tb", 0, false},
        {"a\nb", 0, false},
        {"a\0b", 3, false},
        {"a\x7f", 0, false},
        {"a\x01", 0, false},
        {"a\x1f", 0, false},
        {"a..b", 0, false},
        {".a", 0, false},
        {"a.", 0, false},
        {".", 0, false},
        {"*", 0, false},
        {">", 0, false},
        {"foo.*", 0, false},
        {"*.foo", 0, false},
        {"a.*.b", 0, false},
        {"foo.>", 0, false},
        {"a", 0, true},
        {"a.b.c", 0, true},
        {"foo*", 0, true},
        {"foo.a>.b", 0, true},
        {"_INBOX.x-y_z.123", 0, true},
        {"\xc3\xa4.\xff", 0, true},
    };
    check(subject_is_publishable, ROWS(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_ids_are_letters_digits_underscore_hyphen),
        cmocka_unit_test(channel_names_are_literal_subjects_without_slash),
        cmocka_unit_test(a_channel_of_101_tokens_is_valid_E37),
        cmocka_unit_test(what_could_forge_a_protocol_line_is_not_publishable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
