/* What administration is read and written with: times, base64, members. */
#include "monitor/admin_json.h"
#include "monitor/admin_parse.h"
#include "monitor/admin_token.h"
#include "monitor/base64.h"
#include "monitor/rfc3339.h"
#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- times ---- */

static void times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t wall;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-25T16:52:54Z", 1795625574 * CLOCK_SECOND},
        {"2026-11-25T16:52:54.5Z",
         1795625574 * CLOCK_SECOND + CLOCK_SECOND / 2},
        {"2026-11-25t17:52:54.000000001+01:00", 1795625574 * CLOCK_SECOND + 1},
        {"2026-11-25T11:22:54-05:30", 1795625574 * CLOCK_SECOND},
        {"2024-02-29T00:00:00Z", 1709164800 * CLOCK_SECOND},
        {"2016-12-31T23:59:60Z", 1483228800 * CLOCK_SECOND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t wall = -1;
        assert_true(rfc3339_read(bytes_text(cases[i].text), &wall));
        assert_int_equal(wall, cases[i].wall);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "now",
                                        "2026-11-25",
                                        "2026-11-25T16:52:54",
                                        "2026-11-25T16:52Z",
                                        "2026-13-25T16:52:54Z",
                                        "2026-00-25T16:52:54Z",
                                        "2026-02-29T16:52:54Z",
                                        "2026-11-31T16:52:54Z",
                                        "2026-11-00T16:52:54Z",
                                        "2026-11-25T24:00:00Z",
                                        "2026-11-25T16:60:54Z",
                                        "2026-11-25T16:52:61Z",
                                        "2026-11-25T16:52:54.Z",
                                        "2026-11-25T16:52:54.1234567890Z",
                                        "2026-11-25T16:52:54+24:00",
                                        "2026-11-25T16:52:54+0100",
                                        "2026-11-25T16:52:54Zx",
                                        "1969-12-31T23:59:59Z",
                                        "1970-01-01T00:00:00+00:01",
                                        "2262-04-11T23:47:17Z",
                                        "9999-01-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t wall = 0;
        if (rfc3339_read(bytes_text(texts[i]), &wall))
            fail_msg("%s", texts[i]);
    }
}

static void a_time_that_was_written_is_read(void **state)
{
    (void)state;
    static const int64_t walls[] = {0, 1, 999999999, 1795625574123456789,
                                    INT64_MAX};
    for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++) {
        char text[RFC3339_MAX];
        int64_t wall = -1;
        rfc3339_write(walls[i], text);
        assert_true(rfc3339_read(bytes_text(text), &wall));
        assert_int_equal(wall, walls[i]);
    }
    char text[RFC3339_MAX];
    rfc3339_write(1795625574000000007, text);
    assert_string_equal(text, "2026-11-25T16:52:54.000000007Z");
}

/* ---- base64 ---- */

static void base64_goes_there_and_back(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t size = 0; size <= sizeof data; size++) {
        struct blob text = {0};
        struct text back = {0};
        assert_true(base64_write(bytes_of(data, size), &text));
        assert_int_equal(text.size, (size + 2) / 3 * 4);
        assert_int_equal(base64_read(blob_bytes(&text), &back), STATUS_OK);
        assert_true(bytes_equal(text_bytes(&back), bytes_of(data, size)));
        blob_release(&text);
        text_release(&back);
    }
}

static void what_is_no_base64_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"A",    "AA",      "AAA",   "AA==AAAA",
                                        "A===", "====",    "AAA\n", "AA A",
                                        "AA-_", "AAA=AAA="};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct text out = {0};
        assert_int_equal(base64_read(bytes_text(texts[i]), &out),
                         STATUS_INVALID);
        text_release(&out);
    }
}

/* ---- members ---- */

/* The request of a JSON text; its error, "" if there is none. */
static const char *parse(enum admin_verb verb, const char *json,
                         struct admin_request *request, struct error *err)
{
    struct admin_document *document = NULL;
    *request = (struct admin_request){0};
    *err = (struct error){0};
    if (admin_document_new(bytes_text(json), &document, err) == STATUS_OK)
        err->status = admin_document_request(document, verb, request, err);
    admin_document_free(document);
    return err->detail;
}

