#include "streamd/options_file.h"

#include "streamd/base/clock.h"
#include "streamd/options_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORDS_MAX = 16, PATH_SIZE = 64 };

struct run {
    char streaming_path[PATH_SIZE], nats_path[PATH_SIZE];
    char texts[WORDS_MAX][PATH_SIZE];
    char *words[WORDS_MAX]; /* into texts */
    int count;
    struct options options;
    struct options_files files;
    struct error err;
};

static void word(struct run *run, const char *text)
{
    assert_true(run->count < WORDS_MAX);
    size_t size = strlen(text) + 1; /* text may lie in *run, elsewhere */
    assert_true(size <= PATH_SIZE);
    run->words[run->count] = memmove(run->texts[run->count], text, size);
    run->count++;
}

static void file_write(char path[PATH_SIZE], const char *text)
{
    (void)snprintf(path, PATH_SIZE, "/tmp/test_options.XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)),
                     (ssize_t)strlen(text));
    (void)close(descriptor);
}

/* The program with these files (NULL: none) and the flags behind. */
static enum status load(struct run *run, const char *streaming,
                        const char *nats, const char *flags)
{
    char copy[256];
    char *rest = NULL;
    *run = (struct run){0};
    word(run, "streamd");
    if (streaming != NULL) {
        file_write(run->streaming_path, streaming);
        word(run, "-sc");
        word(run, run->streaming_path);
    }
    if (nats != NULL) {
        file_write(run->nats_path, nats);
        word(run, "-c");
        word(run, run->nats_path);
    }
    (void)snprintf(copy, sizeof copy, "%s", flags);
    char *flag = strtok_r(copy, " ", &rest);
    for (; flag != NULL; flag = strtok_r(NULL, " ", &rest))
        word(run, flag);
    options_default(&run->options);
    assert_int_equal(
        options_parse(&run->options, run->count, run->words, &run->err),
        STATUS_OK);
    return options_files_load(&run->options, run->count, run->words,
                              &run->files, &run->err);
}

static void run_end(struct run *run)
{
    limits_release(&run->options.limits);
    options_files_release(&run->files);
    if (run->streaming_path[0] != '\0')
        (void)unlink(run->streaming_path);
    if (run->nats_path[0] != '\0')
        (void)unlink(run->nats_path);
}

static void loads(struct run *run, const char *streaming, const char *nats,
                  const char *flags)
{
    if (load(run, streaming, nats, flags) != STATUS_OK)
        print_message("%s\n", run->err.detail);
    assert_int_equal(run->err.status, STATUS_OK);
}

static void refuses(const char *text, const char *flags, const char *part)
{
    struct run run;
    enum status status = load(&run, text, NULL, flags);
    if (status == STATUS_OK || strstr(run.err.detail, part) == NULL)
        print_message("%s: %s\n", text, run.err.detail);
    assert_int_not_equal(status, STATUS_OK);
    assert_non_null(strstr(run.err.detail, part));
    run_end(&run);
}

/* ---- files ---- */

static void c3_a_missing_file_is_told(void **s)
{
    (void)s;
    static const char *const flags[] = {"-sc missing.conf", "-c missing.conf"};
    for (int i = 0; i < 2; i++) {
        struct run run;
        assert_int_equal(load(&run, NULL, NULL, flags[i]), STATUS_IO);
        assert_string_equal(run.err.detail,
                            "error opening config file: open missing.conf: no "
                            "such file or directory");
        run_end(&run);
    }
    struct run run;
    assert_int_equal(load(&run, "sd: true", NULL, "-c missing.conf"),
                     STATUS_IO);
    run_end(&run);
    assert_int_equal(load(&run, NULL, "port: 1", "-sc missing.conf"),
                     STATUS_IO);
    run_end(&run);
}

