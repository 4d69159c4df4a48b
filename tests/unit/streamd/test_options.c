/* The command line of cli-config.md sections 1 to 4; C numbers are its 15. */
#include "streamd/options.h"

#include "streamd/base/clock.h"
#include "streamd/options_check.h"

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
    assert_int_equal(outcome.err.status, status); /* of the exit */
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

/* C1 */
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

/* C2 */
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

/* C4 */
static void c4_sizes_are_sizes(void **s)
{
    (void)s;
    assert_int_equal(
        PARSED(W("-max_bytes"), W("100KB")).limits.global.max_bytes, 102400);
    assert_int_equal(PARSED(W("-mb=1M")).limits.global.max_bytes, 1000000);
    assert_int_equal(PARSED(W("-cache_size"), W("1MB")).cache_size, 1048576);
    struct options options =
        PARSED(W("-file_compact_min_size"), W("200KB"), W("-file_buffer_size"),
               W("300KB"), W("-file_read_buffer_size"), W("1MB"));
    assert_int_equal(options.file.compact_min_size, 204800);
    assert_int_equal(options.file.buffer_size, 307200);
    assert_int_equal(options.file.read_buffer_size, 1048576);
    assert_int_equal(PARSED(W("-file_slice_max_bytes=2k")).file.slice_max_bytes,
                     2000);
}

static void peers_are(const struct options *options, const char *first,
                      const char *second)
{
    const struct options_list *peers = &options->cluster.peers;
    assert_int_equal(peers->count, 2);
    assert_true(bytes_equal(peers->items[0], bytes_text(first)));
    assert_true(bytes_equal(peers->items[1], bytes_text(second)));
}

/* C7 */
static void c7_peers_are_trimmed_and_a_member_is_not_its_own(void **s)
{
    (void)s;
    static const char *const texts[] = {"b,c", "a,b,c", " b , c ", "b,,c,a"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct options options =
            PARSED(W("-clustered"), W("-cluster_node_id"), W("a"),
                   W("-cluster_peers"), W(texts[i]));
        assert_true(options.cluster.enabled);
        peers_are(&options, "b", "c");
    }
}

/* C12 */
static void c12_the_polynomial_in_hexadecimal_is_the_default(void **s)
{
    (void)s;
    struct options defaults;
    options_default(&defaults);
    assert_int_equal(
        PARSED(W("-file_crc_poly"), W("0xEDB88320")).file.crc_polynomial,
        defaults.file.crc_polynomial);
}

static void a_key_turns_encryption_on(void **s)
{
    (void)s;
    assert_true(PARSED(W("-encryption_key"), W("k")).encrypt);
    assert_false(PARSED(W("-encryption_key=")).encrypt);
}

/* C5 */
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

/* C10 */
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

/* C11 */
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

/* C9 */
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
    for (size_t i = 0; i < count; i++) {
        const char *name = table[i].flags;
        while (*name != '\0') {
            size_t size = strcspn(name, " ");
            names++;
            char flag[64];
            (void)snprintf(flag, sizeof flag, "-%.*s=1ms", (int)size, name);
            /* 1ms suits strings and durations, to others it is malformed. */
            struct outcome outcome = PARSE(flag);
            assert_null(strstr(outcome.err.detail, "not defined"));
            for (size_t j = i + 1; j < count; j++)
                assert_false(options_named(table[j].flags, name, size));
            name += size;
            name += strspn(name, " ");
        }
    }
    assert_true(names > 140);
}

