/* What goes with time: messages, and channels nobody uses (delivery.md 14). */
#include "tests/unit/engine/engine_test.h"

enum { FIRST = START_POSITION_FIRST };

static struct fixture *with_limits(int64_t max_age, int64_t max_inactivity)
{
    struct fixture_options options = fixture_defaults;
    options.limits.global.max_age = max_age;
    options.limits.global.max_inactivity = max_inactivity;
    return engine_test_begin(&options);
}

static bool is_there(const struct fixture *f)
{
    return engine_store_channel(f->store, "foo") != NULL;
}

static uint64_t messages(const struct fixture *f)
{
    return engine_store_channel(f->store, "foo")->state.messages;
}

/* 14.3, E200 */
static void a_message_goes_when_it_is_of_age(void **s)
{
    (void)s;
    struct fixture *f = with_limits(CLOCK_SECOND, 0);
    publish_many(f, 2);
    fixture_advance_ms(f, 400);
    publish_many(f, 1);
    fixture_advance_ms(f, 599);
    assert_int_equal(messages(f), 3);
    fixture_advance_ms(f, 2);
    assert_int_equal(messages(f), 1);
    fixture_advance_ms(f, 400);
    assert_int_equal(messages(f), 0);
    SUBSCRIBE(f, NULL, .position = FIRST);
    publish_many(f, 1);
    RECEIVED(f, "in", "4");
    engine_test_end(f);
}

/* E200: gaps, and timestamps in the past */
static void messages_that_are_too_old_at_the_start_go_at_once(void **s)
{
    (void)s;
    struct fixture *f = with_limits(10 * CLOCK_SECOND, 0);
    publish_many(f, 3);
    engine_store_lose(engine_store_channel(f->store, "foo"), 2);
    fixture_advance_ms(f, 5000);
    publish_many(f, 1);
    f->wall += 6 * CLOCK_SECOND; /* stopped meanwhile */
    f->monotonic += 6 * CLOCK_SECOND;
    fixture_crash(f, 0);
    SUBSCRIBE(f, NULL, .position = FIRST);
    RECEIVED(f, "in", "4");
    fixture_advance_ms(f, 4001);
    assert_int_equal(messages(f), 0);
    engine_test_end(f);
}

/* A pending message that has expired is no more redelivered (14.2). */
static void an_expired_message_is_not_redelivered(void **s)
{
    (void)s;
    struct fixture *f = with_limits(1500 * CLOCK_MILLISECOND, 0);
    SUBSCRIBE(f, NULL, .ack_wait = 1, .max_in_flight = 1);
    publish_many(f, 1);
    fixture_advance_ms(f, 1400);
    publish_many(f, 1);
    fixture_advance_ms(f, 600);
    RECEIVED(f, "in", "1 1r1 2"); /* 1 is gone: room for 2 */
    engine_test_end(f);
}

/* A durable closes while the store is busy, and the channel's time is over
 * before that is stored: what is to be stored of the durable goes with the
 * channel. */
static void a_channel_is_deleted_behind_what_is_not_yet_stored(void **s)
{
    (void)s;
    for (int failures = 0; failures < 3; failures++) {
        struct fixture *f = with_limits(0, 50 * CLOCK_MILLISECOND);
        const char *ack = NULL;
        SUBSCRIBE(f, &ack, .durable = "dur");
        publish_many(f, 1);
        f->store->hold_commits = true;
        client_ack(f, ack, "foo", 1); /* under way */
        (void)client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", ack);
        fixture_run(f);
        fixture_advance_ms(f, 100);
        f->store->fail_commits = (unsigned)failures;
        engine_store_release(f->store);
        fixture_run(f);
        fixture_advance_ms(f, 3000);
        assert_false(is_there(f));
        SUBSCRIBE(f, &ack, .durable = "dur");
        publish_many(f, 1);
        fixture_crash(f, 0);
        assert_int_equal(messages(f), 1);
        engine_test_end(f);
    }
}

static void an_expiration_that_fails_is_tried_again_after_5_seconds(void **s)
{
    (void)s;
    struct fixture *f = with_limits(CLOCK_SECOND, 0);
    publish_many(f, 1);
    f->store->fail_commits = 1;
    fixture_advance_ms(f, 1001);
    assert_int_equal(messages(f), 1);
    fixture_advance_ms(f, 4990);
    assert_int_equal(messages(f), 1);
    fixture_advance_ms(f, 10);
    assert_int_equal(messages(f), 0);
    engine_test_end(f);
}

