/* The forms inside of a segment file and of the index. */
#include "store/leveldb/runs.h"
#include "store/leveldb/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void numbers_come_back(void **state)
{
    static const uint64_t values[] = {
        0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX / 2, UINT64_MAX};
    enum { COUNT = sizeof values / sizeof values[0] };
    struct blob blob = {0};
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(pack_number(&blob, values[i]));
        assert_true(pack_signed(&blob, (int64_t)values[i]));
        assert_true(pack_signed(&blob, INT64_MIN + (int64_t)i));
    }
    assert_true(pack_bytes(&blob, bytes_text("words")));
    for (size_t size = 0; size <= blob.size; size++) {
        struct unpack unpack = {.left = bytes_of(blob.data, size)};
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t a = unpack_number(&unpack);
            int64_t b = unpack_signed(&unpack), c = unpack_signed(&unpack);
            if (unpack.failed)
                continue;
            assert_true(a == values[i]);
            assert_true(b == (int64_t)values[i]);
            assert_true(c == INT64_MIN + (int64_t)i);
        }
        struct bytes words = unpack_bytes(&unpack);
        assert_int_equal(unpack.failed, size < blob.size);
        if (!unpack.failed)
            assert_true(bytes_equal(words, bytes_text("words")));
    }
    blob_release(&blob);
}

/* More than 64 bits are no number. */
static void a_number_that_is_too_long_is_refused(void **state)
{
    static const uint8_t bytes[] = {255, 255, 255, 255, 255, 255,
                                    255, 255, 255, 2,   0};
    struct unpack unpack = {.left = bytes_of(bytes, sizeof bytes)};
    (void)state;
    (void)unpack_number(&unpack);
    assert_true(unpack.failed);
}

static void names_and_numbers_of_segments_agree(void **state)
{
    char name[SEGMENT_NAME];
    uint64_t number;
    (void)state;
    segment_name(17, name);
    assert_string_equal(name, "0000000017.seg");
    assert_true(segment_parse_name(name, &number));
    assert_int_equal(number, 17);
    assert_false(segment_parse_name("000017.log", &number));
    assert_false(segment_parse_name("17.seg", &number));
    assert_false(segment_parse_name("0000000017.seg.torn", &number));
    assert_false(segment_parse_name("-000000017.seg", &number));
}

