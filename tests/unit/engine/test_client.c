/* Clients: connect, probe, ping, heartbeats (protocol.md 7 and 8, delivery.md
 * 15). */
#include "streamd/engine/core.h"
#include "tests/unit/engine/engine_test.h"

static const char taken[] = "stan: clientID already registered";

/* E14, E15, E16 */
static void what_is_wrong_with_a_connect_request_is_said_in_order(void **s)
{
    struct fixture *f = *s;
    static const char *const bad[] = {"",     "id with spaces", "id.with.dots",
                                      "id:x", "id,x",           "id!@#$%^&*()",
                                      "id\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_string_equal(client_connect(f, bad[i]),
                            "stan: invalid clientID: only alphanumeric and "
                            "`-` or `_` characters allowed");
    }
    const char *reply = client_send_connect_as(f, "bad id", NULL, "conn");
    fixture_run(f);
    assert_string_equal(client_error(f, reply, FIELD_CONNECTED_ERROR),
                        "stan: invalid connection request"); /* E16 first */
    OK(client_connect(f, "id_with-all"));
}

/* E17, E29: any answer counts, an empty one too */
static void the_id_of_a_live_client_is_taken(void **s)
{
    struct fixture *f = *s;
    assert_string_equal(client_connect(f, "me"), taken);
    OK(client_ping(f, "conn.me"));
}

/* E18, E20, E33 */
static void a_dead_client_is_replaced(void **s)
{
    struct fixture *f = *s;
    fixture_set_dead(f, "hb.me", true);
    f->no_responders = true;
    const char *reply = client_send_connect_as(f, "me", "hb.new", "conn.new");
    fixture_run(f); /* E20: no waiting when NATS says that nobody is there */
    OK(client_error(f, reply, FIELD_CONNECTED_ERROR));
    assert_string_equal(client_ping(f, "conn.me"),
                        "client has been replaced or is no longer registered");
    assert_string_equal(client_publish(f, "me", "foo", "old connID"),
                        "stan: invalid publish request");
    OK(client_ping(f, "conn.new"));
    fixture_clear(f);
    fixture_advance_ms(f, 30000);
    assert_int_equal(fixture_count(f, "hb.me"), 0);
    assert_int_equal(fixture_count(f, "hb.new"), 1); /* E18 */
}

/* E19, E20 */
static void the_probe_takes_half_a_second_and_holds_up_nobody(void **s)
{
    struct fixture *f = *s;
    fixture_set_dead(f, "hb.me", true);
    const char *reply = client_send_connect_as(f, "me", "hb.new", "conn.new");
    fixture_run(f);
    assert_string_equal(client_connect(f, "me"), taken); /* at once */
    OK(client_connect(f, "other"));
    fixture_advance_ms(f, 499);
    assert_null(client_error(f, reply, FIELD_CONNECTED_ERROR));
    fixture_advance_ms(f, 1);
    OK(client_error(f, reply, FIELD_CONNECTED_ERROR));
}

/* A client that closes while it is probed makes room. */
static void who_waits_for_an_id_gets_it_when_it_is_closed(void **s)
{
    struct fixture *f = *s;
    fixture_set_dead(f, "hb.me", true);
    const char *reply = client_send_connect_as(f, "me", "hb.new", "conn.new");
    fixture_run(f);
    OK(client_close(f, "me"));
    OK(client_error(f, reply, FIELD_CONNECTED_ERROR));
    OK(client_ping(f, "conn.new"));
    fixture_advance_ms(f, 2000);
    OK(client_ping(f, "conn.new"));
}

/* Replaced: durables go offline, what is not durable ends (section 12) */
static void the_subscriptions_of_a_replaced_client_end(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .inbox = "plain");
    SUBSCRIBE(f, NULL, .inbox = "dur", .durable = "dur");
    fixture_set_dead(f, "hb.me", true);
    f->no_responders = true;
    OK(client_connect(f, "me"));
    publish_many(f, 1);
    RECEIVED(f, "plain", "");
    RECEIVED(f, "dur", "");
    SUBSCRIBE(f, NULL, .inbox = "dur", .durable = "dur");
    RECEIVED(f, "dur", "1");
}