/* E204, E210 */
static void a_channel_goes_a_period_after_its_last_subscription(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    const struct subscribe_request kinds[] = {
        {.inbox = "in"},
        {.group = "g"},
        {.durable = "dur"},
        {.durable = "dur", .group = "g"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *ack = NULL;
        OK(client_subscribe(f, &kinds[i], &ack));
        fixture_advance_ms(f, 5000);
        assert_true(is_there(f));
        if (i % 2 == 0) {
            OK(client_unsubscribe(f, "me", "foo", ack));
        } else {
            OK(client_close(f, "me"));
            OK(client_connect(f, "me"));
        }
        fixture_advance_ms(f, 999);
        assert_true(is_there(f));
        fixture_advance_ms(f, 1);
        assert_false(is_there(f));
    }
    assert_int_equal(fixture_log_count(f, "Channel \"foo\" has been deleted"),
                     4);
    engine_test_end(f);
}

/* E205 */
static void publishing_keeps_a_channel(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    for (int i = 0; i < 10; i++) {
        publish_many(f, 1);
        fixture_advance_ms(f, 900);
    }
    assert_int_equal(messages(f), 10);
    fixture_advance_ms(f, 100);
    assert_false(is_there(f));
    publish_many(f, 1);
    assert_int_equal(engine_store_channel(f->store, "foo")->state.last, 1);
    engine_test_end(f);
}

/* E206 */
static void what_is_offline_does_not_keep_a_channel(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur", .position = FIRST);
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    OK(client_sub_close(f, "me", "foo", ack));
    SUBSCRIBE(f, &ack, .durable = "dur", .group = "g");
    OK(client_sub_close(f, "me", "foo", ack));
    fixture_advance_ms(f, 1000);
    assert_false(is_there(f));
    publish_many(f, 1);
    SUBSCRIBE(f, &ack, .durable = "dur"); /* nothing is left of the old one */
    RECEIVED(f, "in", "");
    engine_test_end(f);
}

/* E208 */
static void a_recovered_channel_gets_a_full_period(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    publish_many(f, 1);
    fixture_advance_ms(f, 900);
    fixture_restart(f);
    fixture_advance_ms(f, 999);
    assert_true(is_there(f));
    fixture_advance_ms(f, 1);
    assert_false(is_there(f));
    engine_test_end(f);
}

/* E209: the decision falls between two events, so one of them is first */
static void a_subscribe_just_in_time_keeps_the_channel(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    const char *ack = NULL;
    publish_many(f, 1);
    fixture_advance_ms(f, 999);
    f->store->hold_commits = true;
    (void)client_send_subscribe(f, &(struct subscribe_request){0});
    fixture_run(f);
    fixture_advance_ms(f, 5000);
    engine_store_release(f->store);
    fixture_run(f);
    assert_true(is_there(f));
    SUBSCRIBE(f, &ack, .inbox = "two");
    fixture_advance_ms(f, 5000);
    assert_true(is_there(f));
    OK(client_close(f, "me"));
    fixture_advance_ms(f, 1000);
    assert_false(is_there(f));
    engine_test_end(f);
}

/* 14.4: a request that fails starts a full period anew */
static void a_refused_subscribe_starts_the_period_again(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    publish_many(f, 1);
    fixture_advance_ms(f, 500);
    assert_string_not_equal(
        client_subscribe(
            f, &(struct subscribe_request){.group = "g", .durable = "a:b"},
            NULL),
        "");
    fixture_advance_ms(f, 999);
    assert_true(is_there(f));
    fixture_advance_ms(f, 1);
    assert_false(is_there(f));
    engine_test_end(f);
}

/* E211 */
static void requests_during_a_deletion_are_told(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    publish_many(f, 1);
    f->store->hold_commits = true;
    fixture_advance_ms(f, 1000);
    REFUSED(f, "stan: channel is being deleted", .inbox = "in");
    assert_string_equal(client_publish(f, "me", "foo", "x"),
                        "stan: channel is being deleted");
    engine_store_release(f->store);
    fixture_run(f);
    assert_false(is_there(f));
    SUBSCRIBE(f, NULL, .inbox = "in");
    engine_test_end(f);
}

/* E211 */
static void a_deletion_that_fails_leaves_a_channel_of_use(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    publish_many(f, 1);
    f->store->fail_commits = 1;
    fixture_advance_ms(f, 1000);
    assert_true(is_there(f));
    assert_true(
        fixture_log_has(f, "Error deleting channel \"foo\": disk is on fire"));
    publish_many(f, 1);
    assert_int_equal(messages(f), 2);
    fixture_advance_ms(f, 1000);
    assert_false(is_there(f));
    engine_test_end(f);
}

/* A durable that was just closed is not stored behind the deletion. */
static void a_deletion_leaves_no_record_behind(void **s)
{
    (void)s;
    struct fixture *f = with_limits(0, CLOCK_SECOND);
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    publish_many(f, 1);
    f->store->hold_commits = true;
    (void)client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", ack);
    fixture_run(f);
    fixture_advance_ms(f, 3000);
    engine_store_release(f->store);
    fixture_run(f);
    assert_false(is_there(f));
    publish_many(f, 1);
    assert_int_equal(messages(f), 1);
    engine_test_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_goes_when_it_is_of_age),
        cmocka_unit_test(messages_that_are_too_old_at_the_start_go_at_once),
        cmocka_unit_test(an_expired_message_is_not_redelivered),
        cmocka_unit_test(a_channel_is_deleted_behind_what_is_not_yet_stored),
        cmocka_unit_test(
            an_expiration_that_fails_is_tried_again_after_5_seconds),
        cmocka_unit_test(a_channel_goes_a_period_after_its_last_subscription),
        cmocka_unit_test(publishing_keeps_a_channel),
        cmocka_unit_test(what_is_offline_does_not_keep_a_channel),
        cmocka_unit_test(a_recovered_channel_gets_a_full_period),
        cmocka_unit_test(a_subscribe_just_in_time_keeps_the_channel),
        cmocka_unit_test(a_refused_subscribe_starts_the_period_again),
        cmocka_unit_test(requests_during_a_deletion_are_told),
        cmocka_unit_test(a_deletion_that_fails_leaves_a_channel_of_use),
        cmocka_unit_test(a_deletion_leaves_no_record_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
