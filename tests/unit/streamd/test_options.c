/* The command line of cli-config.md sections 1 to 4; C numbers are its 15. */
#include "streamd/options.h"

#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 12 };

struct outcome {
    struct options options;
    enum status status;
    struct error err;
};

static struct outcome parse(char *const *words)
{
    char name[] = "streamd";
    char *argv[WORDS_MAX + 1] = {name};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        assert_true(argc < WORDS_MAX);
        argv[argc] = words[argc - 1];
    }
    struct outcome outcome = {.status = STATUS_OK};
    options_default(&outcome.options);
    outcome.status = options_parse(&outcome.options, argc, argv, &outcome.err);
    return outcome;
}

#define PARSE(...) parse((char *[]){__VA_ARGS__, NULL})

static struct options parsed(struct outcome outcome)
{
    if (outcome.status != STATUS_OK)
        print_error("%s\n", outcome.err.detail);
    assert_int_equal(outcome.status, STATUS_OK);
    return outcome.options;
}

#define PARSED(...) parsed(PARSE(__VA_ARGS__))

static void refused(struct outcome outcome, enum status status,
                    const char *detail)
{
    assert_int_equal(outcome.status, status);
    assert_string_equal(outcome.err.detail, detail);
}

static char *word(const char *text, char out[64])
{
    (void)snprintf(out, 64, "%s", text);
    return out;
}

/* Initialisers of char * from literals are for tests only: argv is mutable. */
#define W(text) word(text, (char[64]){0})

static void without_flags_all_is_as_built_in(void **s)
{
    (void)s;
    struct options options;
    options_default(&options);
    assert_string_equal(options.cluster_id, "test-cluster");
    assert_string_equal(options.store, "MEMORY");
    assert_string_equal(options.dir, "");
    assert_string_equal(options.nats_server, "");
    assert_int_equal(options.limits.max_channels, 100);
    assert_int_equal(options.limits.global.max_subscriptions, 1000);
    assert_int_equal(options.limits.global.max_messages, 1000000);
    assert_int_equal(options.limits.global.max_bytes, 1024000000);
    assert_int_equal(options.limits.global.max_age, 0);
    assert_int_equal(options.limits.global.max_inactivity, 0);
    assert_int_equal(options.heartbeat_interval, 30 * CLOCK_SECOND);
    assert_int_equal(options.heartbeat_timeout, 10 * CLOCK_SECOND);
    assert_int_equal(options.heartbeat_fail_count, 10);
    assert_int_equal(options.cache_size, 256 << 20);
    assert_int_equal(options.port, 4222);
    assert_int_equal(options.http_port, 0);
    assert_true(options.log_time);
    assert_false(options.log_time_utc);
    assert_int_equal(options.action, OPTIONS_RUN);
}

static void c1_one_dash_and_two_and_both_value_forms_are_the_same(void **s)
{
    (void)s;
    assert_string_equal(PARSED(W("-cid"), W("me")).cluster_id, "me");
    assert_string_equal(PARSED(W("--cluster_id=me")).cluster_id, "me");
    assert_string_equal(PARSED(W("--cid"), W("me")).cluster_id, "me");
    assert_string_equal(PARSED(W("-cluster_id=me")).cluster_id, "me");
    assert_string_equal(PARSED(W("-cid=a=b")).cluster_id, "a=b");
    assert_string_equal(PARSED(W("-cid=")).cluster_id, "");
}

static void c2_an_unknown_flag_is_named_with_one_dash(void **s)
{
    (void)s;
    refused(PARSE(W("-xxx"), W("foo")), STATUS_INVALID,
            "flag provided but not defined: -xxx");
    refused(PARSE(W("--xxx=foo")), STATUS_INVALID,
            "flag provided but not defined: -xxx");
    refused(PARSE(W("-CID"), W("foo")), STATUS_INVALID,
            "flag provided but not defined: -CID");
}

