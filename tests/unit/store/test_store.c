/* limits, batch, and the forms of keys and values */
#include "store/batch.h"
#include "store/leveldb/keys.h"
#include "store/leveldb/record.h"
#include "store/leveldb/value.h"
#include "store/limits.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* delivery.md 14.1 */
static void the_defaults_are_those_of_the_reference(void **state)
{
    (void)state;
    const struct channel_limits limits =
        limits_channel(&limits_default, bytes_text("foo"));
    assert_int_equal(limits_default.max_channels, 100);
    assert_int_equal(limits.max_subscriptions, 1000);
    assert_int_equal(limits.max_messages, 1000000);
    assert_int_equal(limits.max_bytes, 1024000000);
    assert_int_equal(limits.max_age, 0);
    assert_int_equal(limits.max_inactivity, 0);
    assert_int_equal(limits_check(&limits_default, NULL), STATUS_OK);
}

/* S19, stores.md 3.1 */
static void
a_negative_limit_is_refused_by_name_the_first_one_first(void **state)
{
    (void)state;
    struct limits limits = {.max_channels = -1,
                            .global = {-2, -3, -4, -5000000000, -6000}};
    int64_t *const values[] = {
        &limits.max_channels,        &limits.global.max_subscriptions,
        &limits.global.max_messages, &limits.global.max_bytes,
        &limits.global.max_age,      &limits.global.max_inactivity,
    };
    static const char *const texts[] = {
        "max channels limit cannot be negative (-1)",
        "max subscriptions limit cannot be negative (-2)",
        "max messages limit cannot be negative (-3)",
        "max bytes limit cannot be negative (-4)",
        "max age limit cannot be negative (-5s)",
        "max inactivity limit cannot be negative (-6\xc2\xb5s)",
    };
    for (size_t i = 0; i < 6; i++) {
        struct error err = {0};
        assert_int_equal(limits_check(&limits, &err), STATUS_INVALID);
        assert_string_equal(err.detail, texts[i]);
        *values[i] = 0;
    }
    assert_int_equal(limits_check(&limits, NULL), STATUS_OK);
}

static void a_batch_copies_bytes_and_refers_to_messages(void **state)
{
    (void)state;
    struct batch *batch = batch_new();
    assert_non_null(batch);
    struct buffer *buffer = buffer_new(16);
    assert_non_null(buffer);
    memcpy(buffer->data, "message", 7);
    buffer->used = 7;
    char name[] = "foo", record[] = "rec";
    for (int round = 0; round < 100; round++) {
        assert_true(
            batch_client_put(batch, bytes_text(name), bytes_text(record)));
        assert_true(batch_append(
            batch, 1, (uint64_t)round, 5,
            (struct slice){.buffer = buffer, .offset = 1, .size = 3}));
        assert_true(batch_server(batch, bytes_of(NULL, 0)));
    }
    memset(name, 'x', 3);
    memset(record, 'x', 3);
    assert_int_equal(batch->count, 300);
    assert_int_equal(batch->message_bytes, 300);
    assert_int_equal(buffer->references, 101);
    const struct operation *last = &batch->operations[297];
    assert_true(bytes_equal(operation_name(batch, last), bytes_text("foo")));
    assert_true(bytes_equal(operation_record(batch, last), bytes_text("rec")));
    assert_int_equal(operation_record(batch, &batch->operations[299]).size, 0);
    assert_true(bytes_equal(slice_bytes(batch->operations[298].message),
                            bytes_text("ess")));
    batch_clear(batch);
    assert_int_equal(batch->count, 0);
    assert_int_equal(batch->message_bytes, 0);
    assert_int_equal(buffer->references, 1);
    assert_true(batch_append(batch, 1, 1, 5,
                             (struct slice){.buffer = buffer, .size = 1}));
    batch_free(batch);
    assert_int_equal(buffer->references, 1);
    buffer_unref(buffer);
    batch_free(NULL);
}

static void operations_are_brought_to_the_front_and_cut_off(void **state)
{
    (void)state;
    struct batch *batch = batch_new();
    struct buffer *buffer = buffer_new(8);
    assert_non_null(batch);
    assert_non_null(buffer);
    const struct slice slice = {.buffer = buffer, .size = 3};
    assert_true(batch_channel_put(batch, 1, bytes_text("foo")));
    batch_bring_to_front(batch); /* alone */
    assert_true(batch_append(batch, 1, 1, 5, slice));
    assert_true(batch_append(batch, 1, 2, 5, slice));
    assert_true(batch_expire(batch, 2, 7));
    batch_bring_to_front(batch);
    assert_int_equal(batch->count, 4);
    assert_int_equal(batch->operations[0].type, OPERATION_EXPIRE);
    assert_int_equal(batch->operations[0].timestamp, 7);
    assert_int_equal(batch->operations[1].type, OPERATION_CHANNEL_PUT);
    assert_true(bytes_equal(operation_name(batch, &batch->operations[1]),
                            bytes_text("foo")));
    assert_int_equal(batch->operations[3].sequence, 2);
    batch_cut(batch, 4);
    assert_int_equal(buffer->references, 3);
    batch_cut(batch, 3);
    assert_int_equal(batch->count, 3);
    assert_int_equal(batch->message_bytes, 3);
    assert_int_equal(buffer->references, 2);
    batch_cut(batch, 0);
    assert_int_equal(batch->message_bytes, 0);
    assert_int_equal(buffer->references, 1);
    batch_free(batch);
    buffer_unref(buffer);
}

