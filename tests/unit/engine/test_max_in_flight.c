/* How much may be on its way, and who waits (delivery.md 5). */
#include "tests/unit/engine/engine_test.h"

enum { FIRST = START_POSITION_FIRST };

/* E117 */
static void no_more_than_max_in_flight_are_sent_before_an_ack(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .max_in_flight = 10);
    publish_many(f, 101);
    RECEIVED(f, "in", "1 2 3 4 5 6 7 8 9 10");
    for (uint64_t i = 1; i <= 101; i++)
        client_ack(f, ack, "foo", i);
    assert_int_equal(fixture_count(f, "in"), 101);
}

/* E118 */
static void the_next_comes_with_the_ack_and_is_not_flagged(void **s)
{
    struct fixture *f = *s;
    const char *const durables[] = {NULL, "dur"};
    for (int i = 0; i < 2; i++) {
        const char *ack = NULL;
        SUBSCRIBE(f, &ack, .max_in_flight = 1, .durable = durables[i],
                  .channel = durables[i] == NULL ? "foo" : "bar");
        const char *channel = durables[i] == NULL ? "foo" : "bar";
        OK(client_publish(f, "me", channel, "one"));
        OK(client_publish(f, "me", channel, "two"));
        fixture_advance_ms(f, 700);
        RECEIVED(f, "in", "1");
        client_ack(f, ack, channel, 1);
        RECEIVED(f, "in", "2");
    }
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .max_in_flight = 1);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .max_in_flight = 1);
    publish_many(f, 3);
    RECEIVED(f, "a", "3");
    RECEIVED(f, "b", "4");
}

/* E119, E178, E182 */
static void who_is_stalled_causes_no_look_into_the_store(void **s)
{
    struct fixture_options options = fixture_defaults;
    options.cache_size = 1;
    static char large[300000];
    memset(large, 'x', sizeof large - 1);
    (void)s;
    struct fixture *f = engine_test_begin(&options);
    const char *ack = NULL;
    SUBSCRIBE(f, NULL, .inbox = "plain", .max_in_flight = 1);
    SUBSCRIBE(f, &ack, .inbox = "a", .group = "g", .max_in_flight = 1);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .max_in_flight = 1);
    publish_many(f, 2);
    for (int i = 0; i < 5; i++)
        OK(client_publish(f, "me", "foo", large));
    assert_int_equal(f->store->read_count, 0);
    OK(client_sub_close(f, "me", "foo", ack)); /* E182 */
    assert_int_equal(f->store->read_count, 0);
    engine_test_end(f);
}

/* E120 */
static void a_stalled_one_still_gets_its_redeliveries(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "plain", .max_in_flight = 1, .ack_wait = 1);
    SUBSCRIBE(f, NULL, .inbox = "dur", .max_in_flight = 1, .ack_wait = 1,
              .durable = "dur");
    SUBSCRIBE(f, NULL, .inbox = "group", .max_in_flight = 1, .ack_wait = 1,
              .group = "g");
    publish_many(f, 2);
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "plain", "1 1r1");
    RECEIVED(f, "dur", "1 1r1");
    RECEIVED(f, "group", "1 1r1");
    fixture_restart(f);
    fixture_advance_ms(f, 500);
    RECEIVED(f, "plain", "1r1");
    RECEIVED(f, "dur", "1r1");
    RECEIVED(f, "group", "1r1");
}

/* E121 */
static void acks_after_a_restart_let_the_rest_go(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .max_in_flight = 2);
    publish_many(f, 10);
    RECEIVED(f, "in", "1 2");
    fixture_restart(f);
    RECEIVED(f, "in", "");
    client_ack(f, ack, "foo", 1);
    client_ack(f, ack, "foo", 2);
    RECEIVED(f, "in", "3 4");
    for (uint64_t i = 3; i <= 10; i++)
        client_ack(f, ack, "foo", i);
    RECEIVED(f, "in", "5 6 7 8 9 10");
}

/* E122: the ack was lost with the server, but there is room */
static void below_max_in_flight_nobody_is_stalled_after_a_restart(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .max_in_flight = 2);
    publish_many(f, 1);
    f->store->hold_commits = true;
    client_ack(f, ack, "foo", 1);
    fixture_crash(f, 0);
    publish_many(f, 1);
    RECEIVED(f, "in", "1 2");
}

