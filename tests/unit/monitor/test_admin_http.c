/* From an HTTP request to the engine's, and back; the engine is a fake. */
#include "monitor/admin_http.h"
#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#undef fail /* cmocka's: status.h has one, too */

#define API "/streaming/admin/v1/"
static const char token[] = "a-token-of-the-tests";

/* What the fake engine answers, and what it was asked last. */
struct world {
    struct admin_http admin;
    struct route_set set;
    struct router router;
    char path[64];
    enum status call_fails, fails;
    size_t calls;
    char asked[512];
};

static enum status call(void *context, struct admin_request *request,
                        struct admin_request **answered, struct error *err)
{
    struct world *world = context;
    world->calls++;
    (void)snprintf(
        world->asked, sizeof world->asked,
        "%s who=%s channel=%s queue=%s client=%s data=%s id=%llu "
        "seq=%llu time=%d offset=%zu limit=%zu force=%d",
        admin_verb_name(request->verb), text_string(&request->who),
        text_string(&request->channel), text_string(&request->queue_group),
        text_string(&request->client_id), text_string(&request->data),
        (unsigned long long)request->subscription,
        (unsigned long long)request->sequence, request->by_time,
        request->offset, request->limit, request->force);
    if (world->call_fails != STATUS_OK) {
        admin_request_release(request);
        free(request);
        return fail(err, world->call_fails, "no answer");
    }
    request->status = world->fails;
    if (world->fails != STATUS_OK)
        (void)fail(&request->error, world->fails, "it failed");
    *answered = request;
    return STATUS_OK;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct error err;
    assert_non_null(world);
    (void)snprintf(world->path, sizeof world->path, "/tmp/admin-token.XXXXXX");
    int file = mkstemp(world->path);
    assert_int_equal(write(file, token, sizeof token - 1), sizeof token - 1);
    (void)close(file);
    assert_int_equal(admin_access_new(world->path, NULL, &clock_system,
                                      &world->admin.access, &err),
                     STATUS_OK);
    world->admin.source = (struct admin_source){.context = world, .call = call};
    world->set = admin_http_routes(&world->admin);
    world->router = (struct router){.sets = &world->set, .size = 1};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    admin_access_free(world->admin.access);
    (void)unlink(world->path);
    free(world);
    return 0;
}

/* The status; the reply's body is checked to hold text. */
static int ask_as(struct world *world, const char *authorization,
                  const char *method, const char *target, const char *body,
                  const char *text)
{
    const struct header header = {"authorization", authorization};
    const struct request request = {.method = method,
                                    .target = target,
                                    .peer = "1.2.3.4:5",
                                    .headers = &header,
                                    .headers_size = authorization != NULL,
                                    .body = bytes_text(body)};
    struct reply reply;
    router_answer(&world->router, &request, &reply);
    int status = reply.status;
    assert_string_equal(reply.content_type, "application/json");
    assert_true(blob_append(&reply.body, "", 1));
    if (strstr((const char *)reply.body.data, text) == NULL)
        assert_string_equal((const char *)reply.body.data, text);
    http_release(&reply);
    return status;
}

static int ask(struct world *world, const char *method, const char *target,
               const char *body, const char *text)
{
    return ask_as(world, "Bearer a-token-of-the-tests", method, target, body,
                  text);
}

static void every_path_asks_for_its_verb(void **state)
{
    static const struct {
        const char *method, *target, *body, *asked;
    } cases[] = {
        {"GET", API "channels/a%2Eb/messages?start=5&limit=7", "",
         "messages who=1.2.3.4:5 channel=a.b queue= client= data= id=0 seq=5 "
         "time=0 offset=0 limit=7 force=0"},
        {"GET", API "channels/a/messages?time=2026-01-01T00:00:00Z", "",
         "messages who=1.2.3.4:5 channel=a queue= client= data= id=0 seq=0 "
         "time=1 offset=0 limit=50 force=0"},
        {"GET", API "channels/a+b/subscriptions?offset=3", "",
         "subscriptions who=1.2.3.4:5 channel=a+b queue= client= data= id=0 "
         "seq=0 time=0 offset=3 limit=100 force=0"},
        {"POST", API "channels/a/messages", "{\"data\":\"aGk=\"}",
         "publish who=1.2.3.4:5 channel=a queue= client= data=hi id=0 seq=0 "
         "time=0 offset=0 limit=0 force=0"},
        {"DELETE", API "channels/a?force=1", "",
         "delete_channel who=1.2.3.4:5 channel=a queue= client= data= id=0 "
         "seq=0 time=0 offset=0 limit=0 force=1"},
        {"DELETE", API "channels/a?force=", "",
         "delete_channel who=1.2.3.4:5 channel=a queue= client= data= id=0 "
         "seq=0 time=0 offset=0 limit=0 force=0"},
        {"DELETE", API "channels/a/subscriptions/4", "",
         "delete_subscription who=1.2.3.4:5 channel=a queue= client= data= "
         "id=4 seq=0 time=0 offset=0 limit=0 force=0"},
        {"POST", API "channels/a/queue_groups/d:g/position", "{\"sequence\":9}",
         "move who=1.2.3.4:5 channel=a queue=d:g client= data= id=0 seq=9 "
         "time=0 offset=0 limit=0 force=0"},
        {"POST", API "channels/a/subscriptions/4/pending/5/release", "",
         "release who=1.2.3.4:5 channel=a queue= client= data= id=4 seq=5 "
         "time=0 offset=0 limit=0 force=0"},
        {"POST", API "channels/a/subscriptions/4/pending/5/drop", "",
         "drop who=1.2.3.4:5 channel=a queue= client= data= id=4 seq=5 "
         "time=0 offset=0 limit=0 force=0"},
        {"DELETE", API "clients/a%20b", "",
         "close_client who=1.2.3.4:5 channel= queue= client=a b data= id=0 "
         "seq=0 time=0 offset=0 limit=0 force=0"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            ask(world, cases[i].method, cases[i].target, cases[i].body, "{"),
            200);
        assert_string_equal(world->asked, cases[i].asked);
    }
}

