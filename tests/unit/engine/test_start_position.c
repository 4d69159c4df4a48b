/* Where a new subscription begins (delivery.md section 4). */
#include "tests/unit/engine/engine_test.h"

enum {
    NEW_ONLY = START_POSITION_NEW_ONLY,
    LAST = START_POSITION_LAST_RECEIVED,
    DELTA = START_POSITION_TIME_DELTA,
    SEQUENCE = START_POSITION_SEQUENCE,
    FIRST = START_POSITION_FIRST,
};

/* E101, E102, E103, E109, E111 */
static void on_an_empty_channel_every_position_is_the_first_message(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "new");
    SUBSCRIBE(f, NULL, .inbox = "last", .position = LAST);
    SUBSCRIBE(f, NULL, .inbox = "first", .position = FIRST);
    SUBSCRIBE(f, NULL, .inbox = "ten", .position = SEQUENCE, .sequence = 10);
    SUBSCRIBE(f, NULL, .inbox = "delta", .position = DELTA, .delta = 5);
    SUBSCRIBE(f, NULL, .inbox = "future", .position = DELTA, .delta = -5);
    assert_true(fixture_log_has(f, "asked_seq=10 actual_seq=1"));
    fixture_advance_ms(f, 500);
    RECEIVED(f, "new", "");
    publish_many(f, 1);
    RECEIVED(f, "new", "1");
    RECEIVED(f, "last", "1");
    RECEIVED(f, "first", "1");
    RECEIVED(f, "ten", "1");
    RECEIVED(f, "delta", "1");
    RECEIVED(f, "future", "1");
    SUBSCRIBE(f, NULL, .inbox = "late");
    RECEIVED(f, "late", ""); /* E101 */
}

static struct fixture *with_11_to_20(int64_t max_age)
{
    struct fixture_options options = fixture_defaults;
    options.limits.global.max_messages = 10;
    options.limits.global.max_age = max_age;
    struct fixture *f = engine_test_begin(&options);
    publish_many(f, 20);
    return f;
}

/* E102, E103, E104, E105, E106, E110 and the table of section 4 */
static void a_position_outside_the_channel_is_brought_to_its_ends(void **s)
{
    static const struct {
        int position;
        uint64_t sequence;
        const char *first; /* "": the next one published, 21 */
    } cases[] = {
        {SEQUENCE, 0, "11"},        {SEQUENCE, 1, "11"},
        {SEQUENCE, 11, "11"},       {SEQUENCE, 14, "14"},
        {SEQUENCE, 20, "20"},       {SEQUENCE, 21, ""},
        {SEQUENCE, 25, ""},         {SEQUENCE, 1000000000, ""},
        {SEQUENCE, UINT64_MAX, ""}, {LAST, 0, "20"},
        {FIRST, 0, "11"},           {NEW_ONLY, 0, ""},
    };
    (void)s;
    struct fixture *f = with_11_to_20(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *inbox = fixture_text(f, "in.%zu", i);
        SUBSCRIBE(f, NULL, .inbox = inbox, .max_in_flight = 1,
                  .position = cases[i].position, .sequence = cases[i].sequence);
        RECEIVED(f, inbox, cases[i].first);
    }
    publish_many(f, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *inbox = fixture_text(f, "in.%zu", i);
        RECEIVED(f, inbox, cases[i].first[0] == '\0' ? "21" : "");
    }
    engine_test_end(f);
}

/* The table of section 4; E112 */
static void when_all_has_expired_every_position_is_the_next_message(void **s)
{
    (void)s;
    struct fixture *f = with_11_to_20(5 * CLOCK_SECOND);
    fixture_advance_ms(f, 5001);
    fixture_restart(f);
    SUBSCRIBE(f, NULL, .inbox = "new");
    SUBSCRIBE(f, NULL, .inbox = "last", .position = LAST);
    SUBSCRIBE(f, NULL, .inbox = "first", .position = FIRST);
    SUBSCRIBE(f, NULL, .inbox = "one", .position = SEQUENCE, .sequence = 1);
    SUBSCRIBE(f, NULL, .inbox = "late", .position = SEQUENCE, .sequence = 99);
    SUBSCRIBE(f, NULL, .inbox = "delta", .position = DELTA, .delta = INT64_MAX);
    publish_many(f, 1);
    RECEIVED(f, "new", "21");
    RECEIVED(f, "last", "21");
    RECEIVED(f, "first", "21");
    RECEIVED(f, "one", "21");
    RECEIVED(f, "late", "21");
    RECEIVED(f, "delta", "21");
    engine_test_end(f);
}

