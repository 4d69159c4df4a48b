/* The cache of messages: what it keeps, what it drops, and that it never gives
 * out the wrong bytes. */
#include "streamd/engine/cache.h"

#include "tests/unit/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <string.h>

enum { LARGE = 40 << 10, CHANNELS = 5, MOST = 3000 };
#define CHUNK INT64_C(262144) /* as in cache.c */

/* A message of `size` bytes that tells whose it is. */
static struct slice put(struct cache *cache, struct channel_cache *channel,
                        uint64_t id, uint64_t sequence, size_t size)
{
    struct slice slice;
    assert_int_equal(cache_reserve(cache, size, &slice, NULL), STATUS_OK);
    memset(slice.buffer->data + slice.offset,
           (int)((id * 31 + sequence * 7) & 0xff), size);
    assert_int_equal(cache_append(cache, channel, sequence, slice, NULL),
                     STATUS_OK);
    return slice;
}

static void check_bytes(struct bytes message, uint64_t id, uint64_t sequence)
{
    for (size_t i = 0; i < message.size; i++)
        assert_int_equal(message.data[i], (id * 31 + sequence * 7) & 0xff);
}

static bool has(struct cache *cache, struct channel_cache *channel,
                uint64_t sequence)
{
    uint64_t found = 0;
    struct bytes message;
    return cache_find(cache, channel, sequence, &found, &message) &&
           found == sequence;
}

static void a_budget_of_one_byte_keeps_the_newest_chunk(void **state)
{
    (void)state;
    struct cache cache;
    struct channel_cache one;
    struct channel_cache two;
    cache_init(&cache, 1);
    channel_cache_init(&one);
    channel_cache_init(&two);
    (void)put(&cache, &one, 1, 1, LARGE);
    assert_true(has(&cache, &one, 1));
    (void)put(&cache, &two, 2, 1, LARGE);
    assert_false(has(&cache, &one, 1));
    assert_true(has(&cache, &two, 1));
    (void)put(&cache, &one, 1, 2, 10);
    assert_true(has(&cache, &one, 2));
    assert_false(has(&cache, &two, 1));
    channel_cache_release(&cache, &one);
    channel_cache_release(&cache, &two);
    cache_release(&cache);
}

static void the_oldest_messages_go_first(void **state)
{
    (void)state;
    struct cache cache;
    struct channel_cache channel;
    cache_init(&cache, 4 * CHUNK);
    channel_cache_init(&channel);
    for (uint64_t s = 1; s <= 5000; s++)
        (void)put(&cache, &channel, 1, s, 1000);
    assert_true(cache.chunk_bytes <= 3 * CHUNK);
    uint64_t first = 1;
    while (!has(&cache, &channel, first))
        first++;
    assert_in_range(5000 - first, 500, 800);
    for (uint64_t s = first; s <= 5000; s++)
        assert_true(has(&cache, &channel, s));
    assert_false(has(&cache, &channel, 5001));
    channel_cache_release(&cache, &channel);
    cache_release(&cache);
}

static void what_is_dropped_at_either_end_is_not_found(void **state)
{
    (void)state;
    struct cache cache;
    struct channel_cache channel;
    cache_init(&cache, CHUNK);
    channel_cache_init(&channel);
    for (uint64_t s = 1; s <= 20; s++)
        (void)put(&cache, &channel, 1, s, 10);
    cache_drop_below(&channel, 5);
    cache_drop_above(&channel, 15);
    assert_false(has(&cache, &channel, 4));
    assert_true(has(&cache, &channel, 5));
    assert_true(has(&cache, &channel, 15));
    assert_false(has(&cache, &channel, 16));
    (void)put(&cache, &channel, 1, 16, 20); /* the sequence is used again */
    assert_true(has(&cache, &channel, 16));
    cache_drop_below(&channel, 100);
    assert_false(has(&cache, &channel, 16));
    (void)put(&cache, &channel, 1, 100, 10);
    assert_true(has(&cache, &channel, 100));
    channel_cache_release(&cache, &channel);
    cache_release(&cache);
}

static struct run *run_of(uint64_t id, const uint64_t *sequences, size_t count,
                          size_t size)
{
    struct run *run = run_new(count);
    assert_non_null(run);
    run->count = count;
    for (size_t i = 0; i < count; i++) {
        struct buffer *buffer = buffer_new(size);
        assert_non_null(buffer);
        memset(buffer->data, (int)((id * 31 + sequences[i] * 7) & 0xff), size);
        run->entries[i] = (struct run_entry){
            .sequence = sequences[i],
            .message = {.buffer = buffer, .size = (uint32_t)size}};
    }
    return run;
}