static void a_flag_of_the_go_server_we_lack_is_called_not_supported(void **s)
{
    (void)s;
    refused(PARSE(W("-clustered")), STATUS_INVALID,
            "flag -clustered is not supported yet");
    refused(PARSE(W("--sd=x")), STATUS_INVALID,
            "flag -sd is not supported yet");
    refused(PARSE(W("-encryption_key"), W("secret")), STATUS_INVALID,
            "flag -encryption_key is not supported yet");
}

static void c4_sizes_are_sizes(void **s)
{
    (void)s;
    assert_int_equal(
        PARSED(W("-max_bytes"), W("100KB")).limits.global.max_bytes, 102400);
    assert_int_equal(PARSED(W("-mb=1M")).limits.global.max_bytes, 1000000);
    assert_int_equal(PARSED(W("-cache_size"), W("1MB")).cache_size, 1048576);
}

static void c5_what_is_no_size_is_refused_under_the_name_given(void **s)
{
    (void)s;
    refused(PARSE(W("-max_bytes"), W("12abc")), STATUS_LIMIT,
            "max_bytes should be a size, got '12abc'");
    refused(PARSE(W("-max_bytes"), W("100a")), STATUS_LIMIT,
            "max_bytes should be a size, got '100a'");
    refused(PARSE(W("-mb"), W("x1x")), STATUS_LIMIT,
            "mb should be a size, got 'x1x'");
    refused(PARSE(W("-cache_size"), W("-1")), STATUS_INVALID,
            "invalid value \"-1\" for flag -cache_size: value out of range");
}

static void c10_a_boolean_never_takes_the_next_word(void **s)
{
    (void)s;
    struct outcome outcome = PARSE(W("-SD"), W("false"));
    refused(outcome, STATUS_NOT_FOUND, "unrecognized command: \"false\"");
    assert_true(outcome.options.streaming_debug);
    assert_false(PARSED(W("-SD"), W("-SD=false")).streaming_debug);
    assert_true(PARSED(W("-SD=T")).streaming_debug);
    refused(PARSE(W("-SD=yes")), STATUS_INVALID,
            "invalid boolean value \"yes\" for -SD: parse error");
    refused(PARSE(W("-SDV=")), STATUS_INVALID,
            "invalid boolean value \"\" for -SDV: parse error");
}

static void c11_durations_need_a_unit(void **s)
{
    (void)s;
    refused(PARSE(W("-hbi"), W("10")), STATUS_INVALID,
            "invalid value \"10\" for flag -hbi: parse error");
    assert_int_equal(PARSED(W("-hbi"), W("1.5h")).heartbeat_interval,
                     5400 * CLOCK_SECOND);
    assert_int_equal(PARSED(W("-hbi"), W("1m1h")).heartbeat_interval,
                     3660 * CLOCK_SECOND);
    assert_int_equal(PARSED(W("-ma"), W("0")).limits.global.max_age, 0);
    assert_int_equal(PARSED(W("-ma=-1s")).limits.global.max_age, -CLOCK_SECOND);
}

static void integers_are_checked_for_form_and_range(void **s)
{
    (void)s;
    assert_int_equal(PARSED(W("-mc"), W("0x10")).limits.max_channels, 16);
    refused(PARSE(W("-mm"), W("10K")), STATUS_INVALID,
            "invalid value \"10K\" for flag -mm: parse error");
    refused(PARSE(W("-mm=")), STATUS_INVALID,
            "invalid value \"\" for flag -mm: parse error");
    refused(PARSE(W("-mm"), W("9223372036854775808")), STATUS_INVALID,
            "invalid value \"9223372036854775808\" for flag -mm: value out of "
            "range");
    refused(PARSE(W("-p"), W("65536")), STATUS_INVALID,
            "invalid value \"65536\" for flag -p: value out of range");
    refused(PARSE(W("-hbt"), W("0")), STATUS_INVALID,
            "invalid value \"0\" for flag -hbt: value out of range");
}