/* C6 */
static void c6_a_flag_beats_the_file(void **s)
{
    (void)s;
    struct run run;
    loads(&run, "sd: true, sv: true\nid: file\nmax: 1", NULL,
          "-SDV=false -cid flag");
    assert_false(run.options.streaming_debug);
    assert_false(run.options.streaming_trace);
    assert_string_equal(run.options.cluster_id, "flag");
    run_end(&run);
    loads(&run, "sd: true, sv: true\nid: file", NULL, "-mc 7");
    assert_true(run.options.streaming_debug && run.options.streaming_trace);
    assert_string_equal(run.options.cluster_id, "file");
    assert_int_equal(run.options.limits.max_channels, 7);
    run_end(&run);
}

/* C8 */
static void c8_each_side_reads_its_own_file(void **s)
{
    (void)s;
    static const char streaming[] = "port: 1111\nstreaming {cluster_id: s}";
    static const char nats[] = "port: 2222\nstreaming {cluster_id: n}";
    struct run run;
    loads(&run, streaming, nats, "");
    assert_int_equal(run.options.port, 2222);
    assert_string_equal(run.options.cluster_id, "s");
    run_end(&run);
    loads(&run, streaming, NULL, "");
    assert_int_equal(run.options.port, 1111);
    assert_string_equal(run.options.cluster_id, "s");
    run_end(&run);
    loads(&run, NULL, nats, "");
    assert_int_equal(run.options.port, 2222);
    assert_string_equal(run.options.cluster_id, "n");
    run_end(&run);
}

