/* Administration: messages are listed and published, channels purged and
 * deleted. */
#include "streamd/engine/channel.h"
#include "streamd/engine/core.h"
#include "tests/unit/engine/admin_test.h"

#include <inttypes.h>

static const char broken[] = "disk is on fire";
enum { FIRST = START_POSITION_FIRST };

static struct stored_channel *stored(const struct fixture *f)
{
    return engine_store_channel(f->store, "foo");
}

/* "1:one 2:two": what was listed. */
static const char *texts(struct fixture *f, const struct run *run)
{
    const char *all = "";
    for (size_t i = 0; run != NULL && i < run->count; i++) {
        struct msg_proto message;
        assert_true(
            msg_proto_decode(slice_bytes(run->entries[i].message), &message));
        assert_int_equal(message.sequence, run->entries[i].sequence);
        all = fixture_text(f, "%s%s%" PRIu64 ":%.*s", all, i > 0 ? " " : "",
                           message.sequence, (int)message.data.size,
                           (const char *)message.data.data);
    }
    return all;
}

/* ---- messages ---- */

static void messages_are_listed_in_pages(void **s)
{
    struct fixture *f = *s;
    OK(client_publish(f, "me", "foo", "a"));
    OK(client_publish(f, "me", "foo", "b"));
    OK(client_publish(f, "me", "foo", "c"));
    struct asked *asked = ASK(f, ADMIN_MESSAGES, .limit = 2);
    const struct admin_answer *answer = answer_of(asked);
    assert_string_equal(texts(f, answer->run), "1:a 2:b");
    assert_int_equal(answer->first, 1);
    assert_int_equal(answer->last, 3);
    assert_int_equal(answer->next, 3);
    asked_free(asked);
    asked = ASK(f, ADMIN_MESSAGES, .limit = 2, .sequence = 3);
    assert_string_equal(texts(f, answer_of(asked)->run), "3:c");
    assert_int_equal(answer_of(asked)->next, 0);
    asked_free(asked);
    asked = ASK(f, ADMIN_MESSAGES, .sequence = 4);
    assert_string_equal(texts(f, answer_of(asked)->run), "");
    asked_free(asked);
    assert_true(fixture_log_has(f, "Admin \"tester\": messages "
                                   "channel=\"foo\" seq=3: 1 messages"));
}

static void messages_are_listed_from_a_time(void **s)
{
    struct fixture *f = *s;
    OK(client_publish(f, "me", "foo", "a"));
    fixture_advance_ms(f, 1000);
    int64_t then = f->wall;
    OK(client_publish(f, "me", "foo", "b"));
    struct asked *asked = ASK(f, ADMIN_MESSAGES, .time = then);
    assert_string_equal(texts(f, answer_of(asked)->run), "2:b");
    asked_free(asked);
}

static void one_message_is_shown(void **s)
{
    struct fixture *f = *s;
    OK(client_publish(f, "me", "foo", "a"));
    OK(client_publish(f, "me", "foo", "b"));
    struct asked *asked = ASK(f, ADMIN_MESSAGE, .sequence = 2);
    assert_string_equal(texts(f, answer_of(asked)->run), "2:b");
    asked_free(asked);
    REFUSES(f, STATUS_NOT_FOUND, "message 3 is not stored; first 1, last 2",
            ADMIN_MESSAGE, .sequence = 3);
    REFUSES(f, STATUS_NOT_FOUND, "channel \"bar\" not found", ADMIN_MESSAGE,
            .channel = "bar", .sequence = 1);
    REFUSES(f, STATUS_NOT_FOUND, "not found", ADMIN_MESSAGES, .channel = "bar");
}

/* A gap is no other message. */
static void a_lost_message_is_not_its_neighbour(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 3);
    engine_store_lose(stored(f), 2);
    REFUSES(f, STATUS_NOT_FOUND, "message 2 is not stored", ADMIN_MESSAGE,
            .sequence = 2);
}

static void a_failed_read_is_told(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    f->store->fail_reads = 1;
    f->store->failure = broken;
    REFUSES(f, STATUS_IO, broken, ADMIN_MESSAGES, .channel = "foo");
    DOES(f, ADMIN_MESSAGES, .channel = "foo");
}

