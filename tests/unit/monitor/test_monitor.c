/* The HTTP server over real sockets. test_endpoints knows the bodies. */
#include "monitor/monitor.h"

#include "fake_source.h"
#include "http_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct fake_source fake;
    struct monitor_options options;
    struct monitor *monitor;
    int port;
};

static int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    fake_source_init(&fixture->fake);
    fixture->options = (struct monitor_options){.host = "127.0.0.1",
                                                .port = -1,
                                                .clock = &fake_clock,
                                                .version = "0.25.6",
                                                .streamd_version = "0.1.0"};
    *state = fixture;
    if (monitor_start(&fixture->options, &fixture->fake.source,
                      &fixture->monitor, NULL) != STATUS_OK)
        return -1;
    fixture->port = monitor_port(fixture->monitor);
    return 0;
}

static int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    monitor_stop(fixture->monitor);
    free(fixture);
    return 0;
}

static void begins(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0)
        print_error("%.300s\n", text);
    assert_int_equal(strncmp(text, start, strlen(start)), 0);
}

/* Sends and compares status line and, if given, one header line. */
static void answers(const struct fixture *fixture, const char *method,
                    const char *target, const char *status, const char *header)
{
    char *answer = http_request(fixture->port, method, target);
    begins(answer, status);
    if (header != NULL)
        assert_non_null(strstr(answer, header));
    free(answer);
}

static void json_comes_with_type_and_cors_and_its_length(void **state)
{
    const struct fixture *fixture = *state;
    char *answer =
        http_request(fixture->port, "GET", "/streaming/channelsz?limit=1");
    begins(answer, "HTTP/1.1 200 OK\r\n");
    assert_non_null(strstr(answer, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(answer, "\r\nAccess-Control-Allow-Origin: *\r\n"));
    assert_non_null(strstr(answer, "\r\nDate: "));
    const char *body = http_body(answer);
    assert_non_null(body);
    char length[64];
    (void)snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n",
                   strlen(body));
    assert_non_null(strstr(answer, length));
    begins(body, "{\n  \"cluster_id\": \"test-cluster\",\n");
    free(answer);
}

/* M3 */
static void m3_jsonp_has_its_own_type_and_no_cors(void **state)
{
    const struct fixture *fixture = *state;
    char *answer = http_request(fixture->port, "GET",
                                "/streaming/serverz?callback=callback");
    assert_non_null(
        strstr(answer, "\r\nContent-Type: application/javascript\r\n"));
    assert_null(strstr(answer, "Access-Control-Allow-Origin"));
    const char *body = http_body(answer);
    begins(body, "callback({\n");
    assert_string_equal(body + strlen(body) - 2, "})");
    free(answer);
}

/* M20 */
static void m20_errors_are_plain_text_that_is_not_sniffed(void **state)
{
    const struct fixture *fixture = *state;
    answers(fixture, "GET", "/streaming/serverz/", "HTTP/1.1 404 Not Found\r\n",
            "\r\nX-Content-Type-Options: nosniff\r\n");
    answers(fixture, "GET", "/streaming/serverz/", "HTTP/1.1 404 ",
            "\r\n\r\n404 page not found\n");
    answers(fixture, "GET", "/streaming/clientsz?client=nope", "HTTP/1.1 404 ",
            "\r\nContent-Type: text/plain; charset=utf-8\r\n");
    answers(fixture, "GET", "/streaming/serverz#frag", "HTTP/1.1 404 ", NULL);
}

static void escapes_are_taken_as_go_takes_them_not_as_mhd_does(void **state)
{
    const struct fixture *fixture = *state;
    answers(fixture, "GET", "/streaming%2Fserverz", "HTTP/1.1 200 ", NULL);
    answers(fixture, "GET", "/stre%61ming/isFTActive", "HTTP/1.1 204 ", NULL);
    answers(fixture, "GET", "/%zz", "HTTP/1.1 400 ", NULL);
    answers(fixture, "GET", "/streaming/clientsz?limit=%zz&offset=1",
            "HTTP/1.1 200 ", "\"limit\": 1024,\n  \"count\": 4,");
    answers(fixture, "GET", "/streaming/clientsz?limit=1;offset=1",
            "HTTP/1.1 200 ", "\"offset\": 0,\n  \"limit\": 1024,");
}

/* M16 */
static void m16_is_ft_active_has_neither_body_nor_type(void **state)
{
    const struct fixture *fixture = *state;
    char *answer = http_request(fixture->port, "GET", "/streaming/isFTActive");
    begins(answer, "HTTP/1.1 204 No Content\r\n");
    assert_null(strstr(answer, "Content-Type"));
    assert_string_equal(http_body(answer), "");
    free(answer);
}

