/* What each target answers; M numbers are those of monitoring.md 14. */
#include "monitor/endpoints.h"

#include "fake_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HEAD                                                                   \
    "  \"cluster_id\": \"test-cluster\",\n"                                    \
    "  \"server_id\": \"0123456789ABCDEFGHIJKL\",\n"
#define NOW "  \"now\": \"2020-09-13T12:26:40.5Z\",\n"

struct fixture {
    struct fake_source fake;
    struct limits limits;
    struct endpoints endpoints;
    struct reply reply;
};

static int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    fake_source_init(&fixture->fake);
    fixture->limits = limits_default;
    fixture->endpoints = (struct endpoints){
        .source = &fixture->fake.source,
        .limits = &fixture->limits,
        .clock = &fake_clock,
        .version = "0.25.6",
        .streamd_version = "0.1.0",
    };
    *state = fixture;
    return 0;
}

static int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_release(&fixture->reply);
    free(fixture);
    return 0;
}

/* The body, terminated; the reply stays in the fixture until the next. */
static const char *answer(struct fixture *fixture, const char *target)
{
    http_release(&fixture->reply);
    endpoints_answer(&fixture->endpoints, target, &fixture->reply);
    assert_true(blob_append(&fixture->reply.body, "", 1));
    fixture->reply.body.size--;
    return (const char *)fixture->reply.body.data;
}

static void answers_json(struct fixture *fixture, const char *target,
                         const char *body)
{
    assert_string_equal(answer(fixture, target), body);
    assert_int_equal(fixture->reply.status, 200);
    assert_string_equal(fixture->reply.content_type, "application/json");
    assert_string_equal(
        reply_value(&fixture->reply, "Access-Control-Allow-Origin"), "*");
    assert_null(reply_value(&fixture->reply, "X-Content-Type-Options"));
}

static void answers_error(struct fixture *fixture, const char *target,
                          int status, const char *body)
{
    assert_string_equal(answer(fixture, target), body);
    assert_int_equal(fixture->reply.status, status);
    assert_string_equal(fixture->reply.content_type,
                        "text/plain; charset=utf-8");
    assert_null(reply_value(&fixture->reply, "Access-Control-Allow-Origin"));
    assert_string_equal(reply_value(&fixture->reply, "X-Content-Type-Options"),
                        "nosniff");
}

/* Replaces the number behind the key by N. */
static void mask_number(char *body, const char *key)
{
    char *number = strstr(body, key);
    assert_non_null(number);
    number += strlen(key);
    size_t size = strspn(number, "-0123456789");
    assert_true(size > 0);
    assert_true(number[0] != '0');
    number[0] = 'N';
    memmove(number + 1, number + size, strlen(number + size) + 1);
}

static void serverz_has_the_fields_of_the_go_server_in_order(void **state)
{
    struct fixture *fixture = *state;
    (void)answer(fixture, "/streaming/serverz");
    assert_int_equal(fixture->reply.status, 200);
    char *body = (char *)fixture->reply.body.data;
    mask_number(body, "\"open_fds\": "); /* M6 */
    mask_number(body, "\"max_fds\": ");
    char *compiler = strstr(body, "\"go\": \"cc ");
    assert_non_null(compiler);
    compiler += strlen("\"go\": \"cc ");
    size_t size = strcspn(compiler, "\"");
    memmove(compiler, compiler + size, strlen(compiler + size) + 1);
    assert_string_equal(body, "{\n" HEAD "  \"version\": \"0.25.6\",\n"
                              "  \"go\": \"cc \",\n"
                              "  \"state\": \"STANDALONE\",\n" NOW
                              "  \"start_time\": \"2020-09-13T12:25:10.5Z\",\n"
                              "  \"uptime\": \"1m30s\",\n"
                              "  \"clients\": 5,\n"
                              "  \"subscriptions\": 5,\n"
                              "  \"channels\": 4,\n"
                              "  \"total_msgs\": 6,\n"
                              "  \"total_bytes\": 600,\n"
                              "  \"in_msgs\": 7,\n"
                              "  \"in_bytes\": 800,\n"
                              "  \"out_msgs\": 9,\n"
                              "  \"out_bytes\": 9007199254740993,\n"
                              "  \"open_fds\": N,\n"
                              "  \"max_fds\": N,\n"
                              "  \"streamd_version\": \"0.1.0\"\n"
                              "}");
}