/* C9 */
static void c9_logtime_is_on_unless_told(void **s)
{
    (void)s;
    static const struct {
        const char *text, *flags;
        bool on;
    } cases[] = {
        {"", "", true},
        {"logtime: false", "", false},
        {"logtime: true", "", true},
        {"logtime: true", "-T=false", false},
        {"logtime: false", "-T", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run;
        loads(&run, NULL, cases[i].text, cases[i].flags);
        assert_int_equal(run.options.log_time, cases[i].on);
        run_end(&run);
    }
}

/* ---- the streaming side ---- */

static void c20_what_is_there_is_applied(void **s)
{
    (void)s;
    static const char text[] =
        "streaming: {\n"
        "  ID: me, discover_prefix: \"_X\", store: File, dir: '/data'\n"
        "  sd: true, sv: yes, ns: 'nats://a:4222'\n"
        "  hbi: '5s', hbt: '1.5s', hbf: 2, syslog_name: tag\n"
        "  replace_durables: true, unknown: {x: 1}\n"
        "  file_options: { cache: true, sync: true, crc_poly: 3988292384 }\n"
        "  encrypt: false, partitioning: false, credentials: '', tls {}\n"
        "  store_limits: {\n"
        "    max_channels: 11, max_subs: 12, max_msgs: 13, max_bytes: 14KB\n"
        "    max_age: '15s', max_inactivity: '16m'\n"
        "  }\n"
        "}\n";
    struct run run;
    loads(&run, text, NULL, "");
    const struct options *options = &run.options;
    assert_string_equal(options->cluster_id, "me");
    assert_string_equal(options->discover_prefix, "_X");
    assert_string_equal(options->store, "File");
    assert_string_equal(options->dir, "/data");
    assert_true(options->streaming_debug && options->streaming_trace);
    assert_string_equal(options->nats_server, "nats://a:4222");
    assert_int_equal(options->heartbeat_interval, 5 * CLOCK_SECOND);
    assert_int_equal(options->heartbeat_timeout, 1500 * CLOCK_MILLISECOND);
    assert_int_equal(options->heartbeat_fail_count, 2);
    assert_string_equal(options->syslog_name, "tag");
    assert_true(options->replace_durable);
    assert_int_equal(options->limits.max_channels, 11);
    assert_int_equal(options->limits.global.max_subscriptions, 12);
    assert_int_equal(options->limits.global.max_messages, 13);
    assert_int_equal(options->limits.global.max_bytes, 14 * 1024);
    assert_int_equal(options->limits.global.max_age, 15 * CLOCK_SECOND);
    assert_int_equal(options->limits.global.max_inactivity, 960 * CLOCK_SECOND);
    assert_string_equal(run.files.warning, "");
    run_end(&run);
}

/* C18 */
static void c18_zero_in_a_channel_is_unlimited_absent_is_inherited(void **s)
{
    (void)s;
    static const char text[] =
        "store_limits { max_msgs: 5, max_bytes: 6, max_age: '7s'\n"
        "  max_subs: 8, max_inactivity: '9s', channels {\n"
        "    Foo: {max_msgs: 0, max_bytes: 0, max_age: '0', max_subs: 0,\n"
        "          max_inactivity: '0'}\n"
        "    \"bar.>\": {mm: 3}\n"
        "    baz {}\n"
        "} }\n";
    struct run run;
    loads(&run, text, NULL, "-mb 60");
    const struct channel_limits none = {0};
    const struct channel_limits bar = {8, 3, 60, 7 * CLOCK_SECOND,
                                       9 * CLOCK_SECOND};
    struct channel_limits got =
        limits_channel(&run.options.limits, bytes_text("Foo"));
    assert_memory_equal(&got, &none, sizeof got);
    got = limits_channel(&run.options.limits, bytes_text("bar.x"));
    assert_memory_equal(&got, &bar, sizeof got);
    got = limits_channel(&run.options.limits, bytes_text("baz"));
    assert_memory_equal(&got, &run.options.limits.global, sizeof got);
    run_end(&run);
}

static void an_empty_or_zero_value_beats_the_default(void **s)
{
    (void)s;
    struct run run;
    loads(&run, "store_limits { max_msgs: 0, max_channels: 0 }", NULL, "");
    assert_int_equal(run.options.limits.global.max_messages, 0);
    assert_int_equal(run.options.limits.max_channels, 0);
    run_end(&run);
}

/* Of a type that this option does not have. */
static const char *wrong_value(enum option_type type)
{
    if (type == OPTION_BOOLEAN || type == OPTION_LIST)
        return "'x'";
    if (type == OPTION_STRING || type == OPTION_DURATION)
        return "123";
    return "false";
}

static const char *section_open(enum options_section section)
{
    switch (section) {
    case OPTIONS_CLIENT_TLS:
    case OPTIONS_SERVER_TLS:
        return "tls {";
    case OPTIONS_LIMITS:
        return "limits {";
    case OPTIONS_CHANNEL:
        return "limits { channels { foo {";
    case OPTIONS_FILE:
        return "file {";
    case OPTIONS_SQL:
        return "sql {";
    case OPTIONS_CLUSTER:
        return "cluster {";
    case OPTIONS_AUTHORIZATION:
        return "authorization {";
    case OPTIONS_STREAMING:
    case OPTIONS_CHANNELS:
    case OPTIONS_NATS:
        break;
    }
    return "{";
}

static void wants_its_type(enum options_section section,
                           const struct option_entry *entry)
{
    const char *name = entry->keys;
    while (*name != '\0') {
        char text[256];
        char part[128];
        int size = (int)strcspn(name, " ");
        (void)snprintf(text, sizeof text, "%s %.*s: %s }}}",
                       section_open(section), size, name,
                       wrong_value(entry->type));
        (void)snprintf(part, sizeof part,
                       "parameter \"%.*s\" value is expected to be ", size,
                       name);
        refuses(text, "", part);
        name += size;
        name += strspn(name, " ");
    }
}

/* C13 */
static void c13_every_key_wants_its_type(void **s)
{
    (void)s;
    size_t count;
    const struct option_entry *table = options_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].keys == NULL)
            continue;
        wants_its_type(table[i].in, &table[i]);
        if (table[i].in == OPTIONS_LIMITS &&
            strstr(table[i].keys, "max_channels") == NULL)
            wants_its_type(OPTIONS_CHANNEL, &table[i]);
    }
}