static void all_methods_are_answered_alike_and_head_without_body(void **state)
{
    const struct fixture *fixture = *state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        answers(fixture, methods[i], "/streaming/serverz", "HTTP/1.1 200 ",
                "\r\n\r\n{\n  \"cluster_id\"");
    }
    char *answer = http_request(fixture->port, "HEAD", "/streaming/serverz");
    begins(answer, "HTTP/1.1 200 OK\r\n");
    assert_non_null(strstr(answer, "\r\nContent-Type: application/json\r\n"));
    assert_string_equal(http_body(answer), "");
    free(answer);
}

static void a_body_is_read_and_does_not_count_as_parameters(void **state)
{
    const struct fixture *fixture = *state;
    static const char request[] =
        "POST /streaming/clientsz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 16\r\n\r\nlimit=1&offset=1";
    char *answer = http_exchange(fixture->port, request, sizeof request - 1);
    begins(answer, "HTTP/1.1 200 OK\r\n");
    assert_non_null(strstr(answer, "\"offset\": 0,\n  \"limit\": 1024,"));
    free(answer);
}

static void a_body_too_long_is_refused_when_announced(void **state)
{
    const struct fixture *fixture = *state;
    static const char request[] =
        "POST /streaming/clientsz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Length: 1000000000000\r\n\r\n";
    char *answer = http_exchange(fixture->port, request, sizeof request - 1);
    begins(answer, "HTTP/1.1 413 ");
    assert_non_null(strstr(answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_string_equal(http_body(answer), "413 Content Too Large\n");
    free(answer);
}

static void a_chunked_body_too_long_ends_the_connection(void **state)
{
    const struct fixture *fixture = *state;
    static const char head[] =
        "POST /streaming/clientsz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    static const char chunk[] = "1000\r\n%04096d\r\n";
    enum { CHUNK = 0x1000 + 8, CHUNKS = 64 };
    const size_t room = sizeof head + (size_t)CHUNKS * CHUNK;
    char *request = malloc(room);
    assert_non_null(request);
    size_t used = (size_t)snprintf(request, room, "%s", head);
    for (int i = 0; i < CHUNKS; i++)
        used += (size_t)snprintf(request + used, room - used, chunk, i);
    char *answer = http_exchange(fixture->port, request, used);
    assert_null(strstr(answer, "HTTP/1.1 200"));
    free(answer);
    free(request);
    answers(fixture, "GET", "/healthz", "HTTP/1.1 200 ", "{\"status\":\"ok\"}");
}

/* ---- routes of others ---- */

static void echo(void *context, const struct request *request,
                 struct reply *reply)
{
    const char *type = http_header(request, "content-type");
    *reply = (struct reply){.status = 201, .content_type = "text/plain"};
    assert_true(http_add_header(reply, "X-Method", request->method));
    assert_true(http_add_header(reply, "X-Type", type == NULL ? "" : type));
    assert_true(http_append(reply, context));
    assert_true(
        blob_append(&reply->body, request->body.data, request->body.size));
}

static void built_in(void *context, const struct request *request,
                     struct reply *reply)
{
    (void)context;
    (void)request;
    *reply = (struct reply){
        .status = 200, .content_type = "text/css", .fixed = bytes_text("a{}")};
}

static bool with_a_key(void *context, const struct request *request)
{
    (void)context;
    return http_header(request, "X-Key") != NULL;
}

static void a_body_that_is_not_wanted_is_dropped_as_it_comes(void **state)
{
    const struct fixture *fixture = *state;
    static char context[] = "got ";
    static const struct route routes[] = {{.path = "/x",
                                           .answer = echo,
                                           .body_max = 100,
                                           .keeps_body = with_a_key}};
    struct monitor_options options = fixture->options;
    options.routes[0] =
        (struct route_set){.routes = routes, .size = 1, .context = context};
    struct monitor *monitor;
    assert_int_equal(
        monitor_start(&options, &fixture->fake.source, &monitor, NULL),
        STATUS_OK);
    static const struct {
        const char *header, *length, *status, *body;
    } cases[] = {
        {"X-Key: 1", "5", "HTTP/1.1 201 ", "got hello"},
        {"X-Other: 1", "5", "HTTP/1.1 201 ", "got "},
        {"X-Other: 1", "101", "HTTP/1.1 413 ", "413 Content Too Large\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[256];
        int size = snprintf(request, sizeof request,
                            "POST /x HTTP/1.1\r\nHost: x\r\n%s\r\n"
                            "Connection: close\r\nContent-Length: %s\r\n\r\n"
                            "hello",
                            cases[i].header, cases[i].length);
        char *answer =
            http_exchange(monitor_port(monitor), request, (size_t)size);
        begins(answer, cases[i].status);
        assert_string_equal(http_body(answer), cases[i].body);
        free(answer);
    }
    monitor_stop(monitor);
}

static void other_rooms_add_routes_with_bodies_and_headers(void **state)
{
    struct fixture *fixture = *state;
    static char context[] = "got ";
    static const struct route routes[] = {
        {.path = "/x/",
         .prefix = true,
         .answer = echo,
         .body_max = 100000,
         .methods = "GET, POST"},
        {.path = "/fixed", .answer = built_in, .cost = ROUTE_AT_ONCE},
    };
    struct monitor_options options = fixture->options;
    options.routes[0] =
        (struct route_set){.routes = routes, .size = 2, .context = context};
    struct monitor *monitor;
    assert_int_equal(
        monitor_start(&options, &fixture->fake.source, &monitor, NULL),
        STATUS_OK);
    int port = monitor_port(monitor);
    static const char request[] =
        "POST /x/y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Type: a/b\r\nContent-Length: 5\r\n\r\nhello";
    char *answer = http_exchange(port, request, sizeof request - 1);
    begins(answer, "HTTP/1.1 201 Created\r\n");
    assert_non_null(strstr(answer, "\r\nX-Method: POST\r\n"));
    assert_non_null(strstr(answer, "\r\nX-Type: a/b\r\n"));
    assert_string_equal(http_body(answer), "got hello");
    free(answer);
    answer = http_request(port, "GET", "/fixed");
    assert_string_equal(http_body(answer), "a{}");
    free(answer);
    answer = http_request(port, "DELETE", "/x/y");
    begins(answer, "HTTP/1.1 405 ");
    assert_non_null(strstr(answer, "\r\nAllow: GET, POST\r\n"));
    free(answer);
    static const char too_long[] =
        "POST /x/y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Length: 100001\r\n\r\n";
    answer = http_exchange(port, too_long, sizeof too_long - 1);
    begins(answer, "HTTP/1.1 413 ");
    free(answer);
    monitor_stop(monitor);
}

static void too_many_headers_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    char request[8192];
    int size = snprintf(request, sizeof request,
                        "GET /healthz HTTP/1.1\r\nHost: x\r\n"
                        "Connection: close\r\n");
    for (int i = 0; i < 70; i++) {
        size += snprintf(request + size, sizeof request - (size_t)size,
                         "X-%d: y\r\n", i);
    }
    size += snprintf(request + size, sizeof request - (size_t)size, "\r\n");
    char *answer = http_exchange(fixture->port, request, (size_t)size);
    begins(answer, "HTTP/1.1 431 ");
    assert_string_equal(http_body(answer),
                        "431 Request Header Fields Too Large\n");
    free(answer);
}

static void http_1_0_is_answered_in_kind(void **state)
{
    const struct fixture *fixture = *state;
    static const char request[] = "GET /streaming/storez HTTP/1.0\r\n\r\n";
    char *answer = http_exchange(fixture->port, request, sizeof request - 1);
    begins(answer, "HTTP/1.0 200 OK\r\n");
    assert_non_null(strstr(answer, "\"type\": \"MEMORY\""));
    free(answer);
}

static void unclean_paths_redirect(void **state)
{
    const struct fixture *fixture = *state;
    answers(fixture, "GET", "//streaming/serverz", "HTTP/1.1 301 ",
            "\r\nLocation: /streaming/serverz\r\n");
}

/* A sanitizer run sees that what was begun for them is freed. */
static void broken_requests_do_no_harm(void **state)
{
    const struct fixture *fixture = *state;
    static const char *const requests[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET /streaming/serverz\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n"
        "Connection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close\r\n\r\nzzz\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        int number = http_connect(fixture->port);
        size_t size = strlen(requests[i]);
        assert_int_equal(send(number, requests[i], size, MSG_NOSIGNAL), size);
        assert_int_equal(close(number), 0);
    }
    answers(fixture, "GET", "/healthz", "HTTP/1.1 200 ", NULL);
}

static void a_request_line_too_long_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    enum { LONG = 256 * 1024 };
    char *request = malloc(LONG);
    assert_non_null(request);
    int size = snprintf(request, LONG,
                        "GET /streaming/channelsz?channel=%0200000d HTTP/1.1"
                        "\r\nHost: x\r\nConnection: close\r\n\r\n",
                        0);
    assert_true(size > 200000 && size < LONG);
    char *answer = http_exchange(fixture->port, request, (size_t)size);
    assert_null(strstr(answer, "HTTP/1.1 200"));
    free(answer);
    free(request);
    answers(fixture, "GET", "/healthz", "HTTP/1.1 200 ", NULL);
}

static void a_busy_port_is_reported_and_free_again_after_stop(void **state)
{
    struct fixture *fixture = *state;
    struct monitor_options options = fixture->options;
    options.port = fixture->port;
    struct monitor *second;
    struct error err;
    assert_int_equal(
        monitor_start(&options, &fixture->fake.source, &second, &err),
        STATUS_IO);
    assert_null(second);
    static const char start[] =
        "can't listen to the monitor port: listen tcp 127.0.0.1:";
    begins(err.detail, start);
    assert_non_null(strstr(err.detail, ": bind: Address already in use"));
    monitor_stop(fixture->monitor);
    fixture->monitor = NULL;
    assert_int_equal(
        monitor_start(&options, &fixture->fake.source, &second, &err),
        STATUS_OK);
    assert_int_equal(monitor_port(second), options.port);
    monitor_stop(second);
}

static void a_bad_host_or_port_is_reported(void **state)
{
    struct fixture *fixture = *state;
    struct monitor_options options = fixture->options;
    struct monitor *second;
    struct error err;
    options.port = 65536;
    assert_int_equal(
        monitor_start(&options, &fixture->fake.source, &second, &err),
        STATUS_INVALID);
    options.port = -1;
    options.host = "256.1.2.3.";
    assert_int_equal(
        monitor_start(&options, &fixture->fake.source, &second, &err),
        STATUS_IO);
    begins(err.detail, "can't listen to the monitor port: ");
}

static void the_start_is_logged_without_the_streaming_prefix(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/tmp/test_monitor.XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    const struct log_options log_options = {.file = path};
    struct monitor_options options = fixture->options;
    assert_int_equal(log_new(&log_options, &options.log, NULL), STATUS_OK);
    struct monitor *second;
    assert_int_equal(
        monitor_start(&options, &fixture->fake.source, &second, NULL),
        STATUS_OK);
    char expected[128];
    (void)snprintf(expected, sizeof expected,
                   "[INF] Starting http monitor on 127.0.0.1:%d\n",
                   monitor_port(second));
    monitor_stop(second);
    log_free(options.log);
    char line[512] = "";
    assert_true(read(descriptor, line, sizeof line - 1) > 0);
    assert_non_null(strstr(line, expected));
    assert_int_equal(close(descriptor), 0);
    assert_int_equal(unlink(path), 0);
}

/* ---- M18, and slow ones ---- */

struct slow_source {
    struct view_source source;
    struct fake_source *fake;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool lists_only; /* the rest is answered by the fake at once */
    bool entered, closed;
};

/* Waits until the "engine" shuts down, as a view that comes too late does. */
static enum status slow_get(void *context, const struct view_query *query,
                            struct view **out, struct error *err)
{
    struct slow_source *slow = context;
    if (slow->lists_only && query->kind == VIEW_SERVER)
        return slow->fake->source.get(slow->fake, query, out, err);
    (void)pthread_mutex_lock(&slow->mutex);
    slow->entered = true;
    (void)pthread_cond_broadcast(&slow->changed);
    while (!slow->closed)
        (void)pthread_cond_wait(&slow->changed, &slow->mutex);
    (void)pthread_mutex_unlock(&slow->mutex);
    *out = NULL;
    return STATUS_CLOSED;
}

static void slow_wait(struct slow_source *slow)
{
    (void)pthread_mutex_lock(&slow->mutex);
    while (!slow->entered)
        (void)pthread_cond_wait(&slow->changed, &slow->mutex);
    (void)pthread_mutex_unlock(&slow->mutex);
}

static void slow_end(struct slow_source *slow)
{
    (void)pthread_mutex_lock(&slow->mutex);
    slow->closed = true;
    (void)pthread_cond_broadcast(&slow->changed);
    (void)pthread_mutex_unlock(&slow->mutex);
}

static void slow_requests_hold_neither_probes_nor_short_ones(void **state)
{
    struct fixture *fixture = *state;
    struct slow_source slow = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER,
                               .fake = &fixture->fake,
                               .lists_only = true};
    slow.source = (struct view_source){.context = &slow, .get = slow_get};
    struct monitor *monitor;
    assert_int_equal(
        monitor_start(&fixture->options, &slow.source, &monitor, NULL),
        STATUS_OK);
    enum { SLOW = 20 };
    int sockets[SLOW];
    static const char request[] =
        "GET /streaming/channelsz HTTP/1.1\r\nHost: x\r\n"
        "Connection: close\r\n\r\n";
    for (int i = 0; i < SLOW; i++) {
        sockets[i] = http_connect(monitor_port(monitor));
        assert_int_equal(
            send(sockets[i], request, sizeof request - 1, MSG_NOSIGNAL),
            sizeof request - 1);
    }
    slow_wait(&slow);
    static const char *const quick[] = {"/healthz", "/streaming",
                                        "/streaming/serverz"};
    for (size_t i = 0; i < sizeof quick / sizeof quick[0]; i++) {
        char *answer = http_request(monitor_port(monitor), "GET", quick[i]);
        begins(answer, "HTTP/1.1 200 ");
        free(answer);
    }
    slow_end(&slow);
    for (int i = 0; i < SLOW; i++) {
        char answer[4096] = "";
        assert_true(recv(sockets[i], answer, sizeof answer - 1, 0) > 0);
        begins(answer, "HTTP/1.1 503 ");
        assert_int_equal(close(sockets[i]), 0);
    }
    monitor_stop(monitor);
}

