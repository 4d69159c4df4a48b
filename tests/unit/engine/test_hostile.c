/* What clients may send that no client should: the engine takes it or refuses
 * it, and goes on. */
#include "streamd/engine/channel.h"
#include "streamd/engine/core.h"
#include "tests/unit/engine/engine_test.h"

#include <stdlib.h>

enum { FIRST = START_POSITION_FIRST, MEGABYTE = 1 << 20 };

static char *long_name(size_t size)
{
    char *name = malloc(size + 1);
    assert_non_null(name);
    memset(name, 'n', size);
    name[size] = '\0';
    return name;
}

static const char *publish_raw(struct fixture *f, struct bytes channel,
                               struct bytes data)
{
    struct blob out = {0};
    const char *reply = fixture_text(f, "raw.%u", ++f->requests);
    field_text(&out, FIELD_PUB_CLIENT_ID, "me");
    field_text(&out, FIELD_PUB_GUID, "guid");
    field_bytes(&out, FIELD_PUB_SUBJECT, channel);
    field_bytes(&out, FIELD_PUB_DATA, data);
    field_text(&out, FIELD_PUB_CONN_ID, "conn.me");
    fixture_inject(f, INBOUND_PUBLISH, "_STAN.pub.test-cluster.x", reply,
                   blob_bytes(&out));
    blob_release(&out);
    fixture_run(f);
    return client_error(f, reply, FIELD_PUB_ACK_ERROR);
}

/* Returns the ack inbox; "" and the error in *error if it was refused. */
static const char *subscribe_raw(struct fixture *f, struct bytes channel,
                                 struct bytes inbox, struct bytes durable,
                                 const char **error)
{
    struct blob out = {0};
    const char *reply = fixture_text(f, "raw.%u", ++f->requests);
    field_text(&out, FIELD_SUBSCRIBE_CLIENT_ID, "me");
    field_bytes(&out, FIELD_SUBSCRIBE_SUBJECT, channel);
    field_bytes(&out, FIELD_SUBSCRIBE_INBOX, inbox);
    field_number(&out, FIELD_SUBSCRIBE_MAX_IN_FLIGHT, 10);
    field_number(&out, FIELD_SUBSCRIBE_ACK_WAIT, 1);
    field_bytes(&out, FIELD_SUBSCRIBE_DURABLE, durable);
    field_number(&out, FIELD_SUBSCRIBE_POSITION, FIRST);
    fixture_inject(f, INBOUND_SUBSCRIBE, "_STAN.sub.test-cluster", reply,
                   blob_bytes(&out));
    blob_release(&out);
    fixture_run(f);
    const struct sent *sent = fixture_take(f, reply);
    assert_non_null(sent);
    struct bytes ack = field_of(sent->data, FIELD_SUBSCRIBED_ACK_INBOX);
    struct bytes text = field_of(sent->data, FIELD_SUBSCRIBED_ERROR);
    *error = fixture_text(f, "%.*s", (int)text.size,
                          text.size == 0 ? "" : (const char *)text.data);
    return fixture_text(f, "%.*s", (int)ack.size,
                        ack.size == 0 ? "" : (const char *)ack.data);
}

/* protocol.md 6: any byte but / * >; E10 */
static void a_channel_name_may_hold_any_byte(void **s)
{
    struct fixture *f = *s;
    const struct bytes names[] = {
        bytes_of("a\0b", 3),         bytes_of("a", 1),
        bytes_of("a\0c", 3),         bytes_of("x\r\nPUB y 0\r\n\r\n", 14),
        bytes_of("\x01\x7f\xff", 3), bytes_of(" ", 1)};
    const char *error = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        OK(publish_raw(f, names[i], bytes_text("data")));
        fixture_clear(f);
        (void)subscribe_raw(f, names[i], bytes_text("in"), bytes_of("d", 1),
                            &error);
        OK(error);
        const struct sent *sent = fixture_take(f, "in");
        assert_non_null(sent);
        assert_true(
            bytes_equal(field_of(sent->data, FIELD_MESSAGE_SUBJECT), names[i]));
        assert_null(fixture_take(f, "in"));
    }
    fixture_restart(f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(channel_find(f->engine, names[i]));
}

/* Names have no limit of their own (protocol.md 6). */
static void names_of_a_megabyte_are_kept(void **s)
{
    struct fixture *f = *s;
    char *name = long_name(MEGABYTE);
    const char *error = NULL;
    OK(publish_raw(f, bytes_text(name), bytes_text("data")));
    const char *ack = subscribe_raw(f, bytes_text(name), bytes_text("in"),
                                    bytes_text(name), &error);
    OK(error);
    RECEIVED(f, "in", "1");
    fixture_restart(f);
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "in", "1r1");
    struct blob out = {0};
    field_bytes(&out, FIELD_ACK_SUBJECT, bytes_text(name));
    field_number(&out, FIELD_ACK_SEQUENCE, 1);
    fixture_inject(f, INBOUND_ACK, ack, NULL, blob_bytes(&out));
    blob_release(&out);
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "in", "");
    name[MEGABYTE - 1] = 'N'; /* the other case */
    error = publish_raw(f, bytes_text(name), bytes_text("data"));
    assert_non_null(strstr(error, "different cases not allowed"));
    free(name);
}

static void a_client_id_of_a_megabyte_is_kept(void **s)
{
    struct fixture *f = *s;
    char *id = long_name(MEGABYTE);
    const char *reply = client_send_connect_as(f, id, "hb.long", "conn.long");
    fixture_run(f);
    OK(client_error(f, reply, FIELD_CONNECTED_ERROR));
    OK(client_subscribe(f, &(struct subscribe_request){.client = id}, NULL));
    fixture_restart(f);
    OK(client_ping(f, "conn.long"));
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    OK(client_close(f, id));
    free(id);
}