static void a_value_may_begin_with_a_dash(void **s)
{
    (void)s;
    assert_int_equal(PARSED(W("-m"), W("-1")).http_port, -1);
    assert_string_equal(PARSED(W("-cid"), W("-SD")).cluster_id, "-SD");
    assert_false(PARSED(W("-cid"), W("-SD")).streaming_debug);
}

static void malformed_names_are_bad_syntax(void **s)
{
    (void)s;
    refused(PARSE(W("---x")), STATUS_INVALID, "bad flag syntax: ---x");
    refused(PARSE(W("-=x")), STATUS_INVALID, "bad flag syntax: -=x");
    refused(PARSE(W("--=x")), STATUS_INVALID, "bad flag syntax: --=x");
}

static void a_missing_value_is_an_error(void **s)
{
    (void)s;
    refused(PARSE(W("-SD"), W("-cid")), STATUS_INVALID,
            "flag needs an argument: -cid");
    refused(PARSE(W("--hbf")), STATUS_INVALID, "flag needs an argument: -hbf");
}

static void parsing_stops_at_a_word_a_lone_dash_and_two_dashes(void **s)
{
    (void)s;
    struct options options = PARSED(W("-SD"), W("--"), W("version"), W("-SV"));
    assert_int_equal(options.action, OPTIONS_VERSION);
    assert_true(options.streaming_debug);
    assert_false(options.streaming_trace);
    refused(PARSE(W("-"), W("-SV")), STATUS_NOT_FOUND,
            "unrecognized command: \"-\"");
    refused(PARSE(W("")), STATUS_NOT_FOUND, "unrecognized command: \"\"");
    assert_int_equal(PARSED(W("-SD"), W("--")).action, OPTIONS_RUN);
}

static void version_and_help_come_as_flags_and_as_words_in_any_case(void **s)
{
    (void)s;
    assert_int_equal(PARSED(W("-v")).action, OPTIONS_VERSION);
    assert_int_equal(PARSED(W("--version")).action, OPTIONS_VERSION);
    assert_int_equal(PARSED(W("VERSION"), W("x")).action, OPTIONS_VERSION);
    assert_int_equal(PARSED(W("-h")).action, OPTIONS_HELP);
    assert_int_equal(PARSED(W("-help")).action, OPTIONS_HELP);
    assert_int_equal(PARSED(W("Help")).action, OPTIONS_HELP);
    assert_int_equal(PARSED(W("-h"), W("-v")).action, OPTIONS_VERSION);
    assert_int_equal(PARSED(W("-h"), W("nonsense")).action, OPTIONS_HELP);
    assert_int_equal(PARSED(W("-v=false")).action, OPTIONS_RUN);
}

static void the_last_of_all_aliases_wins(void **s)
{
    (void)s;
    assert_string_equal(
        PARSED(W("-cid"), W("a"), W("-cluster_id"), W("b")).cluster_id, "b");
    assert_string_equal(
        PARSED(W("-cluster_id"), W("a"), W("-cid"), W("b")).cluster_id, "b");
    assert_string_equal(PARSED(W("-a=x"), W("-net=y"), W("-addr=z")).host, "z");
}

static void flags_for_both_beat_the_single_ones_wherever_they_stand(void **s)
{
    (void)s;
    struct options options = PARSED(W("-SDV=false"), W("-SD"), W("-SV"));
    assert_false(options.streaming_debug);
    assert_false(options.streaming_trace);
    options = PARSED(W("-SDV"), W("-SD=false"));
    assert_true(options.streaming_debug);
    assert_true(options.streaming_trace);
    options = PARSED(W("-DV"));
    assert_true(options.debug && options.trace);
    assert_false(options.streaming_debug || options.streaming_trace);
}

static void c9_logtime_can_be_turned_off(void **s)
{
    (void)s;
    assert_false(PARSED(W("-T=false")).log_time);
    assert_false(PARSED(W("--logtime=0")).log_time);
    assert_true(PARSED(W("-logtime_utc")).log_time_utc);
}

