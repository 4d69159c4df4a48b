/* Pages of the nats-server: passed through, or our own (monitoring.md 1). */
#include "monitor/nats_pages.h"

#include "fake_source.h"
#include "http_server.h"
#include "monitor/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void get(const char *child, const char *target, struct reply *reply)
{
    struct fake_source fake;
    fake_source_init(&fake);
    struct nats_pages pages = {.source = &fake.source,
                               .clock = &fake_clock,
                               .child = child,
                               .version = "0.25.6"};
    const struct route_set set = nats_pages_routes(&pages);
    const struct router router = {.sets = &set, .size = 1};
    const struct request request = {.method = "GET", .target = target};
    router_answer(&router, &request, reply);
    assert_true(blob_append(&reply->body, "", 1));
    reply->body.size--;
}

static const char *body(const struct reply *reply)
{
    return (const char *)reply->body.data;
}

static void a_page_of_the_child_is_passed_through(void **state)
{
    (void)state;
    static const char answer[] =
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/x; charset=u\r\n"
        "Date: now\r\nx-content-type-options:nosniff\r\n\r\nline\n\0end";
    struct http_server *server = http_server_start(answer, sizeof answer - 1);
    struct reply reply;
    get(http_server_url(server), "/connz?subs=1&x=%20", &reply);
    assert_int_equal(reply.status, 404);
    assert_string_equal(reply_value(&reply, "Content-Type"),
                        "text/x; charset=u");
    assert_string_equal(reply_value(&reply, "X-Content-Type-Options"),
                        "nosniff");
    assert_int_equal(reply.headers_size, 2);
    assert_int_equal(reply.body.size, 9);
    assert_memory_equal(reply.body.data, "line\n\0end", 9);
    assert_memory_equal(http_server_request(server),
                        "GET /connz?subs=1&x=%20 HTTP/1.0\r\n", 34);
    http_release(&reply);
    http_server_stop(server);
}

/* What any origin may read of the Go server it may read here. */
static void json_of_the_child_may_be_read_by_other_origins(void **state)
{
    (void)state;
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}";
    struct http_server *server = http_server_start(answer, sizeof answer - 1);
    struct reply reply;
    get(http_server_url(server), "/varz", &reply);
    assert_string_equal(reply_value(&reply, "Access-Control-Allow-Origin"),
                        "*");
    http_release(&reply);
    http_server_stop(server);
}

static void our_own_names_are_not_asked_for(void **state)
{
    (void)state;
    static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct http_server *server = http_server_start(answer, sizeof answer - 1);
    struct reply reply;
    get(http_server_url(server), "/streaming/nope", &reply);
    assert_int_equal(reply.status, 404);
    assert_string_equal(http_server_request(server), "");
    http_release(&reply);
    http_server_stop(server);
}

static void a_child_that_does_not_answer_well_is_a_bad_gateway(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 999999999999999999999 OK\r\n\r\n",
        "FTP/1.1 200 OK\r\n\r\n",
        "\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
    };
    struct reply reply;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct http_server *server =
            http_server_start(answers[i], strlen(answers[i]));
        get(http_server_url(server), "/varz", &reply);
        assert_int_equal(reply.status, 502);
        assert_non_null(strstr(body(&reply), "does not speak HTTP\n"));
        http_release(&reply);
        http_server_stop(server);
    }
    struct http_server *gone = http_server_start("", 0);
    char url[64];
    strcpy(url, http_server_url(gone)); /* NOLINT: the same size */
    http_server_stop(gone);
    get(url, "/varz", &reply);
    assert_int_equal(reply.status, 502);
    http_release(&reply);
}

static void a_child_that_is_silent_is_waited_for_a_limited_time(void **state)
{
    (void)state;
    struct http_server *server = http_server_start(NULL, 0);
    struct reply reply;
    struct error err;
    assert_int_equal(
        forward_get(http_server_url(server), "/", 20000000, &reply, &err),
        STATUS_UNAVAILABLE);
    http_release(&reply);
    get(http_server_url(server), "/healthz", &reply); /* for a second */
    assert_int_equal(reply.status, 504);
    http_release(&reply);
    http_server_stop(server);
}

static void targets_that_would_end_the_request_line_are_refused(void **state)
{
    (void)state;
    static const char *const targets[] = {"", "x", "/a b", "/a\r\nX: y",
                                          "/\x7f"};
    struct reply reply;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        assert_int_equal(
            forward_get("http://127.0.0.1:1", targets[i], 1, &reply, NULL),
            STATUS_INVALID);
        http_release(&reply);
    }
    static const char *const bases[] = {"",
                                        "http://",
                                        "http://localhost:80",
                                        "http://127.0.0.1",
                                        "http://127.0.0.1:0",
                                        "http://127.0.0.1:99999",
                                        "https://127.0.0.1:1"};
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        assert_int_equal(forward_get(bases[i], "/", 1, &reply, NULL),
                         STATUS_INVALID);
        http_release(&reply);
    }
}

/* conventions.md 6.4: what Telegraf and the exporter ask for */
static void
attached_we_show_ourselves_in_the_shape_of_a_nats_server(void **state)
{
    (void)state;
    static const struct {
        const char *target, *has;
    } cases[] = {
        {"/", "<a href=\"./varz\">"},
        {"/healthz", "{\"status\":\"ok\"}"},
        {"/varz", "\"now\": \"2020-09-13T12:26:40.5Z\",\n"},
        {"/varz", "\"in_msgs\": 7,\n"},
        {"/varz", "\"out_bytes\": 9007199254740993,\n"},
        {"/varz?callback=cb", "cb({\n"},
        {"/connz", "\"connections\": []\n}"},
        {"/routez", "\"routes\": []\n}"},
        {"/subsz", "\"num_subscriptions\": 0,\n"},
        {"/subscriptionsz", "\"num_subscriptions\": 0,\n"},
    };
    struct reply reply;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        get("", cases[i].target, &reply);
        assert_int_equal(reply.status, 200);
        assert_non_null(strstr(body(&reply), cases[i].has));
        http_release(&reply);
    }
    static const char *const none[] = {
        "/jsz", "/gatewayz", "/leafz", "/accountz", "/nope", "/streaming/x"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        get("", none[i], &reply);
        assert_int_equal(reply.status, 404);
        assert_string_equal(body(&reply), "404 page not found\n");
        http_release(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_the_child_is_passed_through),
        cmocka_unit_test(json_of_the_child_may_be_read_by_other_origins),
        cmocka_unit_test(our_own_names_are_not_asked_for),
        cmocka_unit_test(a_child_that_does_not_answer_well_is_a_bad_gateway),
        cmocka_unit_test(a_child_that_is_silent_is_waited_for_a_limited_time),
        cmocka_unit_test(targets_that_would_end_the_request_line_are_refused),
        cmocka_unit_test(
            attached_we_show_ourselves_in_the_shape_of_a_nats_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
