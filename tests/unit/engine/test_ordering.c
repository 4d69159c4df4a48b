/* Who hears what first (protocol.md 12 and 18, delivery.md 17). */
#include "tests/unit/engine/engine_test.h"

enum { FIRST = START_POSITION_FIRST };

/* E83 */
static void messages_are_delivered_before_the_publisher_gets_its_ack(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "one");
    SUBSCRIBE(f, NULL, .inbox = "two");
    fixture_clear(f);
    const char *reply = client_send_publish(f, "me", "foo", "hello");
    fixture_run(f);
    assert_int_equal(f->sent_count, 3);
    assert_string_equal(f->sent[2].subject, reply);
    assert_int_equal(fixture_count(f, "one"), 1);
    assert_int_equal(fixture_count(f, "two"), 1);
}

/* E60 */
static void the_subscribe_reply_comes_before_the_first_message(void **s)
{
    struct fixture *f = *s;
    const struct subscribe_request kinds[] = {
        {.inbox = "in", .position = FIRST},
        {.inbox = "in", .position = FIRST, .durable = "dur"},
        {.inbox = "in", .position = FIRST, .group = "g"},
        {.inbox = "in", .position = FIRST, .group = "g", .durable = "dur"},
    };
    publish_many(f, 1);
    for (size_t i = 0; i < 2 * sizeof kinds / sizeof kinds[0]; i++) {
        if (i == 4) { /* and all over again, resumed */
            OK(client_close(f, "me"));
            OK(client_connect(f, "me"));
        }
        fixture_clear(f);
        const char *reply = client_send_subscribe(f, &kinds[i % 4]);
        (void)client_send_publish(f, "me", "foo", "at once");
        fixture_run(f);
        assert_string_equal(f->sent[0].subject, reply);
        assert_string_equal(f->sent[1].subject, "in");
    }
}

/* Nothing leaves before it is stored. */
static void neither_ack_nor_message_leaves_before_the_commit(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in");
    f->store->hold_commits = true;
    fixture_clear(f);
    (void)client_send_connect(f, "you");
    (void)client_send_publish(f, "me", "foo", "hello");
    (void)client_send_subscribe(f, &(struct subscribe_request){0});
    fixture_run(f);
    fixture_advance_ms(f, 20000);
    assert_int_equal(f->sent_count, 0);
    engine_store_release(f->store);
    fixture_run(f);
    assert_int_equal(f->sent_count, 4);
}

/* Group commit: while one batch is under way the next one fills. */
static void what_comes_during_a_commit_is_one_batch(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    f->store->hold_commits = true;
    size_t before = f->store->commit_count;
    for (int i = 0; i < 100; i++) {
        (void)client_send_publish(f, "me", "foo", "hello");
        fixture_run(f);
    }
    assert_int_equal(f->store->commit_count, before + 1);
    (void)engine_store_release_commit(f->store);
    fixture_run(f);
    assert_int_equal(f->store->commit_count, before + 2);
    engine_store_release(f->store);
    fixture_run(f);
    assert_int_equal(engine_store_channel(f->store, "foo")->state.last, 101);
}

/* Publishers with a window: one half is on its way while the other is made
 * durable. Not if the store takes longer than the way. */
static void a_commit_begins_within_a_burst_that_is_long(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    size_t before = f->store->commit_count;
    f->store->hold_commits = true;
    fixture_advance_ms(f, 2);
    for (int i = 0; i < 300; i++)
        (void)client_send_publish(f, "me", "foo", "hello");
    assert_int_equal(f->store->commit_count, before + 1);
    fixture_run(f); /* the rest waits for that one, which took long */
    assert_int_equal(f->store->commit_count, before + 1);
    fixture_advance_ms(f, 5);
    assert_true(engine_store_release_commit(f->store));
    fixture_run(f);
    assert_int_equal(f->store->commit_count, before + 2);
    fixture_advance_ms(f, 5);
    assert_true(engine_store_release_commit(f->store));
    fixture_run(f);
    for (int i = 0; i < 300; i++)
        (void)client_send_publish(f, "me", "foo", "hello");
    assert_int_equal(f->store->commit_count, before + 2);
    fixture_run(f);
    assert_int_equal(f->store->commit_count, before + 3);
    engine_store_release(f->store);
    fixture_run(f);
    assert_int_equal(engine_store_channel(f->store, "foo")->count, 601);
}