/* M19 */
static void m19_storez_shows_the_limits_with_ages_in_nanoseconds(void **state)
{
    struct fixture *fixture = *state;
    fixture->limits.global.max_age = 3600 * CLOCK_SECOND;
    answers_json(fixture, "/streaming/storez",
                 "{\n" HEAD NOW "  \"type\": \"MEMORY\",\n"
                 "  \"limits\": {\n"
                 "    \"max_channels\": 100,\n"
                 "    \"max_msgs\": 1000000,\n"
                 "    \"max_bytes\": 1024000000,\n"
                 "    \"max_age\": 3600000000000,\n"
                 "    \"max_subscriptions\": 1000,\n"
                 "    \"max_inactivity\": 0\n"
                 "  },\n"
                 "  \"total_msgs\": 6,\n"
                 "  \"total_bytes\": 600\n"
                 "}");
}

/* M19 */
static void m19_storez_shows_limits_by_channel_sorted_by_name(void **state)
{
    struct fixture *fixture = *state;
    const struct channel_limits few = {.max_messages = 5, .max_age = -1};
    fixture->limits.global.max_age = 3600 * CLOCK_SECOND;
    static const char *const names[] = {"foo.>", "foo", "bar"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            limits_add(&fixture->limits, bytes_text(names[i]), &few, NULL),
            STATUS_OK);
    }
    limits_inherit(&fixture->limits);
    const char *body = answer(fixture, "/streaming/storez");
#define ENTRY                                                                  \
    "{\n"                                                                      \
    "        \"max_msgs\": 5,\n"                                               \
    "        \"max_bytes\": 1024000000,\n"                                     \
    "        \"max_age\": 0,\n"                                                \
    "        \"max_subscriptions\": 1000,\n"                                   \
    "        \"max_inactivity\": 0\n"                                          \
    "      }"
    assert_non_null(strstr(body, "    \"max_inactivity\": 0,\n"
                                 "    \"channels\": {\n"
                                 "      \"bar\": " ENTRY ",\n"
                                 "      \"foo\": " ENTRY ",\n"
                                 "      \"foo.\\u003e\": " ENTRY "\n"
                                 "    }\n"
                                 "  },\n"));
    limits_release(&fixture->limits);
}

static void window_is(struct fixture *fixture, const char *target, int offset,
                      int limit, int count, int total, const char *const *names,
                      const char *key)
{
    const char *body = answer(fixture, target);
    char head[256];
    (void)snprintf(head, sizeof head,
                   "  \"offset\": %d,\n  \"limit\": %d,\n  \"count\": %d,\n"
                   "  \"total\": %d",
                   offset, limit, count, total);
    assert_non_null(strstr(body, head));
    for (int i = 0; i < count; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s\"%s\"", key, names[i]);
        body = strstr(body, name);
        assert_non_null(body);
    }
}

static const char *const clients[] = {"me1", "me2", "me3", "me4", "me5"};
static const char *const channels[] = {"bar", "baz", "foo", "foo.bar"};

static void clients_are(struct fixture *fixture, const char *query, int offset,
                        int limit, int count)
{
    char target[128];
    (void)snprintf(target, sizeof target, "/streaming/clientsz%s", query);
    window_is(fixture, target, offset, limit, count, 5, clients + offset % 5,
              "\"id\": ");
}

/* M7 */
static void m7_clientsz_shows_the_window_asked_for(void **state)
{
    struct fixture *fixture = *state;
    clients_are(fixture, "", 0, 1024, 5);
    clients_are(fixture, "?offset=-1", 0, 1024, 5);
    clients_are(fixture, "?limit=-1", 0, 1024, 5);
    clients_are(fixture, "?limit=0", 0, 1024, 5);
    clients_are(fixture, "?limit=abc&offset=abc", 0, 1024, 5);
    clients_are(fixture, "?offset=1", 1, 1024, 4);
    clients_are(fixture, "?limit=1", 0, 1, 1);
    clients_are(fixture, "?offset=1&limit=2", 1, 2, 2);
    clients_are(fixture, "?limit=1;offset=1", 0, 1024, 5);
    clients_are(fixture, "?limit=%zz&offset=1", 1, 1024, 4);
    clients_are(fixture, "?limit=100000&unknown=1", 0, 100000, 5);
    answers_json(fixture, "/streaming/clientsz?offset=10",
                 "{\n" HEAD NOW "  \"offset\": 10,\n"
                 "  \"limit\": 1024,\n"
                 "  \"count\": 0,\n"
                 "  \"total\": 5,\n"
                 "  \"clients\": []\n"
                 "}");
}

