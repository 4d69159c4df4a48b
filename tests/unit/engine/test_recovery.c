/* What a restart makes of what is stored (delivery.md section 13). */
#include "proto/records.h"
#include "tests/unit/engine/engine_test.h"

static size_t records(const struct fixture *f)
{
    return table_count(engine_store_channel(f->store, "foo")->subscriptions);
}

/* A record as another server may have left it. */
static void leave(const struct fixture *f,
                  const struct subscription_record *record)
{
    struct blob out = {0};
    assert_true(subscription_record_encode(record, &out));
    engine_store_add_subscription(engine_store_channel(f->store, "foo"),
                                  record->id, blob_bytes(&out));
    blob_release(&out);
}

static struct subscription_record
durable_member(uint64_t id, const char *client, uint64_t last_sent)
{
    return (struct subscription_record){
        .id = id,
        .client_id = bytes_text(client),
        .group = bytes_text("dur:g"),
        .inbox = bytes_text("old"),
        .ack_inbox = bytes_text(id == 1 ? "_INBOX.one" : "_INBOX.two"),
        .max_in_flight = 10,
        .ack_wait_seconds = 30,
        .last_sent = last_sent,
        .is_durable = true};
}

/* E217 */
static void after_a_clean_restart_everything_goes_on(void **s)
{
    struct fixture *f = *s;
    const char *acks[4] = {NULL};
    SUBSCRIBE(f, &acks[0], .inbox = "plain");
    SUBSCRIBE(f, &acks[1], .inbox = "dur", .durable = "dur");
    SUBSCRIBE(f, &acks[2], .inbox = "a", .group = "g");
    SUBSCRIBE(f, &acks[3], .inbox = "b", .group = "g");
    publish_many(f, 2);
    for (uint64_t i = 0; i < 8; i++)
        client_ack(f, acks[i % 4], "foo", 1 + i / 4);
    fixture_restart(f);
    assert_int_equal(table_count(f->store->clients), 1);
    assert_int_equal(records(f), 4);
    publish_many(f, 2);
    RECEIVED(f, "plain", "1 2 3 4");
    RECEIVED(f, "dur", "1 2 3 4");
    assert_int_equal(fixture_count(f, "a") + fixture_count(f, "b"), 4);
}

/* E135, E147 */
static void acks_to_the_inbox_of_before_count(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .ack_wait = 1);
    publish_many(f, 1);
    fixture_restart(f);
    client_ack(f, ack, "foo", 1);
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "in", "1");
}

/* E157 */
static void who_was_offline_gets_nothing_on_its_old_inbox(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .client = "you", .durable = "one", .inbox = "one",
              .ack_wait = 1);
    SUBSCRIBE(f, &ack, .durable = "two", .inbox = "two", .ack_wait = 1);
    publish_many(f, 1);
    OK(client_close(f, "you"));
    OK(client_sub_close(f, "me", "foo", ack));
    fixture_restart(f);
    publish_many(f, 1);
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "one", "1");
    RECEIVED(f, "two", "1");
}

/* E173, E203: what was sent is the place, acks do not lower it */
static void the_place_is_the_highest_that_was_sent(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in");
    publish_many(f, 3);
    client_ack(f, ack, "foo", 3);
    client_ack(f, ack, "foo", 1);
    fixture_crash(f, 0);
    fixture_advance_ms(f, 30000);
    RECEIVED(f, "in", "1 2 3 2r1");
    publish_many(f, 1);
    RECEIVED(f, "in", "4");
}

/* Section 16, 4: what was sent and not stored comes again, as new */
static void what_was_sent_but_not_noted_comes_again_as_new(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in");
    (void)client_send_publish(f, "me", "foo", "hello");
    f->store->hold_commits = true;
    fixture_run(f);
    (void)engine_store_release_commit(f->store); /* the message itself */
    fixture_run(f);
    RECEIVED(f, "in", "1");
    fixture_crash(f, 0);
    RECEIVED(f, "in", "1");
    fixture_crash(f, 0);
    fixture_advance_ms(f, 30000);
    RECEIVED(f, "in", "1r1");
}

/* Section 16, 1 and 2: durable, although nobody was told */
static void what_was_stored_without_an_answer_is_in_effect(void **s)
{
    struct fixture *f = *s;
    f->store->hold_commits = true;
    const char *one = client_send_publish(f, "me", "foo", "hello");
    (void)client_send_subscribe(f, &(struct subscribe_request){0});
    fixture_run(f);
    fixture_crash(f, 1);
    assert_null(client_error(f, one, FIELD_PUB_ACK_ERROR));
    assert_int_equal(engine_store_channel(f->store, "foo")->state.last, 1);
    assert_int_equal(records(f), 1);
    publish_many(f, 1);
    RECEIVED(f, "in", "2");
}

