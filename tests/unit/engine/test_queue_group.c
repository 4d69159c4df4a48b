/* Queue groups: who gets a message, who comes and goes (delivery.md 10). */
#include "streamd/engine/core.h"
#include "tests/unit/engine/engine_test.h"

enum { FIRST = START_POSITION_FIRST };

static size_t records(const struct fixture *f)
{
    return table_count(engine_store_channel(f->store, "foo")->subscriptions);
}

/* 10.2 */
static void equal_members_take_turns(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g");
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g");
    SUBSCRIBE(f, NULL, .inbox = "c", .group = "g");
    publish_many(f, 6);
    RECEIVED(f, "a", "1 4");
    RECEIVED(f, "b", "2 5");
    RECEIVED(f, "c", "3 6");
}

/* 10.2: the head of the list moves to its end, also when nothing is pending */
static void members_that_ack_at_once_take_turns_too(void **s)
{
    struct fixture *f = *s;
    const char *acks[2] = {NULL, NULL};
    SUBSCRIBE(f, &acks[0], .inbox = "a", .group = "g");
    SUBSCRIBE(f, &acks[1], .inbox = "b", .group = "g");
    for (uint64_t i = 1; i <= 4; i++) {
        publish_many(f, 1);
        client_ack(f, acks[(i + 1) % 2], "foo", i);
    }
    RECEIVED(f, "a", "1 3");
    RECEIVED(f, "b", "2 4");
}

/* 10.2 */
static void the_member_with_the_fewest_pending_is_chosen(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g");
    publish_many(f, 3);
    SUBSCRIBE(f, &ack, .inbox = "b", .group = "g");
    publish_many(f, 2);
    RECEIVED(f, "a", "1 2 3");
    RECEIVED(f, "b", "4 5");
    client_ack(f, ack, "foo", 4);
    publish_many(f, 1);
    RECEIVED(f, "b", "6");
}

/* E165 */
static void a_lone_member_gets_all(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .group = "g", .max_in_flight = 5);
    publish_many(f, 100);
    for (uint64_t i = 1; i <= 100; i++)
        client_ack(f, ack, "foo", i);
    assert_int_equal(fixture_count(f, "in"), 100);
}

/* E166 */
static void a_group_without_members_is_forgotten(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 2);
    for (int i = 0; i < 2; i++) {
        const char *ack = NULL;
        OK(client_connect(f, "you"));
        SUBSCRIBE(f, &ack, .client = "you", .group = "g", .position = FIRST);
        RECEIVED(f, "in", "1 2");
        OK(i == 0 ? client_close(f, "you")
                  : client_unsubscribe(f, "you", "foo", ack));
    }
    assert_int_equal(records(f), 0);
}

/* E167 */
static void a_durable_group_outlives_its_members(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .group = "g", .durable = "dur", .inbox = "old");
    publish_many(f, 1);
    client_ack(f, ack, "foo", 1);
    OK(client_connect(f, "you"));
    OK(client_close(f, "me"));
    assert_int_equal(records(f), 1);
    OK(client_connect(f, "me"));
    publish_many(f, 1);
    SUBSCRIBE(f, &ack, .client = "you", .group = "g", .durable = "dur",
              .position = FIRST);
    RECEIVED(f, "in", "2");
    OK(client_unsubscribe(f, "you", "foo", ack));
    assert_int_equal(records(f), 0);
}

/* E168, E56: and the channel is there */
static void a_durable_name_with_a_colon_is_refused_in_a_group(void **s)
{
    struct fixture *f = *s;
    REFUSED(f,
            "stan: durable name of a durable queue subscriber can't contain "
            "the character ':'",
            .group = "g", .durable = "dur:name");
    assert_non_null(engine_store_channel(f->store, "foo"));
}

/* E169, 10.1 */
static void durable_and_plain_groups_of_one_name_are_two(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .group = "g", .inbox = "plain");
    SUBSCRIBE(f, NULL, .group = "g", .durable = "dur", .inbox = "durable");
    SUBSCRIBE(f, NULL, .group = "dur:g", .inbox = "literal");
    publish_many(f, 1);
    RECEIVED(f, "plain", "1");
    RECEIVED(f, "durable", "1");
    RECEIVED(f, "literal", "1");
    OK(client_close(f, "me"));
    assert_int_equal(records(f), 1);
}