static void clientsz_lists_ids_inboxes_and_counts(void **state)
{
    answers_json(*state, "/streaming/clientsz?limit=2",
                 "{\n" HEAD NOW "  \"offset\": 0,\n"
                 "  \"limit\": 2,\n"
                 "  \"count\": 2,\n"
                 "  \"total\": 5,\n"
                 "  \"clients\": [\n"
                 "    {\n"
                 "      \"id\": \"me1\",\n"
                 "      \"hb_inbox\": \"hb\",\n"
                 "      \"subs_count\": 0\n"
                 "    },\n"
                 "    {\n"
                 "      \"id\": \"me2\",\n"
                 "      \"hb_inbox\": \"hb\",\n"
                 "      \"subs_count\": 3\n"
                 "    }\n"
                 "  ]\n"
                 "}");
}

#define SUBSCRIPTION(inbox)                                                    \
    "      {\n"                                                                \
    "        \"client_id\": \"me2\",\n"                                        \
    "        \"inbox\": \"" inbox "\",\n"                                      \
    "        \"ack_inbox\": \"_ACK\",\n"                                       \
    "        \"is_durable\": false,\n"                                         \
    "        \"is_offline\": false,\n"                                         \
    "        \"max_inflight\": 1024,\n"                                        \
    "        \"ack_wait\": 30,\n"                                              \
    "        \"last_sent\": 7,\n"                                              \
    "        \"pending_count\": 0,\n"                                          \
    "        \"is_stalled\": false\n"                                          \
    "      }"

/* M9 */
static void m9_one_client_maps_its_channels_to_its_subscriptions(void **state)
{
    struct fixture *fixture = *state;
    answers_json(fixture, "/streaming/clientsz?client=me2&subs=1",
                 "{\n"
                 "  \"id\": \"me2\",\n"
                 "  \"hb_inbox\": \"hb\",\n"
                 "  \"subs_count\": 3,\n"
                 "  \"subscriptions\": {\n"
                 "    \"bar\": [\n" SUBSCRIPTION(
                     "i2") "\n"
                           "    ],\n"
                           "    \"foo\": [\n" SUBSCRIPTION(
                               "i1") ",\n" SUBSCRIPTION("i3") "\n"
                                                              "    ]\n"
                                                              "  }\n"
                                                              "}");
    answers_error(fixture, "/streaming/clientsz?client=donotexist", 404,
                  "Client donotexist not found\n");
    answers_error(fixture, "/streaming/clientsz?client=me2%00&subs=1", 404,
                  "Client me2");
}

static void missing_are(struct fixture *fixture, bool fails)
{
    fixture->fake.missing_fails = fails;
    answers_error(fixture, "/streaming/clientsz?client=nope&subs=1", 404,
                  "Client nope not found\n");
    answers_error(fixture, "/streaming/channelsz?channel=FOO&callback=cb", 404,
                  "Channel FOO not found\n");
    answers_error(fixture, "/streaming/channelsz?channel=%20foo", 404,
                  "Channel  foo not found\n");
    assert_non_null(strstr(answer(fixture, "/streaming/channelsz?channel=foo"),
                           "\"name\": \"foo\""));
}

static void what_is_missing_is_404_whether_the_source_fails_or_not(void **state)
{
    missing_are(*state, false);
    missing_are(*state, true);
}

static void a_list_is_never_404(void **state)
{
    struct fixture *fixture = *state;
    fixture->fake.fails_with = STATUS_NOT_FOUND;
    answers_error(fixture, "/streaming/clientsz", 500,
                  "Error getting information about channels state: made up\n");
}

/* M9 */
static void m9_details_come_only_with_subs_exactly_1(void **state)
{
    struct fixture *fixture = *state;
    static const char *const without[] = {"0", "2", "true", "abc", "", "1.0"};
    static const char *const with[] = {"1", "01", "%31", "1&subs=0"};
    char target[128];
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        (void)snprintf(target, sizeof target,
                       "/streaming/clientsz?client=me2&subs=%s", without[i]);
        answers_json(fixture, target,
                     "{\n"
                     "  \"id\": \"me2\",\n"
                     "  \"hb_inbox\": \"hb\",\n"
                     "  \"subs_count\": 3\n"
                     "}");
    }
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++) {
        (void)snprintf(target, sizeof target,
                       "/streaming/clientsz?client=me2&subs=%s", with[i]);
        assert_non_null(strstr(answer(fixture, target), "\"subscriptions\""));
    }
}