/* E212, 15: the (F + 1)th failure in a row closes it, by the table */
static void a_silent_client_is_closed_after_440_seconds(void **s)
{
    struct fixture *f = *s;
    const char *ack = NULL;
    SUBSCRIBE(f, &ack, .durable = "dur");
    fixture_advance_ms(f, 3600000); /* an hour alive */
    OK(client_ping(f, "conn.me"));
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 439900);
    assert_false(fixture_log_has(f, "Timed out on heartbeats"));
    fixture_advance_ms(f, 200);
    assert_true(fixture_log_has(f, "[Client:me] Timed out on heartbeats"));
    assert_string_equal(client_ping(f, "conn.me"),
                        "client has been replaced or is no longer registered");
    assert_string_equal(client_sub_close(f, "me", "foo", ack),
                        "stan: invalid subscription");
}

static void without_responders_it_is_closed_after_330_seconds(void **s)
{
    struct fixture *f = *s;
    f->no_responders = true;
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 329900);
    assert_false(fixture_log_has(f, "Timed out on heartbeats"));
    fixture_advance_ms(f, 200);
    assert_true(fixture_log_has(f, "[Client:me] Timed out on heartbeats"));
}

/* One good answer in between, and the count begins anew. */
static void an_answer_clears_the_failures(void **s)
{
    struct fixture *f = *s;
    f->no_responders = true;
    for (int i = 0; i < 5; i++) {
        fixture_set_dead(f, "hb.me", true);
        fixture_advance_ms(f, 300000);
        fixture_set_dead(f, "hb.me", false);
        fixture_advance_ms(f, 30000);
    }
    OK(client_ping(f, "conn.me"));
}

/* While we are cut off ourselves it says nothing of the clients. */
static void heartbeats_missed_while_cut_off_do_not_count(void **s)
{
    struct fixture *f = *s;
    fixture_cut(f);
    fixture_advance_ms(f, 3600000);
    fixture_reconnect(f);
    OK(client_ping(f, "conn.me"));
}

/* E213 */
static void a_heartbeat_that_is_out_holds_up_nothing(void **s)
{
    struct fixture *f = *s;
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 30001);
    assert_int_equal(fixture_count(f, "hb.me"), 1);
    SUBSCRIBE(f, NULL, .inbox = "in");
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    OK(client_close(f, "me"));
}

/* E32, E146 */
static void a_ping_of_a_failing_client_brings_a_heartbeat_at_once(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 50);
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 40000);
    publish_many(f, 1);
    RECEIVED(f, "in", "1"); /* new ones still go */
    fixture_advance_ms(f, 60000);
    RECEIVED(f, "in", ""); /* E146: no redelivery */
    fixture_set_dead(f, "hb.me", false);
    fixture_advance_ms(f, 100);
    fixture_clear(f);
    OK(client_ping(f, "conn.me"));
    fixture_advance_ms(f, 1);
    assert_int_equal(fixture_count(f, "hb.me"), 1);
    fixture_advance_ms(f, 60000);
    assert_string_not_equal(fixture_received(f, "in"), "");
}

/* E32: also while a heartbeat is out that was sent to nobody; what its wait
 * ends with is not put off. */
static void a_ping_while_a_heartbeat_is_out_brings_another(void **s)
{
    struct fixture *f = *s;
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 40000 + 30000 + 5000);
    assert_int_equal(fixture_count(f, "hb.me"), 2);
    OK(client_ping(f, "conn.me"));
    fixture_advance_ms(f, 1);
    assert_int_equal(fixture_count(f, "hb.me"), 3);
    for (int i = 0; i < 400; i++) { /* E212: pings alone keep nobody alive */
        (void)client_ping(f, "conn.me");
        fixture_advance_ms(f, 1000);
    }
    assert_true(fixture_log_has(f, "[Client:me] Timed out on heartbeats"));
}