static void members_become_a_request(void **state)
{
    (void)state;
    struct admin_request request;
    struct error err;
    assert_string_equal(parse(ADMIN_MOVE,
                              "{\"channel\":\"foo\",\"queue_group\":\"d:g\","
                              "\"time\":\"1970-01-01T00:00:01Z\"}",
                              &request, &err),
                        "");
    assert_string_equal(request.channel.data, "foo");
    assert_string_equal(request.queue_group.data, "d:g");
    assert_true(request.by_time);
    assert_int_equal(request.time, CLOCK_SECOND);
    admin_request_release(&request);
    assert_string_equal(parse(ADMIN_PENDING,
                              "{\"channel\":\"foo\",\"id\":7,\"start\":\"8\"}",
                              &request, &err),
                        "");
    assert_int_equal(request.subscription, 7);
    assert_int_equal(request.sequence, 8);
    assert_int_equal(request.limit, 50);
    admin_request_release(&request);
}

static void wrong_members_are_named(void **state)
{
    (void)state;
    static const struct {
        enum admin_verb verb;
        const char *json, *error;
    } cases[] = {
        {ADMIN_PURGE, "", "missing: channel"},
        {ADMIN_DROP, "{\"channel\":\"a\"}", "missing: id, sequence"},
        {ADMIN_PURGE, "{\"channel\":\"\"}", "channel: not a text, or empty"},
        {ADMIN_PURGE, "{\"channel\":1}", "channel: not a text, or empty"},
        {ADMIN_PURGE, "{\"channel\":\"a\",\"id\":1}", "unknown: \"id\""},
        {ADMIN_MOVE, "{\"channel\":\"a\",\"sequence\":1}",
         "exactly one of these is needed: queue_group, id"},
        {ADMIN_MOVE, "{\"channel\":\"a\",\"id\":1}",
         "exactly one of these is needed: sequence, time"},
        {ADMIN_MESSAGE, "{\"channel\":\"a\",\"sequence\":-1}",
         "sequence: not a whole number from 1 to 9223372036854775807"},
        {ADMIN_MESSAGE, "{\"channel\":\"a\",\"sequence\":\"1 \"}",
         "sequence: not a whole number from 1 to 9223372036854775807"},
        {ADMIN_MESSAGE, "{\"channel\":\"a\",\"sequence\":1.0}",
         "sequence: not a whole number from 1 to 9223372036854775807"},
        {ADMIN_DELETE_CHANNEL, "{\"channel\":\"a\",\"force\":2}",
         "force: neither true, false, 0 nor 1"},
        {ADMIN_PUBLISH, "{\"channel\":\"a\"}",
         "exactly one of these is needed: data, text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct admin_request request;
        struct error err;
        assert_string_equal(parse(cases[i].verb, cases[i].json, &request, &err),
                            cases[i].error);
        assert_int_equal(err.status, STATUS_INVALID);
        admin_request_release(&request);
    }
}

static void a_member_is_given_once(void **state)
{
    (void)state;
    struct admin_document *document = NULL;
    struct text taken = {0};
    struct error err = {0};
    assert_int_equal(
        admin_document_new(bytes_text("{\"id\":1,\"token\":\"secret\"}"),
                           &document, &err),
        STATUS_OK);
    assert_int_equal(admin_document_add(document, "id", bytes_text("2"), &err),
                     STATUS_INVALID);
    assert_string_equal(err.detail, "id is given twice");
    assert_true(admin_document_take(document, "nothing", &taken));
    assert_true(admin_document_take(document, "id", &taken)); /* no text */
    assert_int_equal(taken.size, 0);
    assert_true(admin_document_take(document, "token", &taken));
    assert_string_equal(taken.data, "secret");
    assert_int_equal(
        admin_document_add(document, "token", bytes_text("x"), &err),
        STATUS_OK);
    admin_document_free(document);
    text_release(&taken);
}

/* ---- answers ---- */

static void an_error_is_one_member(void **state)
{
    (void)state;
    struct blob out = {0};
    assert_true(admin_json_error("no \"channel\" \xff\n", &out));
    assert_true(bytes_equal(
        blob_bytes(&out),
        bytes_text("{\"error\":\"no \\\"channel\\\" \xEF\xBF\xBD\\n\"}\n")));
    blob_release(&out);
}

static void a_damaged_message_is_an_error(void **state)
{
    (void)state;
    struct admin_request request = {.verb = ADMIN_MESSAGE};
    struct blob out = {0};
    struct error err = {0};
    struct buffer *buffer = buffer_new(1);
    struct run *run = run_new(1);
    assert_non_null(buffer);
    assert_non_null(run);
    buffer->data[0] = 0xFF;
    run->count = 1;
    run->entries[0] = (struct run_entry){
        .sequence = 1, .message = {.buffer = buffer, .size = 1}};
    request.answer.run = run;
    assert_int_equal(admin_json(&request, true, &out, &err), STATUS_CORRUPT);
    assert_int_equal(out.size, 0);
    admin_request_release(&request);
    blob_release(&out);
}

/* ---- the token, before anything is parsed ---- */

static void the_token_is_found_without_parsing(void **state)
{
    (void)state;
    static const struct {
        const char *json, *token;
    } cases[] = {
        {"{\"token\":\"abc\"}", "abc"},
        {" \n{ \"x\" : [ {\"token\":\"no\"} , \"]}\" ], "
         "\"token\"\t:\r\"a!~\" , ",
         "a!~"},
        {"{\"a\":\"token\",\"b\":\"\\\"token\\\":\\\"no\",\"token\":\"yes\"}",
         "yes"},
        {"{\"token\":\"a\\/b\\u002B\\u002bc\\\\\\\"\"}", "a/b++c\\\""},
        {"{\"token\":\"first\",\"token\":\"second\"}", "first"},
        {"", ""},
        {"{", ""},
        {"[\"token\",\"abc\"]", ""},
        {"\"token\":\"abc\"", ""},
        {"{}\"token\":\"abc\"", ""},
        {"{\"x\":{\"token\":\"abc\"}}", ""},
        {"{\"token\":5}", ""},
        {"{\"token\":{\"token\":\"abc\"}}", ""},
        {"{\"token\":\"abc", ""},
        {"{\"token\":\"abc\\", ""},
        {"{\"token\":\"a c\"}", ""},
        {"{\"token\":\"a\\nc\"}", ""},
        {"{\"token\":\"a\\u00e4\"}", ""},
        {"{\"token\":\"a\\u0000\"}", ""},
        {"{\"token\":\"a\\u00\"}", ""},
        {"{\"token\":\"\xC3\xA4\"}", ""},
        {"{\"\\u0074oken\":\"abc\"}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char token[ADMIN_TOKEN_MAX];
        size_t size = admin_token_find(bytes_text(cases[i].json), token);
        assert_int_equal(size, strlen(cases[i].token));
        assert_memory_equal(token, cases[i].token, size);
    }
}

/* Long, deep, of brackets only: none takes memory or a stack. */
static void hostile_texts_are_walked_through_once(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    static const char fills[] = "{[\"\\}]:,a ";
    char token[ADMIN_TOKEN_MAX];
    char *text = malloc(SIZE);
    assert_non_null(text);
    for (const char *fill = fills; *fill != '\0'; fill++) {
        memset(text, *fill, SIZE);
        text[0] = '{';
        assert_int_equal(admin_token_find(bytes_of(text, SIZE), token), 0);
    }
    static const char start[] = "{\"token\":\"";
    memset(text, 'x', SIZE);
    memcpy(text, start, sizeof start - 1);
    text[sizeof start - 1 + ADMIN_TOKEN_MAX] = '"';
    assert_int_equal(admin_token_find(bytes_of(text, SIZE), token),
                     ADMIN_TOKEN_MAX);
    text[sizeof start - 1 + ADMIN_TOKEN_MAX] = 'x';
    text[sizeof start + ADMIN_TOKEN_MAX] = '"';
    assert_int_equal(admin_token_find(bytes_of(text, SIZE), token), 0);
    free(text);
}

static void a_body_too_long_is_not_parsed(void **state)
{
    (void)state;
    struct admin_document *document = NULL;
    struct error err = {0};
    char *text = malloc(ADMIN_BODY_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', ADMIN_BODY_MAX + 1);
    text[0] = '{';
    text[1] = '}';
    assert_int_equal(
        admin_document_new(bytes_of(text, ADMIN_BODY_MAX + 1), &document, &err),
        STATUS_TOO_BIG);
    assert_null(document);
    assert_int_equal(
        admin_document_new(bytes_of(text, ADMIN_BODY_MAX), &document, &err),
        STATUS_OK);
    admin_document_free(document);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_time_that_was_written_is_read),
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(members_become_a_request),
        cmocka_unit_test(wrong_members_are_named),
        cmocka_unit_test(a_member_is_given_once),
        cmocka_unit_test(an_error_is_one_member),
        cmocka_unit_test(a_damaged_message_is_an_error),
        cmocka_unit_test(the_token_is_found_without_parsing),
        cmocka_unit_test(hostile_texts_are_walked_through_once),
        cmocka_unit_test(a_body_too_long_is_not_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