static void channels_are(struct fixture *fixture, const char *query, int offset,
                         int limit, int count)
{
    char target[128];
    (void)snprintf(target, sizeof target, "/streaming/channelsz%s", query);
    window_is(fixture, target, offset, limit, count, 4, channels + offset % 4,
              "");
}

/* M10 */
static void m10_channelsz_lists_names_in_the_window_asked_for(void **state)
{
    struct fixture *fixture = *state;
    channels_are(fixture, "", 0, 1024, 4);
    channels_are(fixture, "?channel=", 0, 1024, 4);
    channels_are(fixture, "?channel=%", 0, 1024, 4);
    channels_are(fixture, "?offset=-1", 0, 1024, 4);
    channels_are(fixture, "?offset=1", 1, 1024, 3);
    channels_are(fixture, "?limit=%2B2", 0, 2, 2);
    channels_are(fixture, "?limit=1&limit=2", 0, 1, 1);
    answers_json(fixture, "/streaming/channelsz?offset=1&limit=2",
                 "{\n" HEAD NOW "  \"offset\": 1,\n"
                 "  \"limit\": 2,\n"
                 "  \"count\": 2,\n"
                 "  \"total\": 4,\n"
                 "  \"names\": [\n"
                 "    \"baz\",\n"
                 "    \"foo\"\n"
                 "  ]\n"
                 "}");
    static const char *const past_the_end[] = {"?offset=10",
                                               "?offset=10&subs=1"};
    for (int i = 0; i < 2; i++) {
        char target[128];
        (void)snprintf(target, sizeof target, "/streaming/channelsz%s",
                       past_the_end[i]);
        answers_json(fixture, target,
                     "{\n" HEAD NOW "  \"offset\": 10,\n"
                     "  \"limit\": 1024,\n"
                     "  \"count\": 0,\n"
                     "  \"total\": 4\n"
                     "}");
    }
}

static void channelsz_with_subs_lists_channels_instead_of_names(void **state)
{
    answers_json(*state, "/streaming/channelsz?subs=1&limit=2",
                 "{\n" HEAD NOW "  \"offset\": 0,\n"
                 "  \"limit\": 2,\n"
                 "  \"count\": 2,\n"
                 "  \"total\": 4,\n"
                 "  \"channels\": [\n"
                 "    {\n"
                 "      \"name\": \"bar\",\n"
                 "      \"msgs\": 0,\n"
                 "      \"bytes\": 0,\n"
                 "      \"first_seq\": 0,\n"
                 "      \"last_seq\": 0,\n"
                 "      \"subs_count\": 0\n"
                 "    },\n"
                 "    {\n"
                 "      \"name\": \"baz\",\n"
                 "      \"msgs\": 1,\n"
                 "      \"bytes\": 100,\n"
                 "      \"first_seq\": 1,\n"
                 "      \"last_seq\": 1,\n"
                 "      \"subs_count\": 0\n"
                 "    }\n"
                 "  ]\n"
                 "}");
}

/* M12: how a durable and a member of a durable queue group are shown. */
/* M11 */
static void m11_one_channel_is_a_bare_object(void **state)
{
    struct fixture *fixture = *state;
    answers_json(fixture, "/streaming/channelsz?channel=foo.bar&subs=1",
                 "{\n"
                 "  \"name\": \"foo.bar\",\n"
                 "  \"msgs\": 3,\n"
                 "  \"bytes\": 300,\n"
                 "  \"first_seq\": 1,\n"
                 "  \"last_seq\": 3,\n"
                 "  \"subs_count\": 2,\n"
                 "  \"subscriptions\": [\n"
                 "    {\n"
                 "      \"client_id\": \"me3\",\n"
                 "      \"inbox\": \"i4\",\n"
                 "      \"ack_inbox\": \"_ACK\",\n"
                 "      \"durable_name\": \"dur\",\n"
                 "      \"is_durable\": true,\n"
                 "      \"is_offline\": true,\n"
                 "      \"max_inflight\": 2,\n"
                 "      \"ack_wait\": 30,\n"
                 "      \"last_sent\": 7,\n"
                 "      \"pending_count\": 2,\n"
                 "      \"is_stalled\": true\n"
                 "    },\n"
                 "    {\n"
                 "      \"client_id\": \"me4\",\n"
                 "      \"inbox\": \"i5\",\n"
                 "      \"ack_inbox\": \"_ACK\",\n"
                 "      \"queue_name\": \"dur:queue\",\n"
                 "      \"is_durable\": true,\n"
                 "      \"is_offline\": false,\n"
                 "      \"max_inflight\": 1024,\n"
                 "      \"ack_wait\": 30,\n"
                 "      \"last_sent\": 7,\n"
                 "      \"pending_count\": 0,\n"
                 "      \"is_stalled\": false\n"
                 "    }\n"
                 "  ]\n"
                 "}");
    answers_error(fixture, "/streaming/channelsz?channel=donotexist", 404,
                  "Channel donotexist not found\n");
    answers_error(fixture, "/streaming/channelsz?channel=no%20pe%3Cb%3E", 404,
                  "Channel no pe<b> not found\n");
}

