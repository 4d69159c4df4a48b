/* What our own nats-server is told (cli-config.md 4, 8, 13): the text is read
 * again by our own parser, which has the same grammar. */
#include "streamd/nats_config.h"

#include "streamd/conf/parser.h"
#include "streamd/options_apply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 16, TEXT_MAX = 512 };

/* The configuration written for a file (NULL: none) and flags. */
static char *written(const char *file, const char *flags)
{
    static char copy[TEXT_MAX];
    static char program[] = "streamd";
    char *words[WORDS_MAX] = {program};
    char *rest = NULL;
    int count = 1;
    struct options options;
    struct conf *conf = NULL;
    struct blob out = {0};
    struct error err = {0};
    (void)snprintf(copy, sizeof copy, "%s", flags);
    char *word = strtok_r(copy, " ", &rest);
    for (; word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    options_default(&options);
    if (file != NULL) {
        assert_int_equal(conf_parse(bytes_text(file), "n.conf", &conf, &err),
                         STATUS_OK);
        assert_int_equal(options_apply_nats(&options, conf, &err), STATUS_OK);
    }
    assert_int_equal(options_parse(&options, count, words, &err), STATUS_OK);
    assert_int_equal(nats_config_check(&options, conf, &err), STATUS_OK);
    assert_int_equal(nats_config_write(&options, conf, &out, &err), STATUS_OK);
    assert_true(blob_append(&out, "", 1));
    conf_free(conf);
    return (char *)out.data;
}

/* Names are separated by dots; "" if there is no such value. */
static void expect(const char *text, const char *path, const char *expected)
{
    struct conf *conf = NULL;
    struct error err = {0};
    char shown[CONF_SHOWN_MAX] = "";
    char names[TEXT_MAX];
    char *rest = NULL;
    if (conf_parse(bytes_text(text), "out", &conf, &err) != STATUS_OK)
        fail_msg("%s\n%s", err.detail, text);
    const struct conf_value *value = conf_root(conf);
    (void)snprintf(names, sizeof names, "%s", path);
    char *name = strtok_r(names, ".", &rest);
    for (; name != NULL && value != NULL; name = strtok_r(NULL, ".", &rest))
        value = conf_find(value, name);
    if (value != NULL)
        (void)conf_show(value, shown);
    if (strcmp(shown, expected) != 0) {
        fail_msg("%s: \"%s\", expected \"%s\" in\n%s", path, shown, expected,
                 text);
    }
    conf_free(conf);
}

static void what_is_for_a_nats_server_is_handed_on_the_rest_is_not(void **state)
{
    (void)state;
    char *text = written(
        "listen: '127.0.0.1:4333'\nhttp: 8222\nlogfile: x\npid_file: y\n"
        "max_payload: 2MB\nping_interval: '30s'\nunknown: 1\n"
        "streaming { id: x }\nstore: file\ndir: y\n"
        "leafnodes { remotes: [ { url: \"nats://a:1\" } , ] }\n"
        "jetstream { store_dir: '/x' }\nserver_tags: [a, 1, true]\n"
        "write_deadline: 2.5\nlame_duck_duration: 2016-05-04T18:53:41Z\n",
        "");
    static const char *const absent[] = {"listen",    "port",     "http",
                                         "logfile",   "pid_file", "unknown",
                                         "streaming", "store",    "dir"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        expect(text, absent[i], "");
    expect(text, "max_payload", "2097152");
    expect(text, "ping_interval", "30s");
    expect(text, "jetstream.store_dir", "/x");
    expect(text, "write_deadline", "2.5");
    assert_non_null(strstr(text, "[\"a\" ,1 ,true ]"));
    assert_non_null(strstr(text, "2016-05-04T18:53:41Z"));
    assert_non_null(strstr(text, "'url': \"nats://a:1\""));
    expect(text, "debug", "false");
    free(text);
}

static void strings_come_through_whatever_is_in_them(void **state)
{
    (void)state;
    char *text = written("server_name: \"a\\\"b\\\\c\\n\\x07 $d #e\"\n"
                         "authorization { user: '$2a$11$x', password: '\\p' }",
                         "");
    struct conf *conf = NULL;
    assert_int_equal(conf_parse(bytes_text(text), "out", &conf, NULL),
                     STATUS_OK);
    const struct conf_value *name = conf_find(conf_root(conf), "server_name");
    assert_non_null(name);
    assert_true(
        bytes_equal(name->as.string, bytes_text("a\"b\\c\n\x07 $d #e")));
    conf_free(conf);
    expect(text, "authorization.user", "$2a$11$x");
    expect(text, "authorization.password", "\\p");
    free(text);
}

static void an_entry_stays_on_its_line(void **state)
{
    (void)state;
    char *text = written("\n\n\nmax_payload: 1\n\ncluster {\n  port: 1\n\n"
                         "  bogus: 2\n}\n",
                         "-cluster_name x");
    const char *line = text;
    for (int i = 1; i < 9; i++)
        line = strchr(line, '\n') + 1;
    assert_memory_equal(line, "'bogus': 2", 10);
    free(text);
}

static void users_of_the_flags_take_the_place_of_a_single_one(void **state)
{
    (void)state;
    char *text = written("authorization { user: a, password: b, timeout: 3 }",
                         "-user c -pass d");
    expect(text, "authorization.user", "c");
    expect(text, "authorization.password", "d");
    expect(text, "authorization.timeout", "3");
    free(text);
    text = written(NULL, "-auth t");
    expect(text, "authorization.token", "t");
    free(text);
    text = written("authorization { users: [ {user: a, password: b} ] }",
                   "-user a -pass b");
    expect(text, "authorization.user", "");
    assert_non_null(strstr(text, "'users': [{"));
    free(text);
    text = written("accounts { A { users: [ {user: a, password: b} ] } }",
                   "-user a -pass b");
    expect(text, "authorization", "");
    free(text);
}

static void tls_is_put_together_or_dropped(void **state)
{
    (void)state;
    static const char file[] =
        "tls { cert_file: c, key_file: k, ca_file: a, timeout: 2 }";
    char *text = written(file, "-tlscert C -tlsverify");
    expect(text, "tls.cert_file", "C");
    expect(text, "tls.key_file", "k");
    expect(text, "tls.ca_file", "a");
    expect(text, "tls.timeout", "2");
    expect(text, "tls.verify", "true");
    free(text);
    text = written(file, "-tls=false");
    expect(text, "tls", "");
    free(text);
    text = written(NULL, "-tlscert C -tlskey K");
    expect(text, "tls.key_file", "K");
    free(text);
}

static void the_cluster_of_nats_servers_follows_the_flags(void **state)
{
    (void)state;
    static const char file[] =
        "cluster { name: n, listen: '127.0.0.1:1', routes: [ 'nats://a:1' ]\n"
        "  authorization { user: u, password: p } }";
    char *text = written(file, "-cluster nats://127.0.0.1:-1 -routes "
                               "nats://b:2,nats://c:3 -connect_retries 5 "
                               "-no_advertise -cluster_advertise x:1");
    expect(text, "cluster.name", "n");
    expect(text, "cluster.listen", "");
    expect(text, "cluster.host", "127.0.0.1");
    expect(text, "cluster.port", "-1");
    expect(text, "cluster.authorization", "");
    expect(text, "cluster.connect_retries", "5");
    expect(text, "cluster.no_advertise", "true");
    expect(text, "cluster.advertise", "x:1");
    assert_null(strstr(text, "nats://a:1"));
    assert_non_null(strstr(text, "\"nats://b:2\" , \"nats://c:3\""));
    free(text);
    text = written(file, "-cluster nats://v:w@[::1]:6222 -routes=");
    expect(text, "cluster.host", "::1");
    expect(text, "cluster.authorization.user", "v");
    expect(text, "cluster.authorization.password", "w");
    expect(text, "cluster.routes", "");
    free(text);
    text = written(file, "-cluster=");
    expect(text, "cluster", "");
    free(text);
    text = written(file, "");
    expect(text, "cluster.authorization.user", "u");
    free(text);
}

static void the_other_flags_are_there(void **state)
{
    (void)state;
    char *text = written("server_name: a\nmax_traced_msg_len: 1\n"
                         "jetstream { store_dir: x, max_mem: 1G }",
                         "-n b -client_advertise c:1 -max_traced_msg_len 2 "
                         "-sd y -profile 0 -DVV");
    expect(text, "server_name", "b");
    expect(text, "client_advertise", "c:1");
    expect(text, "max_traced_msg_len", "2");
    expect(text, "store_dir", "y");
    expect(text, "jetstream.store_dir", "");
    expect(text, "jetstream.max_mem", "1000000000");
    expect(text, "prof_port", "0");
    expect(text, "debug", "true");
    expect(text, "trace", "true");
    expect(text, "trace_verbose", "true");
    free(text);
    text = written(NULL, "-js");
    expect(text, "jetstream", "true");
    free(text);
    text = written("jetstream: enabled", "-js=false");
    expect(text, "jetstream", "");
    free(text);
}

static void what_grows_without_end_is_refused(void **state)
{
    (void)state;
    char file[4096] = "accounts { a0: [0123456789abcdef, x]\n";
    for (int i = 1; i < 40; i++) {
        size_t used = strlen(file);
        (void)snprintf(file + used, sizeof file - used, "a%d: [$a%d, $a%d]\n",
                       i, i - 1, i - 1);
    }
    size_t used = strlen(file);
    (void)snprintf(file + used, sizeof file - used, "}");
    struct conf *conf = NULL;
    struct options options;
    struct blob out = {0};
    struct error err = {0};
    options_default(&options);
    assert_int_equal(conf_parse(bytes_text(file), "n.conf", &conf, &err),
                     STATUS_OK);
    assert_int_equal(nats_config_write(&options, conf, &out, &err),
                     STATUS_LIMIT);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            what_is_for_a_nats_server_is_handed_on_the_rest_is_not),
        cmocka_unit_test(strings_come_through_whatever_is_in_them),
        cmocka_unit_test(an_entry_stays_on_its_line),
        cmocka_unit_test(users_of_the_flags_take_the_place_of_a_single_one),
        cmocka_unit_test(tls_is_put_together_or_dropped),
        cmocka_unit_test(the_cluster_of_nats_servers_follows_the_flags),
        cmocka_unit_test(the_other_flags_are_there),
        cmocka_unit_test(what_grows_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
