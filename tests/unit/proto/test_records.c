#include "proto/records.h"

#include "tests/unit/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

#define B(text) bytes_of(text, sizeof(text) - 1)

enum { MOST = 100000 };

struct runs {
    uint64_t count, first[64], size[64];
};

static void collect(void *context, uint64_t first, uint64_t count)
{
    struct runs *runs = context;
    assert_in_range(runs->count, 0, 63);
    assert_true(count >= 1);
    assert_true(first + (count - 1) >= first);
    runs->first[runs->count] = first;
    runs->size[runs->count++] = count;
}

static bool decode(struct bytes input, uint64_t most, uint64_t *last_sent,
                   struct runs *runs)
{
    runs->count = 0;
    return progress_decode(input, most, last_sent, collect, runs);
}

static void progress_is_written_as_gap_and_length_of_runs(void **state)
{
    (void)state;
    struct blob blob = {0};
    struct progress_writer writer;
    progress_begin(&writer, &blob);
    progress_pending(&writer, 3);
    progress_pending(&writer, 4);
    progress_pending(&writer, 5);
    progress_pending(&writer, 9);
    assert_true(progress_end(&writer, 10));
    struct bytes expected = B("\x08\x0a\x12\x04\3\3\4\1");
    assert_true(bytes_equal(blob_bytes(&blob), expected));
    blob_release(&blob);
}

static void an_empty_progress_is_an_empty_record(void **state)
{
    (void)state;
    struct blob blob = {0};
    struct progress_writer writer;
    struct runs runs;
    uint64_t last_sent = 7;
    progress_begin(&writer, &blob);
    assert_true(progress_end(&writer, 0));
    assert_int_equal(blob.size, 0);
    assert_true(decode(blob_bytes(&blob), 0, &last_sent, &runs));
    assert_int_equal(last_sent, 0);
    assert_int_equal(runs.count, 0);
    blob_release(&blob);
}

static void the_lowest_and_highest_sequences_survive(void **state)
{
    (void)state;
    struct blob blob = {0};
    struct progress_writer writer;
    struct runs runs;
    uint64_t last_sent = 0;
    progress_begin(&writer, &blob);
    progress_pending(&writer, 0);
    progress_pending(&writer, 1);
    progress_pending(&writer, UINT64_MAX - 1);
    progress_pending(&writer, UINT64_MAX);
    assert_true(progress_end(&writer, UINT64_MAX));
    assert_true(decode(blob_bytes(&blob), 4, &last_sent, &runs));
    assert_true(last_sent == UINT64_MAX);
    assert_int_equal(runs.count, 2);
    assert_true(runs.first[0] == 0 && runs.size[0] == 2);
    assert_true(runs.first[1] == UINT64_MAX - 1 && runs.size[1] == 2);
    blob_release(&blob);
}

struct sequences {
    uint64_t count, expected[2000];
    bool equal;
};

static void check_run(void *context, uint64_t first, uint64_t count)
{
    struct sequences *sequences = context;
    for (uint64_t i = 0; i < count; i++) {
        if (sequences->expected[sequences->count++] != first + i)
            sequences->equal = false;
    }
}

static void random_progress_comes_back_as_it_was(void **state)
{
    (void)state;
    struct random random;
    random_init(&random);
    for (int round = 0; round < 2000; round++) {
        static struct sequences sequences;
        struct blob blob = {0};
        struct progress_writer writer;
        uint64_t count = random_below(&random, round % 10 == 0 ? 2000 : 20);
        uint64_t sequence =
            random_next(&random) >> (1 + random_below(&random, 63));
        progress_begin(&writer, &blob);
        for (uint64_t i = 0; i < count; i++) {
            sequences.expected[i] = sequence;
            progress_pending(&writer, sequence);
            sequence +=
                1 + (random_below(&random, 3) == 0 ? random_next(&random) >> 24
                                                   : 0);
        }
        uint64_t last_sent = 0;
        assert_true(progress_end(&writer, sequence));
        sequences.count = 0;
        sequences.equal = true;
        uint64_t most = count;
        assert_true(progress_decode(blob_bytes(&blob), most, &last_sent,
                                    check_run, &sequences));
        assert_true(sequences.equal);
        assert_int_equal(sequences.count, count);
        assert_true(last_sent == sequence);
        sequences.count = 0;
        if (count > 0) {
            assert_false(progress_decode(blob_bytes(&blob), most - 1,
                                         &last_sent, check_run, &sequences));
        }
        blob_release(&blob);
    }
}

static void assert_refused(struct bytes input)
{
    struct runs runs;
    uint64_t last_sent;
    assert_false(decode(input, MOST, &last_sent, &runs));
}

#define MAX_VARINT "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"

