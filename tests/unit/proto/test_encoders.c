/* What encoders write, byte for byte, and without memory. */
#include "proto/codec.h"
#include "proto/records.h"
#include "tests/unit/base/allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

#define B(text) bytes_of(text, sizeof(text) - 1)

static void assert_written(struct blob *blob, struct bytes expected)
{
    assert_int_equal(blob->size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(blob->data, expected.data, expected.size);
    blob->size = 0;
}

static void e43_a_pub_ack_holds_a_guid_of_any_length(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 22, 100, 101, 127, 128, 16383, 16384};
    static uint8_t guid[20000];
    static uint8_t out[20010];
    memset(guid, 'g', sizeof guid);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct bytes text = bytes_of(guid, sizes[i]);
        size_t size = pub_ack_size(text, B("e"));
        memset(out, 0xa5, sizeof out);
        assert_int_equal(pub_ack_encode(text, B("e"), out), size);
        size_t prefix = sizes[i] < 128 ? 2 : sizes[i] < 16384 ? 3 : 4;
        assert_int_equal(size, prefix + sizes[i] + 3);
        assert_int_equal(out[0], 0x0a);
        assert_memory_equal(out + prefix, guid, sizes[i]);
        assert_memory_equal(out + prefix + sizes[i],
                            "\x12\x01"
                            "e\xa5",
                            4);
    }
}

static void a_pub_ack_leaves_out_what_is_empty(void **state)
{
    (void)state;
    uint8_t out[8];
    const struct bytes none = {NULL, 0};
    assert_int_equal(pub_ack_size(none, none), 0);
    assert_int_equal(pub_ack_encode(none, none, out), 0);
    assert_int_equal(pub_ack_encode(B("g"), none, out), 3);
    assert_memory_equal(out, "\x0a\x01g", 3);
}