static void
every_name_of_the_table_is_found_and_no_name_is_there_twice(void **s)
{
    (void)s;
    size_t count;
    const struct option_entry *table = options_table(&count);
    size_t names = 0;
    for (size_t i = 0; i < count * OPTION_NAMES_MAX; i++) {
        const char *name =
            table[i / OPTION_NAMES_MAX].names[i % OPTION_NAMES_MAX];
        if (name == NULL)
            continue;
        names++;
        char flag[64];
        (void)snprintf(flag, sizeof flag, "-%s=1ms", name);
        /* 1ms suits strings and durations; the others find it malformed. */
        struct outcome outcome = PARSE(flag);
        assert_null(strstr(outcome.err.detail, "not defined"));
        for (size_t j = i + 1; j < count * OPTION_NAMES_MAX; j++) {
            const char *other =
                table[j / OPTION_NAMES_MAX].names[j % OPTION_NAMES_MAX];
            assert_true(other == NULL || strcmp(name, other) != 0);
        }
    }
    assert_true(names > 50);
}

/* C17 as far as there are stores. */
static void stores_are_named_in_any_case_and_checked_at_start_up(void **s)
{
    (void)s;
    enum options_store store;
    struct error err;
    struct options options = PARSED(W("-st"), W("memory"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_OK);
    assert_int_equal(store, OPTIONS_STORE_MEMORY);
    options = PARSED(W("-store=File"), W("-dir"), W("d"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_OK);
    assert_int_equal(store, OPTIONS_STORE_FILE);
    options = PARSED(W("-store=FILE"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_INVALID);
    assert_string_equal(err.detail,
                        "for FILE stores, root directory must be specified");
    options = PARSED(W("-store=xyz"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_INVALID);
    assert_string_equal(err.detail, "unsupported store type: XYZ");
}

static void a_very_long_name_or_value_is_refused_and_cut(void **s)
{
    (void)s;
    static char name[5000];
    name[0] = '-';
    memset(name + 1, 'x', sizeof name - 2);
    assert_int_equal(PARSE(name).status, STATUS_INVALID);
    static char value[5000];
    memset(value, '9', sizeof value - 1);
    struct outcome outcome = PARSE(W("-mm"), value);
    assert_int_equal(outcome.status, STATUS_INVALID);
    assert_non_null(
        strstr(outcome.err.detail, "for flag -mm: value out of range"));
    assert_int_equal(PARSE(W("-mb"), value).status, STATUS_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_flags_all_is_as_built_in),
        cmocka_unit_test(c1_one_dash_and_two_and_both_value_forms_are_the_same),
        cmocka_unit_test(c2_an_unknown_flag_is_named_with_one_dash),
        cmocka_unit_test(
            a_flag_of_the_go_server_we_lack_is_called_not_supported),
        cmocka_unit_test(c4_sizes_are_sizes),
        cmocka_unit_test(c5_what_is_no_size_is_refused_under_the_name_given),
        cmocka_unit_test(c9_logtime_can_be_turned_off),
        cmocka_unit_test(c10_a_boolean_never_takes_the_next_word),
        cmocka_unit_test(c11_durations_need_a_unit),
        cmocka_unit_test(integers_are_checked_for_form_and_range),
        cmocka_unit_test(a_value_may_begin_with_a_dash),
        cmocka_unit_test(malformed_names_are_bad_syntax),
        cmocka_unit_test(a_missing_value_is_an_error),
        cmocka_unit_test(parsing_stops_at_a_word_a_lone_dash_and_two_dashes),
        cmocka_unit_test(
            version_and_help_come_as_flags_and_as_words_in_any_case),
        cmocka_unit_test(the_last_of_all_aliases_wins),
        cmocka_unit_test(
            flags_for_both_beat_the_single_ones_wherever_they_stand),
        cmocka_unit_test(
            every_name_of_the_table_is_found_and_no_name_is_there_twice),
        cmocka_unit_test(stores_are_named_in_any_case_and_checked_at_start_up),
        cmocka_unit_test(a_very_long_name_or_value_is_refused_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