/* protocol.md 3: not validated. Nothing is sent to what is no subject, and
 * nothing can be slipped into the lines of the NATS protocol. */
static void an_inbox_that_is_no_subject_gets_nothing(void **s)
{
    struct fixture *f = *s;
    char *longest = long_name(5000);
    const struct bytes inboxes[] = {
        bytes_of(NULL, 0),       bytes_of("in 4\r\ndata\r\nPUB evil", 20),
        bytes_of("in\0evil", 7), bytes_of("in.*", 4),
        bytes_of(">", 1),        bytes_of("in..x", 5),
        bytes_of("in evil", 7),  bytes_text(longest)};
    const char *error = NULL;
    for (size_t i = 0; i < sizeof inboxes / sizeof inboxes[0]; i++) {
        (void)subscribe_raw(f, bytes_text("foo"), inboxes[i], bytes_of(NULL, 0),
                            &error);
        OK(error);
    }
    SUBSCRIBE(f, NULL, .inbox = "good");
    fixture_clear(f);
    publish_many(f, 2);
    fixture_advance_ms(f, 5000);
    RECEIVED(f, "good", "1 2");
    for (size_t i = 0; i < f->sent_count; i++)
        assert_true(strncmp(f->sent[i].subject, "in", 2) != 0);
    OK(client_close(f, "me"));
    free(longest);
}

/* So do heartbeats to such an inbox: the client is closed in the end. */
static void a_client_without_a_usable_heartbeat_inbox_is_closed(void **s)
{
    struct fixture *f = *s;
    const char *reply =
        client_send_connect_as(f, "you", "hb you\r\nPING", "conn.you");
    fixture_run(f);
    OK(client_error(f, reply, FIELD_CONNECTED_ERROR));
    fixture_advance_ms(f, 330100);
    assert_true(fixture_log_has(f, "[Client:you] Timed out on heartbeats"));
    assert_int_equal(fixture_count(f, "hb you\r\nPING"), 0);
}

/* All that was ever sent may be pending: a restart takes it. */
static void any_number_of_pending_messages_survives_a_restart(void **s)
{
    struct fixture *f = *s;
    struct fixture_options options = fixture_defaults;
    options.limits.global.max_messages = 10;
    options.log = false;
    engine_test_end(f);
    *s = f = engine_test_begin(&options);
    SUBSCRIBE(f, NULL, .max_in_flight = INT32_MAX, .ack_wait = INT32_MAX);
    for (int i = 0; i < 20000; i++) {
        (void)client_send_publish(f, "me", "foo", "x");
        if (i % 1000 == 0)
            fixture_run(f);
    }
    fixture_run(f);
    fixture_crash(f, 0);
    assert_true(f->started);
    const struct channel *channel = channel_find(f->engine, bytes_text("foo"));
    const struct subscription *subscription =
        table_value(table_first(channel->subscriptions));
    assert_int_equal(pending_count(&subscription->pending), 10);
    publish_many(f, 1);
}

/* While the store hangs, requests do not grow without end: reading stops. */
static void requests_behind_a_store_that_hangs_are_bounded(void **s)
{
    struct fixture *f = *s;
    char *id = long_name(MEGABYTE);
    f->store->hold_commits = true;
    OK(publish_raw(f, bytes_text("foo"), bytes_of(NULL, 0)) == NULL ? "" : "x");
    for (int i = 0; i < 100 && !f->paused; i++) {
        id[0] = (char)('A' + i % 26);
        id[1] = (char)('A' + i / 26);
        (void)client_send_connect_as(f, id, "hb", "");
        fixture_run(f);
    }
    assert_true(f->paused);
    engine_store_release(f->store);
    fixture_run(f);
    assert_false(f->paused);
    free(id);
}

/* Acks of what never was, by everybody. */
static void acks_of_anything_change_nothing(void **s)
{
    struct fixture *f = *s;
    const char *one = NULL;
    const char *two = NULL;
    SUBSCRIBE(f, &one, .inbox = "a", .ack_wait = 1);
    SUBSCRIBE(f, &two, .inbox = "b", .group = "g", .ack_wait = 1);
    publish_many(f, 1);
    const uint64_t odd[] = {0, 2, UINT64_MAX, UINT64_MAX - 1, 1ULL << 63};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        client_ack(f, one, "foo", odd[i]);
        client_ack(f, two, "foo", odd[i]);
        client_ack(f, "_INBOX.nobody", "foo", odd[i]);
    }
    client_ack(f, one, "bar", 1); /* not its channel */
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "a", "1 1r1");
    RECEIVED(f, "b", "1 1r1");
    client_ack(f, two, "foo", 1); /* of another subscription: its own only */
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "a", "1r2");
    RECEIVED(f, "b", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(a_channel_name_may_hold_any_byte),
        ENGINE_TEST(names_of_a_megabyte_are_kept),
        ENGINE_TEST(a_client_id_of_a_megabyte_is_kept),
        ENGINE_TEST(an_inbox_that_is_no_subject_gets_nothing),
        ENGINE_TEST(a_client_without_a_usable_heartbeat_inbox_is_closed),
        ENGINE_TEST(any_number_of_pending_messages_survives_a_restart),
        ENGINE_TEST(requests_behind_a_store_that_hangs_are_bounded),
        ENGINE_TEST(acks_of_anything_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