static void a_ping_while_a_heartbeat_is_out_clears_the_failures(void **s)
{
    struct fixture *f = *s;
    SUBSCRIBE(f, NULL, .ack_wait = 1);
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 40000 + 30000 + 5000);
    publish_many(f, 1);
    RECEIVED(f, "in", "1");
    fixture_set_dead(f, "hb.me", false);
    OK(client_ping(f, "conn.me"));
    fixture_advance_ms(f, 1000);
    RECEIVED(f, "in", "1r1");
}

/* E225: the timer of a client ends with it */
static void no_heartbeat_goes_to_a_client_that_is_gone(void **s)
{
    struct fixture *f = *s;
    size_t timers = f->engine->timers.count;
    const char *reply = client_send_connect(f, "you");
    (void)client_send_close(f, "you"); /* before its reply */
    fixture_run(f);
    assert_null(client_error(f, reply, FIELD_CONNECTED_ERROR));
    assert_int_equal(f->engine->timers.count, timers);
    OK(client_connect(f, "you"));
    assert_int_equal(f->engine->timers.count, timers + 1);
    OK(client_close(f, "you"));
    assert_int_equal(f->engine->timers.count, timers);
    fixture_advance_ms(f, 100000);
    assert_int_equal(fixture_count(f, "hb.you"), 0);
    /* nor does a ping set one */
    assert_string_equal(client_ping(f, "conn.you"),
                        "client has been replaced or is no longer registered");
    assert_int_equal(f->engine->timers.count, timers);
}

/* What we did not hear because we were cut off says nothing of the client. */
static void a_client_is_not_replaced_because_we_were_cut_off(void **s)
{
    struct fixture *f = *s;
    const char *late = client_send_connect_as(f, "me", "hb.new", "conn.new");
    fixture_cut(f); /* the probe, or its answer, is lost */
    fixture_run(f);
    fixture_advance_ms(f, 250);
    fixture_reconnect(f);
    fixture_advance_ms(f, 2000); /* it is asked again */
    assert_string_equal(client_error(f, late, FIELD_CONNECTED_ERROR), taken);
    OK(client_ping(f, "conn.me"));
    f->cut = true;
    (void)client_send_connect_as(f, "me", "hb.new", "conn.new");
    fixture_run(f);
    fixture_advance_ms(f, 5000);
    fixture_reconnect(f);
    OK(client_ping(f, "conn.me"));
    fixture_set_dead(f, "hb.me", true); /* E18: it can still be replaced */
    late = client_send_connect_as(f, "me", "hb.new", "conn.new");
    fixture_run(f);
    fixture_advance_ms(f, 500);
    OK(client_error(f, late, FIELD_CONNECTED_ERROR));
}

static void a_heartbeat_lost_with_a_connection_does_not_count(void **s)
{
    struct fixture *f = *s;
    struct fixture_options options = fixture_defaults;
    options.heartbeat_fail_count = 0;
    engine_test_end(f);
    *s = f = engine_test_begin(&options);
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 31000); /* one is out */
    fixture_cut(f);
    fixture_advance_ms(f, 500);
    fixture_reconnect(f);
    fixture_set_dead(f, "hb.me", false);
    fixture_advance_ms(f, 100000);
    OK(client_ping(f, "conn.me"));
}

/* E214, E24, E25 */
static void recovered_clients_have_heartbeats(void **s)
{
    struct fixture *f = *s;
    fixture_restart(f);
    OK(client_ping(f, "conn.me"));
    fixture_clear(f);
    fixture_advance_ms(f, 29999);
    assert_int_equal(fixture_count(f, "hb.me"), 0);
    fixture_advance_ms(f, 1);
    assert_int_equal(fixture_count(f, "hb.me"), 1);
    fixture_set_dead(f, "hb.me", true);
    fixture_advance_ms(f, 440000);
    assert_string_equal(client_ping(f, "conn.me"),
                        "client has been replaced or is no longer registered");
}