/* M3 */
static void m3_a_callback_wraps_the_json_but_no_error(void **state)
{
    struct fixture *fixture = *state;
    static const char *const targets[] = {"/streaming/serverz",
                                          "/streaming/storez",
                                          "/streaming/clientsz",
                                          "/streaming/channelsz",
                                          "/streaming/clientsz?client=me2",
                                          "/streaming/channelsz?channel=foo"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        char *plain = strdup(answer(fixture, targets[i]));
        assert_non_null(plain);
        char target[128];
        (void)snprintf(target, sizeof target, "%s%ccallback=call.b_1%%24[0]",
                       targets[i], strchr(targets[i], '?') ? '&' : '?');
        const char *wrapped = answer(fixture, target);
        assert_string_equal(fixture->reply.content_type,
                            "application/javascript");
        assert_null(
            reply_value(&fixture->reply, "Access-Control-Allow-Origin"));
        static const char before[] = "call.b_1$[0](";
        size_t size = strlen(before);
        assert_memory_equal(wrapped, before, size);
        assert_memory_equal(wrapped + size, plain, strlen(plain));
        assert_string_equal(wrapped + size + strlen(plain), ")");
        free(plain);
    }
    answers_error(fixture, "/streaming/channelsz?channel=x&callback=cb", 404,
                  "Channel x not found\n");
    (void)answer(fixture, "/streaming/serverz?callback=");
    assert_string_equal(fixture->reply.content_type, "application/json");
}

static void a_callback_that_is_no_name_is_refused(void **state)
{
    static const char *const callbacks[] = {
        "%3Cscript%3E", "a(b)", "a;b%3B", "a%00", "a%0a", "%C3%A9", "a b"};
    for (size_t i = 0; i < sizeof callbacks / sizeof callbacks[0]; i++) {
        char target[128];
        (void)snprintf(target, sizeof target, "/streaming/serverz?callback=%s",
                       callbacks[i]);
        if (strchr(callbacks[i], ';') != NULL)
            continue; /* such a pair does not count at all */
        answers_error(*state, target, 400, "Invalid callback name\n");
    }
}

/* M16 */
static void m16_is_ft_active_tells_by_status_alone(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *state;
        int status;
    } cases[] = {{"STANDALONE", 204}, {"FT_STANDBY", 204}, {"FT_ACTIVE", 200}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture->fake.state = cases[i].state;
        assert_string_equal(answer(fixture, "/streaming/isFTActive?callback=x"),
                            "");
        assert_int_equal(fixture->reply.status, cases[i].status);
        assert_null(fixture->reply.content_type);
        assert_null(
            reply_value(&fixture->reply, "Access-Control-Allow-Origin"));
    }
}

/* M20 */
static void m20_other_paths_are_not_found(void **state)
{
    static const char *const targets[] = {"/streaming/serverz/",
                                          "/streaming/",
                                          "/nope",
                                          "/streaming/SERVERZ",
                                          "/Streaming/serverz",
                                          "/streaming/channelsz/foo",
                                          "/streaming/serverz#frag",
                                          "/varz",
                                          "/streaming/nope"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        answers_error(*state, targets[i], 404, "404 page not found\n");
}

/* M1 */
static void m1_the_index_page_links_the_endpoints_in_order(void **state)
{
    struct fixture *fixture = *state;
    const char *body = answer(fixture, "/streaming?callback=cb");
    assert_int_equal(fixture->reply.status, 200);
    assert_string_equal(fixture->reply.content_type,
                        "text/html; charset=utf-8");
    assert_int_equal(strncmp(body, "<html lang=\"en\">", 16), 0);
    static const char *const links[] = {
        "./streaming/serverz",   "./streaming/storez", "./streaming/clientsz",
        "./streaming/channelsz", "./streaming/ui",     "help"};
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        body = strstr(body, links[i]);
        assert_non_null(body);
    }
}

