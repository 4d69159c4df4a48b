/* When a message comes again, and what it says of itself (delivery.md 7, 8). */
#include "streamd/engine/channel.h"
#include "streamd/engine/core.h"
#include "streamd/engine/subscription.h"
#include "tests/unit/engine/engine_test.h"

enum { FIRST = START_POSITION_FIRST };

/* A cache that keeps next to nothing, so that redelivery reads the store. */
static struct fixture *with_a_tiny_cache(void)
{
    struct fixture_options options = fixture_defaults;
    options.cache_size = 1;
    return engine_test_begin(&options);
}

/* A message that has a chunk of its own: it pushes what is older out. */
static void push_out(struct fixture *f)
{
    static char large[300000];
    memset(large, 'x', sizeof large - 1);
    OK(client_publish(f, "me", "other", large));
}

/* E136, E141 */
static void each_message_comes_again_after_its_own_ack_wait(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    publish_many(f, 1);
    fixture_advance_ms(f, 100);
    publish_many(f, 1);
    RECEIVED(f, "in", "1 2");
    fixture_advance_ms(f, 899);
    RECEIVED(f, "in", "");
    fixture_advance_ms(f, 1);
    RECEIVED(f, "in", "1r1");
    fixture_advance_ms(f, 100);
    RECEIVED(f, "in", "2r1");
    fixture_advance_ms(f, 2000);
    RECEIVED(f, "in", "1r2 2r2 1r3 2r3");
}

/* E137: each interval is between 0.5 and 1.7 of the ack wait, over four
 * redeliveries of five messages, for a plain subscription and a group of two.
 */
static void redeliveries_keep_the_pace(void **s)
{
    enum { MESSAGES = 5, TIMES = 5 };
    const int64_t STEP = 10, WAIT = 1000;
    struct fixture *f = *s;
    int64_t last[2][MESSAGES + 1] = {{0}};
    int times[2][MESSAGES + 1] = {{0}};
    SUBSCRIBE(f, NULL, .inbox = "p", .ack_wait = 1);
    SUBSCRIBE(f, NULL, .inbox = "g", .group = "g", .ack_wait = 1);
    SUBSCRIBE(f, NULL, .inbox = "g", .group = "g", .ack_wait = 1);
    for (int64_t now = 0; now < 15 * WAIT; now += STEP) {
        if (now % (WAIT * 4 / 3 / STEP * STEP) == 0 && now < 6 * WAIT)
            publish_many(f, 1); /* 20 ms for an ack wait of 15 */
        fixture_advance_ms(f, STEP);
        for (int i = 0; i < 2; i++) {
            const struct sent *sent;
            while ((sent = fixture_take(f, i == 0 ? "p" : "g")) != NULL) {
                uint64_t n =
                    field_number_of(sent->data, FIELD_MESSAGE_SEQUENCE);
                assert_in_range(n, 1, MESSAGES);
                if (times[i][n]++ > 0)
                    assert_in_range(now - last[i][n], WAIT / 2, WAIT * 17 / 10);
                last[i][n] = now;
            }
        }
    }
    for (int i = 0; i < 2; i++) {
        for (int n = 1; n <= MESSAGES; n++)
            assert_true(times[i][n] >= TIMES);
    }
}

/* E137, section 18: what is due within 15 ms goes in the same pass */
static void messages_due_within_the_slack_share_a_pass(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    publish_many(f, 1);
    fixture_advance_ms(f, 15);
    publish_many(f, 1);
    fixture_advance_ms(f, 1);
    publish_many(f, 1);
    RECEIVED(f, "in", "1 2 3");
    fixture_advance_ms(f, 984);
    RECEIVED(f, "in", "1r1 2r1");
    fixture_advance_ms(f, 16);
    RECEIVED(f, "in", "3r1");
}

/* 8.3: += ack wait, not now + ack wait */
static void the_next_wait_is_counted_from_the_end_of_the_last(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    publish_many(f, 1);
    f->monotonic += 1400 * CLOCK_MILLISECOND; /* the server was held up */
    f->wall += 1400 * CLOCK_MILLISECOND;
    fixture_run(f);
    RECEIVED(f, "in", "1 1r1");
    fixture_advance_ms(f, 599);
    RECEIVED(f, "in", "");
    fixture_advance_ms(f, 1);
    RECEIVED(f, "in", "1r2");
}

