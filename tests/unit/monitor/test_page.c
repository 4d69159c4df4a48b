/* The page's files: what is served with them, and when not again. */
#include "monitor/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct reply ask(const char *method, const char *target,
                        const char *if_none_match)
{
    const struct route_set set = page_routes();
    const struct router router = {.sets = &set, .size = 1};
    const struct header header = {.name = "if-none-match",
                                  .value = if_none_match};
    const struct request request = {.method = method,
                                    .target = target,
                                    .headers = &header,
                                    .headers_size = if_none_match != NULL};
    struct reply reply;
    router_answer(&router, &request, &reply);
    return reply;
}

static const char *value(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->headers_size; i++) {
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    }
    return NULL;
}

static void serves(const char *target, const char *type, const char *start)
{
    struct reply reply = ask("GET", target, NULL);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.content_type, type);
    assert_true(reply.fixed.size > strlen(start));
    assert_memory_equal(reply.fixed.data, start, strlen(start));
    http_release(&reply);
}

static void each_file_has_its_type(void **state)
{
    (void)state;
    serves("/streaming/ui", "text/html; charset=utf-8", "<!doctype html>");
    serves("/streaming/ui?a=b", "text/html; charset=utf-8", "<!doctype html>");
    serves("/streaming/ui/main.js", "text/javascript; charset=utf-8", "//");
    serves("/streaming/ui/base.css", "text/css; charset=utf-8", "/*");
    serves("/streaming/ui/icon.svg", "image/svg+xml", "<svg");
}

static void a_browser_may_do_little_with_it(void **state)
{
    (void)state;
    static const char *const targets[] = {"/streaming/ui",
                                          "/streaming/ui/main.js"};
    for (size_t i = 0; i < 2; i++) {
        struct reply reply = ask("GET", targets[i], NULL);
        assert_string_equal(
            value(&reply, "Content-Security-Policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; "
            "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'");
        assert_string_equal(value(&reply, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(value(&reply, "Referrer-Policy"), "no-referrer");
        assert_string_equal(value(&reply, "Cache-Control"), "no-cache");
        http_release(&reply);
    }
}

static void what_a_browser_has_is_not_sent_again(void **state)
{
    (void)state;
    struct reply first = ask("GET", "/streaming/ui/main.js", NULL);
    struct reply again =
        ask("GET", "/streaming/ui/main.js", value(&first, "ETag"));
    assert_int_equal(again.status, 304);
    assert_int_equal(again.fixed.size + again.body.size, 0);
    assert_string_equal(value(&again, "ETag"), value(&first, "ETag"));
    struct reply other = ask("GET", "/streaming/ui", value(&first, "ETag"));
    assert_int_equal(other.status, 200);
    http_release(&first);
    http_release(&again);
    http_release(&other);
}

static void an_etag_is_found_in_a_list(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "\"a\"",           "*",      " \"b\" , \"a\" ",
        "W/\"a\"",         ",\"a\"", "\"x,y\",\"a\"",
        "W/\"b\",W/\"a\"",
    };
    static const char *const no[] = {"",       "a",         "\"b\"", "\"a",
                                     "\"aa\"", "\"b,\"a\"", "W/",    ",,, "};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(page_etag_matches(yes[i], "\"a\""));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(page_etag_matches(no[i], "\"a\""));
    assert_false(page_etag_matches(NULL, "\"a\""));
}

static void answers(const char *method, const char *target, int status,
                    const char *name, const char *expected)
{
    struct reply reply = ask(method, target, NULL);
    assert_int_equal(reply.status, status);
    if (name != NULL)
        assert_string_equal(value(&reply, name), expected);
    http_release(&reply);
}

static void nothing_else_is_served(void **state)
{
    (void)state;
    answers("GET", "/streaming/ui/", 301, "Location", "/streaming/ui");
    answers("GET", "/streaming/ui/embed.cmake", 404, NULL, NULL);
    answers("GET", "/streaming/ui/index.html", 404, NULL, NULL);
    answers("GET", "/streaming/ui/..%2f..%2fmain.js", 301, NULL, NULL);
    answers("GET", "/streaming/ui/main.js/", 404, NULL, NULL);
    answers("GET", "/streaming/uix", 404, NULL, NULL);
    answers("HEAD", "/streaming/ui", 200, NULL, NULL);
    answers("POST", "/streaming/ui", 405, "Allow", "GET, HEAD");
    answers("DELETE", "/streaming/ui/main.js", 405, "Allow", "GET, HEAD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_has_its_type),
        cmocka_unit_test(a_browser_may_do_little_with_it),
        cmocka_unit_test(what_a_browser_has_is_not_sent_again),
        cmocka_unit_test(an_etag_is_found_in_a_list),
        cmocka_unit_test(nothing_else_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