static void a_channel_that_goes_while_it_is_read_is_not_found(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    f->store->hold_reads = true;
    struct asked *asked = ASK(f, ADMIN_MESSAGES, .channel = "foo");
    assert_false(asked->answered);
    DOES(f, ADMIN_DELETE_CHANNEL, .channel = "foo");
    engine_store_release(f->store);
    fixture_run(f);
    asked_refused(asked, STATUS_NOT_FOUND, "deleted");
}

/* ---- publish ---- */

static void a_published_message_is_delivered(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in");
    struct asked *asked = ASK(f, ADMIN_PUBLISH, .data = "hello");
    assert_int_equal(answer_of(asked)->sequence, 1);
    assert_int_equal(strlen(answer_of(asked)->guid), NUID_SIZE);
    asked_free(asked);
    RECEIVED(f, "in", "1");
    fixture_crash(f, 0);
    asked = ASK(f, ADMIN_MESSAGES, .channel = "foo");
    assert_string_equal(texts(f, answer_of(asked)->run), "1:hello");
    asked_free(asked);
}

static void a_publish_is_answered_when_it_is_durable(void **s)
{
    struct fixture *f = *s;
    f->store->hold_commits = true;
    struct asked *asked = ASK(f, ADMIN_PUBLISH, .data = "hello");
    assert_false(asked->answered);
    engine_store_release(f->store);
    fixture_run(f);
    assert_int_equal(answer_of(asked)->sequence, 1);
    asked_free(asked);
}

static void a_publish_that_is_not_stored_changes_nothing(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    f->store->fail_commits = 1;
    f->store->failure = broken;
    REFUSES(f, STATUS_IO, "not stored: disk is on fire; nothing changed",
            ADMIN_PUBLISH, .data = "lost");
    struct asked *asked = ASK(f, ADMIN_PUBLISH, .data = "kept");
    assert_int_equal(answer_of(asked)->sequence, 2);
    asked_free(asked);
}

static void invalid_names_are_refused(void **s)
{
    struct fixture *f = *s;
    REFUSES(f, STATUS_INVALID, "invalid channel name", ADMIN_PUBLISH,
            .channel = "foo.*", .data = "x");
    REFUSES(f, STATUS_INVALID, "invalid channel name", ADMIN_PUBLISH,
            .channel = "", .data = "x");
    publish_many(f, 1);
    REFUSES(f, STATUS_EXISTS, "different cases", ADMIN_PUBLISH,
            .channel = "FOO", .data = "x");
    REFUSES(f, STATUS_NOT_FOUND, "not found", ADMIN_PURGE, .channel = ">");
}

/* It would stand in the way of all behind it. */
static void what_could_not_be_delivered_is_refused(void **s)
{
    struct fixture *f = *s;
    char data[FIXTURE_PAYLOAD_MAX];
    memset(data, 'x', sizeof data - 1);
    data[sizeof data - 1] = '\0';
    REFUSES(f, STATUS_TOO_BIG, "larger than", ADMIN_PUBLISH, .data = data);
    data[sizeof data - 100] = '\0';
    SUBSCRIBE(f, NULL, .inbox = "in");
    DOES(f, ADMIN_PUBLISH, .data = data);
    RECEIVED(f, "in", "1");
    fixture_advance_ms(f, 31000);
    RECEIVED(f, "in", "1r1");
    assert_true(fixture_take(f, "in") == NULL);
    for (size_t i = 0; i < f->sent_count; i++)
        assert_true(f->sent[i].data.size <= FIXTURE_PAYLOAD_MAX);
}

/* ---- purge ---- */

static void a_purge_removes_what_is_stored(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 5);
    uint64_t bytes = stored(f)->state.bytes;
    struct asked *asked = ASK(f, ADMIN_PURGE, .channel = "foo");
    const struct admin_answer *answer = answer_of(asked);
    assert_int_equal(answer->messages, 5);
    assert_int_equal(answer->bytes, bytes);
    assert_int_equal(answer->first, 1);
    assert_int_equal(answer->last, 5);
    asked_free(asked);
    assert_int_equal(stored(f)->count, 0);
    fixture_crash(f, 0);
    asked = ASK(f, ADMIN_PUBLISH, .data = "x");
    assert_int_equal(answer_of(asked)->sequence, 6);
    asked_free(asked);
    assert_true(fixture_log_has(f, "5 messages, "));
}

