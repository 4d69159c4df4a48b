#include "natsclient/urls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_parsed(const char *text, int count, const char *first,
                          const char *last)
{
    struct urls urls;
    struct error err = {0};
    if (urls_parse(text, &urls, &err) != STATUS_OK)
        fail_msg("%s: %s", text, err.detail);
    assert_int_equal(urls.count, count);
    assert_string_equal(urls.items[0], first);
    assert_string_equal(urls.items[count - 1], last);
    urls_release(&urls);
    assert_int_equal(urls.count, 0);
}

static void assert_refused(const char *text, const char *detail)
{
    struct urls urls;
    struct error err = {0};
    assert_int_equal(urls_parse(text, &urls, &err), STATUS_INVALID);
    assert_string_equal(err.detail, detail);
    assert_int_equal(urls.count, 0);
}

static void one_url_is_rewritten_to_nats_host_port(void **state)
{
    (void)state;
    const char *url = "nats://localhost:4222";
    assert_parsed("nats://localhost:4222", 1, url, url);
    assert_parsed("tls://localhost:4222", 1, "tls://localhost:4222",
                  "tls://localhost:4222");
    assert_parsed("x://[::1]:1", 1, "nats://[::1]:1", "nats://[::1]:1");
}

static void one_url_must_be_scheme_host_port(void **state)
{
    (void)state;
    assert_refused("localhost:4222", "malformed url: localhost:4222");
    assert_refused("", "malformed url: ");
    assert_refused("://a:1", "malformed url: ://a:1");
    assert_refused("nats://a://b:1", "malformed url: nats://a://b:1");
    assert_refused("nats://a:", "malformed url: nats://a:");
    assert_refused("nats://a:x", "malformed url: nats://a:x");
    assert_refused("nats://a:0", "malformed url: nats://a:0");
    assert_refused("nats://a:65536", "malformed url: nats://a:65536");
    assert_refused("nats://:1", "malformed url: nats://:1");
    assert_refused("nats://a:1\r\n:2", "address a:1\r\n:2: too many colons");
    assert_refused("nats://a b:1", "malformed url: nats://a b:1");
    assert_refused("nats://a", "address a: missing port in address");
    assert_refused("nats://[::1]", "address [::1]: missing port in address");
    assert_refused("nats://::1:1", "address ::1:1: too many colons");
}

static void a_list_or_a_url_with_user_is_used_as_is(void **state)
{
    (void)state;
    assert_parsed("nats://a:1 , tls://b , c", 3, "nats://a:1", "c");
    assert_parsed("nats://u:p@a", 1, "nats://u:p@a", "nats://u:p@a");
    assert_parsed("nats://a:1,nats://a:1", 1, "nats://a:1", "nats://a:1");
    assert_refused("nats://u:secret@a:1,",
                   "malformed url: nats://[REDACTED]@a:1,");
    assert_refused("nats://u:sec,ret@a:1",
                   "malformed url: nats://[REDACTED]@a:1");
    assert_refused("u:sec,ret@a:1:2", "malformed url: [REDACTED]@a:1:2");
    assert_refused("ws://a:1,b:2", "malformed url: ws://a:1,b:2");
    assert_refused(",", "malformed url: ,");
}

static void assert_taken_apart(const char *text, const char *host, int port,
                               const char *user, const char *password)
{
    struct url url;
    struct error err = {0};
    if (url_parse(text, &url, &err) != STATUS_OK)
        fail_msg("%s: %s", text, err.detail);
    assert_string_equal(url.host, host);
    assert_int_equal(url.port, port);
    assert_string_equal(url.user, user);
    assert_string_equal(url.password, password != NULL ? password : "");
    assert_int_equal(url.has_password, password != NULL);
    assert_int_equal(url.tls, strncmp(text, "tls", 3) == 0);
}

static void a_url_is_taken_apart(void **state)
{
    (void)state;
    assert_taken_apart("nats://h:1", "h", 1, "", NULL);
    assert_taken_apart("h", "h", 4222, "", NULL);
    assert_taken_apart("h:77/", "h", 77, "", NULL);
    assert_taken_apart("tls://u:p@[::1]:5", "::1", 5, "u", "p");
    assert_taken_apart("tls://[::1]", "::1", 4222, "", NULL);
    assert_taken_apart("nats://token@h", "h", 4222, "token", NULL);
    assert_taken_apart("nats://u:@h", "h", 4222, "u", "");
    assert_taken_apart("nats://a:p@ss:w@h:1", "h", 1, "a", "p@ss:w");
    assert_taken_apart("nats://a%40b:p%22%5C%2f@h:1", "h", 1, "a@b", "p\"\\/");
}

static void what_is_no_url_of_nats_is_malformed(void **state)
{
    (void)state;
    static const char *const URLS[] = {
        "",          "nats://",       "ws://h:1",       "nats://h:0",
        "nats://:1", "nats://u%@h:1", "nats://u%4@h:1", "nats://u%00@h:1",
        "nats://[h", "nats://[h]1",   "nats://h:1/x",   "nats://a b:1",
        "nats://u@", "h:1:2",         "nats://u%zz@h",
    };
    struct url url;
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        struct error err = {0};
        if (url_parse(URLS[i], &url, &err) != STATUS_INVALID)
            fail_msg("taken: %s", URLS[i]);
        assert_non_null(strstr(err.detail, "malformed url"));
    }
    char text[URL_LENGTH_MAX + 2];
    memset(text, 'h', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(url_parse(text, &url, NULL), STATUS_INVALID);
}

static void a_list_has_at_most_256_members(void **state)
{
    (void)state;
    char text[8 * (URL_COUNT_MAX + 1)];
    size_t used = 0;
    for (int i = 0; i <= URL_COUNT_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d",
                                 i > 0 ? "," : "", i);
    }
    struct urls urls;
    assert_int_equal(urls_parse(text, &urls, NULL), STATUS_LIMIT);
    assert_null(urls.items);
}

static void assert_redacted(const char *url, const char *expected)
{
    char out[64];
    url_redact(url, out, sizeof out);
    assert_string_equal(out, expected);
}

static void what_stands_between_scheme_and_at_is_redacted(void **state)
{
    (void)state;
    assert_redacted("nats://u:p@h:1", "nats://[REDACTED]@h:1");
    assert_redacted("nats://h:1", "nats://h:1");
    assert_redacted("nats://a:p@ss@h:1", "nats://[REDACTED]@h:1");
    assert_redacted("nats://t@a:1,nats://b:2",
                    "nats://[REDACTED]@a:1,nats://b:2");
    assert_redacted("nats://a:1,nats://t@b:2",
                    "nats://a:1,nats://[REDACTED]@b:2");
    assert_redacted("u:p@h, t@h:2", "[REDACTED]@h,[REDACTED]@h:2");
    assert_redacted("", "");
    char out[12];
    url_redact("nats://secret@h:1", out, sizeof out);
    assert_string_equal(out, "nats://[RED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_url_is_rewritten_to_nats_host_port),
        cmocka_unit_test(one_url_must_be_scheme_host_port),
        cmocka_unit_test(a_list_or_a_url_with_user_is_used_as_is),
        cmocka_unit_test(a_url_is_taken_apart),
        cmocka_unit_test(what_is_no_url_of_nats_is_malformed),
        cmocka_unit_test(a_list_has_at_most_256_members),
        cmocka_unit_test(what_stands_between_scheme_and_at_is_redacted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
