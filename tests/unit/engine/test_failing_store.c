/* When a commit or a read fails: what clients are told, and what is made good
 * by the next batch. */
#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/core.h"
#include "tests/unit/engine/engine_test.h"

enum { FIRST = START_POSITION_FIRST };

static const char broken[] = "disk is on fire";

static size_t records(const struct fixture *f)
{
    const struct stored_channel *channel =
        engine_store_channel(f->store, "foo");
    return channel == NULL ? 0 : table_count(channel->subscriptions);
}

static size_t clients(const struct fixture *f)
{
    return table_count(f->store->clients);
}

/* The retry, a second later. */
static void repair(struct fixture *f)
{
    f->store->fail_commits = 0;
    fixture_advance_ms(f, 1001);
}

/* protocol.md 9: the error, and the sequence is not consumed */
static void a_publish_that_is_not_stored_takes_no_sequence(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in");
    publish_many(f, 1);
    f->store->fail_commits = 1;
    assert_string_equal(client_publish(f, "me", "foo", "lost"), broken);
    publish_many(f, 1);
    RECEIVED(f, "in", "1 2");
    assert_int_equal(engine_store_channel(f->store, "foo")->state.last, 2);
}

/* What filled behind the failed batch follows messages that are not there. */
static void the_batch_behind_a_failed_one_fails_too(void **s)
{
    struct fixture *f = *s;
    f->store->hold_commits = true;
    const char *one = client_send_publish(f, "me", "foo", "one");
    fixture_run(f);
    const char *two = client_send_publish(f, "me", "foo", "two");
    fixture_run(f);
    f->store->fail_commits = 1;
    engine_store_release(f->store);
    fixture_run(f);
    assert_string_equal(client_error(f, one, FIELD_PUB_ACK_ERROR), broken);
    assert_string_equal(client_error(f, two, FIELD_PUB_ACK_ERROR), broken);
    publish_many(f, 1);
    assert_int_equal(engine_store_channel(f->store, "foo")->state.last, 1);
}

/* The guid is in the answer, as in every other (protocol.md 13) */
static void the_answer_to_a_failed_publish_has_its_guid(void **s)
{
    struct fixture *f = *s;
    f->store->fail_commits = 1;
    const char *reply = client_send_publish(f, "me", "foo", "lost");
    fixture_run(f);
    const struct sent *sent = fixture_take(f, reply);
    assert_true(bytes_equal(field_of(sent->data, FIELD_PUB_ACK_GUID),
                            bytes_text("guid")));
}

/* E27 */
static void a_client_that_is_not_stored_is_not_registered(void **s)
{
    struct fixture *f = *s;
    f->store->fail_commits = 1;
    assert_string_equal(client_connect(f, "you"), broken);
    assert_string_equal(client_close(f, "you"), "stan: unknown clientID");
    repair(f);
    assert_int_equal(clients(f), 1);
    OK(client_connect(f, "you"));
}

/* E28: for the client it succeeds: it is gone from memory at once, and from
 * the store with the next batch. */
static void a_close_that_is_not_stored_is_repeated(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .durable = "dur");
    f->store->fail_commits = 1;
    OK(client_close(f, "me"));
    assert_true(fixture_log_has(f, "unregistering client"));
    assert_string_equal(client_ping(f, "conn.me"),
                        "client has been replaced or is no longer registered");
    assert_int_equal(clients(f), 1);
    repair(f);
    assert_int_equal(clients(f), 0);
    fixture_crash(f, 0);
    OK(client_connect(f, "me"));
    SUBSCRIBE(f, NULL, .durable = "dur");
}

/* E134: the message was stored and acked; that it is pending is told to the
 * store by the next batch, whose failure is said, and made good. */
static void what_cannot_be_stored_as_pending_is_acked_and_said(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .durable = "dur", .ack_wait = 3600);
    f->store->hold_commits = true;
    const char *reply = client_send_publish(f, "me", "foo", "hello");
    fixture_run(f);
    assert_true(engine_store_release_commit(f->store));
    fixture_run(f);
    OK(client_error(f, reply, FIELD_PUB_ACK_ERROR));
    RECEIVED(f, "in", "1");
    f->store->fail_commits = 1; /* the progress */
    engine_store_release(f->store);
    fixture_run(f);
    assert_true(fixture_log_has(f, "Unable to store: disk is on fire"));
    repair(f);
    fixture_crash(f, 0);
    OK(client_close(f, "me"));
    OK(client_connect(f, "me"));
    SUBSCRIBE(f, NULL, .durable = "dur", .inbox = "again");
    RECEIVED(f, "again", "1r1"); /* known as sent */
}