/* 8.2, 5: not a burst of all the waits that were missed */
static void an_expiration_in_the_past_is_paced_by_the_ack_wait(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    publish_many(f, 1);
    f->monotonic += 5 * CLOCK_SECOND;
    f->wall += 5 * CLOCK_SECOND;
    fixture_run(f);
    RECEIVED(f, "in", "1 1r1");
    fixture_advance_ms(f, 999);
    RECEIVED(f, "in", "");
    fixture_advance_ms(f, 1);
    RECEIVED(f, "in", "1r2");
}

/* E130 */
static void the_timer_ends_when_nothing_is_pending(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .ack_wait = 1);
    publish_many(f, 2);
    client_ack(f, ack, "foo", 1);
    client_ack(f, ack, "foo", 2);
    fixture_advance_ms(f, 1000);
    const struct channel *channel = channel_find(f->engine, bytes_text("foo"));
    const struct subscription *subscription = subscription_find(channel, 1);
    assert_false(timer_is_set(&subscription->ack_timer));
    RECEIVED(f, "in", "1 2");
}

/* E138 */
static void a_message_dropped_by_a_limit_is_not_redelivered(void **s)
{
    struct fixture_options options = fixture_defaults;
    options.limits.global.max_messages = 3;
    (void)s;
    struct fixture *f = engine_test_begin(&options);
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    publish_many(f, 4);
    RECEIVED(f, "in", "1 2 3 4");
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "in", "2r1 3r1 4r1");
    engine_test_end(f);
}

/* E139 */
static void redelivery_goes_only_to_who_did_not_ack(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, NULL, .inbox = "silent", .ack_wait = 1);
    SUBSCRIBE(f, &ack, .inbox = "good", .ack_wait = 1);
    publish_many(f, 1);
    client_ack(f, ack, "foo", 1);
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "silent", "1 1r1");
    RECEIVED(f, "good", "1");
    SUBSCRIBE(f, NULL, .inbox = "late", .position = FIRST);
    RECEIVED(f, "late", "1");
}

/* E140, E141 */
static void counts_begin_anew_after_a_restart_and_are_not_stored(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    publish_many(f, 1);
    fixture_advance_ms(f, 3000);
    RECEIVED(f, "in", "1 1r1 1r2 1r3");
    fixture_restart(f);
    RECEIVED(f, "in", "1r1");
    SUBSCRIBE(f, NULL, .inbox = "late", .position = FIRST);
    RECEIVED(f, "late", "1");
}

/* Section 7 */
static void a_count_that_wraps_skips_0(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    publish_many(f, 1);
    const struct channel *channel = channel_find(f->engine, bytes_text("foo"));
    pending_find(&subscription_find(channel, 1)->pending, 1)->redelivery =
        UINT32_MAX - 1;
    fixture_advance_ms(f, 2000);
    RECEIVED(f, "in", "1 1r4294967295 1r1");
}

/* E142 */
static void a_group_counts_over_its_members_and_forgets_with_the_ack(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "a", .group = "g", .ack_wait = 1);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .ack_wait = 1);
    publish_many(f, 1);
    fixture_advance_ms(f, 5000);
    const char *a = fixture_received(f, "a");
    const char *b = fixture_received(f, "b");
    const char *const counts[] = {"1", "1r1", "1r2", "1r3", "1r4", "1r5"};
    for (size_t i = 0; i < 6; i++) {
        assert_true((strstr(a, counts[i]) != NULL) ||
                    (strstr(b, counts[i]) != NULL));
    }
    assert_true(a[0] != '\0' && b[0] != '\0');
    client_ack(f, ack, "foo", 1); /* whoever has it (E131) */
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "a", "");
    RECEIVED(f, "b", "");
}

/* E143 */
static void a_read_error_keeps_the_message_pending(void **s)
{
    (void)s;
    struct fixture *f = with_a_tiny_cache();
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    publish_many(f, 1);
    push_out(f);
    RECEIVED(f, "in", "1");
    f->store->fail_reads = 1;
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "in", "");
    assert_true(fixture_log_has(f, "disk is on fire"));
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "in", "1r1");
    engine_test_end(f);
}