static void a_message_is_written_ascending_without_defaults(void **state)
{
    (void)state;
    uint8_t out[64];
    /* E48: there is nothing by which a CRC could be written */
    struct msg_proto message = {.sequence = 300,
                                .subject = B("foo"),
                                .reply = B("r"),
                                .data = B("x\0y"),
                                .timestamp = -1,
                                .redelivered = true,
                                .redelivery_count = 3};
    struct bytes expected = B("\x08\xac\x02\x12\x03"
                              "foo\x1a\x01r\x22\x03x\0y"
                              "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    assert_int_equal(msg_proto_size(&message), expected.size);
    assert_int_equal(msg_proto_encode(&message, out), expected.size);
    assert_memory_equal(out, expected.data, expected.size);
    message = (struct msg_proto){0};
    assert_int_equal(msg_proto_size(&message), 0);
    assert_int_equal(msg_proto_encode(&message, out), 0);
}

static void the_redelivery_fields_fit_behind_a_message(void **state)
{
    (void)state;
    uint8_t out[64];
    struct msg_proto message = {.sequence = 7, .data = B("x")};
    struct msg_proto back;
    static const uint32_t counts[] = {1, 127, 128, UINT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t size = msg_proto_encode(&message, out);
        size_t more = msg_proto_redelivery(counts[i], out + size);
        assert_true(more <= MSG_PROTO_REDELIVERY_MAX);
        assert_true(msg_proto_decode(bytes_of(out, size + more), &back));
        assert_int_equal(back.sequence, 7);
        assert_true(back.redelivered);
        assert_true(back.redelivery_count == counts[i]);
    }
    assert_int_equal(msg_proto_redelivery(UINT32_MAX, out),
                     MSG_PROTO_REDELIVERY_MAX);
}

static void replies_are_written_as_the_reference_server_does(void **state)
{
    (void)state;
    struct blob blob = {0};
    const struct bytes none = {NULL, 0};
    struct connect_response response = {
        .pub_prefix = B("p"), .ping_interval = -1, .protocol = 1};
    assert_true(connect_response_encode(&response, &blob));
    assert_written(&blob,
                   B("\x0a\x01p"
                     "\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x50\x01"));
    /* success of unsubscribe, close and ping is an empty payload */
    assert_true(subscription_response_encode(none, none, &blob));
    assert_written(&blob, none);
    assert_true(error_response_encode(none, &blob));
    assert_written(&blob, none);
    assert_true(subscription_response_encode(B("in"), B("e"), &blob));
    assert_written(&blob, B("\x12\x02in\x1a\x01"
                            "e"));
    assert_true(error_response_encode(B("a\0b"), &blob));
    assert_written(&blob, B("\x0a\x03"
                            "a\0b"));
    blob_release(&blob);
}

static void the_probes_requests_can_be_read_back(void **state)
{
    (void)state;
    struct blob blob = {0};
    struct connect_request request = {.client_id = B("c"),
                                      .heartbeat_inbox = B("hb"),
                                      .conn_id = B("id"),
                                      .protocol = 1,
                                      .ping_interval = 5,
                                      .ping_max_out = -3};
    struct connect_request back;
    struct close_request close = {.client_id = B("c")};
    assert_true(connect_request_encode(&request, &blob));
    assert_true(connect_request_decode(blob_bytes(&blob), &back));
    assert_true(bytes_equal(back.client_id, request.client_id));
    assert_true(bytes_equal(back.heartbeat_inbox, request.heartbeat_inbox));
    assert_true(bytes_equal(back.conn_id, request.conn_id));
    assert_int_equal(back.protocol, 1);
    assert_int_equal(back.ping_interval, 5);
    assert_int_equal(back.ping_max_out, -3);
    blob.size = 0;
    assert_true(close_request_encode(&close, &blob));
    assert_written(&blob, B("\x0a\x01"
                            "c"));
    blob_release(&blob);
}

static bool encode_one(int which, struct blob *out)
{
    static const struct connect_request request = {.protocol = 1};
    static const struct connect_response response = {.protocol = 1};
    static const struct client_record client = {.protocol = 1};
    static const struct subscription_record subscription = {.id = 1};
    const struct close_request close = {.client_id = B("c")};
    const struct server_record server = {.cluster_id = B("c")};
    switch (which) {
    case 0:
        return connect_request_encode(&request, out);
    case 1:
        return connect_response_encode(&response, out);
    case 2:
        return client_record_encode(&client, out);
    case 3:
        return subscription_record_encode(&subscription, out);
    case 4:
        return close_request_encode(&close, out);
    case 5:
        return server_record_encode(&server, out);
    case 6:
        return subscription_response_encode(B("a"), B(""), out);
    default:
        return error_response_encode(B("a"), out);
    }
}

static void without_memory_an_encoder_leaves_the_blob_as_it_was(void **state)
{
    (void)state;
    for (int which = 0; which < 8; which++) {
        struct blob blob = {0};
        allocation_break(0);
        bool ok = encode_one(which, &blob);
        allocation_repair();
        assert_false(ok);
        assert_null(blob.data);
        assert_int_equal(blob.size, 0);
        assert_true(encode_one(which, &blob));
        assert_true(blob.size > 0);
        blob_release(&blob);
    }
}

/* Every other sequence: each is a run of its own. */
static bool write_progress(struct blob *out, uint64_t count)
{
    struct progress_writer writer;
    progress_begin(&writer, out);
    for (uint64_t i = 1; i <= count; i++)
        progress_pending(&writer, 2 * i);
    return progress_end(&writer, 2 * count);
}

static void without_memory_a_progress_leaves_the_blob_as_it_was(void **state)
{
    (void)state;
    int failures = 0;
    for (int good = 0;; good++) {
        struct blob blob = {0};
        assert_true(blob_append(&blob, "before", 6));
        allocation_break(good);
        bool ok = write_progress(&blob, 1000);
        allocation_repair();
        if (!ok) {
            assert_written(&blob, B("before"));
            failures++;
        }
        blob_release(&blob);
        if (ok)
            break;
    }
    assert_true(failures > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(e43_a_pub_ack_holds_a_guid_of_any_length),
        cmocka_unit_test(a_pub_ack_leaves_out_what_is_empty),
        cmocka_unit_test(a_message_is_written_ascending_without_defaults),
        cmocka_unit_test(the_redelivery_fields_fit_behind_a_message),
        cmocka_unit_test(replies_are_written_as_the_reference_server_does),
        cmocka_unit_test(the_probes_requests_can_be_read_back),
        cmocka_unit_test(without_memory_an_encoder_leaves_the_blob_as_it_was),
        cmocka_unit_test(without_memory_a_progress_leaves_the_blob_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