/* E170, E171: 100 ms, whatever the ack waits are */
static void what_a_leaving_member_had_goes_to_the_others_soon(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "a", .group = "g", .ack_wait = 60);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .ack_wait = 60);
    publish_many(f, 1);
    RECEIVED(f, "a", "1");
    OK(client_unsubscribe(f, "me", "foo", ack));
    RECEIVED(f, "b", "");
    fixture_advance_ms(f, 99);
    RECEIVED(f, "b", "");
    fixture_advance_ms(f, 1);
    RECEIVED(f, "b", "1r1");
}

/* E172 */
static void a_full_member_takes_what_a_leaving_one_had(void **s)
{
    struct fixture *f = *s;
    for (int i = 0; i < 2; i++) {
        const char *acks[2] = {NULL, NULL};
        const char *group = i == 0 ? "g" : "h";
        SUBSCRIBE(f, &acks[0], .inbox = "a", .group = group, .max_in_flight = 1,
                  .ack_wait = 60);
        SUBSCRIBE(f, &acks[1], .inbox = "b", .group = group, .max_in_flight = 1,
                  .ack_wait = 60);
        publish_many(f, 2);
        (void)fixture_received(f, "a");
        (void)fixture_received(f, "b");
        OK(client_sub_close(f, "me", "foo", acks[i]));
        fixture_advance_ms(f, 100);
        RECEIVED(f, i == 0 ? "b" : "a", i == 0 ? "1r1" : "4r1");
        OK(client_sub_close(f, "me", "foo", acks[1 - i]));
    }
}

/* E185 */
static void a_hundred_messages_move_with_their_member(void **s)
{
    struct fixture *f = *s;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .group = "g", .durable = "dur", .inbox = "a");
    publish_many(f, 100);
    SUBSCRIBE(f, NULL, .client = "you", .group = "g", .durable = "dur",
              .inbox = "b");
    SUBSCRIBE(f, NULL, .client = "you", .group = "g", .durable = "dur",
              .inbox = "c");
    OK(client_close(f, "me"));
    fixture_advance_ms(f, 200);
    assert_int_equal(fixture_count(f, "b") + fixture_count(f, "c"), 100);
}

/* E173: the position of the group stays with who remains */
static void the_place_of_a_group_does_not_leave_with_a_member(void **s)
{
    struct fixture *f = *s;
    const char *one = NULL;
    const char *two = NULL;
    SUBSCRIBE(f, &one, .inbox = "a", .group = "g");
    SUBSCRIBE(f, &two, .inbox = "b", .group = "g");
    publish_many(f, 2);
    client_ack(f, one, "foo", 1);
    client_ack(f, two, "foo", 2);
    OK(client_unsubscribe(f, "me", "foo", two));
    fixture_crash(f, 0);
    publish_many(f, 1);
    RECEIVED(f, "a", "1 3");
}

/* E177 */
static void one_stalled_member_does_not_hold_up_the_others(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .max_in_flight = 1);
    publish_many(f, 1);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g");
    publish_many(f, 5);
    RECEIVED(f, "a", "1");
    RECEIVED(f, "b", "2 3 4 5 6");
}

/* A redelivery filled the member that is chosen: the other one has room. */
static void a_member_filled_by_redelivery_does_not_hold_up_the_others(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "a", .group = "g", .ack_wait = 1);
    publish_many(f, 3);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .max_in_flight = 2,
              .ack_wait = 60);
    fixture_advance_ms(f, 1000); /* 1 and 2 move to b, which is now full */
    client_ack(f, ack, "foo", 3);
    (void)fixture_received(f, "a");
    publish_many(f, 3);
    RECEIVED(f, "a", "4 5 6");
}

/* E178 */
static void a_new_member_ends_the_stall_of_a_group(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .max_in_flight = 1);
    publish_many(f, 6);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .max_in_flight = 3);
    RECEIVED(f, "a", "1");
    RECEIVED(f, "b", "2 3 4");
    size_t reads = f->store->read_count;
    publish_many(f, 2);
    RECEIVED(f, "b", "");
    assert_int_equal(f->store->read_count, reads);
}

