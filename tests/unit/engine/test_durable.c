/* Durables: they outlive their subscription (delivery.md section 9). */
#include "tests/unit/engine/engine_test.h"

enum { FIRST = START_POSITION_FIRST };

static size_t records(const struct fixture *f)
{
    return table_count(engine_store_channel(f->store, "foo")->subscriptions);
}

/* E152, E153, E163 */
static void a_durable_is_of_its_channel_client_and_name(void **s)
{
    struct fixture *f = *s;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .durable = "dur", .inbox = "me");
    REFUSED(f, "stan: duplicate durable registration", .durable = "dur");
    SUBSCRIBE(f, NULL, .durable = "dur", .channel = "bar");
    SUBSCRIBE(f, NULL, .durable = "dur", .client = "you", .inbox = "you");
    SUBSCRIBE(f, NULL, .durable = "dur:with:colon", .inbox = "colon"); /*E59*/
    publish_many(f, 1);
    RECEIVED(f, "me", "1");
    RECEIVED(f, "you", "1");
    RECEIVED(f, "colon", "1");
}

/* Section 9: joined with '-' these two would be one */
static void names_with_a_dash_do_not_run_into_each_other(void **s)
{
    struct fixture *f = *s;
    OK(client_connect(f, "a"));
    OK(client_connect(f, "a-foo"));
    SUBSCRIBE(f, NULL, .client = "a", .durable = "foo-d");
    SUBSCRIBE(f, NULL, .client = "a-foo", .durable = "d");
    assert_int_equal(records(f), 2);
}

/* E154, E129 */
static void
a_durable_resumes_after_its_client_left_and_after_a_restart(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur", .inbox = "in.0");
    for (uint64_t i = 1; i <= 4; i++) {
        const char *old = ack;
        publish_many(f, 1);
        client_ack(f, ack, "foo", i);
        OK(client_close(f, "me"));
        if (i == 4)
            fixture_restart(f);
        OK(client_connect(f, "me"));
        SUBSCRIBE(f, &ack, .durable = "dur",
                  .inbox = fixture_text(f, "in.%d", (int)i));
        assert_string_not_equal(old, ack); /* E129 */
        RECEIVED(f, fixture_text(f, "in.%d", (int)i), "");
    }
    publish_many(f, 1);
    RECEIVED(f, "in.4", "5");
    assert_int_equal(records(f), 1);
}

/* E155 */
static void unsubscribe_ends_a_durable_and_close_does_not(void **s)
{
    struct fixture *f = *s;
    const char *const groups[] = {NULL, "g"};
    for (int i = 0; i < 2; i++) {
        const char *ack = NULL;
        SUBSCRIBE(f, &ack, .durable = "dur", .group = groups[i]);
        OK(client_sub_close(f, "me", "foo", ack));
        assert_int_equal(records(f), 1);
        SUBSCRIBE(f, &ack, .durable = "dur", .group = groups[i]);
        OK(client_unsubscribe(f, "me", "foo", ack));
        assert_int_equal(records(f), 0);
        publish_many(f, 1);
        SUBSCRIBE(f, &ack, .durable = "dur", .group = groups[i]);
        RECEIVED(f, "in", ""); /* a new one: new-only */
        OK(client_unsubscribe(f, "me", "foo", ack));
    }
}

/* E156, E157 */
static void a_closed_durable_is_offline_after_a_restart_too(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur", .ack_wait = 1);
    publish_many(f, 1);
    OK(client_sub_close(f, "me", "foo", ack));
    fixture_restart(f);
    publish_many(f, 1);
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "in", "1");
    SUBSCRIBE(f, &ack, .durable = "dur", .inbox = "again");
    RECEIVED(f, "again", "1r1 2");
    fixture_restart(f);
    publish_many(f, 1);
    RECEIVED(f, "again", "3"); /* isClosed is false again */
}

/* E158 */
static void a_resumed_durable_lives_on_over_a_restart(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    OK(client_sub_close(f, "me", "foo", ack));
    SUBSCRIBE(f, &ack, .durable = "dur");
    fixture_restart(f);
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
}

/* E159, E123 */
static void redeliveries_come_before_anything_new(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur", .inbox = "old");
    publish_many(f, 5);
    OK(client_sub_close(f, "me", "foo", ack));
    publish_many(f, 1);
    f->store->hold_commits = true;
    (void)client_send_publish(f, "me", "foo", "7");
    (void)client_send_subscribe(f,
                                &(struct subscribe_request){.durable = "dur"});
    (void)client_send_publish(f, "me", "foo", "8");
    fixture_run(f);
    engine_store_release(f->store);
    fixture_run(f);
    RECEIVED(f, "in", "1r1 2r1 3r1 4r1 5r1 6 7 8");
}

/* The same when what is to be redelivered must be read first. */
static void a_durable_on_hold_waits_for_the_read_of_its_redeliveries(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur", .inbox = "old");
    publish_many(f, 3);
    OK(client_sub_close(f, "me", "foo", ack));
    fixture_restart(f); /* the cache is empty */
    f->store->hold_reads = true;
    SUBSCRIBE(f, &ack, .durable = "dur");
    publish_many(f, 2);
    RECEIVED(f, "in", "");
    engine_store_release(f->store);
    fixture_run(f);
    RECEIVED(f, "in", "1r1 2r1 3r1 4 5");
}

