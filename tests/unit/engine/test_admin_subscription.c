/* Administration: subscriptions and what they have pending, positions,
 * clients. */
#include "streamd/engine/channel.h"
#include "streamd/engine/core.h"
#include "tests/unit/engine/admin_test.h"

static const char broken[] = "disk is on fire";
enum { FIRST = START_POSITION_FIRST };

static size_t records(const struct fixture *f)
{
    return table_count(engine_store_channel(f->store, "foo")->subscriptions);
}

static void break_store(struct fixture *f)
{
    f->store->fail_commits = 1;
    f->store->failure = broken;
}

static void repair(struct fixture *f)
{
    f->store->fail_commits = 0;
    fixture_advance_ms(f, 1001);
}

/* ---- lists ---- */

static void subscriptions_are_listed_by_id(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "a", .durable = "dur");
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .durable = "d",
              .max_in_flight = 1, .ack_wait = 5);
    publish_many(f, 2);
    OK(client_sub_close(f, "me", "foo", ack));
    fixture_advance_ms(f, 2000);
    struct asked *asked = ASK(f, ADMIN_SUBSCRIPTIONS, .channel = "foo");
    const struct admin_answer *answer = answer_of(asked);
    assert_int_equal(answer->total, 2);
    assert_int_equal(answer->subscription_count, 2);
    const struct admin_subscription *one = &answer->subscriptions[0];
    assert_int_equal(one->id, 1);
    assert_string_equal(one->client_id.data, "me");
    assert_string_equal(one->durable_name.data, "dur");
    assert_true(one->is_offline && one->is_durable && !one->is_stalled);
    assert_int_equal(one->last_sent, 2);
    assert_int_equal(one->pending_count, 2);
    assert_int_equal(one->oldest_pending_age, 2 * CLOCK_SECOND);
    const struct admin_subscription *two = &answer->subscriptions[1];
    assert_int_equal(two->id, 2);
    assert_string_equal(two->queue_name.data, "d:g");
    assert_true(!two->is_offline && two->is_durable && two->is_stalled);
    assert_int_equal(two->ack_wait_seconds, 5);
    assert_int_equal(two->max_in_flight, 1);
    asked_free(asked);
    asked = ASK(f, ADMIN_SUBSCRIPTIONS, .offset = 1, .limit = 1);
    assert_int_equal(answer_of(asked)->subscription_count, 1);
    assert_int_equal(answer_of(asked)->subscriptions[0].id, 2);
    asked_free(asked);
    asked = ASK(f, ADMIN_SUBSCRIPTIONS, .offset = SIZE_MAX, .limit = 1);
    assert_int_equal(answer_of(asked)->subscription_count, 0);
    asked_free(asked);
}

static void pending_messages_are_listed_with_age_and_count(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .ack_wait = 10);
    publish_many(f, 2);
    fixture_advance_ms(f, 4000);
    publish_many(f, 1);
    fixture_advance_ms(f, 7000);
    struct asked *asked = ASK(f, ADMIN_PENDING, .subscription = 1, .limit = 2);
    const struct admin_answer *answer = answer_of(asked);
    assert_int_equal(answer->total, 3);
    assert_int_equal(answer->pending_count, 2);
    assert_int_equal(answer->next, 3);
    assert_int_equal(answer->pending[0].sequence, 1);
    assert_int_equal(answer->pending[0].age, 11 * CLOCK_SECOND);
    assert_int_equal(answer->pending[0].deliveries, 2);
    assert_int_equal(answer->pending[0].due_in, 9 * CLOCK_SECOND);
    asked_free(asked);
    asked = ASK(f, ADMIN_PENDING, .subscription = 1, .sequence = 3);
    answer = answer_of(asked);
    assert_int_equal(answer->pending_count, 1);
    assert_int_equal(answer->pending[0].age, 7 * CLOCK_SECOND);
    assert_int_equal(answer->pending[0].deliveries, 1);
    assert_int_equal(answer->pending[0].due_in, 3 * CLOCK_SECOND);
    assert_int_equal(answer->next, 0);
    asked_free(asked);
    REFUSES(f, STATUS_NOT_FOUND, "subscription 9 of channel \"foo\" not found",
            ADMIN_PENDING, .subscription = 9);
}