static void a_run_of_impossible_size_is_no_crash(void **state)
{
    (void)state;
    assert_null(run_new(SIZE_MAX));
    run_free(NULL);
}

static void keys_sort_by_channel_then_sequence(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 255, 256, 1 << 20, UINT64_MAX};
    uint64_t number, second;
    struct key before = {0};
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            struct key key = key_pair(KEY_RUNS, numbers[i], numbers[j]);
            assert_int_equal(key.size, 17);
            assert_true(memcmp(before.data, key.data, 17) < 0);
            assert_true(
                key_parse_pair(key_bytes(&key), KEY_RUNS, &number, &second));
            assert_int_equal(number, numbers[i]);
            assert_int_equal(second, numbers[j]);
            assert_false(key_parse_pair(key_bytes(&key), KEY_PROGRESS, &number,
                                        &second));
            assert_false(key_parse_pair(bytes_of(key.data, 16), KEY_RUNS,
                                        &number, &second));
            before = key;
        }
    }
    struct key channel = key_channel(7);
    assert_true(key_parse_channel(key_bytes(&channel), &number));
    assert_int_equal(number, 7);
    assert_false(key_parse_channel(bytes_of(channel.data, 8), &number));
}

static void every_flipped_bit_of_a_value_or_key_is_found(void **state)
{
    (void)state;
    struct blob value = {0};
    struct bytes payload;
    struct key key = key_pair(KEY_RUNS, 3, 9);
    assert_true(value_seal(&value, key_bytes(&key), bytes_text("hello")));
    assert_int_equal(value.size, VALUE_HEADER + 5);
    assert_true(value_open(key_bytes(&key), blob_bytes(&value), &payload));
    assert_true(bytes_equal(payload, bytes_text("hello")));
    for (size_t i = 0; i < value.size * 8; i++) {
        value.data[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(value_open(key_bytes(&key), blob_bytes(&value), &payload));
        value.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t i = 0; i < key.size * (size_t)8; i++) {
        key.data[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(value_open(key_bytes(&key), blob_bytes(&value), &payload));
        key.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t size = 0; size < value.size; size++) {
        assert_false(
            value_open(key_bytes(&key), bytes_of(value.data, size), &payload));
    }
    assert_true(value_seal(&value, key_bytes(&key), bytes_of(NULL, 0)));
    assert_true(value_open(key_bytes(&key), blob_bytes(&value), &payload));
    assert_int_equal(payload.size, 0);
    blob_release(&value);
}

static void a_channel_record_comes_back_whole_or_not_at_all(void **state)
{
    (void)state;
    struct blob out = {0};
    struct channel_record back, record = {
                                    .phase = RECORD_DELETED,
                                    .state = {.channel = 1,
                                              .first = 2,
                                              .last = 30,
                                              .messages = 4,
                                              .bytes = 5,
                                              .first_timestamp = -6,
                                              .last_timestamp = 7,
                                              .last_subscription = 8},
                                    .swept = 9,
                                    .name = bytes_text("foo.bar"),
                                };
    assert_true(channel_record_encode(&record, &out));
    assert_true(channel_record_decode(blob_bytes(&out), &back));
    assert_int_equal(back.phase, RECORD_DELETED);
    assert_memory_equal(&back.state, &record.state, sizeof record.state);
    assert_int_equal(back.swept, 9);
    assert_true(bytes_equal(back.name, bytes_text("foo.bar")));
    assert_false(channel_record_decode(bytes_of(out.data, 72), &back));
    out.data[0] = 3; /* no phase */
    assert_false(channel_record_decode(blob_bytes(&out), &back));
    record.phase = RECORD_LIVE;
    record.state.messages = 30; /* more than there are sequences */
    assert_true(channel_record_encode(&record, &out));
    assert_false(channel_record_decode(blob_bytes(&out), &back));
    record.state.messages = 0; /* emptied, but first is not last + 1 */
    assert_true(channel_record_encode(&record, &out));
    assert_false(channel_record_decode(blob_bytes(&out), &back));
    blob_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_reference),
        cmocka_unit_test(
            a_negative_limit_is_refused_by_name_the_first_one_first),
        cmocka_unit_test(a_batch_copies_bytes_and_refers_to_messages),
        cmocka_unit_test(operations_are_brought_to_the_front_and_cut_off),
        cmocka_unit_test(a_run_of_impossible_size_is_no_crash),
        cmocka_unit_test(keys_sort_by_channel_then_sequence),
        cmocka_unit_test(every_flipped_bit_of_a_value_or_key_is_found),
        cmocka_unit_test(a_channel_record_comes_back_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