static void every_key_is_found_in_any_case_and_stands_once(void **s)
{
    (void)s;
    size_t count;
    const struct option_entry *table = options_table(&count);
    struct options_key key;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            if (table[i].keys != NULL && table[j].keys != NULL &&
                table[i].in == table[j].in) {
                assert_false(options_named(table[j].keys, table[i].keys,
                                           strcspn(table[i].keys, " ")));
            }
        }
    }
    assert_true(options_key_find(OPTIONS_STREAMING, "Cluster_ID", &key));
    assert_ptr_equal(key.entry, options_entry("cid"));
    assert_false(options_key_find(OPTIONS_CHANNEL, "max_channels", &key));
    assert_false(options_key_find(OPTIONS_STREAMING, "port", &key));
}

/* C13 */
static void c13_the_text_of_a_type_error_is_exact(void **s)
{
    (void)s;
    refuses("Id: 123", "",
            "parameter \"Id\" value is expected to be string, got int64 (");
    refuses("sd: 123", "",
            "parameter \"sd\" value is expected to be bool, got int64 (");
    refuses("hbf: false", "",
            "parameter \"hbf\" value is expected to be int64, got bool (");
    refuses("hbi: [1]", "",
            "parameter \"hbi\" value is expected to be string, got slice (");
    refuses("hbi: 2016-05-04T18:53:41Z", "",
            "parameter \"hbi\" value is expected to be string, got struct (");
    refuses("cluster { peers: 1.5 }", "",
            "parameter \"peers\" value is expected to be slice, got float64 "
            "(");
    refuses("cluster { peers: ['a', 1] }", "",
            "parameter \"peers\" value is expected to be string, got int64 (");
    refuses("sql { Driver: {} }", "",
            "parameter \"driver\" value is expected to be string, got map (");
    refuses("limits { max_age: 10m }", "", /* C30 */
            "parameter \"max_age\" value is expected to be string, got int64");
}

/* C14 */
static void c14_a_map_must_be_a_map(void **s)
{
    (void)s;
    refuses("streaming: xxx", "",
            "expected streaming section to be a map/struct, got xxx (");
    refuses("tls: xxx", "", "expected TLS to be a map/struct, got xxx (");
    refuses("cluster: 1", "", "expected cluster to be a map/struct, got 1 (");
    refuses("store_limits: x", "",
            "expected store limits to be a map/struct, got x (");
    refuses("store_limits {channels: x}", "",
            "expected per channel limits to be a map/struct, got x (");
    refuses("store_limits {channels: {\"foo\": x}}", "",
            "expected channel limits to be a map/struct, got x (");
    refuses("file: x", "", "expected file options to be a map/struct, got x");
    refuses("sql: x", "", "expected SQL options to be a map/struct, got x (");
}

/* C15 */
static void c15_a_bad_duration_is_told_as_go_tells_it(void **s)
{
    (void)s;
    static const char *const bad[] = {"foo", "1h:0m", "1L0m", "not_a_time"};
    static const char *const keys[] = {
        "hbi: '%s'", "limits { ma: '%s' }", "file { auto_sync: '%s' }",
        "cluster { raft_lease_timeout: '%s' }",
        "limits { channels { foo { mi: '%s' } } }"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t j = 0; j < sizeof keys / sizeof keys[0]; j++) {
            char text[128];
            struct run run;
            const char *gap = strstr(keys[j], "%s");
            (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(gap - keys[j]),
                           keys[j], bad[i], gap + 2);
            assert_int_equal(load(&run, text, NULL, ""), STATUS_INVALID);
            assert_memory_equal(run.err.detail, "time: ", 6);
            run_end(&run);
        }
    }
}

/* C16, C17 */
static void c16_c17_bad_names_and_stores_are_refused(void **s)
{
    (void)s;
    static const char *const names[] = {"foo.*bar", "foo.>.>", "foo..bar",
                                        "foo/bar"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[128];
        char part[64];
        (void)snprintf(text, sizeof text, "limits { channels { \"%s\": {} } }",
                       names[i]);
        (void)snprintf(part, sizeof part, "invalid channel name \"%s\" (",
                       names[i]);
        refuses(text, "", part);
    }
    refuses("store=xyz", "", "unknown store type: xyz (");
    struct run run;
    loads(&run, "store=Sql", NULL, "");
    run_end(&run);
    refuses("hbi: '0s'", "", "parameter \"hbi\" value is out of range (");
    refuses("dir: \"a\\x00b\"", "", "parameter \"dir\" value holds a NUL (");
}