/* E174, E183 */
static void a_durable_group_that_all_left_is_one_shadow(void **s)
{
    struct fixture *f = *s;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .durable = "dur");
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "b", .group = "g",
              .durable = "dur");
    OK(client_close(f, "you"));
    OK(client_close(f, "me"));
    OK(client_connect(f, "me"));
    assert_int_equal(records(f), 1);
    fixture_restart(f);
    publish_many(f, 1);
    SUBSCRIBE(f, NULL, .inbox = "c", .group = "g", .durable = "dur");
    RECEIVED(f, "c", "1");
    assert_int_equal(records(f), 1);
}

/* E183 */
static void the_last_leaves_and_another_joins_at_once(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    const struct subscribe_request join = {.group = "g", .durable = "dur"};
    OK(client_subscribe(f, &join, &ack));
    const char *left =
        client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", ack);
    const char *joined = client_send_subscribe(f, &join);
    fixture_run(f);
    OK(client_error(f, left, FIELD_SUBSCRIBED_ERROR));
    OK(client_error(f, joined, FIELD_SUBSCRIBED_ERROR));
    OK(client_close(f, "me"));
    fixture_restart(f);
    assert_int_equal(records(f), 1);
}

/* E175 */
static void of_two_shadows_the_one_that_is_further_wins(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 5);
    for (uint64_t i = 0; i < 2; i++) {
        struct subscription_record one = durable_member(1, "", i == 0 ? 2 : 4);
        struct subscription_record two = durable_member(2, "", i == 0 ? 4 : 2);
        const char *ack = NULL;
        leave(f, &one);
        leave(f, &two);
        fixture_restart(f);
        SUBSCRIBE(f, &ack, .group = "g", .durable = "dur");
        RECEIVED(f, "in", "5");
        assert_int_equal(records(f), 1);
        OK(client_unsubscribe(f, "me", "foo", ack));
        assert_int_equal(records(f), 0);
    }
    assert_int_equal(fixture_log_count(f, "Duplicate shadow durable queue "
                                          "consumer (subid=2) for group "
                                          "\"dur:g\""),
                     2);
}

/* E176 */
static void a_ghost_is_dropped_once(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    struct subscription_record ghost = durable_member(1, "nobody", 0);
    leave(f, &ghost);
    fixture_restart(f);
    assert_true(fixture_log_has(f, "Not recovering ghost durable queue "
                                   "subscriber: [nobody]:[1] subject=foo "
                                   "inbox=old"));
    assert_int_equal(records(f), 0);
    fixture_restart(f);
    assert_int_equal(fixture_log_count(f, "Not recovering ghost"), 1);
}

/* E176: nor does a client that was closed by its heartbeats leave one */
static void a_client_closed_by_heartbeats_leaves_no_ghost(void **s)
{
    struct fixture *f = *s;
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "a", .group = "g",
              .durable = "dur");
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .durable = "dur");
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "c", .group = "h",
              .durable = "dur");
    publish_many(f, 1);
    fixture_set_dead(f, "hb.you", true);
    f->no_responders = true;
    fixture_advance_ms(f, 331000);
    assert_true(fixture_log_has(f, "[Client:you] Timed out on heartbeats"));
    fixture_crash(f, 0);
    assert_false(fixture_log_has(f, "Not recovering ghost"));
    assert_int_equal(records(f), 2); /* the other member, a shadow */
    SUBSCRIBE(f, NULL, .inbox = "d", .group = "h", .durable = "dur");
    RECEIVED(f, "d", "1r1");
}

/* Section 13, 3: old stores */
static void an_open_durable_of_an_unknown_client_is_offline(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    const struct subscription_record record = {
        .id = 1,
        .client_id = bytes_text("you"),
        .inbox = bytes_text("old"),
        .ack_inbox = bytes_text("_INBOX.x"),
        .durable_name = bytes_text("dur"),
        .max_in_flight = 1,
        .ack_wait_seconds = 30};
    leave(f, &record);
    fixture_restart(f);
    RECEIVED(f, "old", "");
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .client = "you", .durable = "dur");
    RECEIVED(f, "in", "1");
}