static void a_purge_of_nothing_removes_nothing(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in"); /* makes the channel */
    struct asked *asked = ASK(f, ADMIN_PURGE, .channel = "foo");
    assert_int_equal(answer_of(asked)->messages, 0);
    assert_int_equal(answer_of(asked)->first, 0);
    asked_free(asked);
    publish_many(f, 1);
    DOES(f, ADMIN_PURGE, .channel = "foo");
    asked = ASK(f, ADMIN_PURGE, .channel = "foo");
    assert_int_equal(answer_of(asked)->messages, 0);
    assert_int_equal(answer_of(asked)->last, 0);
    asked_free(asked);
}

/* What is on its way to the store when it is asked for stays. */
static void a_purge_counts_exactly_while_publishers_go_on(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 3);
    f->store->hold_commits = true;
    const char *flying = client_send_publish(f, "me", "foo", "4");
    fixture_run(f);
    const char *filling = client_send_publish(f, "me", "foo", "5");
    struct asked *asked = ASK(f, ADMIN_PURGE, .channel = "foo");
    REFUSES(f, STATUS_CONFLICT, "a purge is under way", ADMIN_PURGE,
            .channel = "foo");
    const char *behind = client_send_publish(f, "me", "foo", "6");
    fixture_run(f);
    engine_store_release(f->store);
    fixture_run(f);
    const struct admin_answer *answer = answer_of(asked);
    assert_int_equal(answer->messages, 4);
    assert_int_equal(answer->last, 4);
    asked_free(asked);
    OK(client_error(f, flying, FIELD_PUB_ACK_ERROR));
    OK(client_error(f, filling, FIELD_PUB_ACK_ERROR));
    OK(client_error(f, behind, FIELD_PUB_ACK_ERROR));
    asked = ASK(f, ADMIN_MESSAGES, .channel = "foo");
    assert_string_equal(texts(f, answer_of(asked)->run), "5:5 6:6");
    asked_free(asked);
    DOES(f, ADMIN_PURGE, .channel = "foo");
}

static void consumers_go_on_behind_a_purge(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .max_in_flight = 2, .durable = "dur");
    publish_many(f, 4);
    RECEIVED(f, "in", "1 2");
    DOES(f, ADMIN_PURGE, .channel = "foo");
    publish_many(f, 2);
    client_ack(f, ack, "foo", 1);
    RECEIVED(f, "in", "5");
    client_ack(f, ack, "foo", 2);
    RECEIVED(f, "in", "6");
    fixture_advance_ms(f, 31000);
    RECEIVED(f, "in", "5r1 6r1");
}

/* What is pending and gone is not waited for. */
static void a_stalled_consumer_goes_on_behind_a_purge(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "in", .max_in_flight = 2);
    publish_many(f, 4);
    RECEIVED(f, "in", "1 2");
    DOES(f, ADMIN_PURGE, .channel = "foo");
    publish_many(f, 1);
    fixture_advance_ms(f, 31000);
    RECEIVED(f, "in", "5");
}

static void a_purge_that_is_not_stored_changes_nothing(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 3);
    f->store->fail_commits = 1;
    f->store->failure = broken;
    REFUSES(f, STATUS_IO, "nothing changed", ADMIN_PURGE, .channel = "foo");
    fixture_advance_ms(f, 60000); /* nor later: it is not repeated */
    assert_int_equal(stored(f)->count, 3);
    struct asked *asked = ASK(f, ADMIN_PURGE, .channel = "foo");
    assert_int_equal(answer_of(asked)->messages, 3);
    asked_free(asked);
}

/* ---- deletion ---- */