static void what_is_due_offline_is_not_known(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .durable = "dur");
    publish_many(f, 1);
    OK(client_close(f, "me"));
    fixture_restart(f);
    fixture_advance_ms(f, 3000);
    struct asked *asked = ASK(f, ADMIN_PENDING, .subscription = 1);
    assert_int_equal(answer_of(asked)->pending[0].due_in, -1);
    assert_int_equal(answer_of(asked)->pending[0].age, 3 * CLOCK_SECOND);
    asked_free(asked);
}

/* ---- release and drop ---- */

static void a_released_message_is_sent_again_at_once(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in");
    publish_many(f, 3);
    RECEIVED(f, "in", "1 2 3");
    struct asked *asked =
        ASK(f, ADMIN_RELEASE, .subscription = 1, .sequence = 2);
    assert_int_equal(answer_of(asked)->deliveries, 1);
    asked_free(asked);
    RECEIVED(f, "in", "2r1");
    client_ack(f, ack, "foo", 1);
    fixture_advance_ms(f, 29000);
    RECEIVED(f, "in", "");
    fixture_advance_ms(f, 2000);
    RECEIVED(f, "in", "2r2 3r1");
    REFUSES(f, STATUS_NOT_FOUND, "message 1 is not pending", ADMIN_RELEASE,
            .subscription = 1, .sequence = 1);
}

static void a_release_in_a_group_goes_to_a_member(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g");
    publish_many(f, 1);
    RECEIVED(f, "a", "1");
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g");
    DOES(f, ADMIN_RELEASE, .subscription = 1, .sequence = 1);
    RECEIVED(f, "b", "1r1");
}

static void nothing_is_released_offline(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    publish_many(f, 1);
    OK(client_sub_close(f, "me", "foo", ack));
    REFUSES(f, STATUS_CONFLICT, "offline", ADMIN_RELEASE, .subscription = 1,
            .sequence = 1);
}

static void a_dropped_message_is_as_if_acked(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .durable = "dur", .max_in_flight = 2);
    publish_many(f, 3);
    RECEIVED(f, "in", "1 2");
    struct asked *asked = ASK(f, ADMIN_DROP, .subscription = 1, .sequence = 1);
    assert_int_equal(answer_of(asked)->total, 1);
    asked_free(asked);
    RECEIVED(f, "in", "3");
    fixture_crash(f, 0);
    (void)fixture_received(f, "in");
    fixture_advance_ms(f, 31000);
    RECEIVED(f, "in", "2r1 3r1");
    REFUSES(f, STATUS_NOT_FOUND, "not pending", ADMIN_DROP, .subscription = 1,
            .sequence = 1);
}

static void a_drop_works_offline_and_is_kept_by_a_crash(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    publish_many(f, 2);
    OK(client_sub_close(f, "me", "foo", ack));
    DOES(f, ADMIN_DROP, .subscription = 1, .sequence = 1);
    fixture_crash(f, 0);
    SUBSCRIBE(f, NULL, .inbox = "again", .durable = "dur");
    RECEIVED(f, "again", "2r1");
}

static void a_drop_that_is_not_stored_changes_nothing(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .durable = "dur");
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    break_store(f);
    REFUSES(f, STATUS_IO, "nothing changed", ADMIN_DROP, .subscription = 1,
            .sequence = 1);
    repair(f);
    fixture_advance_ms(f, 30000);
    RECEIVED(f, "in", "1r1");
}

/* ---- positions ---- */

static void a_live_durable_is_moved_back(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur", .max_in_flight = 3);
    publish_many(f, 5);
    client_ack(f, ack, "foo", 1);
    RECEIVED(f, "in", "1 2 3 4");
    struct asked *asked = ASK(f, ADMIN_MOVE, .subscription = 1, .sequence = 2);
    const struct admin_answer *answer = answer_of(asked);
    assert_int_equal(answer->previous, 4);
    assert_int_equal(answer->next, 2);
    assert_int_equal(answer->dropped, 3);
    asked_free(asked);
    RECEIVED(f, "in", "2 3 4");
    client_ack(f, ack, "foo", 2);
    RECEIVED(f, "in", "5");
    client_ack(f, ack, "foo", 3);
    fixture_advance_ms(f, 31000);
    RECEIVED(f, "in", "4r1 5r1");
}