/* cli-config.md 3 and 4 */
static void every_flag_of_the_go_server_is_there(void **s)
{
    (void)s;
    static const char flags[] =
        "cid cluster_id st store dir mc max_channels msu max_subs mm max_msgs "
        "mb max_bytes ma max_age mi max_inactivity ns nats_server sc "
        "stan_config hbi hb_interval hbt hb_timeout hbf hb_fail_count ft_group "
        "ft_group_name encrypt encryption_cipher encryption_key "
        "replace_durable syslog_name io_batch_size io_sleep_time SD stan_debug "
        "SV stan_trace SDV secure tls_client_cert tls_client_key "
        "tls_client_cacert clustered cluster_node_id cluster_bootstrap "
        "cluster_peers cluster_log_path cluster_log_cache_size "
        "cluster_log_snapshots cluster_trailing_logs cluster_sync "
        "cluster_raft_logging cluster_proceed_on_restore_failure "
        "cluster_allow_add_remove_node file_compact_enabled file_compact_frag "
        "file_compact_interval file_compact_min_size file_buffer_size file_crc "
        "file_crc_poly file_sync file_slice_max_msgs file_slice_max_bytes "
        "file_slice_max_age file_slice_archive_script file_fds_limit "
        "file_parallel_recovery file_truncate_bad_eof file_read_buffer_size "
        "file_auto_sync sql_driver sql_source sql_no_caching "
        "sql_max_open_conns sql_bulk_insert_limit a addr net p port n name "
        "server_name client_advertise m http_port ms https_port c config t sl "
        "signal P pid ports_file_dir l log log_size_limit s syslog r "
        "remote_syslog T logtime logtime_utc D debug V trace DV VV DVV "
        "max_traced_msg_len user pass auth tls tlsverify tlscert tlskey "
        "tlscacert routes cluster cluster_listen cluster_name "
        "cluster_advertise no_advertise connect_retries profile js jetstream "
        "sd store_dir h help v version help_tls";
    const char *flag = flags;
    while (*flag != '\0') {
        char name[64];
        size_t size = strcspn(flag, " ");
        (void)snprintf(name, sizeof name, "%.*s", (int)size, flag);
        if (options_entry(name) == NULL)
            fail_msg("-%s is not defined", name);
        flag += size;
        flag += strspn(flag, " ");
    }
}

static void modes_refuse(struct options options, enum status status,
                         const char *detail)
{
    struct error err = {0};
    assert_int_equal(options_check_modes(&options, &err), status);
    assert_non_null(strstr(err.detail, detail));
}

