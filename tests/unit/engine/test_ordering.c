/* Who hears what first (protocol.md 12 and 18, delivery.md 17). */
#include "streamd/base/clock.h"
#include "tests/unit/engine/engine_test.h"

/* E83 */
static void messages_are_delivered_before_the_publisher_gets_its_ack(void **s)
{
    struct fixture *f = *s;
    OK(client_subscribe(f, &(struct subscribe_request){.inbox = "one"}, NULL));
    OK(client_subscribe(f, &(struct subscribe_request){.inbox = "two"}, NULL));
    fixture_clear(f);
    const char *reply = client_send_publish(f, "me", "foo", "hello");
    fixture_run(f);
    assert_int_equal(f->sent_count, 3);
    assert_string_equal(f->sent[2].subject, reply);
    assert_int_equal(fixture_count(f, "one"), 1);
    assert_int_equal(fixture_count(f, "two"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(messages_are_delivered_before_the_publisher_gets_its_ack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