/* More than may be connected at once, none of which says a whole word. */
static void those_who_only_hold_connections_make_room(void **state)
{
    const struct fixture *fixture = *state;
    enum { SILENT = 600 };
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int *sockets = calloc(SILENT, sizeof *sockets);
    assert_non_null(sockets);
    for (size_t i = 0; i < SILENT; i++) {
        sockets[i] = http_connect(fixture->port);
        assert_int_equal(send(sockets[i], "GET /", i % 6, MSG_NOSIGNAL), i % 6);
    }
    for (int i = 0; i < 20; i++)
        answers(fixture, "GET", "/streaming/serverz", "HTTP/1.1 200 ", NULL);
    for (int i = 0; i < SILENT; i++)
        assert_int_equal(close(sockets[i]), 0);
    free(sockets);
}

static void *stop_thread(void *context)
{
    monitor_stop(context);
    return NULL;
}

/* M18 */
static void m18_stop_waits_for_a_request_being_answered(void **state)
{
    struct fixture *fixture = *state;
    struct slow_source slow = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER};
    slow.source = (struct view_source){.context = &slow, .get = slow_get};
    struct monitor *monitor;
    assert_int_equal(
        monitor_start(&fixture->options, &slow.source, &monitor, NULL),
        STATUS_OK);
    int number = http_connect(monitor_port(monitor));
    static const char request[] =
        "GET /streaming/serverz HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_int_equal(send(number, request, sizeof request - 1, MSG_NOSIGNAL),
                     sizeof request - 1);
    slow_wait(&slow);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_thread, monitor), 0);
    slow_end(&slow);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    char answer[4096];
    while (recv(number, answer, sizeof answer, 0) > 0)
        continue; /* a 503 or nothing, and then the end */
    assert_int_equal(close(number), 0);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(json_comes_with_type_and_cors_and_its_length),
        TEST(m3_jsonp_has_its_own_type_and_no_cors),
        TEST(m20_errors_are_plain_text_that_is_not_sniffed),
        TEST(escapes_are_taken_as_go_takes_them_not_as_mhd_does),
        TEST(m16_is_ft_active_has_neither_body_nor_type),
        TEST(all_methods_are_answered_alike_and_head_without_body),
        TEST(a_body_is_read_and_does_not_count_as_parameters),
        TEST(a_body_too_long_is_refused_when_announced),
        TEST(a_chunked_body_too_long_ends_the_connection),
        TEST(a_body_that_is_not_wanted_is_dropped_as_it_comes),
        TEST(other_rooms_add_routes_with_bodies_and_headers),
        TEST(too_many_headers_are_refused),
        TEST(http_1_0_is_answered_in_kind),
        TEST(unclean_paths_redirect),
        TEST(broken_requests_do_no_harm),
        TEST(a_request_line_too_long_is_refused),
        TEST(a_busy_port_is_reported_and_free_again_after_stop),
        TEST(a_bad_host_or_port_is_reported),
        TEST(the_start_is_logged_without_the_streaming_prefix),
        TEST(slow_requests_hold_neither_probes_nor_short_ones),
        TEST(those_who_only_hold_connections_make_room),
        TEST(m18_stop_waits_for_a_request_being_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