static void a_deleted_channel_is_gone_and_may_come_anew(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 3);
    uint64_t bytes = stored(f)->state.bytes;
    struct asked *asked = ASK(f, ADMIN_DELETE_CHANNEL, .channel = "foo");
    const struct admin_answer *answer = answer_of(asked);
    assert_int_equal(answer->messages, 3);
    assert_int_equal(answer->bytes, bytes);
    assert_int_equal(answer->last, 3);
    assert_int_equal(answer->ended, 0);
    asked_free(asked);
    assert_null(stored(f));
    REFUSES(f, STATUS_NOT_FOUND, "not found", ADMIN_DELETE_CHANNEL,
            .channel = "foo");
    fixture_crash(f, 0);
    assert_null(stored(f));
    OK(client_publish(f, "me", "foo", "x"));
    assert_int_equal(stored(f)->state.last, 1);
}

static void a_channel_with_subscriptions_needs_force(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "a", .durable = "dur");
    OK(client_sub_close(f, "me", "foo", ack));
    SUBSCRIBE(f, &ack, .inbox = "b");
    SUBSCRIBE(f, NULL, .inbox = "c", .group = "g");
    SUBSCRIBE(f, NULL, .inbox = "d", .group = "g");
    publish_many(f, 1);
    REFUSES(f, STATUS_CONFLICT, "has 4 subscriptions", ADMIN_DELETE_CHANNEL,
            .channel = "foo");
    struct asked *asked = ASK(f, ADMIN_DELETE_CHANNEL, .force = true);
    assert_int_equal(answer_of(asked)->ended, 4);
    asked_free(asked);
    assert_null(stored(f));
    client_ack(f, ack, "foo", 1);
    assert_string_equal(client_unsubscribe(f, "me", "foo", ack),
                        "stan: unknown channel");
    OK(client_close(f, "me"));
}

/* Whoever comes while it is on its way is refused; those who leave leave no
 * record that would find no channel. */
static void nobody_holds_up_a_deletion(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    publish_many(f, 2);
    f->store->hold_commits = true;
    const char *late = client_send_publish(f, "me", "foo", "3");
    fixture_run(f);
    struct asked *asked = ASK(f, ADMIN_DELETE_CHANNEL, .force = true);
    const char *refused = client_send_publish(f, "me", "foo", "4");
    client_send_ack(f, ack, "foo", 1);
    fixture_run(f);
    assert_string_equal(client_error(f, refused, FIELD_PUB_ACK_ERROR),
                        "stan: channel is being deleted");
    REFUSES(f, STATUS_CONFLICT, "being deleted", ADMIN_DELETE_CHANNEL,
            .channel = "foo");
    REFUSES(f, STATUS_CONFLICT, "being deleted", ADMIN_PURGE, .channel = "foo");
    const char *closed = client_send_close(f, "me");
    fixture_run(f);
    engine_store_release(f->store);
    fixture_run(f);
    OK(client_error(f, late, FIELD_PUB_ACK_ERROR));
    OK(client_error(f, closed, FIELD_ERROR));
    assert_int_equal(answer_of(asked)->messages, 3);
    asked_free(asked);
    assert_null(stored(f));
}

/* The deletion is in the batch before. */
static void who_leaves_a_deleted_channel_leaves_no_record(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    publish_many(f, 1);
    f->store->hold_commits = true;
    struct asked *asked = ASK(f, ADMIN_DELETE_CHANNEL, .force = true);
    const char *closed = client_send_close(f, "me");
    fixture_run(f);
    engine_store_release(f->store);
    fixture_run(f);
    OK(client_error(f, closed, FIELD_ERROR));
    assert_int_equal(answer_of(asked)->ended, 1);
    asked_free(asked);
    assert_int_equal(table_count(f->store->clients), 0);
}

/* Behind 1 to stored in foo, a message on channel is on its way to the store
 * when a purge and a deletion of foo are asked for: both are in one batch.
 * Returns the last sequence that the deletion tells. */
static uint64_t purge_and_delete(struct fixture *f, int stored,
                                 const char *channel)
{
    publish_many(f, stored);
    f->store->hold_commits = true;
    (void)client_send_publish(f, "me", channel, "x");
    fixture_run(f);
    struct asked *purge = ASK(f, ADMIN_PURGE, .channel = "foo");
    struct asked *deletion = ASK(f, ADMIN_DELETE_CHANNEL, .channel = "foo");
    engine_store_release(f->store);
    fixture_run(f);
    assert_int_equal(answer_of(purge)->messages, 3);
    assert_int_equal(answer_of(deletion)->messages, 0);
    uint64_t last = answer_of(deletion)->last;
    asked_free(purge);
    asked_free(deletion);
    return last;
}

