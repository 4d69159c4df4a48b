/* /metrics and /readyz over a fake engine; the black-box tests read them with
 * a strict parser. */
#include "monitor/metrics.h"

#include "fake_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned health;

static unsigned get_health(void *context)
{
    (void)context;
    return health;
}

struct fixture {
    struct fake_source fake;
    struct metrics_page page;
    struct reply reply;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    fake_source_init(&fixture.fake);
    fixture.fake.source.health = get_health;
    fixture.page = (struct metrics_page){.source = &fixture.fake.source,
                                         .clock = &fake_clock,
                                         .version = "0.25.6",
                                         .streamd_version = "0.1.0",
                                         .server_id = "http://localhost:8222",
                                         .max_channels = 10,
                                         .inbox = true};
    health = VIEW_HEALTHY;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_release(&fixture->reply);
    return 0;
}

static const char *get(struct fixture *fixture, const char *target,
                       const char *accept)
{
    const struct route_set set = metrics_routes(&fixture->page);
    const struct router router = {.sets = &set, .size = 1};
    const struct header header = {"accept", accept};
    const struct request request = {.method = "GET",
                                    .target = target,
                                    .headers = &header,
                                    .headers_size = 1};
    http_release(&fixture->reply);
    router_answer(&router, &request, &fixture->reply);
    assert_true(blob_append(&fixture->reply.body, "", 1));
    fixture->reply.body.size--;
    return (const char *)fixture->reply.body.data;
}

static void has(const char *text, const char *line)
{
    if (strstr(text, line) == NULL)
        fail_msg("not there: %s", line);
}

static void the_format_is_what_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    const char *text = get(fixture, "/metrics", "*/*");
    assert_string_equal(fixture->reply.content_type,
                        "text/plain; version=0.0.4; charset=utf-8");
    has(text, "# TYPE nss_server_bytes_total counter\n");
    has(text, "# TYPE nss_server_bytes_in counter\n");
    assert_null(strstr(text, "# EOF"));
    text = get(fixture, "/metrics",
               "application/openmetrics-text; version=1.0.0,*/*;q=0.1");
    assert_string_equal(
        fixture->reply.content_type,
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    has(text, "# TYPE nss_server_bytes counter\n");
    has(text, "# TYPE nss_server_bytes_in unknown\n");
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    has(text, "\nnss_server_bytes_total{server_id=\"http://localhost:8222\"} "
              "600\n");
    has(text, "\nnss_server_bytes_out{server_id=\"http://localhost:8222\"} "
              "9007199254740993\n");
}

static void a_durable_group_is_taken_apart_and_merged(void **state)
{
    struct fixture *fixture = *state;
    const char *text = get(fixture, "/metrics", "");
    has(text, "\nnss_chan_subs_last_sent{server_id=\"http://localhost:8222\","
              "server_role=\"\",channel=\"foo.bar\",client_id=\"me4\","
              "queue_name=\"queue\",is_durable=\"true\",is_offline=\"false\","
              "durable_name=\"dur\",inbox=\"i5\"} 7\n");
    has(text, "\nstreamd_consumer_members{channel=\"foo.bar\",client_id=\"\","
              "durable_name=\"dur\",queue_name=\"queue\",inbox=\"\"} 1\n");
    has(text, "\nstreamd_consumer_members{channel=\"foo.bar\","
              "client_id=\"me3\",durable_name=\"dur\",queue_name=\"\","
              "inbox=\"i4\"} 0\n");
}

static void what_is_left_out_is_counted(void **state)
{
    struct fixture *fixture = *state;
    fixture->page.max_channels = 3;
    const char *text = get(fixture, "/metrics", "");
    has(text, "\nstreamd_metrics_omitted_channels 1\n");
    fixture->page.max_channels = 0;
    text = get(fixture, "/metrics", "");
    has(text, "\nstreamd_metrics_omitted_channels 4\n");
    assert_null(strstr(text, "\nnss_chan_last_seq{"));
}

static void fewer_channels_may_be_asked_for_but_not_more(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *target, *omitted;
    } cases[] = {
        {"/metrics?max_channels=0", "4"},  {"/metrics?max_channels=1", "3"},
        {"/metrics?max_channels=3", "1"},  {"/metrics?max_channels=99", "1"},
        {"/metrics?max_channels=-1", "1"}, {"/metrics?max_channels=", "1"},
        {"/metrics?max_channels=x", "1"},
    };
    fixture->page.max_channels = 3;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[64];
        (void)snprintf(line, sizeof line,
                       "\nstreamd_metrics_omitted_channels %s\n",
                       cases[i].omitted);
        has(get(fixture, cases[i].target, ""), line);
    }
}

static void without_inboxes_no_series_has_one(void **state)
{
    struct fixture *fixture = *state;
    fixture->page.inbox = false;
    const char *text = get(fixture, "/metrics", "");
    assert_null(strstr(text, "inbox="));
    has(text, "client_id=\"me4\"");
}

static void not_ready_says_why_not(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        unsigned health;
        const char *reason;
    } cases[] = {
        {0, "the stored state is being recovered"},
        {VIEW_HEALTHY & ~(unsigned)VIEW_CONNECTED, "not connected to NATS"},
        {VIEW_HEALTHY & ~(unsigned)VIEW_SERVING, "starting, or shutting down"},
        {VIEW_HEALTHY & ~(unsigned)VIEW_WRITABLE,
         "the store refused the last commit"},
    };
    assert_string_equal(get(fixture, "/readyz", ""), "{\"status\":\"ok\"}");
    assert_int_equal(fixture->reply.status, 200);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        health = cases[i].health;
        has(get(fixture, "/readyz", ""), cases[i].reason);
        assert_int_equal(fixture->reply.status, 503);
        has(get(fixture, "/metrics", ""), "\nstreamd_ready 0\n");
    }
}

static void a_source_that_is_closed_is_a_503(void **state)
{
    struct fixture *fixture = *state;
    fixture->fake.fails_with = STATUS_CLOSED;
    (void)get(fixture, "/metrics", "");
    assert_int_equal(fixture->reply.status, 503);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_format_is_what_is_asked_for),
        TEST(a_durable_group_is_taken_apart_and_merged),
        TEST(what_is_left_out_is_counted),
        TEST(fewer_channels_may_be_asked_for_but_not_more),
        TEST(without_inboxes_no_series_has_one),
        TEST(not_ready_says_why_not),
        TEST(a_source_that_is_closed_is_a_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