/* E181 */
static void a_stalled_member_that_leaves_takes_its_stall_along(void **s)
{
    struct fixture *f = *s;
    const char *one = NULL;
    const char *two = NULL;
    SUBSCRIBE(f, &one, .inbox = "a", .group = "g", .max_in_flight = 5);
    publish_many(f, 20);
    SUBSCRIBE(f, &two, .inbox = "b", .group = "g");
    OK(client_unsubscribe(f, "me", "foo", one));
    fixture_advance_ms(f, 100);
    assert_int_equal(fixture_count(f, "b"), 20);
    publish_many(f, 1);
    assert_int_equal(fixture_count(f, "b"), 21);
}

/* E180: neither in the set of timers nor in a redelivery; the last member of a
 * durable group stays as its shadow, which has none. */
static void the_timer_of_a_member_ends_with_it(void **s)
{
    struct fixture *f = *s;
    const char *const durables[] = {NULL, "dur"};
    for (int i = 0; i < 2; i++) {
        const char *one = NULL;
        const char *two = NULL;
        size_t timers = f->engine->timers.count;
        SUBSCRIBE(f, &one, .inbox = "a", .group = "g", .durable = durables[i],
                  .ack_wait = 1);
        SUBSCRIBE(f, &two, .inbox = "b", .group = "g", .durable = durables[i],
                  .ack_wait = 1);
        publish_many(f, 2);
        assert_int_equal(f->engine->timers.count, timers + 2);
        /* as from inside the callback: its message is not acked */
        OK(client_unsubscribe(f, "me", "foo", one));
        assert_int_equal(f->engine->timers.count, timers + 1);
        fixture_advance_ms(f, 3000);
        assert_int_equal(fixture_count(f, "a"), 1);
        assert_true(fixture_count(f, "b") > 1);
        OK(client_sub_close(f, "me", "foo", two));
        assert_int_equal(f->engine->timers.count, timers);
        size_t count = fixture_count(f, "b");
        fixture_advance_ms(f, 5000);
        assert_int_equal(fixture_count(f, "b"), count);
        fixture_clear(f);
    }
}

/* Nobody can be reached at its inbox: the others get all. */
static void
a_member_without_a_usable_inbox_does_not_hold_up_the_others(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "not a subject", .group = "g");
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .ack_wait = 1);
    SUBSCRIBE(f, NULL, .inbox = "*", .group = "g");
    publish_many(f, 3);
    RECEIVED(f, "a", "1 2 3");
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "a", "1r1 2r1 3r1");
}

/* E184, E115, 10.6 */
static void a_durable_group_is_rejoined_where_it_was(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .group = "g", .durable = "dur", .inbox = "old");
    publish_many(f, 1);
    OK(client_close(f, "me"));
    fixture_restart(f);
    OK(client_connect(f, "me"));
    publish_many(f, 1);
    RECEIVED(f, "old", "1");
    SUBSCRIBE(f, NULL, .group = "g", .durable = "dur", .position = FIRST);
    RECEIVED(f, "in", "1r1 2");
}

/* E187 */
static void what_a_limit_took_from_a_stalled_group_is_gone(void **s)
{
    struct fixture_options options = fixture_defaults;
    options.limits.global.max_messages = 3;
    (void)s;
    struct fixture *f = engine_test_begin(&options);
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .max_in_flight = 1);
    publish_many(f, 5);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g");
    RECEIVED(f, "a", "1");
    RECEIVED(f, "b", "3 4 5");
    engine_test_end(f);
}

/* E226, 15 */
static void a_member_that_misses_heartbeats_is_the_last_choice(void **s)
{
    struct fixture *f = *s;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .ack_wait = 60);
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "b", .group = "g",
              .ack_wait = 60);
    fixture_set_dead(f, "hb.you", true);
    fixture_advance_ms(f, 40001);
    publish_many(f, 3);
    RECEIVED(f, "a", "1 2 3");
    RECEIVED(f, "b", "");
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 40001);
    publish_many(f, 2);
    size_t count = fixture_count(f, "a") + fixture_count(f, "b");
    assert_true(count >= 5); /* nothing is dropped */
}