static void a_move_is_kept_by_a_crash(void **s)
{
    struct fixture *f = *s;
    const struct {
        uint64_t to;
        const char *received;
    } cases[] = {{2, "2 3 4 5"}, {5, "5"}, {1, "1 2 3 4 5"}, {6, ""}};
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    publish_many(f, 5);
    OK(client_close(f, "me"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        DOES(f, ADMIN_MOVE, .subscription = 1, .sequence = cases[i].to);
        fixture_crash(f, 0);
        OK(client_connect(f, "me"));
        SUBSCRIBE(f, NULL, .inbox = "in2", .durable = "dur");
        RECEIVED(f, "in2", cases[i].received);
        OK(client_close(f, "me"));
    }
}

/* Messages that are sent while the move is on its way: the store has the new
 * position whenever it is asked. */
static void a_crash_amid_a_move_loses_no_message(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .durable = "dur");
    publish_many(f, 3);
    f->store->hold_commits = true;
    (void)client_send_publish(f, "me", "foo", "4");
    fixture_run(f);
    struct asked *asked = ASK(f, ADMIN_MOVE, .subscription = 1, .sequence = 2);
    REFUSES(f, STATUS_CONFLICT, "a move is under way", ADMIN_MOVE,
            .subscription = 1, .sequence = 1);
    (void)client_send_publish(f, "me", "foo", "5");
    (void)engine_store_release_commit(f->store);
    fixture_run(f);
    (void)fixture_received(f, "in");
    assert_false(asked->answered);
    fixture_crash(f, 1); /* the move's batch is the one that was kept */
    asked_free(asked);
    engine_store_release(f->store);
    fixture_run(f);
    RECEIVED(f, "in", "2 3 4 5");
}

/* What it knew of a place where nothing is goes with its old position. */
static void a_move_forgets_what_was_found_to_be_gone(void **s)
{
    (void)s;
    struct fixture_options options = fixture_defaults;
    options.cache_size = 0;
    struct fixture *f = engine_test_begin(&options);
    publish_many(f, 3);
    engine_store_lose(engine_store_channel(f->store, "foo"), 3);
    fixture_restart(f);
    SUBSCRIBE(f, NULL, .inbox = "in", .position = FIRST);
    RECEIVED(f, "in", "1 2");
    DOES(f, ADMIN_MOVE, .subscription = 1, .sequence = 2);
    RECEIVED(f, "in", "2");
    engine_test_end(f);
}

static void a_move_ends_the_wait_for_redeliveries(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "old", .durable = "dur");
    publish_many(f, 2);
    OK(client_sub_close(f, "me", "foo", ack));
    fixture_restart(f); /* the cache is empty */
    f->store->hold_reads = true;
    SUBSCRIBE(f, NULL, .inbox = "in", .durable = "dur");
    publish_many(f, 1);
    RECEIVED(f, "in", "");
    struct asked *asked = ASK(f, ADMIN_MOVE, .subscription = 1, .sequence = 3);
    assert_int_equal(answer_of(asked)->dropped, 2);
    asked_free(asked);
    RECEIVED(f, "in", "3");
    engine_store_release(f->store);
    fixture_advance_ms(f, 31000);
    RECEIVED(f, "in", "3r1");
}

static void a_durable_is_moved_to_a_time(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .durable = "dur");
    int64_t times[4];
    for (int i = 0; i < 4; i++) {
        times[i] = f->wall;
        publish_many(f, 1);
        fixture_advance_ms(f, 1000);
    }
    RECEIVED(f, "in", "1 2 3 4");
    DOES(f, ADMIN_MOVE, .subscription = 1, .time = times[2]);
    RECEIVED(f, "in", "3 4");
    DOES(f, ADMIN_MOVE, .subscription = 1, .time = times[1] + 1);
    RECEIVED(f, "in", "3 4");
    DOES(f, ADMIN_MOVE, .subscription = 1, .time = 1);
    RECEIVED(f, "in", "1 2 3 4");
    struct asked *asked =
        ASK(f, ADMIN_MOVE, .subscription = 1, .time = f->wall + 1);
    assert_int_equal(answer_of(asked)->next, 5);
    asked_free(asked);
    f->store->fail_reads = 1;
    f->store->failure = broken;
    REFUSES(f, STATUS_IO, broken, ADMIN_MOVE, .subscription = 1,
            .time = times[2]);
}