/* cli-config.md 7.7 */
static void modes_that_do_not_go_together_are_told_as_go_does(void **s)
{
    (void)s;
    struct options options = PARSED(W("-clustered"), W("-st=FILE"));
    options.partitioning = true;
    modes_refuse(options, STATUS_INVALID,
                 "stan: channels partitioning in clustering mode is not "
                 "supported");
    modes_refuse(PARSED(W("-clustered")), STATUS_INVALID,
                 "stan: clustering mode not supported with MEMORY store type");
    struct error err = {0};
    enum options_store store;
    options = PARSED(W("-ft_group=x"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_INVALID);
    assert_string_equal(err.detail,
                        "ft: only FILE or SQL stores supported in FT mode");
    options = PARSED(W("-encrypt"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_INVALID);
    assert_string_equal(err.detail, "encryption key required");
    options = PARSED(W("-encryption_key=k"), W("-encryption_cipher=rot13"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_INVALID);
    assert_string_equal(err.detail, "encryption cipher not supported");
}

static void what_is_not_there_yet_is_refused_at_start_up(void **s)
{
    (void)s;
    struct options options;
    struct error err = {0};
    enum options_store store;
    options_default(&options);
    assert_int_equal(options_check_modes(&options, &err), STATUS_OK);
    modes_refuse(PARSED(W("-clustered"), W("-st=FILE")), STATUS_UNAVAILABLE,
                 "-clustered");
    modes_refuse(PARSED(W("-st=sql")), STATUS_UNAVAILABLE, "-store SQL");
    modes_refuse(PARSED(W("-st=file"), W("-file_slice_archive_script=x")),
                 STATUS_UNAVAILABLE, "-file_slice_archive_script");
    options.partitioning = true;
    modes_refuse(options, STATUS_UNAVAILABLE, "partitioning");
    options = PARSED(W("-encryption_key=k"), W("-encryption_cipher=aes"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_UNAVAILABLE);
    options = PARSED(W("-ft_group=g"), W("-st=file"), W("-dir=d"));
    assert_int_equal(options_store(&options, &store, &err), STATUS_UNAVAILABLE);
}

/* stores.md 4 */
static void the_ranges_of_a_file_store_are_checked(void **s)
{
    (void)s;
    static const struct {
        const char *flag, *text;
    } cases[] = {
        {"-file_buffer_size=-1", "buffer size value must be a positive number"},
        {"-file_read_buffer_size=-1",
         "read buffer size value must be a positive number"},
        {"-file_compact_frag=0",
         "compact fragmentation value must at least be 1"},
        {"-file_compact_interval=0",
         "compact interval value must at least be 1 seconds"},
        {"-file_compact_min_size=-1",
         "compact minimum file size value must be a positive number"},
        {"-file_crc_poly=0",
         "crc polynomial should be between 1 and 4294967295"},
        {"-file_crc_poly=4294967296",
         "crc polynomial should be between 1 and 4294967295"},
        {"-file_slice_max_msgs=-1",
         "slice max values must be positive numbers"},
        {"-file_slice_max_age=-1s",
         "slice max values must be positive numbers"},
        {"-file_fds_limit=-1",
         "file descriptor limit must be a positive number"},
        {"-file_parallel_recovery=0",
         "parallel recovery value must be at least 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        enum options_store store;
        struct options options =
            PARSED(W("-st=file"), W("-dir=d"), W(cases[i].flag));
        assert_int_equal(options_store(&options, &store, &err), STATUS_INVALID);
        assert_string_equal(err.detail, cases[i].text);
    }
}

/* monitoring.md 1 */
static void http_and_https_exclude_each_other(void **s)
{
    (void)s;
    struct error err = {0};
    struct options options = PARSED(W("-m=1"), W("-ms=2"));
    assert_int_equal(options_check_monitoring(&options, &err), STATUS_INVALID);
    assert_string_equal(err.detail, "can't specify both HTTP (1) and HTTPs (2) "
                                    "ports");
    options = PARSED(W("-ms=2"), W("-tlscert=x"));
    assert_int_equal(options_check_monitoring(&options, &err), STATUS_INVALID);
    assert_string_equal(err.detail, "TLS cert and key required for HTTPS");
    options = PARSED(W("-ms=2"), W("-tlscert=x"), W("-tlskey=x"));
    assert_int_equal(options_check_monitoring(&options, &err), STATUS_OK);
}

enum { SAID_MAX = 2000 };

static void say(void *context, const char *text)
{
    char *said = context;
    size_t used = strlen(said);
    (void)snprintf(said + used, SAID_MAX - used, "%s\n", text);
}

static void what_has_no_effect_is_said(void **s)
{
    (void)s;
    char said[SAID_MAX] = "";
    struct options options = PARSED(W("-st=file"), W("-file_sync=true"));
    options_idle(&options, say, said);
    assert_string_equal(said, "");
    options = PARSED(W("-st=file"), W("-file_sync=false"), W("-file_crc=false"),
                     W("-file_slice_max_msgs=1"), W("-cluster_sync"),
                     W("-io_batch_size=1"), W("-routes=x"));
    options_idle(&options, say, said);
    assert_string_equal(
        said, "No effect, as this server looks after its files by itself: "
              "-file_crc, -file_slice_max_msgs\n"
              "No effect, as what has arrived is stored at once: "
              "-io_batch_size\n"
              "No effect without -clustered: -cluster_sync\n");
    said[0] = '\0';
    options = PARSED(W("-file_crc=false"), W("-file_sync=false"), W("-ns=x"),
                     W("-routes=x"));
    options_idle(&options, say, said);
    assert_string_equal(said,
                        "No effect, as this server looks after its files by "
                        "itself: -file_crc\n"
                        "No effect without a FILE store: -file_sync\n"
                        "No effect with a NATS server in use (-ns): -routes\n");
}

static void files_of_messages_have_a_sensible_size(void **s)
{
    (void)s;
    static const struct {
        const char *flag;
        uint64_t bytes;
        bool said;
    } cases[] = {
        {"-file_slice_max_bytes=0", 0, false}, /* the store's own choice */
        {"-file_slice_max_bytes=64MB", UINT64_C(64) << 20, false},
        {"-file_slice_max_bytes=1MB", UINT64_C(1) << 20, false},
        {"-file_slice_max_bytes=1000", UINT64_C(1) << 20, true},
        {"-file_slice_max_bytes=7EB", UINT64_C(256) << 20, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[SAID_MAX] = "";
        char flag[64];
        (void)snprintf(flag, sizeof flag, "%s", cases[i].flag);
        struct options options = PARSED(W("-st=file"), flag);
        assert_int_equal(options_segment_bytes(&options), cases[i].bytes);
        options_idle(&options, say, said);
        assert_int_equal(strstr(said, "-file_slice_max_bytes is taken as") !=
                             NULL,
                         cases[i].said);
    }
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
        cmocka_unit_test(c4_sizes_are_sizes),
        cmocka_unit_test(c7_peers_are_trimmed_and_a_member_is_not_its_own),
        cmocka_unit_test(c12_the_polynomial_in_hexadecimal_is_the_default),
        cmocka_unit_test(a_key_turns_encryption_on),
        cmocka_unit_test(every_flag_of_the_go_server_is_there),
        cmocka_unit_test(what_is_not_there_yet_is_refused_at_start_up),
        cmocka_unit_test(modes_that_do_not_go_together_are_told_as_go_does),
        cmocka_unit_test(the_ranges_of_a_file_store_are_checked),
        cmocka_unit_test(http_and_https_exclude_each_other),
        cmocka_unit_test(what_has_no_effect_is_said),
        cmocka_unit_test(files_of_messages_have_a_sensible_size),
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
