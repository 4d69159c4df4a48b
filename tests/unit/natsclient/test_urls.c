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
    assert_parsed("tls://localhost:4222", 1, url, url);
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
    assert_refused(",", "malformed url: ,");
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
        cmocka_unit_test(a_list_has_at_most_256_members),
        cmocka_unit_test(what_stands_between_scheme_and_at_is_redacted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