/* E132 */
static void an_ack_during_the_pass_is_in_time(void **s)
{
    (void)s;
    struct fixture *f = with_a_tiny_cache();
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .ack_wait = 1);
    publish_many(f, 2);
    push_out(f);
    f->store->hold_reads = true;
    fixture_advance_ms(f, 1000);
    client_ack(f, ack, "foo", 1);
    engine_store_release(f->store);
    fixture_run(f);
    RECEIVED(f, "in", "1 2 2r1");
    engine_test_end(f);
}

/* E144, E222 */
static void a_subscription_may_end_while_its_redelivery_reads(void **s)
{
    (void)s;
    struct fixture *f = with_a_tiny_cache();
    const char *ack = NULL;
    publish_many(f, 1);
    for (size_t i = 1; i <= 100; i++) {
        bool failing = i % 2 == 0;
        SUBSCRIBE(f, &ack, .ack_wait = 1, .position = FIRST,
                  .group = i % 3 == 0 ? "g" : NULL);
        RECEIVED(f, "in", "1");
        push_out(f);
        f->store->hold_reads = true;
        size_t reads = f->store->read_count;
        fixture_advance_ms(f, 1000);
        assert_int_equal(f->store->read_count, reads + 1);
        if (failing) { /* with a failed heartbeat: the pass goes on */
            fixture_set_dead(f, "hb.me", true);
            fixture_advance_ms(f, 40000);
        }
        OK(client_unsubscribe(f, "me", "foo", ack));
        engine_store_release(f->store);
        fixture_set_dead(f, "hb.me", false);
        fixture_advance_ms(f, failing ? 40000 : 10);
        RECEIVED(f, "in", "");
    }
    engine_test_end(f);
}

/* 10.4: what comes from a leaving member while a pass reads is not late */
static void messages_that_arrive_during_a_pass_follow_it_soon(void **s)
{
    (void)s;
    struct fixture *f = with_a_tiny_cache();
    const char *ack = NULL;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .ack_wait = 60);
    publish_many(f, 1);
    SUBSCRIBE(f, &ack, .inbox = "b", .group = "g", .ack_wait = 3600);
    publish_many(f, 1);
    push_out(f);
    f->store->hold_reads = true;
    fixture_advance_ms(f, 60000);
    assert_int_equal(f->store->read_count, 1);
    OK(client_unsubscribe(f, "me", "foo", ack));
    engine_store_release(f->store);
    fixture_run(f);
    RECEIVED(f, "a", "1 1r1");
    fixture_advance_ms(f, 100);
    RECEIVED(f, "a", "2r1");
    engine_test_end(f);
}

/* protocol.md 15: one that NATS does not take (its limit was lowered) is said,
 * and does not hold up those behind it. */
static void a_message_too_big_to_be_sent_holds_up_no_other(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    OK(client_publish(f, "me", "foo", "a rather long message"));
    OK(client_publish(f, "me", "foo", "short"));
    RECEIVED(f, "in", "1 2");
    f->max_payload = 30;
    fixture_advance_ms(f, 3000);
    RECEIVED(f, "in", "2r1 2r2 2r3");
    assert_int_equal(fixture_log_count(f, "Message 1 of channel \"foo\" is too "
                                          "big for the NATS server"),
                     1);
    f->max_payload = 0;
    fixture_advance_ms(f, 1000);
    assert_string_not_equal(fixture_received(f, "in"), "2r4");
}

/* E145: nothing that was not sent is counted, or sent later */
static void while_cut_off_nothing_is_redelivered(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .ack_wait = 1);
    publish_many(f, 1);
    fixture_advance_ms(f, 500);
    fixture_cut(f);
    fixture_advance_ms(f, 3200);
    fixture_reconnect(f);
    RECEIVED(f, "in", "1");
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "in", "1r1");
    client_ack(f, ack, "foo", 1);
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "in", "");
}

/* E149 */
static void what_moved_to_another_member_stays_there_over_a_restart(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .ack_wait = 1);
    publish_many(f, 1);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .ack_wait = 60);
    RECEIVED(f, "a", "1");
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "b", "1r1");
    fixture_restart(f);
    fixture_advance_ms(f, 58000);
    RECEIVED(f, "a", "");
    RECEIVED(f, "b", "");
    fixture_advance_ms(f, 1000); /* timestamp + 60 s */
    const char *a = fixture_received(f, "a");
    assert_string_equal(a[0] != '\0' ? a : fixture_received(f, "b"), "1r1");
}