static void a_hostile_progress_is_refused(void **state)
{
    (void)state;
    assert_refused(B("\x12\x01\3"));               /* a gap and no length */
    assert_refused(B("\x12\x03\3\1\2"));           /* odd number of values */
    assert_refused(B("\x12\x02\3\0"));             /* nothing in the run */
    assert_refused(B("\x12\x04\3\2\0\1"));         /* does not ascend */
    assert_refused(B("\x12\x0b" MAX_VARINT "\2")); /* run beyond the end */
    assert_refused(B("\x12\x0d" MAX_VARINT "\1\1\1")); /* gap beyond it */
    assert_refused(B("\x12\x0d\1\1" MAX_VARINT "\1"));
    assert_refused(B("\x12\x0b\1" MAX_VARINT)); /* length overflows */
    assert_refused(B("\x12\x0b\0" MAX_VARINT)); /* more than allowed */
    assert_refused(B("\x12\x02\3\x80"));        /* cut varint */
    assert_refused(B("\x12\x05\3\1"));          /* cut record */
    assert_refused(B("\x10\x03"));              /* not packed */
    assert_refused(B("\x0a\x01\x01"));          /* last_sent no varint */
    assert_refused(B("\x08"));
    assert_refused(B("\x0c"));
}

static void as_many_pending_as_allowed_are_taken_and_not_one_more(void **state)
{
    (void)state;
    struct runs runs;
    uint64_t last_sent;
    assert_true(decode(B("\x12\x04\3\2\4\1"), 3, &last_sent, &runs));
    assert_int_equal(runs.count, 2);
    assert_false(decode(B("\x12\x04\3\2\4\1"), 2, &last_sent, &runs));
    assert_false(decode(B("\x12\x02\3\1"), 0, &last_sent, &runs));
}

static void a_progress_of_a_later_version_is_read(void **state)
{
    (void)state;
    struct runs runs;
    uint64_t last_sent;
    /* field 3 is new; runs in two parts; touching runs */
    assert_true(decode(B("\x1a\1x\x08\x05\x12\2\3\2\x12\2\1\1"), MOST,
                       &last_sent, &runs));
    assert_int_equal(last_sent, 5);
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.first[1], 5);
}

/* What the Go server wrote: fields 1 to 11 only. */
static void a_stored_subscription_of_the_go_server_is_read(void **state)
{
    (void)state;
    struct subscription_record record;
    assert_true(subscription_record_decode(
        B("\x08\x07\x12\2me\x1a\3d:g\x22\2in\x2a\3ack\x30\x80\x08\x38\x1e"
          "\x42\1d\x48\x09\x50\x01\x58\x01"),
        &record));
    assert_int_equal(record.id, 7);
    assert_true(bytes_equal(record.client_id, B("me")));
    assert_true(bytes_equal(record.group, B("d:g")));
    assert_true(bytes_equal(record.inbox, B("in")));
    assert_true(bytes_equal(record.ack_inbox, B("ack")));
    assert_int_equal(record.max_in_flight, 1024);
    assert_int_equal(record.ack_wait_seconds, 30);
    assert_true(bytes_equal(record.durable_name, B("d")));
    assert_int_equal(record.last_sent, 9);
    assert_true(record.is_durable);
    assert_true(record.is_closed);
    assert_int_equal(record.saved_client_id.size, 0);
}

static void any_varint_but_0_is_true_in_a_record(void **state)
{
    (void)state;
    struct subscription_record record;
    assert_true(subscription_record_decode(
        B("\x50\x80\x80\x80\x80\x10\x58\x80\x00"), &record));
    assert_true(record.is_durable); /* 2^32 */
    assert_false(record.is_closed);
}

static void our_fields_have_number_20(void **state)
{
    (void)state;
    struct blob blob = {0};
    struct server_record server = {.ack_prefix = B("_INBOX.x\0y")};
    struct subscription_record subscription = {.saved_client_id = B("me")};
    assert_true(server_record_encode(&server, &blob));
    assert_true(bytes_equal(blob_bytes(&blob), B("\xa2\x01\x0a_INBOX.x\0y")));
    blob.size = 0;
    assert_true(subscription_record_encode(&subscription, &blob));
    assert_true(bytes_equal(blob_bytes(&blob), B("\xa2\x01\x02me")));
    blob_release(&blob);
}

/* The equality with protobuf-c on random records is in test_reference.c. */
static void damaged_records_are_refused(void **state)
{
    (void)state;
    struct server_record server;
    struct client_record client;
    struct subscription_record subscription;
    struct bytes cut = B("\x0a\x7fx");
    struct bytes number = B("\xa0\x01\x01"); /* field 20 is text */
    assert_false(server_record_decode(cut, &server));
    assert_false(server_record_decode(number, &server));
    assert_false(client_record_decode(cut, &client));
    assert_true(client_record_decode(number, &client)); /* unknown there */
    assert_false(subscription_record_decode(cut, &subscription));
    assert_false(subscription_record_decode(number, &subscription));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_written_as_gap_and_length_of_runs),
        cmocka_unit_test(an_empty_progress_is_an_empty_record),
        cmocka_unit_test(the_lowest_and_highest_sequences_survive),
        cmocka_unit_test(random_progress_comes_back_as_it_was),
        cmocka_unit_test(a_hostile_progress_is_refused),
        cmocka_unit_test(as_many_pending_as_allowed_are_taken_and_not_one_more),
        cmocka_unit_test(a_progress_of_a_later_version_is_read),
        cmocka_unit_test(a_stored_subscription_of_the_go_server_is_read),
        cmocka_unit_test(any_varint_but_0_is_true_in_a_record),
        cmocka_unit_test(our_fields_have_number_20),
        cmocka_unit_test(damaged_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