/* E123, E124 */
static void a_durable_resumed_at_its_limit_goes_on(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur", .max_in_flight = 3, .ack_wait = 1);
    publish_many(f, 5);
    RECEIVED(f, "in", "1 2 3");
    OK(client_sub_close(f, "me", "foo", ack));
    SUBSCRIBE(f, &ack, .durable = "dur", .max_in_flight = 3, .ack_wait = 1);
    RECEIVED(f, "in", "1r1 2r1 3r1");
    fixture_advance_ms(f, 2000); /* E124: its timer runs */
    RECEIVED(f, "in", "1r2 2r2 3r2");
    for (uint64_t i = 1; i <= 5; i++)
        client_ack(f, ack, "foo", i);
    RECEIVED(f, "in", "4 5");
}

/* E126 */
static void a_gap_in_the_store_is_passed(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 10);
    engine_store_lose(engine_store_channel(f->store, "foo"), 3);
    fixture_restart(f); /* nothing is in the cache */
    SUBSCRIBE(f, NULL, .position = FIRST);
    SUBSCRIBE(f, NULL, .position = FIRST, .group = "g", .inbox = "group");
    SUBSCRIBE(f, NULL, .position = START_POSITION_SEQUENCE, .sequence = 3,
              .inbox = "at");
    RECEIVED(f, "in", "1 2 4 5 6 7 8 9 10");
    RECEIVED(f, "group", "1 2 4 5 6 7 8 9 10");
    RECEIVED(f, "at", "4 5 6 7 8 9 10");
}

/* E125, E127 */
static void a_subscriber_among_publishes_gets_each_message_once(void **s)
{
    struct fixture *f = *s;
    f->store->hold_commits = true;
    for (int i = 0; i < 6; i++) {
        (void)client_send_publish(f, "me", "foo", "hello");
        if (i == 3) {
            (void)client_send_subscribe(
                f, &(struct subscribe_request){.position = FIRST});
        }
        fixture_run(f);
        if (i % 2 == 1)
            (void)engine_store_release_commit(f->store);
        fixture_run(f);
    }
    engine_store_release(f->store);
    fixture_run(f);
    RECEIVED(f, "in", "1 2 3 4 5 6");
}

/* E128 */
static void nothing_goes_to_a_subscription_that_was_removed(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .ack_wait = 1);
    (void)client_send_publish(f, "me", "foo", "hello");
    (void)client_send_unsubscribe(f, INBOUND_UNSUBSCRIBE, "me", "foo", ack);
    fixture_run(f);
    fixture_advance_ms(f, 2000);
    assert_int_equal(fixture_count(f, "in"), 0);
}

/* While the connection is full nothing is sent, and nothing is lost. */
static void a_full_connection_holds_deliveries_back(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in");
    f->congested = true;
    publish_many(f, 3);
    RECEIVED(f, "in", "");
    f->congested = false;
    engine_drained(f->engine);
    RECEIVED(f, "in", "1 2 3");
}

/* 5.4, step 4 */
static void what_cannot_be_sent_is_tried_again_after_a_reconnect(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in");
    (void)client_send_publish(f, "me", "foo", "hello");
    fixture_cut(f);
    fixture_run(f);
    fixture_reconnect(f);
    RECEIVED(f, "in", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(no_more_than_max_in_flight_are_sent_before_an_ack),
        ENGINE_TEST(the_next_comes_with_the_ack_and_is_not_flagged),
        cmocka_unit_test(who_is_stalled_causes_no_look_into_the_store),
        ENGINE_TEST(a_stalled_one_still_gets_its_redeliveries),
        ENGINE_TEST(acks_after_a_restart_let_the_rest_go),
        ENGINE_TEST(below_max_in_flight_nobody_is_stalled_after_a_restart),
        ENGINE_TEST(a_durable_resumed_at_its_limit_goes_on),
        ENGINE_TEST(a_gap_in_the_store_is_passed),
        ENGINE_TEST(a_subscriber_among_publishes_gets_each_message_once),
        ENGINE_TEST(nothing_goes_to_a_subscription_that_was_removed),
        ENGINE_TEST(a_full_connection_holds_deliveries_back),
        ENGINE_TEST(what_cannot_be_sent_is_tried_again_after_a_reconnect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