/* 3 and 6 are missing: the read says so by what it found instead. */
static void a_run_knows_its_gaps_and_no_more_than_was_read(void **state)
{
    (void)state;
    static const uint64_t sequences[] = {4, 5, 7, 8};
    struct cache cache;
    struct channel_cache channel;
    uint64_t found = 0;
    struct bytes message;
    cache_init(&cache, CHUNK);
    channel_cache_init(&channel);
    cache_add_run(&cache, &channel, 3, run_of(1, sequences, 4, 10));
    assert_false(cache_find(&cache, &channel, 2, &found, &message));
    assert_true(cache_find(&cache, &channel, 3, &found, &message));
    assert_int_equal(found, 4);
    assert_true(cache_find(&cache, &channel, 6, &found, &message));
    assert_int_equal(found, 7);
    check_bytes(message, 1, 7);
    assert_true(has(&cache, &channel, 8));
    assert_false(cache_find(&cache, &channel, 9, &found, &message));
    channel_cache_release(&cache, &channel);
    cache_release(&cache);
}

static void runs_over_their_share_go_the_least_used_first(void **state)
{
    (void)state;
    struct cache cache;
    struct channel_cache channel;
    cache_init(&cache, 40000); /* 10000 for runs */
    channel_cache_init(&channel);
    for (uint64_t s = 1; s <= 3; s++)
        cache_add_run(&cache, &channel, s, run_of(1, &s, 1, 4000));
    assert_true(has(&cache, &channel, 1)); /* used: not the next to go */
    cache_trim_runs(&cache);
    assert_true(has(&cache, &channel, 1));
    assert_false(has(&cache, &channel, 2));
    assert_true(has(&cache, &channel, 3));
    assert_true(cache.run_bytes <= 10000);
    channel_cache_release(&cache, &channel);
    assert_int_equal(cache.run_bytes, 0);
    cache_release(&cache);
}

/* What a batch still needs is not freed with its chunk. */
static void a_slice_outlives_the_cache_by_its_reference(void **state)
{
    (void)state;
    struct cache cache;
    struct channel_cache channel;
    cache_init(&cache, 1);
    channel_cache_init(&channel);
    struct slice kept = put(&cache, &channel, 1, 1, 100);
    (void)buffer_ref(kept.buffer);
    (void)put(&cache, &channel, 1, 2, CHUNK);
    channel_cache_release(&cache, &channel);
    cache_release(&cache);
    check_bytes(slice_bytes(kept), 1, 1);
    buffer_unref(kept.buffer);
}

/* Channels come and go, ends are dropped: what is found is always right. */
static void it_never_gives_out_the_wrong_bytes(void **state)
{
    (void)state;
    struct cache cache;
    struct channel_cache channels[CHANNELS];
    uint64_t last[CHANNELS] = {0};
    uint64_t first[CHANNELS];
    struct random random;
    random_init(&random);
    cache_init(&cache, 3 * CHUNK);
    for (int i = 0; i < CHANNELS; i++) {
        channel_cache_init(&channels[i]);
        first[i] = 1;
    }
    for (int step = 0; step < 50000; step++) {
        uint64_t i = random_below(&random, CHANNELS);
        uint64_t choice = random_below(&random, 1000);
        if (choice < 500 && last[i] < MOST) {
            (void)put(&cache, &channels[i], i, ++last[i],
                      1 + random_below(&random, choice < 5 ? LARGE : 2000));
        } else if (choice < 505) {
            first[i] += random_below(&random, last[i] - first[i] + 2);
            cache_drop_below(&channels[i], first[i]);
        } else if (choice < 510 && last[i] >= first[i]) {
            last[i] -= random_below(&random, last[i] - first[i] + 1);
            cache_drop_above(&channels[i], last[i]);
        } else if (choice < 512) {
            channel_cache_release(&cache, &channels[i]);
            last[i] = 0;
            first[i] = 1;
        } else {
            uint64_t sequence = random_below(&random, MOST + 1);
            uint64_t found = 0;
            struct bytes message;
            if (!cache_find(&cache, &channels[i], sequence, &found, &message))
                continue;
            assert_in_range(found, first[i], last[i]);
            check_bytes(message, i, found);
        }
        assert_true(cache.chunk_bytes <= 3 * CHUNK + LARGE);
    }
    for (int i = 0; i < CHANNELS; i++)
        channel_cache_release(&cache, &channels[i]);
    cache_release(&cache);
}

static void a_message_too_large_to_count_is_refused(void **state)
{
    (void)state;
    struct cache cache;
    struct slice slice;
    cache_init(&cache, CHUNK);
    assert_int_equal(
        cache_reserve(&cache, (size_t)UINT32_MAX + 1, &slice, NULL),
        STATUS_TOO_BIG);
    cache_release(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_of_one_byte_keeps_the_newest_chunk),
        cmocka_unit_test(the_oldest_messages_go_first),
        cmocka_unit_test(what_is_dropped_at_either_end_is_not_found),
        cmocka_unit_test(a_run_knows_its_gaps_and_no_more_than_was_read),
        cmocka_unit_test(runs_over_their_share_go_the_least_used_first),
        cmocka_unit_test(a_slice_outlives_the_cache_by_its_reference),
        cmocka_unit_test(it_never_gives_out_the_wrong_bytes),
        cmocka_unit_test(a_message_too_large_to_count_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