static void what_is_moved_may_end_meanwhile(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in");
    publish_many(f, 1);
    fixture_advance_ms(f, 1000);
    int64_t then = f->wall;
    publish_many(f, 2);
    f->store->hold_reads = true;
    struct asked *asked = ASK(f, ADMIN_MOVE, .subscription = 1, .time = then);
    OK(client_unsubscribe(f, "me", "foo", ack));
    engine_store_release(f->store);
    fixture_run(f);
    asked_refused(asked, STATUS_NOT_FOUND, "ended while");
    SUBSCRIBE(f, &ack, .inbox = "in");
    f->store->hold_commits = true;
    asked = ASK(f, ADMIN_MOVE, .subscription = 2, .sequence = 1);
    (void)client_send_unsubscribe(f, INBOUND_UNSUBSCRIBE, "me", "foo", ack);
    fixture_run(f);
    engine_store_release(f->store);
    fixture_run(f);
    asked_refused(asked, STATUS_NOT_FOUND, "ended while");
    assert_int_equal(records(f), 0);
}

static void positions_out_of_range_are_refused(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .durable = "dur");
    publish_many(f, 2);
    REFUSES(f, STATUS_INVALID, "1 to 3", ADMIN_MOVE, .subscription = 1,
            .sequence = 0);
    REFUSES(f, STATUS_INVALID, "1 to 3", ADMIN_MOVE, .subscription = 1,
            .sequence = 4);
    REFUSES(f, STATUS_INVALID, "out of range", ADMIN_MOVE, .subscription = 1,
            .sequence = UINT64_MAX);
    DOES(f, ADMIN_PURGE, .channel = "foo");
    struct asked *asked = ASK(f, ADMIN_MOVE, .subscription = 1, .sequence = 1);
    assert_int_equal(answer_of(asked)->next, 3); /* the first there will be */
    asked_free(asked);
    (void)fixture_received(f, "in");
    publish_many(f, 1);
    RECEIVED(f, "in", "3");
}

static void a_move_that_is_not_stored_changes_nothing(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .durable = "dur");
    publish_many(f, 3);
    RECEIVED(f, "in", "1 2 3");
    break_store(f);
    REFUSES(f, STATUS_IO, "nothing changed", ADMIN_MOVE, .subscription = 1,
            .sequence = 4);
    repair(f);
    fixture_crash(f, 0);
    fixture_advance_ms(f, 31000);
    RECEIVED(f, "in", "1r1 2r1 3r1");
}

static void a_group_is_moved_as_a_whole(void **s)
{
    struct fixture *f = *s;
    const char *a = NULL;
    const char *b = NULL;
    SUBSCRIBE(f, &a, .inbox = "a", .group = "g", .durable = "d",
              .max_in_flight = 2);
    SUBSCRIBE(f, &b, .inbox = "b", .group = "g", .durable = "d",
              .max_in_flight = 2);
    publish_many(f, 5);
    (void)fixture_received(f, "a");
    (void)fixture_received(f, "b");
    struct asked *asked = ASK(f, ADMIN_MOVE, .subscription = 2, .sequence = 4);
    const struct admin_answer *answer = answer_of(asked);
    assert_string_equal(answer->queue_name.data, "d:g");
    assert_int_equal(answer->previous, 4);
    assert_int_equal(answer->dropped, 4);
    asked_free(asked);
    const char *got = fixture_text(f, "%s %s", fixture_received(f, "a"),
                                   fixture_received(f, "b"));
    assert_true(strcmp(got, "4 5") == 0 || strcmp(got, "5 4") == 0);
    OK(client_close(f, "me"));
    DOES(f, ADMIN_MOVE, .queue = "d:g", .sequence = 2);
    fixture_crash(f, 0);
    OK(client_connect(f, "me"));
    SUBSCRIBE(f, NULL, .inbox = "c", .group = "g", .durable = "d");
    RECEIVED(f, "c", "2 3 4 5");
    REFUSES(f, STATUS_NOT_FOUND, "queue group \"x\" of channel \"foo\"",
            ADMIN_MOVE, .queue = "x", .sequence = 1);
}

/* A member that comes, and one that goes, while their group is moved. */
static void a_group_that_changes_while_it_is_moved_is_moved(void **s)
{
    struct fixture *f = *s;
    const char *a = NULL;
    SUBSCRIBE(f, &a, .inbox = "a", .group = "g", .durable = "d");
    publish_many(f, 3);
    RECEIVED(f, "a", "1 2 3");
    f->store->hold_commits = true;
    (void)client_send_publish(f, "me", "foo", "4");
    fixture_run(f);
    struct asked *asked = ASK(f, ADMIN_MOVE, .queue = "d:g", .sequence = 2);
    (void)client_send_subscribe(f, &(struct subscribe_request){.inbox = "b",
                                                               .group = "g",
                                                               .durable = "d"});
    fixture_run(f);
    (void)client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", a);
    fixture_run(f);
    (void)engine_store_release_commit(f->store);
    fixture_run(f);
    fixture_crash(f, 1);
    asked_free(asked);
    engine_store_release(f->store);
    fixture_run(f);
    RECEIVED(f, "b", "2 3 4");
}