/* E216, E215 */
static void the_subscriptions_of_an_unknown_client_are_dropped(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    const struct subscription_record record = {
        .id = 7,
        .client_id = bytes_text("nobody"),
        .inbox = bytes_text("old"),
        .ack_inbox = bytes_text("_INBOX.x"),
        .max_in_flight = 1,
        .ack_wait_seconds = 30};
    leave(f, &record);
    fixture_restart(f);
    RECEIVED(f, "old", "");
    assert_int_equal(records(f), 0);
    SUBSCRIBE(f, NULL, .position = START_POSITION_FIRST);
    RECEIVED(f, "in", "1");
    /* E202: 7 is not used again */
    assert_non_null(
        engine_store_subscription(engine_store_channel(f->store, "foo"), 8));
}

/* E202 */
static void ids_of_subscriptions_are_never_used_again(void **s)
{
    struct fixture *f = *s;
    for (uint64_t i = 1; i <= 4; i++) {
        const char *ack = NULL;
        SUBSCRIBE(f, &ack, .inbox = "in");
        assert_non_null(engine_store_subscription(
            engine_store_channel(f->store, "foo"), i));
        OK(client_unsubscribe(f, "me", "foo", ack));
        if (i == 2)
            fixture_restart(f);
    }
}

/* A stored ack inbox of any form is subscribed again (section 6). */
static void an_ack_inbox_of_another_server_is_subscribed(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    const struct subscription_record record = {
        .id = 1,
        .client_id = bytes_text("me"),
        .inbox = bytes_text("in"),
        .ack_inbox = bytes_text("_STAN.ack.test.x"),
        .max_in_flight = 1,
        .ack_wait_seconds = 1};
    leave(f, &record);
    fixture_restart(f);
    assert_non_null(table_get(f->subscribed, "_STAN.ack.test.x", 16));
    client_ack(f, "_STAN.ack.test.x", "foo", 1);
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "in", "1");
    OK(client_close(f, "me"));
    assert_null(table_get(f->subscribed, "_STAN.ack.test.x", 16));
}

/* E73, E74 */
static void a_store_of_another_cluster_is_refused(void **s)
{
    struct fixture *f = *s;
    struct blob out = {0};
    const struct server_record record = {.cluster_id = bytes_text("other")};
    assert_true(server_record_encode(&record, &out));
    publish_many(f, 1);
    assert_true(text_set(&f->store->server, blob_bytes(&out)));
    blob_release(&out);
    fixture_restart(f);
    assert_string_equal(
        f->failure.detail,
        "cluster ID \"test-cluster\" does not match recovered value of "
        "\"other\"");
    f->store->has_server = false;
    fixture_crash(f, 0);
    assert_true(f->started);
    assert_true(fixture_log_has(f, "was not recovered"));
    assert_int_equal(engine_store_channel(f->store, "foo")->state.last, 1);
}

/* Timestamps rise, over restarts and clocks that are set back. */
static void timestamps_do_not_go_back(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 2);
    f->wall -= 3600 * CLOCK_SECOND;
    publish_many(f, 1);
    fixture_restart(f);
    publish_many(f, 1);
    const struct stored_channel *channel =
        engine_store_channel(f->store, "foo");
    for (size_t i = 1; i < channel->count; i++) {
        assert_true(channel->messages[i].timestamp >
                    channel->messages[i - 1].timestamp);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(after_a_clean_restart_everything_goes_on),
        ENGINE_TEST(acks_to_the_inbox_of_before_count),
        ENGINE_TEST(who_was_offline_gets_nothing_on_its_old_inbox),
        ENGINE_TEST(the_place_is_the_highest_that_was_sent),
        ENGINE_TEST(what_was_sent_but_not_noted_comes_again_as_new),
        ENGINE_TEST(what_was_stored_without_an_answer_is_in_effect),
        ENGINE_TEST(a_durable_group_that_all_left_is_one_shadow),
        ENGINE_TEST(the_last_leaves_and_another_joins_at_once),
        ENGINE_TEST(of_two_shadows_the_one_that_is_further_wins),
        ENGINE_TEST(a_ghost_is_dropped_once),
        ENGINE_TEST(a_client_closed_by_heartbeats_leaves_no_ghost),
        ENGINE_TEST(an_open_durable_of_an_unknown_client_is_offline),
        ENGINE_TEST(the_subscriptions_of_an_unknown_client_are_dropped),
        ENGINE_TEST(ids_of_subscriptions_are_never_used_again),
        ENGINE_TEST(an_ack_inbox_of_another_server_is_subscribed),
        ENGINE_TEST(a_store_of_another_cluster_is_refused),
        ENGINE_TEST(timestamps_do_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