/* E223, E224: whatever order they come in, within one burst */
static void a_closed_client_is_gone_by_id_and_by_connection(void **s)
{
    struct fixture *f = *s;
    (void)client_send_subscribe(f, &(struct subscribe_request){0});
    (void)client_send_close(f, "me");
    const char *late = client_send_subscribe(f, &(struct subscribe_request){0});
    fixture_run(f);
    assert_string_equal(client_error(f, late, FIELD_SUBSCRIBED_ERROR),
                        "stan: unknown clientID");
    assert_string_equal(client_close(f, "me"), "stan: unknown clientID");
    assert_string_equal(client_close(f, ""), "stan: unknown clientID");
    assert_string_equal(client_publish(f, "me", "foo", "x"),
                        "stan: invalid publish request");
    assert_int_equal(
        table_count(engine_store_channel(f->store, "foo")->subscriptions), 0);
}

/* Section 7: a connID of another client stays with that one */
static void a_connection_id_is_of_who_had_it_first(void **s)
{
    struct fixture *f = *s;
    const char *reply = client_send_connect_as(f, "twin", "hb.t", "conn.me");
    fixture_run(f);
    OK(client_error(f, reply, FIELD_CONNECTED_ERROR));
    OK(client_close(f, "twin"));
    OK(client_ping(f, "conn.me"));
    OK(client_publish(f, "me", "foo", "x"));
}

/* Section 14, 3; E72 */
static void a_second_server_of_the_cluster_does_not_start(void **s)
{
    struct fixture_options options = fixture_defaults;
    options.alone = true;
    (void)s;
    struct fixture *f = fixture_new(&options); /* everybody answers */
    assert_false(f->started);
    assert_string_equal(f->failure.detail,
                        "discovered another streaming server with cluster ID "
                        "\"test-cluster\"");
    fixture_set_dead(f, "_STAN.discover.test-cluster", true);
    fixture_restart(f);
    fixture_advance_ms(f, 249);
    assert_false(f->started);
    fixture_advance_ms(f, 1);
    assert_true(f->started);
    engine_test_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(what_is_wrong_with_a_connect_request_is_said_in_order),
        ENGINE_TEST(the_id_of_a_live_client_is_taken),
        ENGINE_TEST(a_dead_client_is_replaced),
        ENGINE_TEST(the_probe_takes_half_a_second_and_holds_up_nobody),
        ENGINE_TEST(who_waits_for_an_id_gets_it_when_it_is_closed),
        ENGINE_TEST(the_subscriptions_of_a_replaced_client_end),
        ENGINE_TEST(a_silent_client_is_closed_after_440_seconds),
        ENGINE_TEST(without_responders_it_is_closed_after_330_seconds),
        ENGINE_TEST(an_answer_clears_the_failures),
        ENGINE_TEST(heartbeats_missed_while_cut_off_do_not_count),
        ENGINE_TEST(a_heartbeat_that_is_out_holds_up_nothing),
        ENGINE_TEST(a_ping_of_a_failing_client_brings_a_heartbeat_at_once),
        ENGINE_TEST(a_ping_while_a_heartbeat_is_out_brings_another),
        ENGINE_TEST(a_ping_while_a_heartbeat_is_out_clears_the_failures),
        ENGINE_TEST(no_heartbeat_goes_to_a_client_that_is_gone),
        ENGINE_TEST(a_client_is_not_replaced_because_we_were_cut_off),
        ENGINE_TEST(a_heartbeat_lost_with_a_connection_does_not_count),
        ENGINE_TEST(recovered_clients_have_heartbeats),
        ENGINE_TEST(a_closed_client_is_gone_by_id_and_by_connection),
        ENGINE_TEST(a_connection_id_is_of_who_had_it_first),
        cmocka_unit_test(a_second_server_of_the_cluster_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