static void what_is_wrong_never_reaches_the_engine(void **state)
{
    static const struct {
        const char *method, *target, *body;
        int status;
        const char *text;
    } cases[] = {
        {"GET", API, "", 404, "no such path"},
        {"GET", API "channels", "", 404, "no such path"},
        {"GET", API "channels/a/messages/1/2", "", 404, "no such path"},
        {"GET", "/streaming/%61dmin/v1/channels/a/messages", "", 404,
         "no such path"},
        {"PUT", API "channels/a/messages", "", 405, "method not allowed"},
        {"get", API "channels/a/messages", "", 405, "method not allowed"},
        {"GET", API "channels/a/messages/x", "", 400, "sequence: not a whole"},
        {"GET", API "channels/a/messages?limit=9999", "", 400, "limit: not"},
        {"POST", API "channels/a/messages", "{", 400, "no JSON"},
        {"POST", API "channels/a/purge", "{\"channel\":\"b\"}", 400,
         "channel is given twice"},
        {"POST", API "channels/a/purge", "{\"force\":1}", 400,
         "unknown: \\\"force\\\""},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ask(world, cases[i].method, cases[i].target,
                             cases[i].body, cases[i].text),
                         cases[i].status);
    }
    assert_int_equal(world->calls, 0);
}

static void without_the_token_nothing_is_told(void **state)
{
    static const char *const wrong[] = {NULL,
                                        "",
                                        "Bearer",
                                        "Bearer wrong",
                                        "Basic a-token-of-the-tests",
                                        "a-token-of-the-tests"};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(ask_as(world, wrong[i], "GET", API "nothing", "",
                                "no token, or a wrong one"),
                         401);
    }
    for (int i = 0; i < 4; i++) {
        (void)ask_as(world, "Bearer x", "GET", API "x", "",
                     "no token, or a wrong one");
    }
    assert_int_equal(
        ask_as(world, "Bearer x", "GET", API "x", "", "too many wrong tokens"),
        429);
    assert_int_equal(world->calls, 0);
}

static void failures_have_fitting_codes(void **state)
{
    static const struct {
        enum status status;
        int code;
    } cases[] = {
        {STATUS_INVALID, 400},  {STATUS_NOT_FOUND, 404},
        {STATUS_CONFLICT, 409}, {STATUS_EXISTS, 409},
        {STATUS_LIMIT, 409},    {STATUS_TOO_BIG, 413},
        {STATUS_IO, 503},       {STATUS_UNAVAILABLE, 503},
        {STATUS_CLOSED, 503},   {STATUS_NO_MEMORY, 503},
        {STATUS_CORRUPT, 503},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world->fails = cases[i].status;
        assert_int_equal(ask(world, "POST", API "channels/a/purge", "",
                             "{\"error\":\"it failed\"}"),
                         cases[i].code);
    }
    world->call_fails = STATUS_CLOSED;
    assert_int_equal(
        ask(world, "POST", API "channels/a/purge", "", "no answer"), 504);
    world->call_fails = STATUS_UNAVAILABLE;
    assert_int_equal(
        ask(world, "POST", API "channels/a/purge", "", "no answer"), 503);
}

static void the_description_needs_no_token(void **state)
{
    struct world *world = *state;
    const struct request request = {.method = "GET",
                                    .target = API "openapi.json"};
    struct reply reply;
    router_answer(&world->router, &request, &reply);
    assert_int_equal(reply.status, 200);
    assert_ptr_equal(reply.fixed.data, admin_openapi.data);
    assert_true(admin_openapi.size > 1000 && admin_openapi.data[0] == '{');
    http_release(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_path_asks_for_its_verb, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_never_reaches_the_engine,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_token_nothing_is_told,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(failures_have_fitting_codes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_description_needs_no_token, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