/* E147 */
static void what_a_dead_member_had_is_redelivered_to_a_live_one(void **s)
{
    struct fixture *f = *s;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "dead", .group = "g",
              .ack_wait = 50);
    publish_many(f, 2);
    RECEIVED(f, "dead", "1 2");
    SUBSCRIBE(f, NULL, .inbox = "live", .group = "g", .ack_wait = 50);
    fixture_set_dead(f, "hb.you", true);
    fixture_advance_ms(f, 50000);
    RECEIVED(f, "live", "1r1 2r1");
}

/* E227 */
static void a_group_with_a_member_on_hold_waits_and_skips_nothing(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .group = "g", .durable = "dur", .inbox = "old");
    publish_many(f, 2);
    OK(client_sub_close(f, "me", "foo", ack));
    f->store->hold_commits = true;
    (void)client_send_subscribe(f, &(struct subscribe_request){.group = "g",
                                                               .durable = "dur",
                                                               .inbox = "a"});
    (void)client_send_publish(f, "me", "foo", "3");
    fixture_run(f);
    RECEIVED(f, "a", "");
    engine_store_release(f->store);
    fixture_run(f);
    RECEIVED(f, "a", "1r1 2r1 3");
}

/* E186 */
static void a_group_that_vanished_gets_all_when_it_comes_back(void **s)
{
    struct fixture *f = *s;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .durable = "dur",
              .max_in_flight = 1, .ack_wait = 60);
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "b", .group = "g",
              .durable = "dur", .max_in_flight = 1, .ack_wait = 60);
    publish_many(f, 20);
    OK(client_connect(f, "publisher"));
    f->no_responders = true;
    fixture_set_dead(f, "hb.me", true);
    fixture_set_dead(f, "hb.you", true);
    OK(client_connect(f, "me"));
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .inbox = "in", .group = "g", .durable = "dur",
              .ack_wait = 60);
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "in", .group = "g",
              .durable = "dur", .ack_wait = 60);
    fixture_advance_ms(f, 5000);
    assert_int_equal(fixture_count(f, "in"), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(equal_members_take_turns),
        ENGINE_TEST(members_that_ack_at_once_take_turns_too),
        ENGINE_TEST(the_member_with_the_fewest_pending_is_chosen),
        ENGINE_TEST(a_lone_member_gets_all),
        ENGINE_TEST(a_group_without_members_is_forgotten),
        ENGINE_TEST(a_durable_group_outlives_its_members),
        ENGINE_TEST(a_durable_name_with_a_colon_is_refused_in_a_group),
        ENGINE_TEST(durable_and_plain_groups_of_one_name_are_two),
        ENGINE_TEST(what_a_leaving_member_had_goes_to_the_others_soon),
        ENGINE_TEST(a_full_member_takes_what_a_leaving_one_had),
        ENGINE_TEST(a_hundred_messages_move_with_their_member),
        ENGINE_TEST(the_place_of_a_group_does_not_leave_with_a_member),
        ENGINE_TEST(one_stalled_member_does_not_hold_up_the_others),
        ENGINE_TEST(a_member_filled_by_redelivery_does_not_hold_up_the_others),
        ENGINE_TEST(a_new_member_ends_the_stall_of_a_group),
        ENGINE_TEST(a_stalled_member_that_leaves_takes_its_stall_along),
        ENGINE_TEST(the_timer_of_a_member_ends_with_it),
        ENGINE_TEST(
            a_member_without_a_usable_inbox_does_not_hold_up_the_others),
        ENGINE_TEST(a_durable_group_is_rejoined_where_it_was),
        cmocka_unit_test(what_a_limit_took_from_a_stalled_group_is_gone),
        ENGINE_TEST(a_member_that_misses_heartbeats_is_the_last_choice),
        ENGINE_TEST(what_a_dead_member_had_is_redelivered_to_a_live_one),
        ENGINE_TEST(a_group_with_a_member_on_hold_waits_and_skips_nothing),
        ENGINE_TEST(a_group_that_vanished_gets_all_when_it_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