/* ---- deletion ---- */

static void an_offline_durable_is_deleted(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    publish_many(f, 2);
    OK(client_sub_close(f, "me", "foo", ack));
    struct asked *asked = ASK(f, ADMIN_DELETE_SUBSCRIPTION, .subscription = 1);
    const struct admin_answer *answer = answer_of(asked);
    assert_true(answer->was_offline);
    assert_int_equal(answer->dropped, 2);
    assert_string_equal(answer->durable_name.data, "dur");
    assert_string_equal(answer->client_id.data, "me");
    asked_free(asked);
    assert_int_equal(records(f), 0);
    fixture_crash(f, 0);
    SUBSCRIBE(f, NULL, .inbox = "again", .durable = "dur");
    publish_many(f, 1);
    RECEIVED(f, "again", "3");
    REFUSES(f, STATUS_NOT_FOUND, "not found", ADMIN_DELETE_SUBSCRIPTION,
            .subscription = 1);
}

static void an_online_subscription_needs_force(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    REFUSES(f, STATUS_CONFLICT, "online", ADMIN_DELETE_SUBSCRIPTION,
            .subscription = 1);
    struct asked *asked =
        ASK(f, ADMIN_DELETE_SUBSCRIPTION, .subscription = 1, .force = true);
    assert_false(answer_of(asked)->was_offline);
    asked_free(asked);
    publish_many(f, 1);
    RECEIVED(f, "in", "");
    assert_int_equal(records(f), 0);
    OK(client_close(f, "me"));
}

static void a_member_leaves_its_messages_to_others(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .durable = "d");
    publish_many(f, 2);
    RECEIVED(f, "a", "1 2");
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .durable = "d");
    struct asked *asked =
        ASK(f, ADMIN_DELETE_SUBSCRIPTION, .subscription = 1, .force = true);
    assert_int_equal(answer_of(asked)->transferred, 2);
    assert_int_equal(answer_of(asked)->dropped, 0);
    assert_false(answer_of(asked)->group_deleted);
    asked_free(asked);
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "b", "1r1 2r1");
    asked = ASK(f, ADMIN_DELETE_SUBSCRIPTION, .subscription = 2, .force = true);
    assert_int_equal(answer_of(asked)->dropped, 2);
    assert_true(answer_of(asked)->group_deleted);
    asked_free(asked);
    assert_int_equal(records(f), 0);
}

static void a_deletion_that_is_not_stored_is_repeated(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    OK(client_sub_close(f, "me", "foo", ack));
    break_store(f);
    REFUSES(f, STATUS_IO, "it has ended, and its removal is stored as soon",
            ADMIN_DELETE_SUBSCRIPTION, .subscription = 1);
    assert_int_equal(records(f), 1);
    repair(f);
    assert_int_equal(records(f), 0);
}

static void a_queue_group_is_deleted_with_all_members(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .durable = "d");
    SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .durable = "d");
    SUBSCRIBE(f, NULL, .inbox = "c", .group = "other");
    publish_many(f, 4);
    REFUSES(f, STATUS_CONFLICT, "2 members online", ADMIN_DELETE_QUEUE_GROUP,
            .queue = "d:g");
    struct asked *asked =
        ASK(f, ADMIN_DELETE_QUEUE_GROUP, .queue = "d:g", .force = true);
    const struct admin_answer *answer = answer_of(asked);
    assert_int_equal(answer->ended, 2);
    assert_int_equal(answer->dropped, 4);
    assert_int_equal(answer->last, 4);
    assert_true(answer->is_durable);
    asked_free(asked);
    assert_int_equal(records(f), 1);
    REFUSES(f, STATUS_NOT_FOUND, "not found", ADMIN_DELETE_QUEUE_GROUP,
            .queue = "g");
    fixture_advance_ms(f, 60000);
    OK(client_close(f, "me"));
}