/* C21 */
static void c21_what_is_there_turns_on(void **s)
{
    (void)s;
    struct run run;
    loads(&run, "streaming { encryption_key: k }", NULL, "");
    assert_true(run.options.encrypt);
    assert_false(run.options.cluster.enabled);
    run_end(&run);
    loads(&run, "streaming { cluster {} }", NULL, "");
    assert_true(run.options.cluster.enabled);
    run_end(&run);
    /* The documented danger of keys without a streaming section. */
    loads(&run, "cluster { port: 6222 }", NULL, "");
    assert_true(run.options.cluster.enabled);
    run_end(&run);
    assert_int_equal(setenv("NATS_STREAMING_ENCRYPTION_KEY", "env", 1), 0);
    loads(&run, "encrypt: true, encryption_key: k", NULL, "");
    assert_string_equal(run.options.encryption_key, "env");
    run_end(&run);
    assert_int_equal(unsetenv("NATS_STREAMING_ENCRYPTION_KEY"), 0);
}

/* ---- the NATS side ---- */

static void keys_of_the_nats_side_are_applied(void **s)
{
    (void)s;
    struct run run;
    loads(&run, NULL,
          "listen: '127.0.0.1:4333'\nhttp: '[::1]:8333'\ndebug: true\n"
          "trace: true\nlogfile: 'x.log'\nlogtime_utc: on\n"
          "log_size_limit: 10k\npid_file: x.pid\nsyslog: true",
          "");
    assert_string_equal(run.options.host, "127.0.0.1");
    assert_int_equal(run.options.port, 4333);
    assert_string_equal(run.options.http_host, "::1");
    assert_int_equal(run.options.http_port, 8333);
    assert_true(run.options.debug && run.options.trace);
    assert_true(run.options.log_time_utc && run.options.syslog);
    assert_string_equal(run.options.log_file, "x.log");
    assert_int_equal(run.options.log_size_limit, 10000);
    assert_string_equal(run.options.pid_file, "x.pid");
    assert_string_equal(run.files.warning, "");
    run_end(&run);
    loads(&run, NULL, "listen: 4334\nhttp: 8334\nhost: 127.0.0.2",
          "-p 1 -a 127.0.0.3");
    assert_int_equal(run.options.port, 1);
    assert_int_equal(run.options.http_port, 8334);
    assert_string_equal(run.options.host, "127.0.0.3");
    run_end(&run);
}

static void a_bad_address_is_told(void **s)
{
    (void)s;
    refuses("listen: 'abc'", "", "could not parse address string \"abc\"");
    refuses("listen: '::1:1'", "", "could not parse address string \"::1:1\"");
    refuses("listen: 'a:b'", "", "could not parse port \"b\"");
    refuses("listen: 'a:70000'", "",
            "parameter \"listen\" value is out of range");
    refuses("http: true", "",
            "parameter \"http\" value is expected to be string, got bool");
}

static void keys_of_the_nats_side_are_named_with_an_external_one(void **s)
{
    (void)s;
    static const char text[] = "leafnodes {}\nmax_payload: 1MB\nport: 1\n"
                               "cluster {}\nstreaming { id: x }";
    struct run run;
    loads(&run, text, NULL, "");
    assert_string_equal(run.files.warning, "");
    run_end(&run);
    loads(&run, text, NULL, "-ns nats://127.0.0.1:4222");
    assert_string_equal(run.files.warning,
                        "Configuration keys that mean nothing to a NATS "
                        "server in use (-ns): leafnodes, max_payload, "
                        "cluster");
    run_end(&run);
    loads(&run, "id: x\nsv: true\nstore: memory", NULL, "");
    assert_string_equal(run.files.warning, "");
    run_end(&run);
}

