/* The rules of protocol.md section 4 one by one, and the cases of section 18
 * that are the codec's. */
#include "proto/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

/* A literal may hold NULs. */
#define B(text) bytes_of(text, sizeof(text) - 1)

static void assert_text(struct bytes got, struct bytes expected)
{
    assert_int_equal(got.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(got.data, expected.data, expected.size);
}

/* Runs a decoder of each kind (hot path and table) over input. */
static void assert_unknown_ok(struct bytes input, bool expected)
{
    struct pub_msg pub_msg;
    struct ack ack;
    struct msg_proto msg_proto;
    struct connect_request connect;
    assert_int_equal(pub_msg_decode(input, &pub_msg), expected);
    assert_int_equal(ack_decode(input, &ack), expected);
    assert_int_equal(msg_proto_decode(input, &msg_proto), expected);
    assert_int_equal(connect_request_decode(input, &connect), expected);
    assert_int_equal(is_ctrl_msg(input), expected);
}

static void an_empty_payload_is_all_defaults_for_every_message(void **state)
{
    (void)state;
    struct subscription_request subscribe;
    struct unsubscribe_request unsubscribe;
    struct connect_response response;
    struct close_request close;
    struct ping ping;
    struct msg_proto msg_proto;
    memset(&subscribe, 0xa5, sizeof subscribe);
    memset(&msg_proto, 0xa5, sizeof msg_proto);
    const struct bytes none = {NULL, 0};
    assert_unknown_ok(none, true);
    assert_true(subscription_request_decode(none, &subscribe));
    assert_true(unsubscribe_request_decode(none, &unsubscribe));
    assert_true(connect_response_decode(none, &response));
    assert_true(close_request_decode(none, &close));
    assert_true(ping_decode(none, &ping));
    assert_true(msg_proto_decode(none, &msg_proto));
    assert_int_equal(subscribe.client_id.size, 0);
    assert_int_equal(subscribe.max_in_flight, 0);
    assert_int_equal(subscribe.start_time_delta, 0);
    assert_int_equal(msg_proto.sequence, 0);
    assert_int_equal(msg_proto.timestamp, 0);
    assert_false(msg_proto.redelivered);
}

static void e10_a_subject_that_is_not_utf8_is_kept_as_it_is(void **state)
{
    (void)state;
    struct pub_msg message;
    assert_true(pub_msg_decode(B("\x1a\x02\xff\xfe"), &message));
    assert_text(message.subject, B("\xff\xfe"));
}

static void e11_an_unknown_field_50_is_skipped(void **state)
{
    (void)state;
    struct pub_msg message;
    const struct bytes inputs[] = {
        B("\x12\1g\x90\x03\x96\x01\x1a\1s"),
        B("\x12\1g\x92\x03\x02hi\x1a\1s"),
        B("\x12\1g\x91\x03\1\2\3\4\5\6\7\10\x1a\1s"),
        B("\x12\1g\x95\x03\1\2\3\4\x1a\1s"),
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        assert_true(pub_msg_decode(inputs[i], &message));
        assert_text(message.guid, B("g"));
        assert_text(message.subject, B("s"));
    }
}

static void e12_a_nul_does_not_cut_a_client_id(void **state)
{
    (void)state;
    struct connect_request request;
    assert_true(connect_request_decode(B("\x0a\x04"
                                         "ab\0c"),
                                       &request));
    assert_text(request.client_id, B("ab\0c"));
}

static void e9_the_guid_before_the_damage_is_kept(void **state)
{
    (void)state;
    struct pub_msg message;
    const struct bytes inputs[] = {
        B("\x12\2g1\x1a\x7f"),   /* length beyond the end */
        B("\x12\2g1\x1a"),       /* no length */
        B("\x12\2g1\x80"),       /* half a tag */
        B("\x12\2g1\x18\x01"),   /* wrong wire type */
        B("\x12\2g1\x0c"),       /* end of a group */
        B("\x12\2g1\x12\x05g2"), /* a second guid, cut: the first stays */
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        assert_false(pub_msg_decode(inputs[i], &message));
        assert_text(message.guid, B("g1"));
    }
}

static void the_last_of_a_repeated_scalar_wins(void **state)
{
    (void)state;
    struct pub_msg message;
    struct ack ack;
    struct connect_request request;
    assert_true(pub_msg_decode(B("\x12\2g1\x12\3g22"), &message));
    assert_text(message.guid, B("g22"));
    assert_true(pub_msg_decode(B("\x12\2g1\x12\0"), &message));
    assert_text(message.guid, B(""));
    assert_true(ack_decode(B("\x10\x05\x10\x07"), &ack));
    assert_int_equal(ack.sequence, 7);
    assert_true(connect_request_decode(B("\x18\x05\x18\0"), &request));
    assert_int_equal(request.protocol, 0);
}

static void fields_may_come_in_any_order(void **state)
{
    (void)state;
    struct pub_msg message;
    assert_true(pub_msg_decode(B("\x32\1f\x2a\1e\x22\1d\x1a\1c\x12\1b\x0a\1a"),
                               &message));
    assert_text(message.client_id, B("a"));
    assert_text(message.guid, B("b"));
    assert_text(message.subject, B("c"));
    assert_text(message.reply, B("d"));
    assert_text(message.data, B("e"));
    assert_text(message.conn_id, B("f"));
}

static void truncated_data_is_an_error(void **state)
{
    (void)state;
    assert_unknown_ok(B("\x90\x03"), false);               /* no varint */
    assert_unknown_ok(B("\x90\x03\x80"), false);           /* half a varint */
    assert_unknown_ok(B("\x91\x03\1\2\3\4\5\6\7"), false); /* 7 of 8 bytes */
    assert_unknown_ok(B("\x95\x03\1\2\3"), false);         /* 3 of 4 */
    assert_unknown_ok(B("\x92\x03"), false);               /* no length */
    assert_unknown_ok(B("\x92\x03\x02h"), false);          /* 1 of 2 */
    assert_unknown_ok(B("\x90"), false);                   /* half a tag */
    /* lengths that would overflow an addition */
    assert_unknown_ok(B("\x92\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01h"),
                      false);
    assert_unknown_ok(B("\x92\x03\xff\xff\xff\xff\xff\xff\xff\xff\x7fh"),
                      false);
    struct pub_msg message;
    assert_false(pub_msg_decode(
        B("\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01h"), &message));
}

static void a_varint_may_have_ten_bytes_but_not_eleven(void **state)
{
    (void)state;
    struct ack ack;
    assert_true(
        ack_decode(B("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &ack));
    assert_true(ack.sequence == UINT64_MAX);
    assert_true(
        ack_decode(B("\x10\x85\x80\x80\x80\x80\x80\x80\x80\x80\x00"), &ack));
    assert_int_equal(ack.sequence, 5);
    assert_false(ack_decode(
        B("\x10\x85\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), &ack));
    assert_int_equal(ack.sequence, 0);
    /* the same for a tag and a length */
    assert_true(
        ack_decode(B("\x90\x80\x80\x80\x80\x80\x80\x80\x80\x00\x05"), &ack));
    assert_int_equal(ack.sequence, 5);
    assert_false(ack_decode(
        B("\x90\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x05"), &ack));
    assert_true(
        ack_decode(B("\x0a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00x"), &ack));
    assert_text(ack.subject, B("x"));
    assert_false(ack_decode(
        B("\x0a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00x"), &ack));
}

static void a_field_number_is_from_1_to_2_to_the_29_less_1(void **state)
{
    (void)state;
    assert_unknown_ok(B("\x00\x01"), false);
    assert_unknown_ok(B("\x02\x00"), false);
    assert_unknown_ok(B("\x82\x00\x00"), false);
    assert_unknown_ok(B("\xf8\xff\xff\xff\x0f\x01"), true);
    assert_unknown_ok(B("\x80\x80\x80\x80\x10\x01"), false);
    /* number 2^61-1, and one that is 1 if only 32 bits are looked at */
    assert_unknown_ok(B("\xf8\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01"), false);
    assert_unknown_ok(B("\x8a\x80\x80\x80\x80\x01\x00"), false);
}

static void wire_types_6_and_7_and_a_lone_end_of_group_are_errors(void **state)
{
    (void)state;
    assert_unknown_ok(B("\x94\x03"), false);
    assert_unknown_ok(B("\x96\x03"), false);
    assert_unknown_ok(B("\x97\x03"), false);
    assert_unknown_ok(B("\x96\x03\x01\x01\x01\x01"), false);
}

static void an_unknown_group_is_skipped_if_it_is_whole(void **state)
{
    (void)state;
    assert_unknown_ok(B("\x93\x03\x94\x03"), true);
    assert_unknown_ok(B("\x93\x03\x08\x01\x12\x02hi\x94\x03"), true);
    /* group 1 in group 50, and what looks like an end in bytes */
    assert_unknown_ok(B("\x93\x03\x0b\x12\x02\x94\x03\x0c\x94\x03"), true);
    assert_unknown_ok(B("\x93\x03"), false);                 /* no end */
    assert_unknown_ok(B("\x93\x03\x0b\x94\x03"), false);     /* crossed */
    assert_unknown_ok(B("\x93\x03\x0c"), false);             /* another's end */
    assert_unknown_ok(B("\x93\x03\x0e\x94\x03"), false);     /* wire type 6 */
    assert_unknown_ok(B("\x93\x03\x00\x01\x94\x03"), false); /* number 0 */
    assert_unknown_ok(B("\x93\x03\x0a\x7f\x94\x03"), false); /* too long */
    struct ack ack;
    assert_true(ack_decode(B("\x93\x03\x10\x01\x94\x03\x10\x07"), &ack));
    assert_int_equal(ack.sequence, 7);
}

/* Opens count groups of number 50 and closes them. */
static bool groups_ok(size_t count)
{
    struct blob blob = {0};
    struct ack ack;
    for (size_t i = 0; i < count; i++)
        assert_true(blob_append(&blob, "\x93\x03", 2));
    for (size_t i = 0; i < count; i++)
        assert_true(blob_append(&blob, "\x94\x03", 2));
    bool ok = ack_decode(blob_bytes(&blob), &ack);
    blob_release(&blob);
    return ok;
}

static void groups_may_be_nested_32_deep(void **state)
{
    (void)state;
    assert_true(groups_ok(32));
    assert_false(groups_ok(33));
    assert_false(groups_ok(300000));
}

static void a_known_field_with_another_wire_type_is_an_error(void **state)
{
    (void)state;
    struct pub_msg pub_msg;
    struct msg_proto msg_proto;
    struct connect_request connect;
    struct connect_response response;
    struct bytes zeroes = B("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    for (unsigned number = 1; number <= 15; number++) {
        for (unsigned type = 0; type <= 5; type++) {
            uint8_t input[17] = {(uint8_t)(number << 3 | type)};
            memcpy(input + 1, zeroes.data, zeroes.size);
            size_t size = type == 1 ? 9 : type == 5 ? 5 : 2;
            if (type == 3)
                input[1] = (uint8_t)(number << 3 | 4); /* a whole group */
            struct bytes bytes = bytes_of(input, size);
            bool is_bytes = type == 2;
            bool is_number = type == 0;
            bool skipped = type != 4;
            bool known = number <= 6 || number == 10;
            assert_int_equal(pub_msg_decode(bytes, &pub_msg),
                             known ? is_bytes : skipped);
            known = number <= 7 || number == 10;
            bool text = number >= 2 && number <= 4;
            assert_int_equal(msg_proto_decode(bytes, &msg_proto),
                             !known ? skipped
                             : text ? is_bytes
                                    : is_number);
            known = number <= 6;
            text = number != 3 && number < 5;
            assert_int_equal(connect_request_decode(bytes, &connect),
                             !known ? skipped
                             : text ? is_bytes
                                    : is_number);
        }
    }
    /* known, though of no use: publicKey */
    assert_true(connect_response_decode(B("\xa2\x06\x01k"), &response));
    assert_false(connect_response_decode(B("\xa0\x06\x01"), &response));
}

static void an_int32_keeps_the_low_32_bits(void **state)
{
    (void)state;
    struct connect_request request;
    assert_true(connect_request_decode(
        B("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &request));
    assert_int_equal(request.protocol, -1);
    assert_true(
        connect_request_decode(B("\x18\x81\x80\x80\x80\x10"), &request));
    assert_int_equal(request.protocol, 1);
    assert_true(
        connect_request_decode(B("\x28\x80\x80\x80\x80\x08"), &request));
    assert_true(request.ping_interval == INT32_MIN);
}

static void a_start_position_out_of_range_is_kept(void **state)
{
    (void)state;
    struct subscription_request request;
    assert_true(subscription_request_decode(B("\x50\x05"), &request));
    assert_int_equal(request.start_position, 5);
    assert_true(subscription_request_decode(
        B("\x50\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &request));
    assert_int_equal(request.start_position, -1);
}

static void any_varint_but_0_is_a_true_bool(void **state)
{
    (void)state;
    struct msg_proto message;
    assert_true(msg_proto_decode(B("\x30\x00"), &message));
    assert_false(message.redelivered);
    assert_true(msg_proto_decode(B("\x30\x02"), &message));
    assert_true(message.redelivered);
    assert_true(msg_proto_decode(B("\x30\x80\x80\x80\x80\x10"), &message));
    assert_true(message.redelivered);
    assert_true(msg_proto_decode(B("\x30\x80\x80\x00"), &message));
    assert_false(message.redelivered);
}

static void e8_a_ctrl_msg_with_a_type_is_no_pub_msg(void **state)
{
    (void)state;
    struct pub_msg message;
    struct bytes typed = B("\x08\x02\x12\x03srv\x1a\x01"
                           "d");
    assert_true(is_ctrl_msg(typed));
    assert_false(pub_msg_decode(typed, &message));
    /* type 0 is left out: it is both */
    struct bytes untyped = B("\x12\x03srv");
    assert_true(is_ctrl_msg(untyped));
    assert_true(pub_msg_decode(untyped, &message));
    assert_text(message.guid, B("srv"));
}

static void a_pub_msg_with_a_client_id_is_no_ctrl_msg(void **state)
{
    (void)state;
    assert_false(is_ctrl_msg(B("\x0a\x02me\x12\x02g1")));
}

/* E1 to E6 answer this payload with errors. */
static void e1_to_e6_dummy_is_no_message(void **state)
{
    (void)state;
    struct connect_request connect;
    struct pub_msg pub_msg;
    struct subscription_request subscribe;
    struct unsubscribe_request unsubscribe;
    struct close_request close;
    struct bytes dummy = B("dummy");
    assert_false(connect_request_decode(dummy, &connect));
    assert_false(pub_msg_decode(dummy, &pub_msg));
    assert_int_equal(pub_msg.guid.size, 0);
    assert_false(subscription_request_decode(dummy, &subscribe));
    assert_false(unsubscribe_request_decode(dummy, &unsubscribe));
    assert_false(close_request_decode(dummy, &close));
    assert_false(is_ctrl_msg(dummy));
}

static void e48_reply_is_kept_and_sha256_has_no_effect(void **state)
{
    (void)state;
    struct pub_msg message;
    assert_true(pub_msg_decode(B("\x22\x03rep\x52\x04"
                                 "abcd\x2a\x01x"),
                               &message));
    assert_text(message.reply, B("rep"));
    assert_text(message.data, B("x"));
}

static void members_borrow_from_the_input(void **state)
{
    (void)state;
    struct bytes input = B("\x2a\x04"
                           "body");
    struct pub_msg message;
    assert_true(pub_msg_decode(input, &message));
    assert_ptr_equal(message.data.data, input.data + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_payload_is_all_defaults_for_every_message),
        cmocka_unit_test(e1_to_e6_dummy_is_no_message),
        cmocka_unit_test(e8_a_ctrl_msg_with_a_type_is_no_pub_msg),
        cmocka_unit_test(a_pub_msg_with_a_client_id_is_no_ctrl_msg),
        cmocka_unit_test(e9_the_guid_before_the_damage_is_kept),
        cmocka_unit_test(e10_a_subject_that_is_not_utf8_is_kept_as_it_is),
        cmocka_unit_test(e11_an_unknown_field_50_is_skipped),
        cmocka_unit_test(e12_a_nul_does_not_cut_a_client_id),
        cmocka_unit_test(e48_reply_is_kept_and_sha256_has_no_effect),
        cmocka_unit_test(the_last_of_a_repeated_scalar_wins),
        cmocka_unit_test(fields_may_come_in_any_order),
        cmocka_unit_test(truncated_data_is_an_error),
        cmocka_unit_test(a_varint_may_have_ten_bytes_but_not_eleven),
        cmocka_unit_test(a_field_number_is_from_1_to_2_to_the_29_less_1),
        cmocka_unit_test(wire_types_6_and_7_and_a_lone_end_of_group_are_errors),
        cmocka_unit_test(an_unknown_group_is_skipped_if_it_is_whole),
        cmocka_unit_test(groups_may_be_nested_32_deep),
        cmocka_unit_test(a_known_field_with_another_wire_type_is_an_error),
        cmocka_unit_test(an_int32_keeps_the_low_32_bits),
        cmocka_unit_test(a_start_position_out_of_range_is_kept),
        cmocka_unit_test(any_varint_but_0_is_a_true_bool),
        cmocka_unit_test(members_borrow_from_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