/* E107, E108, E111, E112 */
static void a_time_is_the_first_message_at_or_after_it(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    fixture_advance_ms(f, 1500);
    publish_many(f, 1);
    fixture_advance_ms(f, 1500);
    publish_many(f, 1); /* ages are now 3 s, 1.5 s, 0 */
    static const struct {
        int64_t delta; /* ms */
        const char *first;
    } cases[] = {{10000, "1"}, {3000, "1"}, {2999, "2"}, {1500, "2"},
                 {1499, "3"},  {0, "3"},    {-1, ""}};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            const char *inbox = fixture_text(f, "in.%d.%zu", round, i);
            SUBSCRIBE(f, NULL, .inbox = inbox, .max_in_flight = 1,
                      .position = DELTA,
                      .delta = cases[i].delta * CLOCK_MILLISECOND);
            RECEIVED(f, inbox, cases[i].first);
        }
        fixture_restart(f); /* the same out of a store */
    }
    SUBSCRIBE(f, NULL, .inbox = "min", .position = DELTA, .delta = INT64_MIN);
    SUBSCRIBE(f, NULL, .inbox = "max", .position = DELTA, .delta = INT64_MAX);
    RECEIVED(f, "min", "");
    RECEIVED(f, "max", "1 2 3");
}

/* E113 */
static void a_failed_look_into_the_store_refuses_the_subscription(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    fixture_advance_ms(f, 1000);
    publish_many(f, 1);
    f->store->fail_reads = 1;
    REFUSED(f, "disk is on fire", .position = DELTA,
            .delta = 500 * CLOCK_MILLISECOND);
    struct stored_channel *channel = engine_store_channel(f->store, "foo");
    assert_int_equal(table_count(channel->subscriptions), 0);
    SUBSCRIBE(f, NULL, .position = DELTA, .delta = 500 * CLOCK_MILLISECOND);
    RECEIVED(f, "in", "2");
}

/* What came before the request counts, whether it is stored yet or not. */
static void messages_on_their_way_to_the_store_come_before_new_only(void **s)
{
    struct fixture *f = *s;
    f->store->hold_commits = true;
    (void)client_send_publish(f, "me", "foo", "one");
    fixture_run(f);
    const char *reply =
        client_send_subscribe(f, &(struct subscribe_request){.inbox = "in"});
    fixture_run(f);
    (void)client_send_publish(f, "me", "foo", "two");
    fixture_run(f);
    engine_store_release(f->store);
    fixture_run(f);
    OK(client_error(f, reply, FIELD_SUBSCRIBED_ERROR));
    RECEIVED(f, "in", "2");
}

/* E114, E115 */
static void a_resumed_durable_goes_on_wherever_it_is_asked_to_start(void **s)
{
    struct fixture *f = *s;
    const char *const groups[] = {NULL, "group"};
    publish_many(f, 3);
    for (int i = 0; i < 2; i++) {
        const char *ack = NULL;
        SUBSCRIBE(f, &ack, .durable = "dur", .group = groups[i],
                  .max_in_flight = 2, .position = FIRST);
        RECEIVED(f, "in", "1 2");
        client_ack(f, ack, "foo", 1);
        RECEIVED(f, "in", "3");
        client_ack(f, ack, "foo", 2);
        OK(client_sub_close(f, "me", "foo", ack));
        SUBSCRIBE(f, &ack, .durable = "dur", .group = groups[i],
                  .position = SEQUENCE, .sequence = 95);
        RECEIVED(f, "in", "3r1");
        OK(client_sub_close(f, "me", "foo", ack));
        SUBSCRIBE(f, &ack, .durable = "dur", .group = groups[i],
                  .position = DELTA, .delta = -CLOCK_SECOND);
        RECEIVED(f, "in", "3r2");
        OK(client_unsubscribe(f, "me", "foo", ack));
    }
}

/* E116 */
static void a_further_member_of_a_group_takes_the_place_of_the_group(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 2);
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .position = FIRST,
              .max_in_flight = 1);
    RECEIVED(f, "a", "1");
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .position = SEQUENCE,
              .sequence = 50);
    RECEIVED(f, "b", "2");
    SUBSCRIBE(f, NULL, .inbox = "c", .group = "g", .position = FIRST);
    RECEIVED(f, "c", "");
    publish_many(f, 1);
    RECEIVED(f, "c", "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(on_an_empty_channel_every_position_is_the_first_message),
        cmocka_unit_test(a_position_outside_the_channel_is_brought_to_its_ends),
        cmocka_unit_test(
            when_all_has_expired_every_position_is_the_next_message),
        ENGINE_TEST(a_time_is_the_first_message_at_or_after_it),
        ENGINE_TEST(a_failed_look_into_the_store_refuses_the_subscription),
        ENGINE_TEST(messages_on_their_way_to_the_store_come_before_new_only),
        ENGINE_TEST(a_resumed_durable_goes_on_wherever_it_is_asked_to_start),
        ENGINE_TEST(a_further_member_of_a_group_takes_the_place_of_the_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