static void redirected(struct fixture *fixture, const char *target, int status,
                       const char *location)
{
    (void)answer(fixture, target);
    assert_int_equal(fixture->reply.status, status);
    assert_string_equal(reply_value(&fixture->reply, "Location"), location);
}

static void unclean_paths_and_the_root_redirect(void **state)
{
    struct fixture *fixture = *state;
    redirected(fixture, "//streaming/serverz", 301, "/streaming/serverz");
    redirected(fixture, "/streaming/../streaming//./storez?a=b&c", 301,
               "/streaming/storez?a=b&c");
    assert_string_equal(answer(fixture, "/streaming//serverz"),
                        "<a href=\"/streaming/serverz\">Moved Permanently</a>."
                        "\n\n");
    assert_string_equal(fixture->reply.content_type,
                        "text/html; charset=utf-8");
}

static void a_redirect_carries_no_header_and_no_tag_of_the_request(void **state)
{
    struct fixture *fixture = *state;
    redirected(fixture, "//%0d%0aSet-Cookie:%20x%22%3E%3Cscript%3E?a\r\nb c",
               301, "/%0D%0ASet-Cookie:%20x%22%3E%3Cscript%3E?abc");
    assert_null(strstr((const char *)fixture->reply.body.data, "<script>"));
}

/* M5 */
static void m5_a_view_that_fails_is_500_and_at_shutdown_503(void **state)
{
    struct fixture *fixture = *state;
    static const char *const targets[] = {
        "/streaming/serverz",
        "/streaming/storez",
        "/streaming/isFTActive",
        "/streaming/channelsz?subs=1&callback=cb",
        "/streaming/channelsz?channel=foo",
        "/streaming/clientsz"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        fixture->fake.fails_with = STATUS_NO_MEMORY;
        answers_error(
            fixture, targets[i], 500,
            "Error getting information about channels state: made up\n");
        fixture->fake.fails_with = STATUS_CLOSED;
        answers_error(fixture, targets[i], 503, "Server is shutting down\n");
    }
}

static void ids_of_any_bytes_are_shown_with_gos_escapes(void **state)
{
    struct fixture *fixture = *state;
    static const char id[] = "a\"\\<>&\x01\b\xFF\xC3\xA9\xE2\x80\xA8\x00z";
    fixture->fake.odd_id = bytes_of(id, sizeof id - 1);
    assert_non_null(strstr(answer(fixture, "/streaming/clientsz?limit=1"),
                           "\"id\": \"a\\\"\\\\\\u003c\\u003e\\u0026\\u0001"
                           "\\u0008\\ufffd\xC3\xA9\\u2028\\u0000z\",\n"));
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void)
{
    if (setenv("TZ", "UTC0", 1) != 0)
        return 1;
    tzset();
    const struct CMUnitTest tests[] = {
        TEST(serverz_has_the_fields_of_the_go_server_in_order),
        TEST(m19_storez_shows_the_limits_with_ages_in_nanoseconds),
        TEST(m19_storez_shows_limits_by_channel_sorted_by_name),
        TEST(m7_clientsz_shows_the_window_asked_for),
        TEST(clientsz_lists_ids_inboxes_and_counts),
        TEST(m9_one_client_maps_its_channels_to_its_subscriptions),
        TEST(what_is_missing_is_404_whether_the_source_fails_or_not),
        TEST(a_list_is_never_404),
        TEST(m9_details_come_only_with_subs_exactly_1),
        TEST(m10_channelsz_lists_names_in_the_window_asked_for),
        TEST(channelsz_with_subs_lists_channels_instead_of_names),
        TEST(m11_one_channel_is_a_bare_object),
        TEST(m3_a_callback_wraps_the_json_but_no_error),
        TEST(a_callback_that_is_no_name_is_refused),
        TEST(m16_is_ft_active_tells_by_status_alone),
        TEST(m20_other_paths_are_not_found),
        TEST(m1_the_index_page_links_the_endpoints_in_order),
        TEST(unclean_paths_and_the_root_redirect),
        TEST(a_redirect_carries_no_header_and_no_tag_of_the_request),
        TEST(m5_a_view_that_fails_is_500_and_at_shutdown_503),
        TEST(ids_of_any_bytes_are_shown_with_gos_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