/* E164 */
static void a_resume_that_fails_leaves_the_durable_offline(void **s)
{
    struct fixture *f = *s;
    const char *const groups[] = {NULL, "g"};
    for (int i = 0; i < 2; i++) {
        const char *ack = NULL;
        SUBSCRIBE(f, &ack, .durable = "dur", .group = groups[i]);
        publish_many(f, 1);
        OK(client_sub_close(f, "me", "foo", ack));
        f->store->fail_commits = 1;
        REFUSED(f, broken, .durable = "dur", .group = groups[i]);
        repair(f);
        assert_int_equal(records(f), 1);
        (void)fixture_received(f, "in");
        publish_many(f, 1);
        RECEIVED(f, "in", "");
        SUBSCRIBE(f, &ack, .durable = "dur", .group = groups[i]);
        RECEIVED(f, "in", i == 0 ? "1r1 2" : "3r1 4");
        OK(client_unsubscribe(f, "me", "foo", ack));
    }
}

/* E188: the deletion is in effect, and is repeated */
static void a_removal_that_is_not_stored_is_repeated(void **s)
{
    struct fixture *f = *s;
    const struct subscribe_request kinds[] = {
        {.inbox = "in"}, {.group = "g"}, {.group = "g", .durable = "dur"}};
    for (size_t i = 0; i < 3; i++) {
        const char *ack = NULL;
        OK(client_subscribe(f, &kinds[i], &ack));
        f->store->fail_commits = 1;
        /* the text of the flush is all that may be answered (section 11) */
        assert_string_equal(client_unsubscribe(f, "me", "foo", ack), broken);
        assert_int_equal(fixture_log_count(f, broken), i + 1);
        publish_many(f, 1);
        RECEIVED(f, "in", "");
        repair(f);
        assert_int_equal(records(f), 0);
        assert_string_equal(client_unsubscribe(f, "me", "foo", ack),
                            "stan: invalid subscription");
    }
}

/* E190, E194 */
static void a_subscription_that_is_not_stored_is_not_there(void **s)
{
    struct fixture *f = *s;
    const struct subscribe_request kinds[] = {{.inbox = "in"},
                                              {.durable = "dur"},
                                              {.group = "g"},
                                              {.group = "g", .durable = "dur"}};
    for (size_t i = 0; i < 4; i++) {
        f->store->fail_commits = 1;
        assert_string_equal(client_subscribe(f, &kinds[i], NULL), broken);
    }
    repair(f);
    publish_many(f, 1);
    RECEIVED(f, "in", "");
    assert_int_equal(records(f), 0);
    const struct channel *channel = channel_find(f->engine, bytes_text("foo"));
    assert_int_equal(channel->active, 0);
    assert_int_equal(table_count(channel->groups), 0);
    OK(client_close(f, "me"));
    assert_int_equal(records(f), 0);
}

/* The channel was created (protocol.md 10); it is stored by the next batch,
 * before what needs it. */
static void a_channel_is_stored_before_what_is_in_it(void **s)
{
    struct fixture *f = *s;
    f->store->hold_commits = true;
    (void)client_send_connect(f, "you");
    (void)client_send_subscribe(
        f, &(struct subscribe_request){.client = "you", .durable = "dur"});
    fixture_run(f);
    f->store->fail_commits = 1;
    engine_store_release(f->store);
    fixture_run(f);
    repair(f);
    publish_many(f, 1);
    assert_int_equal(f->store->refusals, 0);
}

/* E191 */
static void a_failed_commit_during_a_client_close_closes_it(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    publish_many(f, 1);
    f->store->fail_commits = 2;
    OK(client_close(f, "me"));
    assert_true(fixture_log_has(f, broken));
    repair(f);
    repair(f);
    fixture_crash(f, 0);
    OK(client_connect(f, "me"));
    SUBSCRIBE(f, &ack, .durable = "dur", .inbox = "again");
    RECEIVED(f, "again", "1r1");
}

/* E189: what the leaving member had is with the other one at once, and in the
 * store with the next batch that succeeds: no crash loses it. */
static void a_transfer_that_is_not_stored_is_repeated(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "a", .group = "g", .ack_wait = 60);
    publish_many(f, 3);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .ack_wait = 60);
    f->store->fail_commits = 1;
    assert_string_equal(client_sub_close(f, "me", "foo", ack), broken);
    assert_true(fixture_log_has(f, broken));
    assert_string_equal(client_sub_close(f, "me", "foo", ack),
                        "stan: invalid subscription");
    fixture_advance_ms(f, 100);
    RECEIVED(f, "b", "1r1 2r1 3r1");
    repair(f);
    assert_int_equal(records(f), 1);
    fixture_crash(f, 0);
    fixture_advance_ms(f, 60000);
    RECEIVED(f, "b", "1r1 2r1 3r1");
    RECEIVED(f, "a", "1 2 3");
}

/* The same if it crashes before the store works again: as if nobody left. */
static void a_transfer_that_was_never_stored_did_not_happen(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "a", .group = "g", .ack_wait = 1);
    publish_many(f, 3);
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .ack_wait = 1);
    f->store->fail_commits = 1000;
    (void)client_sub_close(f, "me", "foo", ack);
    fixture_clear(f);
    fixture_crash(f, 0);
    fixture_advance_ms(f, 1000);
    assert_true(fixture_count(f, "a") + fixture_count(f, "b") >= 3);
}

