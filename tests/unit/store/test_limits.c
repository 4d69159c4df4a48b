#include "store/limits.h"

#include "store/limits_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* In the order of the table in stores.md 3.3. */
struct row {
    const char *name;
    int64_t messages, bytes, age, subscriptions, inactivity;
};

static struct channel_limits limits_of(const struct row *row)
{
    return (struct channel_limits){
        .max_messages = row->messages,
        .max_bytes = row->bytes,
        .max_age = row->age,
        .max_subscriptions = row->subscriptions,
        .max_inactivity = row->inactivity,
    };
}

static void add(struct limits *limits, const struct row *row)
{
    struct channel_limits entry = limits_of(row);
    assert_int_equal(limits_add(limits, bytes_text(row->name), &entry, NULL),
                     STATUS_OK);
}

static void has(const struct limits *limits, const struct row *row)
{
    struct channel_limits want = limits_of(row);
    struct channel_limits got = limits_channel(limits, bytes_text(row->name));
    if (memcmp(&want, &got, sizeof want) != 0)
        print_message("%s\n", row->name);
    assert_memory_equal(&want, &got, sizeof want);
}

static const struct row configured[] = {
    {"foo.baz", 0, 70, 0, 80, 0},     {"bar.baz.bat", 0, 0, 0, 0, 110},
    {"foo.*.>", 0, 20, 0, 0, 0},      {"*.>", 0, 0, 0, 5, 0},
    {"bar.baz.>", 0, 100, 0, 0, 110}, {"foo.a.b.c", 0, 0, 0, 40, 0},
    {"*.*", 0, 2, 0, 0, 0},           {"foo.*.*.>", 0, 0, 30, 0, 0},
    {"bar.baz.boz", 0, 0, 0, 0, 120}, {"foo.>", 10, 0, 0, 0, 0},
    {"foo.d.e.f", 50, 0, 60, 0, 0},   {"bar.*.>", 90, 0, 0, 0, 0},
};

static const struct row effective[] = {
    {"*.>", 11, 12, 13, 5, 15},
    {"*.*", 11, 2, 13, 5, 15},
    {"foo.>", 10, 2, 13, 5, 15},
    {"foo.*.>", 10, 20, 13, 5, 15},
    {"foo.*.*.>", 10, 20, 30, 5, 15},
    {"foo.a.b.c", 10, 20, 30, 40, 15},
    {"foo.d.e.f", 50, 20, 60, 5, 15},
    {"foo.baz", 10, 70, 13, 80, 15},
    {"bar.*.>", 90, 12, 13, 5, 15},
    {"bar.baz.>", 90, 100, 13, 5, 110},
    {"bar.baz.boz", 90, 100, 13, 5, 120},
    {"bar.baz.bat", 90, 100, 13, 5, 110},
    /* not configured */
    {"foo.x.y.z", 10, 20, 30, 5, 15},
    {"foo.x", 10, 2, 13, 5, 15},
    {"other", 11, 12, 13, 14, 15},
};

static void s19_each_limit_is_inherited_from_the_closest_wider_name(void **s)
{
    (void)s;
    struct limits limits = {.global = {14, 11, 12, 13, 15}};
    for (size_t i = 0; i < sizeof configured / sizeof configured[0]; i++)
        add(&limits, &configured[i]);
    limits_inherit(&limits);
    for (size_t i = 0; i < sizeof effective / sizeof effective[0]; i++)
        has(&limits, &effective[i]);
    limits_release(&limits);
}

static void s19_e198_below_zero_in_an_entry_becomes_unlimited(void **s)
{
    (void)s;
    struct limits limits = limits_default;
    add(&limits, &(struct row){"foo", -1, -1, -1, -1, -1});
    add(&limits, &(struct row){"bar", 5, 0, 0, 0, 0});
    limits_inherit(&limits);
    has(&limits, &(struct row){"foo", 0, 0, 0, 0, 0});
    has(&limits, &(struct row){"bar", 5, 1024000000, 0, 1000, 0});
    limits_release(&limits);
}

static void e199_the_narrower_wildcard_wins(void **s)
{
    (void)s;
    struct limits limits = limits_default;
    add(&limits, &(struct row){"foo.>", 2, 0, 0, 0, 0});
    add(&limits, &(struct row){">", 3, 0, 0, 0, 0});
    limits_inherit(&limits);
    has(&limits, &(struct row){"foo.bar", 2, 1024000000, 0, 1000, 0});
    has(&limits, &(struct row){"bar", 3, 1024000000, 0, 1000, 0});
    limits_release(&limits);
}

static void a_later_entry_of_a_name_replaces_the_earlier(void **s)
{
    (void)s;
    struct limits limits = limits_default;
    size_t count;
    add(&limits, &(struct row){"foo", 2, 7, 0, 0, 0});
    add(&limits, &(struct row){"foo", 3, 0, 0, 0, 0});
    limits_inherit(&limits);
    has(&limits, &(struct row){"foo", 3, 1024000000, 0, 1000, 0});
    assert_non_null(limits_entries(&limits, &count));
    assert_int_equal(count, 1);
    limits_release(&limits);
}