static void every_flipped_bit_of_a_header_is_found(void **state)
{
    const struct segment_header header = {.kind = SEGMENT_COPY,
                                          .number = 7,
                                          .salt = 99,
                                          .first_record = 12,
                                          .synced = 11};
    const struct record_header record = {
        .number = 12, .synced = 10, .size = 64, .crc = 5};
    struct segment_header segment_back;
    struct record_header record_back;
    uint8_t bytes[SEGMENT_HEADER];
    (void)state;
    segment_encode(&header, bytes);
    assert_true(segment_decode(bytes, &segment_back));
    assert_int_equal(segment_back.kind, SEGMENT_COPY);
    assert_int_equal(segment_back.number, 7);
    assert_int_equal(segment_back.salt, 99);
    assert_int_equal(segment_back.first_record, 12);
    assert_int_equal(segment_back.synced, 11);
    for (size_t i = 0; i < SEGMENT_HEADER * (size_t)8; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(segment_decode(bytes, &segment_back));
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    record_encode(&record, 99, bytes);
    assert_true(record_decode(bytes, 99, &record_back));
    assert_memory_equal(&record_back, &record, sizeof record);
    assert_false(record_decode(bytes, 98, &record_back)); /* another file's */
    for (size_t i = 0; i < RECORD_HEADER * (size_t)8; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(record_decode(bytes, 99, &record_back));
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void every_flipped_bit_of_a_message_is_found(void **state)
{
    struct blob blob = {0};
    struct message message;
    uint32_t seed = message_seed(3);
    (void)state;
    assert_true(message_encode(&blob, seed, 9, -5, bytes_text("hello")));
    struct bytes all = blob_bytes(&blob);
    assert_true(message_next(&all, seed, &message));
    assert_int_equal(all.size, 0);
    assert_true(message.is_whole);
    assert_int_equal(message.sequence, 9);
    assert_int_equal(message.timestamp, -5);
    assert_true(bytes_equal(message.body, bytes_text("hello")));
    all = blob_bytes(&blob);
    assert_true(message_next(&all, message_seed(4), &message));
    assert_false(message.is_whole); /* another channel's */
    for (size_t i = 0; i < blob.size * 8; i++) {
        all = blob_bytes(&blob);
        blob.data[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(message_next(&all, seed, &message) && message.is_whole);
        blob.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t size = 0; size < blob.size; size++) {
        all = bytes_of(blob.data, size);
        assert_false(message_next(&all, seed, &message));
    }
    blob_release(&blob);
}

/* One of each kind. */
static void fill(struct record_writer *writer)
{
    const struct place place = {.first = 5,
                                .last = 9,
                                .count = 2,
                                .size = 2 * MESSAGE_HEADER + 3,
                                .timestamp = -7};
    const struct channel_state channel = {.first = 1,
                                          .last = 2,
                                          .messages = 2,
                                          .bytes = 90,
                                          .first_timestamp = -1,
                                          .last_timestamp = 8,
                                          .last_subscription = 4};
    const struct record_operation operations[] = {
        {.kind = RECORD_PUT,
         .key = bytes_text("key"),
         .payload = bytes_text("payload")},
        {.kind = RECORD_RUN, .number = 3, .place = place, .top_timestamp = 70},
        {.kind = RECORD_DELETE, .key = bytes_text("key")},
        {.kind = RECORD_STATE, .number = 3, .state = channel},
        {.kind = RECORD_CREATE,
         .number = 4,
         .id = 44,
         .name = bytes_text("name")},
        {.kind = RECORD_DISCARD, .number = 4},
    };
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        assert_true(record_add(writer, &operations[i]));
        if (operations[i].kind != RECORD_RUN)
            continue;
        assert_true(message_encode(writer->out, message_seed(3), 5, -7,
                                   bytes_text("ab")));
        assert_true(message_encode(writer->out, message_seed(3), 9, 70,
                                   bytes_text("c")));
    }
    assert_true(record_pad(writer));
}

static void the_operations_of_a_record_come_back(void **state)
{
    struct blob blob = {0};
    struct record_writer writer = {.out = &blob};
    struct record_reader reader;
    struct record_operation operation;
    bool good;
    size_t count = 0;
    (void)state;
    fill(&writer);
    record_reader_init(&reader, blob_bytes(&blob));
    while (record_next(&reader, &operation, &good)) {
        count++;
        if (operation.kind == RECORD_RUN) {
            assert_int_equal(operation.number, 3);
            assert_int_equal(operation.place.first, 5);
            assert_int_equal(operation.place.last, 9);
            assert_int_equal(operation.place.count, 2);
            assert_int_equal(operation.place.timestamp, -7);
            assert_int_equal(operation.top_timestamp, 70);
            assert_ptr_equal(operation.messages.data,
                             blob.data + operation.place.position);
            assert_int_equal(place_bytes(&operation.place), 2 * 40 + 3);
        } else if (operation.kind == RECORD_STATE) {
            assert_int_equal(operation.state.first_timestamp, -1);
            assert_int_equal(operation.state.last_subscription, 4);
        } else if (operation.kind == RECORD_CREATE) {
            assert_int_equal(operation.id, 44);
            assert_true(bytes_equal(operation.name, bytes_text("name")));
        }
    }
    assert_true(good);
    assert_int_equal(count, 6);
    assert_int_equal(reader.crc, writer.crc);
    blob_release(&blob);
}

/* In the operations, not in the messages, which have checksums of their own. */
static void damage_of_operations_changes_their_checksum_or_form(void **state)
{
    struct blob blob = {0};
    struct record_writer writer = {.out = &blob};
    struct record_operation operation;
    size_t messages = 0, messages_end = 0;
    bool good;
    (void)state;
    fill(&writer);
    struct record_reader reader;
    record_reader_init(&reader, blob_bytes(&blob));
    while (record_next(&reader, &operation, &good)) {
        if (operation.kind != RECORD_RUN)
            continue;
        messages = (size_t)operation.place.position;
        messages_end = messages + operation.place.size;
    }
    for (size_t i = 0; i < blob.size * 8; i++) {
        if (i / 8 >= messages && i / 8 < messages_end)
            continue;
        blob.data[i / 8] ^= (uint8_t)(1 << i % 8);
        record_reader_init(&reader, blob_bytes(&blob));
        while (record_next(&reader, &operation, &good)) {
        }
        assert_false(good && reader.crc == writer.crc);
        blob.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t size = 0; size < blob.size; size++) {
        record_reader_init(&reader, bytes_of(blob.data, size));
        while (record_next(&reader, &operation, &good)) {
        }
        assert_false(good && reader.crc == writer.crc && size % 8 == 0);
    }
    blob_release(&blob);
}

static void places_come_back_from_a_page(void **state)
{
    struct runs back = {0};
    struct place places[PAGE_PLACES];
    struct blob blob = {0};
    (void)state;
    for (uint64_t i = 0; i < PAGE_PLACES; i++) {
        places[i] = (struct place){
            .first = 10 * i + 1,
            .last = 10 * i + 1 + i % 5,
            .count = 1 + i % 5 / 2,
            .position = (i % 7) << 32 | (uint32_t)(UINT32_MAX - 100 * i),
            .size = (uint32_t)(i * 1000),
            .timestamp = i % 2 == 0 ? INT64_MIN + (int64_t)i : INT64_MAX,
        };
    }
    assert_true(page_encode(places, PAGE_PLACES, &blob));
    assert_true(page_decode(blob_bytes(&blob), &back));
    assert_int_equal(back.count, PAGE_PLACES);
    for (size_t i = 0; i < PAGE_PLACES; i++) {
        assert_int_equal(back.places[i].first, places[i].first);
        assert_int_equal(back.places[i].last, places[i].last);
        assert_int_equal(back.places[i].count, places[i].count);
        assert_true(back.places[i].position == places[i].position);
        assert_int_equal(back.places[i].size, places[i].size);
        assert_true(back.places[i].timestamp == places[i].timestamp);
    }
    for (size_t size = 0; size < blob.size; size++)
        assert_false(page_decode(bytes_of(blob.data, size), &back));
    assert_true(blob_append(&blob, "", 1));
    assert_false(page_decode(blob_bytes(&blob), &back));
    assert_int_equal(runs_find(&back, 0), 0);
    runs_release(&back);
    blob_release(&blob);
}

static void a_sequence_finds_its_place_or_the_next(void **state)
{
    struct runs runs = {0};
    (void)state;
    assert_int_equal(runs_find(&runs, 1), 0);
    assert_true(runs_reserve(&runs, 3));
    for (uint64_t i = 1; i <= 3; i++) {
        const struct place place = {.first = i * 10, .last = i * 10 + 4};
        runs_add(&runs, &place);
    }
    assert_int_equal(runs_find(&runs, 1), 0);
    assert_int_equal(runs_find(&runs, 14), 0);
    assert_int_equal(runs_find(&runs, 15), 1);
    assert_int_equal(runs_find(&runs, 34), 2);
    assert_int_equal(runs_find(&runs, 35), 3);
    runs_release(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(a_number_that_is_too_long_is_refused),
        cmocka_unit_test(names_and_numbers_of_segments_agree),
        cmocka_unit_test(every_flipped_bit_of_a_header_is_found),
        cmocka_unit_test(every_flipped_bit_of_a_message_is_found),
        cmocka_unit_test(the_operations_of_a_record_come_back),
        cmocka_unit_test(damage_of_operations_changes_their_checksum_or_form),
        cmocka_unit_test(places_come_back_from_a_page),
        cmocka_unit_test(a_sequence_finds_its_place_or_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