/* E160, E163 */
static void one_unacked_message_comes_once_on_resume(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .durable = "dur");
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    OK(client_close(f, "me"));
    OK(client_connect(f, "me"));
    SUBSCRIBE(f, NULL, .durable = "dur", .position = FIRST);
    RECEIVED(f, "in", "1r1");
}

/* E161 */
static void what_a_limit_took_while_it_was_offline_is_gone(void **s)
{
    struct fixture_options options = fixture_defaults;
    options.limits.global.max_messages = 3;
    (void)s;
    struct fixture *f = engine_test_begin(&options);
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    OK(client_sub_close(f, "me", "foo", ack));
    publish_many(f, 4);
    SUBSCRIBE(f, &ack, .durable = "dur");
    RECEIVED(f, "in", "3 4 5");
    engine_test_end(f);
}

/* E162 */
static void with_replace_durable_the_later_one_takes_over(void **s)
{
    struct fixture_options options = fixture_defaults;
    options.replace_durable = true;
    (void)s;
    struct fixture *f = engine_test_begin(&options);
    const char *first = NULL;
    const char *second = NULL;
    SUBSCRIBE(f, &first, .durable = "dur", .inbox = "one");
    SUBSCRIBE(f, &second, .durable = "dur", .inbox = "two");
    publish_many(f, 1);
    RECEIVED(f, "one", "");
    RECEIVED(f, "two", "1");
    assert_int_equal(records(f), 1);
    assert_string_equal(client_sub_close(f, "me", "foo", first),
                        "stan: invalid subscription");
    OK(client_sub_close(f, "me", "foo", second));
    engine_test_end(f);
}

/* E228 */
static void a_higher_max_in_flight_counts_from_the_resume_on(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur", .max_in_flight = 1);
    publish_many(f, 12);
    RECEIVED(f, "in", "1");
    OK(client_sub_close(f, "me", "foo", ack));
    SUBSCRIBE(f, &ack, .durable = "dur", .max_in_flight = 10);
    RECEIVED(f, "in", "1r1 2 3 4 5 6 7 8 9 10");
}

/* E229 */
static void a_lower_max_in_flight_holds_new_ones_back(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    publish_many(f, 3);
    OK(client_sub_close(f, "me", "foo", ack));
    RECEIVED(f, "in", "1 2 3");
    publish_many(f, 1);
    SUBSCRIBE(f, &ack, .durable = "dur", .max_in_flight = 1);
    RECEIVED(f, "in", "1r1 2r1 3r1");
    client_ack(f, ack, "foo", 1);
    client_ack(f, ack, "foo", 2);
    RECEIVED(f, "in", "");
    client_ack(f, ack, "foo", 3);
    RECEIVED(f, "in", "4");
}

/* E230 */
static void another_ack_wait_counts_from_the_resume_on(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur", .ack_wait = 60);
    publish_many(f, 1);
    OK(client_sub_close(f, "me", "foo", ack));
    publish_many(f, 1);
    SUBSCRIBE(f, &ack, .durable = "dur", .ack_wait = 1);
    RECEIVED(f, "in", "1 1r1 2");
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "in", "2r1");
}

/* Section 9: acks to the old ack inbox are ignored; E81, E133 */
static void an_ack_to_an_inbox_of_the_past_is_ignored(void **s)
{
    struct fixture *f = *s;
    const char *old = NULL;
    const char *ack = NULL;
    SUBSCRIBE(f, &old, .durable = "dur", .ack_wait = 1);
    publish_many(f, 1);
    OK(client_sub_close(f, "me", "foo", old));
    client_ack(f, old, "foo", 1);
    SUBSCRIBE(f, &ack, .durable = "dur", .ack_wait = 1);
    RECEIVED(f, "in", "1 1r1");
    client_ack(f, old, "foo", 1);
    fixture_advance_ms(f, 2000);
    RECEIVED(f, "in", "1r2");
    client_ack(f, ack, "foo", 1);
    client_ack(f, ack, "foo", 1); /* E133 */
    fixture_advance_ms(f, 2000);
    RECEIVED(f, "in", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(a_durable_is_of_its_channel_client_and_name),
        ENGINE_TEST(names_with_a_dash_do_not_run_into_each_other),
        ENGINE_TEST(
            a_durable_resumes_after_its_client_left_and_after_a_restart),
        ENGINE_TEST(unsubscribe_ends_a_durable_and_close_does_not),
        ENGINE_TEST(a_closed_durable_is_offline_after_a_restart_too),
        ENGINE_TEST(a_resumed_durable_lives_on_over_a_restart),
        ENGINE_TEST(redeliveries_come_before_anything_new),
        ENGINE_TEST(a_durable_on_hold_waits_for_the_read_of_its_redeliveries),
        ENGINE_TEST(one_unacked_message_comes_once_on_resume),
        cmocka_unit_test(what_a_limit_took_while_it_was_offline_is_gone),
        cmocka_unit_test(with_replace_durable_the_later_one_takes_over),
        ENGINE_TEST(a_higher_max_in_flight_counts_from_the_resume_on),
        ENGINE_TEST(a_lower_max_in_flight_holds_new_ones_back),
        ENGINE_TEST(another_ack_wait_counts_from_the_resume_on),
        ENGINE_TEST(an_ack_to_an_inbox_of_the_past_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