static void c16_a_name_that_is_no_channel_is_refused(void **s)
{
    (void)s;
    static const char *const bad[] = {
        "",        ".",      "foo.",     ".foo",      "foo..bar",
        "foo/bar", "foo.*x", "foo.*bar", ">.foo",     "foo.>x",
        "foo.>.>", "a>b",    "a*",       "foo.>.bar",
    };
    struct limits limits = limits_default;
    struct channel_limits none = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error err = {0};
        char want[64];
        (void)snprintf(want, sizeof want, "invalid channel name \"%s\"",
                       bad[i]);
        assert_int_equal(limits_add(&limits, bytes_text(bad[i]), &none, &err),
                         STATUS_INVALID);
        assert_string_equal(err.detail, want);
    }
    assert_null(limits.entries);
    limits_release(&limits);
}

static void any_other_name_is_a_channel(void **s)
{
    (void)s;
    static const char *const good[] = {
        "foo", "Foo.BAR", ">", "*", "*.*.>", "a b", "\xc3\xa9t\xc3\xa9", "a%s",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(limits_name_valid(bytes_text(good[i])));
}

static void s19_wildcards_do_not_count_for_max_channels(void **s)
{
    (void)s;
    struct limits limits = limits_default;
    struct error err = {0};
    limits.max_channels = 2;
    add(&limits, &(struct row){"a", 1, 0, 0, 0, 0});
    add(&limits, &(struct row){"b", 1, 0, 0, 0, 0});
    add(&limits, &(struct row){"c.>", 1, 0, 0, 0, 0});
    add(&limits, &(struct row){"*", 1, 0, 0, 0, 0});
    assert_int_equal(limits_check(&limits, NULL), STATUS_OK);
    add(&limits, &(struct row){"d", 1, 0, 0, 0, 0});
    assert_int_equal(limits_check(&limits, &err), STATUS_INVALID);
    assert_string_equal(err.detail,
                        "too many channels defined (3). The max channels "
                        "limit is set to 2");
    limits.max_channels = 0;
    assert_int_equal(limits_check(&limits, NULL), STATUS_OK);
    limits_release(&limits);
}

static void wildcards_match_whole_tokens(void **s)
{
    (void)s;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {">", "a", true},
        {">", "a.b", true},
        {"*", "a", true},
        {"*", "a.b", false},
        {"a.>", "a", false},
        {"a.>", "a.b.c", true},
        {"a.*", "a.b", true},
        {"a.*", "a", false},
        {"a.*.c", "a.b.c", true},
        {"a.*.c", "a.b.d", false},
        {"a", "a", true},
        {"a", "A", false},
        {"a", "ab", false},
        {"*.*", "foo.>", true},
        {"foo.bar", "foo.*", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(limits_name_matches(bytes_text(cases[i].pattern),
                                             bytes_text(cases[i].name)),
                         cases[i].matches);
    }
}

static void entries_come_widest_first_and_below_their_own(void **s)
{
    (void)s;
    static const char *const order[] = {
        ">", "*", "*.>", "*.*", "*.a", "a", "a.>", "a.*", "a.b", "a.b.c", "b",
    };
    enum { COUNT = sizeof order / sizeof order[0] };
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            int got =
                limits_name_order(bytes_text(order[i]), bytes_text(order[j]));
            assert_int_equal((got > 0) - (got < 0), (i > j) - (i < j));
        }
    }
}

static void there_is_a_limit_to_the_entries(void **s)
{
    (void)s;
    struct limits limits = limits_default;
    struct channel_limits none = {0};
    char name[32];
    for (int i = 0; i < LIMITS_ENTRIES_MAX; i++) {
        (void)snprintf(name, sizeof name, "c%d", i);
        assert_int_equal(limits_add(&limits, bytes_text(name), &none, NULL),
                         STATUS_OK);
    }
    assert_int_equal(limits_add(&limits, bytes_text("one.more"), &none, NULL),
                     STATUS_LIMIT);
    assert_int_equal(limits_add(&limits, bytes_text("c1"), &none, NULL),
                     STATUS_OK);
    limits_release(&limits);
    assert_null(limits.entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            s19_each_limit_is_inherited_from_the_closest_wider_name),
        cmocka_unit_test(s19_e198_below_zero_in_an_entry_becomes_unlimited),
        cmocka_unit_test(e199_the_narrower_wildcard_wins),
        cmocka_unit_test(a_later_entry_of_a_name_replaces_the_earlier),
        cmocka_unit_test(c16_a_name_that_is_no_channel_is_refused),
        cmocka_unit_test(any_other_name_is_a_channel),
        cmocka_unit_test(s19_wildcards_do_not_count_for_max_channels),
        cmocka_unit_test(wildcards_match_whole_tokens),
        cmocka_unit_test(entries_come_widest_first_and_below_their_own),
        cmocka_unit_test(there_is_a_limit_to_the_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