/* E68, E70: applied in the order sent */
static void acks_before_an_unsubscribe_or_close_count(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    publish_many(f, 10);
    for (uint64_t i = 1; i <= 10; i++)
        client_send_ack(f, ack, "foo", i);
    (void)client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", ack);
    fixture_run(f);
    (void)fixture_received(f, "in");
    SUBSCRIBE(f, &ack, .durable = "dur");
    RECEIVED(f, "in", "");
    publish_many(f, 1);
    client_send_ack(f, ack, "foo", 11);
    (void)client_send_close(f, "me");
    fixture_run(f);
    OK(client_connect(f, "me"));
    (void)fixture_received(f, "in");
    SUBSCRIBE(f, &ack, .durable = "dur");
    RECEIVED(f, "in", "");
}

/* E67 */
static void publishes_before_a_close_are_stored(void **s)
{
    struct fixture *f = *s;
    for (int i = 0; i < 1000; i++)
        (void)client_send_publish(f, "me", "foo", "hello");
    (void)client_send_close(f, "me");
    fixture_run(f);
    assert_int_equal(engine_store_channel(f->store, "foo")->state.last, 1000);
}

/* E61, E62, E63, E65 */
static void only_the_owner_ends_a_subscription(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, &ack, .inbox = "in");
    assert_string_equal(client_unsubscribe(f, "me", "bar", ack),
                        "stan: unknown channel");
    assert_string_equal(client_unsubscribe(f, "me", "foo", "other"),
                        "stan: invalid subscription");
    assert_string_equal(client_unsubscribe(f, "you", "foo", ack),
                        "stan: unknown clientID");
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    OK(client_sub_close(f, "me", "foo", "in")); /* E63: the delivery inbox */
    publish_many(f, 1);
    RECEIVED(f, "in", "");
}

/* E42, E43, E47 */
static void a_publish_needs_no_reply_and_may_be_repeated(void **s)
{
    struct fixture *f = *s;
    struct blob out = {0};
    SUBSCRIBE(f, NULL, .inbox = "in");
    field_text(&out, FIELD_PUB_CLIENT_ID, "me");
    field_text(&out, FIELD_PUB_GUID, "same");
    field_text(&out, FIELD_PUB_SUBJECT, "foo");
    fixture_clear(f);
    for (int i = 0; i < 2; i++) {
        fixture_inject(f, INBOUND_PUBLISH, "_STAN.pub.test-cluster.foo", NULL,
                       blob_bytes(&out));
    }
    fixture_run(f);
    blob_release(&out);
    assert_int_equal(f->sent_count, 2);
    RECEIVED(f, "in", "1 2");
}

/* Turns: a long replay and what is new for others share the engine. */
static void a_long_replay_is_complete_and_in_order(void **s)
{
    struct fixture *f = *s;
    for (int i = 0; i < 5000; i++)
        (void)client_send_publish(f, "me", "foo", "hello");
    fixture_run(f);
    fixture_clear(f);
    fixture_restart(f); /* all of it is to be read */
    SUBSCRIBE(f, NULL, .position = FIRST, .max_in_flight = 10000);
    uint64_t expected = 0;
    const struct sent *sent;
    for (size_t i = 0; i < f->sent_count; i++) {
        sent = &f->sent[i];
        if (strcmp(sent->subject, "in") == 0) {
            assert_int_equal(
                field_number_of(sent->data, FIELD_MESSAGE_SEQUENCE),
                ++expected);
        }
    }
    assert_int_equal(expected, 5000);
}

/* Reading stops while more is uncommitted than memory should hold. */
static void the_engine_asks_for_a_pause_when_the_store_is_slow(void **s)
{
    struct fixture *f = *s;
    static char large[1 << 20];
    memset(large, 'x', sizeof large - 1);
    f->store->hold_commits = true;
    for (int i = 0; i < 70; i++) {
        (void)client_send_publish(f, "me", "foo", large);
        fixture_run(f);
    }
    assert_true(f->paused);
    engine_store_release(f->store);
    fixture_run(f);
    assert_false(f->paused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(messages_are_delivered_before_the_publisher_gets_its_ack),
        ENGINE_TEST(the_subscribe_reply_comes_before_the_first_message),
        ENGINE_TEST(neither_ack_nor_message_leaves_before_the_commit),
        ENGINE_TEST(what_comes_during_a_commit_is_one_batch),
        ENGINE_TEST(a_commit_begins_within_a_burst_that_is_long),
        ENGINE_TEST(acks_before_an_unsubscribe_or_close_count),
        ENGINE_TEST(publishes_before_a_close_are_stored),
        ENGINE_TEST(only_the_owner_ends_a_subscription),
        ENGINE_TEST(a_publish_needs_no_reply_and_may_be_repeated),
        ENGINE_TEST(a_long_replay_is_complete_and_in_order),
        ENGINE_TEST(the_engine_asks_for_a_pause_when_the_store_is_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