static void the_user_of_the_file_is_ours_too_unless_a_flag_is_there(void **s)
{
    (void)s;
    struct run run;
    loads(&run, "authorization { username: a, password: b }", NULL, "");
    assert_string_equal(run.options.user, "a");
    assert_string_equal(run.options.password, "b");
    run_end(&run);
    loads(&run, "authorization { token: t }", NULL, "-user a -pass b");
    assert_string_equal(run.options.user, "a");
    assert_string_equal(run.options.token, "");
    run_end(&run);
    loads(&run, "authorization { user: a, pass: b }", NULL, "-auth t");
    assert_string_equal(run.options.user, "");
    assert_string_equal(run.options.token, "t");
    run_end(&run);
}

static void fails(const char *nats, const char *flags, const char *part)
{
    struct run run;
    enum status status = load(&run, NULL, nats, flags);
    if (strstr(run.err.detail, part) == NULL)
        print_message("%s: %s\n", flags, run.err.detail);
    assert_int_equal(status, STATUS_INVALID);
    assert_non_null(strstr(run.err.detail, part));
    run_end(&run);
}

/* cli-config.md 4 */
static void flags_of_the_nats_side_are_checked(void **s)
{
    (void)s;
    struct run run;
    static const char routes[] = "solicited routes require cluster "
                                 "capabilities, e.g. --cluster";
    static const char cert[] = "TLS Server certificate must be present and "
                               "valid";
    fails(NULL, "-routes nats://127.0.0.1:1", routes);
    fails("cluster { name: x }", "-routes nats://127.0.0.1:1", routes);
    fails("cluster { port: 1 }",
          "-routes nats://127.0.0.1:1 -cluster=", routes);
    loads(&run, NULL, "cluster { port: 1 }", "-routes nats://127.0.0.1:1");
    run_end(&run);
    fails(NULL, "-cluster nats://a@127.0.0.1:1",
          "expected cluster password to be set");
    fails(NULL, "-cluster nats://127.0.0.1", "could not parse cluster URL");
    loads(&run, NULL, NULL, "-cluster nats://127.0.0.1:-1 -routes=");
    run_end(&run);
    fails(NULL, "-tls", cert);
    fails(NULL, "-tlsverify", cert);
    fails(NULL, "-tlskey x", cert);
    fails(NULL, "-tlscert x",
          "TLS Server private key must be present and valid");
    fails("tls { cert_file: x }", "",
          "TLS Server private key must be present and valid");
    loads(&run, NULL, "tls { cert_file: x }", "-tls=false");
    run_end(&run);
    loads(&run, NULL, "tls { cert_file: x, key_file: y }", "-tls");
    assert_string_equal(run.options.tls_cert, "x");
    assert_string_equal(run.options.tls_key, "y");
    run_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c3_a_missing_file_is_told),
        cmocka_unit_test(c6_a_flag_beats_the_file),
        cmocka_unit_test(c8_each_side_reads_its_own_file),
        cmocka_unit_test(c9_logtime_is_on_unless_told),
        cmocka_unit_test(c20_what_is_there_is_applied),
        cmocka_unit_test(
            c18_zero_in_a_channel_is_unlimited_absent_is_inherited),
        cmocka_unit_test(an_empty_or_zero_value_beats_the_default),
        cmocka_unit_test(c13_every_key_wants_its_type),
        cmocka_unit_test(every_key_is_found_in_any_case_and_stands_once),
        cmocka_unit_test(c13_the_text_of_a_type_error_is_exact),
        cmocka_unit_test(c14_a_map_must_be_a_map),
        cmocka_unit_test(c15_a_bad_duration_is_told_as_go_tells_it),
        cmocka_unit_test(c16_c17_bad_names_and_stores_are_refused),
        cmocka_unit_test(c21_what_is_there_turns_on),
        cmocka_unit_test(keys_of_the_nats_side_are_applied),
        cmocka_unit_test(a_bad_address_is_told),
        cmocka_unit_test(keys_of_the_nats_side_are_named_with_an_external_one),
        cmocka_unit_test(
            the_user_of_the_file_is_ours_too_unless_a_flag_is_there),
        cmocka_unit_test(flags_of_the_nats_side_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