/* E150, E131 */
static void an_ack_through_another_member_clears_the_message(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "a", .group = "g", .ack_wait = 1);
    publish_many(f, 1);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .ack_wait = 1,
              .max_in_flight = 1);
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "a", "1");
    RECEIVED(f, "b", "1r1");
    client_ack(f, ack, "foo", 1);
    publish_many(f, 2); /* b is stalled no more: both are given out */
    RECEIVED(f, "a", "2");
    RECEIVED(f, "b", "3");
    fixture_restart(f);
    fixture_advance_ms(f, 200);
    const char *a = fixture_received(f, "a");
    assert_null(strstr(a, "1r"));
}

/* E148 */
static void a_restart_redelivers_to_each_once(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a", .ack_wait = 30);
    SUBSCRIBE(f, NULL, .inbox = "b", .ack_wait = 30);
    publish_many(f, 1);
    fixture_advance_ms(f, 29000);
    fixture_restart(f);
    fixture_advance_ms(f, 1100);
    RECEIVED(f, "a", "1 1r1");
    RECEIVED(f, "b", "1 1r1");
}

/* E151 */
static void after_a_restart_the_wait_began_when_it_was_published(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .ack_wait = 30);
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    fixture_advance_ms(f, 10000);
    fixture_restart(f);
    fixture_advance_ms(f, 19980);
    RECEIVED(f, "in", "");
    fixture_advance_ms(f, 20);
    RECEIVED(f, "in", "1r1");
    fixture_advance_ms(f, 20000); /* stopped for a minute */
    f->monotonic += 60 * CLOCK_SECOND;
    f->wall += 60 * CLOCK_SECOND;
    fixture_crash(f, 0);
    RECEIVED(f, "in", "1r1");
}

/* A client chooses the ack wait, and may resume as often as it likes. */
static void a_wait_of_a_lifetime_does_not_run_over(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    publish_many(f, 1);
    for (int i = 0; i < 8; i++) {
        SUBSCRIBE(f, &ack, .durable = "dur", .ack_wait = INT32_MAX,
                  .position = FIRST);
        assert_string_not_equal(fixture_received(f, "in"), "");
        if (i < 7)
            OK(client_sub_close(f, "me", "foo", ack));
    }
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "in", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(each_message_comes_again_after_its_own_ack_wait),
        ENGINE_TEST(redeliveries_keep_the_pace),
        ENGINE_TEST(messages_due_within_the_slack_share_a_pass),
        ENGINE_TEST(the_next_wait_is_counted_from_the_end_of_the_last),
        ENGINE_TEST(an_expiration_in_the_past_is_paced_by_the_ack_wait),
        ENGINE_TEST(the_timer_ends_when_nothing_is_pending),
        cmocka_unit_test(a_message_dropped_by_a_limit_is_not_redelivered),
        ENGINE_TEST(redelivery_goes_only_to_who_did_not_ack),
        ENGINE_TEST(counts_begin_anew_after_a_restart_and_are_not_stored),
        ENGINE_TEST(a_count_that_wraps_skips_0),
        ENGINE_TEST(a_group_counts_over_its_members_and_forgets_with_the_ack),
        cmocka_unit_test(a_read_error_keeps_the_message_pending),
        cmocka_unit_test(an_ack_during_the_pass_is_in_time),
        cmocka_unit_test(a_subscription_may_end_while_its_redelivery_reads),
        cmocka_unit_test(messages_that_arrive_during_a_pass_follow_it_soon),
        ENGINE_TEST(a_message_too_big_to_be_sent_holds_up_no_other),
        ENGINE_TEST(while_cut_off_nothing_is_redelivered),
        ENGINE_TEST(what_moved_to_another_member_stays_there_over_a_restart),
        ENGINE_TEST(an_ack_through_another_member_clears_the_message),
        ENGINE_TEST(a_restart_redelivers_to_each_once),
        ENGINE_TEST(after_a_restart_the_wait_began_when_it_was_published),
        ENGINE_TEST(a_wait_of_a_lifetime_does_not_run_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
