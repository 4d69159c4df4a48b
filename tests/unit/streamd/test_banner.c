#include "streamd/banner.h"

#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void prints(const struct limits *limits, const char *const *lines,
                   size_t count)
{
    char path[] = "/tmp/test_banner.XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    struct log *log = NULL;
    struct log_options options = {.file = path};
    assert_int_equal(log_new(&options, &log, NULL), STATUS_OK);
    banner_limits(log, limits);
    log_free(log);
    FILE *file = fdopen(descriptor, "r");
    assert_non_null(file);
    char line[256];
    static const char prefix[] = "[INF] STREAM: ";
    for (size_t i = 0; i < count; i++) {
        assert_non_null(fgets(line, sizeof line, file));
        line[strcspn(line, "\n")] = '\0';
        const char *text = strstr(line, prefix);
        assert_non_null(text);
        assert_string_equal(text + strlen(prefix), lines[i]);
    }
    assert_null(fgets(line, sizeof line, file));
    (void)fclose(file);
    (void)unlink(path);
}

static void built_in_limits_are_printed_with_stars(void **s)
{
    (void)s;
    static const char *const lines[] = {
        "---------- Store Limits ----------",
        "Channels:                  100 *",
        "--------- Channels Limits --------",
        "  Subscriptions:          1000 *",
        "  Messages     :       1000000 *",
        "  Bytes        :     976.56 MB *",
        "  Age          :     unlimited *",
        "  Inactivity   :     unlimited *",
        "----------------------------------",
    };
    prints(&limits_default, lines, sizeof lines / sizeof lines[0]);
}

static void other_limits_are_printed_without_and_zero_as_unlimited(void **s)
{
    (void)s;
    static const char *const lines[] = {
        "---------- Store Limits ----------", "Channels:            unlimited",
        "--------- Channels Limits --------", "  Subscriptions:     unlimited",
        "  Messages     :            10",     "  Bytes        :         512 B",
        "  Age          :        1h0m0s",     "  Inactivity   :          1.5s",
        "----------------------------------",
    };
    const struct limits limits = {
        .global = {.max_messages = 10,
                   .max_bytes = 512,
                   .max_age = 3600 * CLOCK_SECOND,
                   .max_inactivity = 1500 * CLOCK_MILLISECOND}};
    prints(&limits, lines, sizeof lines / sizeof lines[0]);
}

static void channel(struct limits *limits, const char *name,
                    struct channel_limits entry)
{
    assert_int_equal(limits_add(limits, bytes_text(name), &entry, NULL),
                     STATUS_OK);
}

/* C37 */
static void c37_entries_are_printed_below_the_wider_ones(void **s)
{
    (void)s;
    static const char *const lines[] = {
        "---------- Store Limits ----------",
        "Channels:                  100 *",
        "--------- Channels Limits --------",
        "  Subscriptions:          1000 *",
        "  Messages     :       1000000 *",
        "  Bytes        :     976.56 MB *",
        "  Age          :     unlimited *",
        "  Inactivity   :     unlimited *",
        "--------- List of Channels ---------",
        ">",
        " |-> Messages                     10",
        " bar",
        "  |-> Subscriptions               30",
        " foo.>",
        "  |-> Bytes                  1.00 KB",
        "  |-> Inactivity                  5s",
        "  foo.bar.>",
        "   |-> Age                        1s",
        "   foo.bar.baz.>",
        "    |-> Subscriptions             20",
        "------------------------------------",
    };
    struct limits limits = limits_default;
    channel(&limits, "foo.bar.>",
            (struct channel_limits){.max_age = CLOCK_SECOND});
    channel(&limits, "bar", (struct channel_limits){.max_subscriptions = 30});
    channel(&limits, "foo.bar.baz.>",
            (struct channel_limits){.max_subscriptions = 20});
    channel(&limits, ">", (struct channel_limits){.max_messages = 10});
    channel(&limits, "foo.>",
            (struct channel_limits){.max_bytes = 1024,
                                    .max_inactivity = 5 * CLOCK_SECOND});
    limits_inherit(&limits);
    prints(&limits, lines, sizeof lines / sizeof lines[0]);
    limits_release(&limits);
}

/* E198 */
static void e198_an_entry_that_lifts_a_limit_shows_it_as_unlimited(void **s)
{
    (void)s;
    static const char *const lines[] = {
        "---------- Store Limits ----------",
        "Channels:                  100 *",
        "--------- Channels Limits --------",
        "  Subscriptions:          1000 *",
        "  Messages     :       1000000 *",
        "  Bytes        :     976.56 MB *",
        "  Age          :     unlimited *",
        "  Inactivity   :     unlimited *",
        "-------- List of Channels --------",
        "100%s",
        " |-> Messages           unlimited",
        "----------------------------------",
    };
    struct limits limits = limits_default;
    channel(&limits, "100%s", (struct channel_limits){.max_messages = -1});
    limits_inherit(&limits);
    prints(&limits, lines, sizeof lines / sizeof lines[0]);
    limits_release(&limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_limits_are_printed_with_stars),
        cmocka_unit_test(
            other_limits_are_printed_without_and_zero_as_unlimited),
        cmocka_unit_test(c37_entries_are_printed_below_the_wider_ones),
        cmocka_unit_test(
            e198_an_entry_that_lifts_a_limit_shows_it_as_unlimited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