static void what_was_purged_is_not_deleted(void **s)
{
    (void)purge_and_delete(*s, 3, "bar");
}

static void a_purge_and_a_deletion_count_apart(void **s)
{
    assert_int_equal(purge_and_delete(*s, 2, "foo"), 3);
}

/* All is as it was, also what happened to its subscriptions meanwhile. */
static void a_deletion_that_is_not_stored_changes_nothing(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in", .durable = "dur");
    publish_many(f, 2);
    RECEIVED(f, "in", "1 2");
    f->store->hold_commits = true;
    struct asked *asked = ASK(f, ADMIN_DELETE_CHANNEL, .force = true);
    client_send_ack(f, ack, "foo", 1);
    (void)client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", ack);
    fixture_run(f);
    f->store->fail_commits = 1;
    f->store->failure = broken;
    engine_store_release(f->store);
    fixture_run(f);
    asked_refused(asked, STATUS_IO, "nothing changed");
    fixture_advance_ms(f, 1001);
    publish_many(f, 1);
    fixture_crash(f, 0);
    SUBSCRIBE(f, NULL, .inbox = "in2", .durable = "dur");
    RECEIVED(f, "in2", "2r1 3");
    DOES(f, ADMIN_DELETE_CHANNEL, .force = true);
}

/* The answer to what was asked comes, whatever happens. */
static void a_server_that_ends_refuses_what_waits(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 1);
    f->store->hold_commits = true;
    struct asked *asked[] = {
        ASK(f, ADMIN_PUBLISH, .data = "x"),
        ASK(f, ADMIN_PURGE, .channel = "foo"),
        ASK(f, ADMIN_DELETE_CHANNEL, .channel = "foo"),
        ASK(f, ADMIN_PUBLISH, .channel = "bar", .data = "y")};
    fixture_crash(f, 0);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        assert_true(asked[i]->answered);
        assert_int_not_equal(asked[i]->request.status, STATUS_OK);
        asked_free(asked[i]);
    }
    assert_int_equal(stored(f)->count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(messages_are_listed_in_pages),
        ENGINE_TEST(messages_are_listed_from_a_time),
        ENGINE_TEST(one_message_is_shown),
        ENGINE_TEST(a_lost_message_is_not_its_neighbour),
        ENGINE_TEST(a_failed_read_is_told),
        ENGINE_TEST(a_channel_that_goes_while_it_is_read_is_not_found),
        ENGINE_TEST(a_published_message_is_delivered),
        ENGINE_TEST(a_publish_is_answered_when_it_is_durable),
        ENGINE_TEST(a_publish_that_is_not_stored_changes_nothing),
        ENGINE_TEST(invalid_names_are_refused),
        ENGINE_TEST(what_could_not_be_delivered_is_refused),
        ENGINE_TEST(a_purge_removes_what_is_stored),
        ENGINE_TEST(a_purge_of_nothing_removes_nothing),
        ENGINE_TEST(a_purge_counts_exactly_while_publishers_go_on),
        ENGINE_TEST(consumers_go_on_behind_a_purge),
        ENGINE_TEST(a_stalled_consumer_goes_on_behind_a_purge),
        ENGINE_TEST(a_purge_that_is_not_stored_changes_nothing),
        ENGINE_TEST(a_deleted_channel_is_gone_and_may_come_anew),
        ENGINE_TEST(a_channel_with_subscriptions_needs_force),
        ENGINE_TEST(nobody_holds_up_a_deletion),
        ENGINE_TEST(who_leaves_a_deleted_channel_leaves_no_record),
        ENGINE_TEST(what_was_purged_is_not_deleted),
        ENGINE_TEST(a_purge_and_a_deletion_count_apart),
        ENGINE_TEST(a_deletion_that_is_not_stored_changes_nothing),
        ENGINE_TEST(a_server_that_ends_refuses_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
