/* E220: the log lines of delivery.md section 19, row by row. */
#include "tests/unit/engine/engine_test.h"

static void has(const struct fixture *f, const char *line)
{
    if (!fixture_log_has(f, line))
        fail_msg("not in the log: %s", line);
}

static void plain_subscriptions(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    publish_many(f, 2);
    SUBSCRIBE(f, &ack, .inbox = "in");
    has(f, "[Client:me] Started new subscription, subject=foo, inbox=in, "
           "subid=1, sending new-only, seq=3");
    OK(client_sub_close(f, "me", "foo", ack));
    has(f, "[Client:me] Removed subscription, subject=foo, inbox=in, subid=1");
}

static void start_positions(void **s)
{
    struct fixture *f = *s;
    publish_many(f, 3);
    SUBSCRIBE(f, NULL, .position = START_POSITION_LAST_RECEIVED);
    has(f, "subid=1, sending last message, seq=3");
    SUBSCRIBE(f, NULL, .position = START_POSITION_FIRST);
    has(f, "subid=2, sending from beginning, seq=1");
    SUBSCRIBE(f, NULL, .position = START_POSITION_SEQUENCE, .sequence = 9);
    has(f, "subid=3, sending from sequence, asked_seq=9 actual_seq=4");
    SUBSCRIBE(f, NULL, .position = START_POSITION_TIME_DELTA,
              .delta = -CLOCK_SECOND);
    has(f, "subid=4, sending from time time='");
    has(f, "' seq=4");
}

static void durables(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    has(f, "[Client:me] Started new durable subscription, subject=foo, "
           "inbox=in, durable=dur, subid=1, sending new-only, seq=1");
    OK(client_sub_close(f, "me", "foo", ack));
    has(f, "[Client:me] Suspended durable subscription, subject=foo, inbox=in, "
           "durable=dur, subid=1");
    SUBSCRIBE(f, &ack, .durable = "dur", .inbox = "two");
    has(f, "[Client:me] Resumed durable subscription, subject=foo, inbox=two, "
           "durable=dur, subid=1");
    OK(client_unsubscribe(f, "me", "foo", ack));
    has(f, "[Client:me] Removed durable subscription, subject=foo, inbox=two, "
           "durable=dur, subid=1");
}

static void groups(void **s)
{
    struct fixture *f = *s;
    const char *one = NULL;
    const char *two = NULL;
    SUBSCRIBE(f, &one, .group = "g");
    has(f, "[Client:me] Started new queue subscription, subject=foo, inbox=in, "
           "queue=g, subid=1, sending new-only, seq=1");
    SUBSCRIBE(f, &two, .group = "g", .inbox = "two");
    has(f, "[Client:me] Added member to queue subscription, subject=foo, "
           "inbox=two, queue=g, subid=2");
    OK(client_sub_close(f, "me", "foo", one));
    has(f, "[Client:me] Removed member from queue subscription, subject=foo, "
           "inbox=in, queue=g, subid=1");
    OK(client_sub_close(f, "me", "foo", two));
    has(f, "[Client:me] Removed queue subscription, subject=foo, inbox=two, "
           "queue=g, subid=2");
}

static void durable_groups(void **s)
{
    struct fixture *f = *s;
    const char *one = NULL;
    const char *two = NULL;
    SUBSCRIBE(f, &one, .group = "g", .durable = "dur");
    has(f, "[Client:me] Started new durable queue subscription, subject=foo, "
           "inbox=in, queue=dur:g, subid=1, sending new-only, seq=1");
    SUBSCRIBE(f, &two, .group = "g", .durable = "dur", .inbox = "two");
    has(f, "[Client:me] Added member to durable queue subscription, "
           "subject=foo, inbox=two, queue=dur:g, subid=2");
    OK(client_unsubscribe(f, "me", "foo", one));
    has(f, "[Client:me] Removed member from durable queue subscription, "
           "subject=foo, inbox=in, queue=dur:g, subid=1");
    OK(client_sub_close(f, "me", "foo", two));
    has(f, "[Client:me] Suspended durable queue subscription, subject=foo, "
           "inbox=two, queue=dur:g, subid=2");
    SUBSCRIBE(f, &one, .group = "g", .durable = "dur");
    has(f, "[Client:me] Resumed durable queue subscription, subject=foo, "
           "inbox=in, queue=dur:g, subid=2");
    OK(client_unsubscribe(f, "me", "foo", one));
    has(f, "[Client:me] Removed durable queue subscription, subject=foo, "
           "inbox=in, queue=dur:g, subid=2");
}

/* E79, E80, E82, delivery.md section 2, 14.2 */
static void other_lines(void **s)
{
    struct fixture_options options = fixture_defaults;
    options.limits.global.max_messages = 1;
    options.limits.max_channels = 1;
    (void)s;
    struct fixture *f = engine_test_begin(&options);
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .inbox = "in");
    has(f, "Channel \"foo\" has been created");
    client_ack(f, ack, "bar", 5);
    has(f, "Unable to process ack seq=5, channel bar not found");
    client_ack(f, ack, "foo", 0);
    client_ack(f, ack, "foo", 99);
    publish_many(f, 3);
    RECEIVED(f, "in", "1 2 3");
    assert_int_equal(
        fixture_log_count(f, "Reached limits for store \"foo\" (msgs=1/1 "), 1);
    assert_string_equal(client_publish(f, "me", "bar", "x"),
                        "too many channels");
    has(f, "Creating channel \"bar\" failed: too many channels");
    engine_test_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(plain_subscriptions),
        ENGINE_TEST(start_positions),
        ENGINE_TEST(durables),
        ENGINE_TEST(groups),
        ENGINE_TEST(durable_groups),
        cmocka_unit_test(other_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