/* E192: nothing delivered, the publish is acked; the message goes out later */
static void a_failed_look_up_delays_the_delivery(void **s)
{
    struct fixture_options options = fixture_defaults;
    options.cache_size = 1;
    static char large[300000];
    memset(large, 'x', sizeof large - 1);
    (void)s;
    struct fixture *f = engine_test_begin(&options);
    publish_many(f, 1);
    OK(client_publish(f, "me", "other", large)); /* out of the cache */
    f->store->fail_reads = 1;
    SUBSCRIBE(f, NULL, .position = FIRST);
    RECEIVED(f, "in", "");
    assert_true(fixture_log_has(f, "looking up"));
    publish_many(f, 1);
    RECEIVED(f, "in", "1 2");
    OK(client_publish(f, "me", "other", large));
    f->store->fail_reads = 1;
    SUBSCRIBE(f, NULL, .position = FIRST, .inbox = "two");
    fixture_advance_ms(f, 1000); /* even without a trigger */
    RECEIVED(f, "two", "1 2");
    engine_test_end(f);
}

/* Two ask for the shadow of a group in one failing batch: one of them is it
 * again, and the group is what it was. */
static void a_durable_group_survives_failed_joins(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    const struct subscribe_request request = {
        .group = "g", .durable = "dur", .position = FIRST};
    OK(client_subscribe(f, &request, &ack));
    publish_many(f, 2);
    client_ack(f, ack, "foo", 1);
    OK(client_sub_close(f, "me", "foo", ack));
    f->store->fail_commits = 1;
    (void)client_send_subscribe(f, &request);
    (void)client_send_subscribe(f, &request);
    fixture_run(f);
    repair(f);
    assert_int_equal(records(f), 1);
    (void)fixture_received(f, "in");
    OK(client_subscribe(f, &request, &ack));
    RECEIVED(f, "in", "2r1");
}

/* A member leaves; who got its messages fails to start: they stay with the
 * group. */
static void pending_messages_survive_the_failed_start_of_their_heir(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    const struct subscribe_request request = {
        .group = "g", .durable = "dur", .position = FIRST};
    OK(client_subscribe(f, &request, &ack));
    publish_many(f, 2);
    f->store->fail_commits = 1;
    (void)client_send_subscribe(f, &request);
    (void)client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", ack);
    fixture_run(f);
    repair(f);
    (void)fixture_received(f, "in");
    OK(client_subscribe(f, &request, &ack));
    RECEIVED(f, "in", "1r1 2r1");
}

/* The store ends up with the client that is there, not with the one whose
 * registration failed before it. */
static void the_record_of_a_client_is_that_of_the_living(void **s)
{
    struct fixture *f = *s;
    f->store->hold_commits = true;
    (void)client_send_connect_as(f, "you", "hb.old", "conn.old");
    fixture_run(f);
    fixture_set_dead(f, "hb.old", true);
    (void)client_send_connect_as(f, "you", "hb.new", "conn.new");
    fixture_run(f);
    f->store->fail_commits = 1;
    engine_store_release(f->store);
    fixture_run(f);
    fixture_advance_ms(f, 2000);
    OK(client_ping(f, "conn.new"));
    fixture_restart(f);
    OK(client_ping(f, "conn.new"));
}

/* A store that fails for long: tried once a second, and with each request. */
static void a_store_that_fails_for_long_is_asked_once_a_second(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    f->store->fail_commits = 1000;
    (void)client_sub_close(f, "me", "foo", ack);
    size_t before = f->store->commit_count;
    fixture_advance_ms(f, 10500);
    assert_in_range(f->store->commit_count - before, 10, 11);
    assert_string_equal(client_publish(f, "me", "foo", "x"), broken);
    repair(f);
    publish_many(f, 1);
    assert_int_equal(engine_store_channel(f->store, "foo")->state.last, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(a_publish_that_is_not_stored_takes_no_sequence),
        ENGINE_TEST(the_batch_behind_a_failed_one_fails_too),
        ENGINE_TEST(the_answer_to_a_failed_publish_has_its_guid),
        ENGINE_TEST(a_client_that_is_not_stored_is_not_registered),
        ENGINE_TEST(a_close_that_is_not_stored_is_repeated),
        ENGINE_TEST(what_cannot_be_stored_as_pending_is_acked_and_said),
        ENGINE_TEST(a_resume_that_fails_leaves_the_durable_offline),
        ENGINE_TEST(a_removal_that_is_not_stored_is_repeated),
        ENGINE_TEST(a_subscription_that_is_not_stored_is_not_there),
        ENGINE_TEST(a_channel_is_stored_before_what_is_in_it),
        ENGINE_TEST(a_failed_commit_during_a_client_close_closes_it),
        ENGINE_TEST(a_transfer_that_is_not_stored_is_repeated),
        ENGINE_TEST(a_transfer_that_was_never_stored_did_not_happen),
        cmocka_unit_test(a_failed_look_up_delays_the_delivery),
        ENGINE_TEST(a_durable_group_survives_failed_joins),
        ENGINE_TEST(pending_messages_survive_the_failed_start_of_their_heir),
        ENGINE_TEST(the_record_of_a_client_is_that_of_the_living),
        ENGINE_TEST(a_store_that_fails_for_long_is_asked_once_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