static void an_offline_queue_group_is_deleted(void **s)
{
    struct fixture *f = *s;
    for (int by_id = 0; by_id < 2; by_id++) {
        OK(by_id == 0 ? "" : client_connect(f, "me"));
        SUBSCRIBE(f, NULL, .inbox = "a", .group = "g", .durable = "d");
        publish_many(f, 1);
        OK(client_close(f, "me"));
        assert_int_equal(records(f), 1);
        if (by_id == 0) {
            DOES(f, ADMIN_DELETE_QUEUE_GROUP, .queue = "d:g");
        } else {
            struct asked *asked =
                ASK(f, ADMIN_DELETE_SUBSCRIPTION, .subscription = 2);
            assert_true(answer_of(asked)->group_deleted);
            asked_free(asked);
        }
        assert_int_equal(records(f), 0);
    }
    fixture_crash(f, 0);
    assert_int_equal(records(f), 0);
}

/* ---- clients ---- */

static void a_client_is_closed(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "a");
    SUBSCRIBE(f, NULL, .inbox = "b", .durable = "dur");
    SUBSCRIBE(f, NULL, .inbox = "c", .group = "g", .durable = "d");
    SUBSCRIBE(f, NULL, .inbox = "d", .group = "g", .durable = "d");
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "e", .group = "h",
              .durable = "d");
    SUBSCRIBE(f, NULL, .inbox = "f", .group = "h", .durable = "d");
    struct asked *asked = ASK(f, ADMIN_CLOSE_CLIENT, .client = "me");
    assert_int_equal(answer_of(asked)->ended, 3);
    assert_int_equal(answer_of(asked)->offline, 2);
    asked_free(asked);
    assert_int_equal(records(f), 3);
    assert_string_equal(client_ping(f, "conn.me"),
                        "client has been replaced or is no longer registered");
    fixture_crash(f, 0);
    assert_string_equal(client_close(f, "me"), "stan: unknown clientID");
    REFUSES(f, STATUS_NOT_FOUND, "client \"me\" not found", ADMIN_CLOSE_CLIENT,
            .client = "me");
    OK(client_connect(f, "me"));
}

static void a_close_that_is_not_stored_is_repeated(void **s)
{
    struct fixture *f = *s;
    break_store(f);
    REFUSES(f, STATUS_IO, "it is closed, which is stored as soon",
            ADMIN_CLOSE_CLIENT, .client = "me");
    repair(f);
    assert_int_equal(table_count(f->store->clients), 0);
}

/* ---- the server ---- */

static void what_is_asked_before_the_start_is_refused(void **s)
{
    struct fixture *f = *s;
    while (!engine_stop(f->engine))
        fixture_run(f);
    REFUSES(f, STATUS_UNAVAILABLE, "shutting down", ADMIN_CLOSE_CLIENT,
            .client = "me");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(subscriptions_are_listed_by_id),
        ENGINE_TEST(pending_messages_are_listed_with_age_and_count),
        ENGINE_TEST(what_is_due_offline_is_not_known),
        ENGINE_TEST(a_released_message_is_sent_again_at_once),
        ENGINE_TEST(a_release_in_a_group_goes_to_a_member),
        ENGINE_TEST(nothing_is_released_offline),
        ENGINE_TEST(a_dropped_message_is_as_if_acked),
        ENGINE_TEST(a_drop_works_offline_and_is_kept_by_a_crash),
        ENGINE_TEST(a_drop_that_is_not_stored_changes_nothing),
        ENGINE_TEST(a_live_durable_is_moved_back),
        ENGINE_TEST(a_move_is_kept_by_a_crash),
        ENGINE_TEST(a_crash_amid_a_move_loses_no_message),
        ENGINE_TEST(a_move_forgets_what_was_found_to_be_gone),
        ENGINE_TEST(a_move_ends_the_wait_for_redeliveries),
        ENGINE_TEST(a_durable_is_moved_to_a_time),
        ENGINE_TEST(what_is_moved_may_end_meanwhile),
        ENGINE_TEST(positions_out_of_range_are_refused),
        ENGINE_TEST(a_move_that_is_not_stored_changes_nothing),
        ENGINE_TEST(a_group_is_moved_as_a_whole),
        ENGINE_TEST(a_group_that_changes_while_it_is_moved_is_moved),
        ENGINE_TEST(an_offline_durable_is_deleted),
        ENGINE_TEST(an_online_subscription_needs_force),
        ENGINE_TEST(a_member_leaves_its_messages_to_others),
        ENGINE_TEST(a_deletion_that_is_not_stored_is_repeated),
        ENGINE_TEST(a_queue_group_is_deleted_with_all_members),
        ENGINE_TEST(an_offline_queue_group_is_deleted),
        ENGINE_TEST(a_client_is_closed),
        ENGINE_TEST(a_close_that_is_not_stored_is_repeated),
        ENGINE_TEST(what_is_asked_before_the_start_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
