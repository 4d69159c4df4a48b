/* From target and method to the handler. */
#include "monitor/router.h"

#include "fake_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void answer(void *context, const struct request *request,
                   struct reply *reply)
{
    (void)context;
    http_text(reply, "text/plain", request->path);
}

static char first_context[] = "first";
static char second_context[] = "second";
static const struct route first_routes[] = {
    {.path = "/a", .answer = answer},
    {.path = "/get", .methods = "GET, HEAD", .answer = answer},
};
static const struct route second_routes[] = {
    {.path = "/a", .answer = answer},
    {.path = "/b/", .prefix = true, .answer = answer},
};
static const struct route_set sets[] = {
    {.routes = first_routes, .size = 2, .context = first_context},
    {.routes = second_routes, .size = 2, .context = second_context},
};
static const struct router router = {.sets = sets, .size = 2};

static void the_first_route_that_fits_is_found(void **state)
{
    (void)state;
    void *context;
    assert_ptr_equal(router_find(&router, "/a?x", &context), &first_routes[0]);
    assert_ptr_equal(context, first_context);
    assert_ptr_equal(router_find(&router, "/b/", &context), &second_routes[1]);
    assert_ptr_equal(context, second_context);
    assert_ptr_equal(router_find(&router, "/b/c/d", &context),
                     &second_routes[1]);
    static const char *const none[] = {"/b", "/bb/c", "/A", "/a/",    "//a",
                                       "/%", "",      "/",  "/b/../c"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_null(router_find(&router, none[i], &context));
}

static void answers(const char *method, const char *target, int status,
                    const char *body)
{
    const struct request request = {.method = method, .target = target};
    struct reply reply;
    router_answer(&router, &request, &reply);
    assert_int_equal(reply.status, status);
    if (status == 405)
        assert_string_equal(reply_value(&reply, "Allow"), "GET, HEAD");
    assert_int_equal(reply.body.size, strlen(body));
    assert_memory_equal(reply.body.data, body, strlen(body));
    http_release(&reply);
}

static void methods_that_a_route_does_not_take_are_refused(void **state)
{
    (void)state;
    answers("GET", "/get", 200, "/get");
    answers("HEAD", "/get", 200, "/get");
    answers("POST", "/get", 405, "405 method not allowed\n");
    answers("GE", "/get", 405, "405 method not allowed\n");
    answers("EAD", "/get", 405, "405 method not allowed\n");
    answers("", "/get", 405, "405 method not allowed\n");
    answers("BREW", "/a", 200, "/a");
}

static void handlers_see_the_clean_unescaped_path(void **state)
{
    (void)state;
    answers("GET", "/b/%41?q", 200, "/b/A");
    answers("GET", "/nope", 404, "404 page not found\n");
    answers("GET", "/%", 400, "400 Bad Request\n");
}

static void headers_are_found_in_any_case_and_values_are_cleaned(void **state)
{
    (void)state;
    const struct header headers[] = {{"Accept", "a"}, {"ACCEPT", "b"}};
    const struct request request = {.headers = headers, .headers_size = 2};
    assert_string_equal(http_header(&request, "accept"), "a");
    assert_null(http_header(&request, "accep"));
    struct reply reply = {0};
    assert_true(http_add_header(&reply, "ETag", "a\r\nSet-Cookie: b\x7f"));
    assert_string_equal(reply_value(&reply, "ETag"), "aSet-Cookie: b");
    while (reply.headers_size < REPLY_HEADERS_MAX)
        assert_true(http_add_header(&reply, "X", "y"));
    assert_false(http_add_header(&reply, "X", "y"));
    http_release(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_route_that_fits_is_found),
        cmocka_unit_test(methods_that_a_route_does_not_take_are_refused),
        cmocka_unit_test(handlers_see_the_clean_unescaped_path),
        cmocka_unit_test(headers_are_found_in_any_case_and_values_are_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
