#include "natsclient/connection.h"
#include "streamd/base/clock.h"
#include "tests/support/certificate.h"
#include "tests/support/nats_server.h"

#include <nats/nats.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define PATIENCE (30 * CLOCK_SECOND)

/* NULL: all cases run without TLS. They run with it, too: nats.c carries the
 * data then. */
static const struct certificate *tls;

static void start_server(struct nats_server *server, int port,
                         const char *token)
{
    char path[64];
    if (tls == NULL) {
        nats_server_start(server, port, token);
        return;
    }
    (void)snprintf(path, sizeof path, "/tmp/test_connection-%d.conf",
                   (int)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "tls { cert_file: \"%s\", key_file: \"%s\" }\n",
                  tls->path, tls->key_path);
    if (token != NULL)
        (void)fprintf(file, "authorization { token: \"%s\" }\n", token);
    assert_int_equal(fclose(file), 0);
    nats_server_start_file(server, port, path);
    assert_int_equal(unlink(path), 0);
}

struct fixture {
    struct nats_server server;
    uv_loop_t loop;
    uv_timer_t tick; /* so that run_until() looks again */
    struct connection *connection;
    natsConnection *peer;
    struct log *log;
    char log_path[64];
    /* What happened. */
    int messages, bursts, drained, disconnected, reconnected;
    int no_responders;
    char kinds[64]; /* a letter for each message, '|' for burst_end */
    char last_subject[64];
    const char *unsubscribe; /* from within the next message */
};

static void on_message(void *context, const struct inbound_message *message)
{
    static const char LETTERS[] = "RCPSpAUuX";
    struct fixture *f = context;
    f->messages++;
    size_t used = strlen(f->kinds);
    if (used + 2 < sizeof f->kinds)
        f->kinds[used] = LETTERS[message->kind];
    if (message->no_responders)
        f->no_responders++;
    (void)snprintf(f->last_subject, sizeof f->last_subject, "%s",
                   message->subject);
    if (f->unsubscribe != NULL)
        connection_unsubscribe(f->connection, message->kind, f->unsubscribe);
    f->unsubscribe = NULL;
    if (message->reply == NULL)
        return;
    (void)!connection_publish(f->connection, message->reply, NULL,
                              message->data);
}

static void on_burst_end(void *context)
{
    struct fixture *f = context;
    f->bursts++;
    size_t used = strlen(f->kinds);
    if (used + 2 < sizeof f->kinds)
        f->kinds[used] = '|';
}

static void on_drained(void *context)
{
    ((struct fixture *)context)->drained++;
}

static void on_disconnected(void *context)
{
    ((struct fixture *)context)->disconnected++;
}

static void on_reconnected(void *context)
{
    ((struct fixture *)context)->reconnected++;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs the loop until *counter is at least target. */
static void run_until(struct fixture *f, const int *counter, int target)
{
    int64_t until = clock_monotonic(&clock_system) + PATIENCE;
    while (*counter < target) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
        assert_true(clock_monotonic(&clock_system) < until);
    }
}

/* A thread that only sleeps: what it oversleeps at most is the machine's doing,
 * not ours. */
struct idler {
    pthread_t thread;
    atomic_bool stop;
    int64_t longest;
};

static void *idle(void *context)
{
    struct idler *idler = context;
    const struct timespec nap = {.tv_nsec = 5 * CLOCK_MILLISECOND};
    while (!atomic_load(&idler->stop)) {
        int64_t start = clock_monotonic(&clock_system);
        (void)nanosleep(&nap, NULL);
        int64_t took = clock_monotonic(&clock_system) - start;
        if (took > idler->longest)
            idler->longest = took;
    }
    return NULL;
}

/* Runs the loop for so long; returns by how much its longest turn was longer
 * than the machine held up an idle thread meanwhile. */
static int64_t run_for(struct fixture *f, int64_t duration)
{
    struct idler idler = {0};
    assert_int_equal(pthread_create(&idler.thread, NULL, idle, &idler), 0);
    int64_t now = clock_monotonic(&clock_system);
    int64_t until = now + duration;
    int64_t longest = 0;
    while (now < until) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
        int64_t after = clock_monotonic(&clock_system);
        if (after - now > longest)
            longest = after - now;
        now = after;
    }
    atomic_store(&idler.stop, true);
    assert_int_equal(pthread_join(idler.thread, NULL), 0);
    return longest - idler.longest;
}

static struct connection *open_connection(struct fixture *f)
{
    const struct connection_events events = {
        .context = f,
        .message = on_message,
        .burst_end = on_burst_end,
        .drained = on_drained,
        .disconnected = on_disconnected,
        .reconnected = on_reconnected,
    };
    const struct connection_options options = {
        .urls = f->server.url,
        .name = "_NSS-test-general",
        .security = {.tls_ca = tls != NULL ? tls->path : NULL},
        .log = f->log,
    };
    struct connection *connection = NULL;
    struct error err = {0};
    if (connection_open(&f->loop, &options, &events, &connection, &err) !=
        STATUS_OK)
        fail_msg("%s", err.detail);
    return connection;
}

static void open_peer(struct fixture *f)
{
    natsOptions *options = NULL;
    assert_int_equal(natsOptions_Create(&options), NATS_OK);
    assert_int_equal(natsOptions_SetURL(options, f->server.url), NATS_OK);
    assert_int_equal(natsOptions_SetReconnectWait(options, 20), NATS_OK);
    if (tls != NULL) {
        assert_int_equal(natsOptions_SetSecure(options, true), NATS_OK);
        assert_int_equal(
            natsOptions_LoadCATrustedCertificates(options, tls->path), NATS_OK);
    }
    assert_int_equal(natsConnection_Connect(&f->peer, options), NATS_OK);
    natsOptions_Destroy(options);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    start_server(&f->server, 0, NULL);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(uv_timer_init(&f->loop, &f->tick), 0);
    assert_int_equal(uv_timer_start(&f->tick, on_tick, 10, 10), 0);
    (void)snprintf(f->log_path, sizeof f->log_path, "/tmp/test_connection-%d",
                   (int)getpid());
    const struct log_options options = {.file = f->log_path, .debug = true};
    assert_int_equal(log_new(&options, &f->log, NULL), STATUS_OK);
    f->connection = open_connection(f);
    open_peer(f);
    *state = f;
    return 0;
}

static void end_loop(struct fixture *f)
{
    connection_close(f->connection);
    f->connection = NULL;
    uv_close((uv_handle_t *)&f->tick, NULL);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    end_loop(f);
    natsConnection_Destroy(f->peer);
    nats_server_kill(&f->server);
    log_free(f->log);
    assert_int_equal(unlink(f->log_path), 0);
    free(f);
    return 0;
}

static void subscribe(struct fixture *f, enum inbound kind, const char *subject)
{
    struct error err = {0};
    if (connection_subscribe(f->connection, kind, subject, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
}

/* The server has seen all that was written before once this comes back. */
static void settle(struct fixture *f)
{
    subscribe(f, INBOUND_REPLY, "settle");
    int target = f->messages + 1;
    assert_int_equal(
        connection_publish(f->connection, "settle", NULL, bytes_text("")),
        STATUS_OK);
    connection_flush(f->connection);
    run_until(f, &f->messages, target);
    connection_unsubscribe(f->connection, INBOUND_REPLY, "settle");
    memset(f->kinds, 0, sizeof f->kinds);
}

static void peer_publish(struct fixture *f, const char *subject)
{
    assert_int_equal(natsConnection_PublishString(f->peer, subject, "x"),
                     NATS_OK);
}

static enum status publish(struct fixture *f, const char *subject)
{
    return connection_publish(f->connection, subject, NULL, bytes_text("x"));
}

static void a_burst_comes_in_one_order_over_all_subscriptions(void **state)
{
    struct fixture *f = *state;
    subscribe(f, INBOUND_CLOSE, "close");
    subscribe(f, INBOUND_ACK, "ack.*");
    subscribe(f, INBOUND_PUBLISH, "pub.>");
    subscribe(f, INBOUND_CONNECT, "connect");
    settle(f);
    connection_pause(f->connection, true); /* all of it is one burst then */
    peer_publish(f, "close");
    peer_publish(f, "ack.1");
    peer_publish(f, "pub.a");
    peer_publish(f, "ack.2");
    peer_publish(f, "connect");
    peer_publish(f, "pub.b");
    assert_int_equal(natsConnection_Flush(f->peer), NATS_OK);
    int before = f->messages;
    (void)run_for(f, 50 * CLOCK_MILLISECOND);
    assert_int_equal(f->messages, before); /* a pause is a pause */
    connection_pause(f->connection, false);
    run_until(f, &f->messages, before + 6);
    if (tls != NULL && strchr(f->kinds, '|') + 1 < f->kinds + strlen(f->kinds))
        return; /* nats.c reads a record at a time: it was several bursts */
    if (tls != NULL) { /* the order of kinds */
        assert_string_equal(f->kinds, "CppAAX|");
        assert_string_equal(f->last_subject, "close");
    } else { /* the order of arrival */
        assert_string_equal(f->kinds, "XApACp|");
        assert_string_equal(f->last_subject, "pub.b");
    }
}

static void a_request_that_nobody_hears_is_told(void **state)
{
    struct fixture *f = *state;
    subscribe(f, INBOUND_REPLY, "_INBOX.me.*");
    assert_int_equal(connection_publish(f->connection, "nobody", "_INBOX.me.7",
                                        bytes_text("")),
                     STATUS_OK);
    connection_flush(f->connection);
    run_until(f, &f->no_responders, 1);
    assert_string_equal(f->last_subject, "_INBOX.me.7");
}

static void a_request_is_answered_and_flushed_after_the_burst(void **state)
{
    struct fixture *f = *state;
    natsSubscription *inbox = NULL;
    assert_int_equal(natsConnection_SubscribeSync(&inbox, f->peer, "answers"),
                     NATS_OK);
    subscribe(f, INBOUND_PING, "ask");
    settle(f);
    assert_int_equal(
        natsConnection_PublishRequestString(f->peer, "ask", "answers", "hello"),
        NATS_OK);
    assert_int_equal(natsConnection_Flush(f->peer), NATS_OK);
    run_until(f, &f->bursts, f->bursts + 1);
    natsMsg *answer = NULL;
    assert_int_equal(natsSubscription_NextMsg(&answer, inbox, 10000), NATS_OK);
    assert_string_equal(natsMsg_GetData(answer), "hello");
    natsMsg_Destroy(answer);
    natsSubscription_Destroy(inbox);
}

static void a_hostile_subject_is_refused_and_harmless(void **state)
{
    struct fixture *f = *state;
    static const char *const SUBJECTS[] = {
        "foo\r\nPUB bar 0\r\n", "", "a b", "a..b", "foo.*", ">",
    };
    static char long_subject[5000];
    memset(long_subject, 'x', sizeof long_subject - 1);
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof SUBJECTS[0]; i++) {
        assert_int_equal(publish(f, SUBJECTS[i]), STATUS_INVALID);
        assert_int_equal(connection_publish(f->connection, "ok", SUBJECTS[i],
                                            bytes_text("")),
                         STATUS_INVALID);
    }
    assert_int_equal(publish(f, long_subject), STATUS_INVALID);
    settle(f);
    assert_int_equal(f->disconnected, 0);
}

static void more_than_max_payload_is_too_big(void **state)
{
    struct fixture *f = *state;
    size_t size = (1 << 20) + 1;
    char *data = calloc(1, size);
    assert_non_null(data);
    assert_int_equal(
        connection_publish(f->connection, "big", NULL, bytes_of(data, size)),
        STATUS_TOO_BIG);
    assert_int_equal(connection_publish(f->connection, "big", NULL,
                                        bytes_of(data, size - 1)),
                     STATUS_OK);
    free(data);
    settle(f);
    assert_int_equal(f->disconnected, 0);
}

static void a_subscription_may_end_itself_within_its_message(void **state)
{
    struct fixture *f = *state;
    subscribe(f, INBOUND_ACK, "once");
    settle(f);
    connection_pause(f->connection, true);
    for (int i = 0; i < 3; i++)
        peer_publish(f, "once");
    assert_int_equal(natsConnection_Flush(f->peer), NATS_OK);
    f->unsubscribe = "once";
    connection_pause(f->connection, false);
    int before = f->messages;
    run_until(f, &f->messages, before + 1);
    settle(f);
    assert_int_equal(f->messages, before + 2); /* one, and settle's */
}

static void closing_delivers_what_was_queued(void **state)
{
    struct fixture *f = *state;
    natsSubscription *all = NULL;
    assert_int_equal(natsConnection_SubscribeSync(&all, f->peer, "last"),
                     NATS_OK);
    assert_int_equal(natsConnection_Flush(f->peer), NATS_OK);
    subscribe(f, INBOUND_PUBLISH, "noise");
    settle(f);
    /* Unread bytes in our socket would make its close a reset. */
    peer_publish(f, "noise");
    assert_int_equal(natsConnection_Flush(f->peer), NATS_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(publish(f, "last"), STATUS_OK);
    connection_close(f->connection);
    for (int i = 0; i < 1000; i++) {
        natsMsg *message = NULL;
        assert_int_equal(natsSubscription_NextMsg(&message, all, 10000),
                         NATS_OK);
        natsMsg_Destroy(message);
    }
    natsSubscription_Destroy(all);
    f->connection = open_connection(f); /* teardown closes one */
}

static void two_connections_live_in_one_loop(void **state)
{
    struct fixture *f = *state;
    struct connection *first = f->connection;
    subscribe(f, INBOUND_PUBLISH, "first");
    settle(f);
    f->connection = open_connection(f);
    subscribe(f, INBOUND_PUBLISH, "second");
    settle(f);
    peer_publish(f, "first");
    peer_publish(f, "second");
    assert_int_equal(natsConnection_Flush(f->peer), NATS_OK);
    run_until(f, &f->messages, f->messages + 2);
    int port = f->server.port;
    nats_server_kill(&f->server);
    run_until(f, &f->disconnected, 2);
    start_server(&f->server, port, NULL);
    run_until(f, &f->reconnected, 2);
    connection_close(first);
    settle(f);
}

/* Process time, all threads. */
static int64_t cpu_time(void)
{
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
    return time.tv_sec * CLOCK_SECOND + time.tv_nsec;
}

static void survives_kill_9_and_restart_of_the_server(void **state)
{
    struct fixture *f = *state;
    int port = f->server.port;
    natsConnection_Destroy(f->peer);
    f->peer = NULL;
    subscribe(f, INBOUND_PUBLISH, "pub.>");
    for (int round = 1; round <= 3; round++) {
        settle(f);
        assert_int_equal(publish(f, "pub.lost"), STATUS_OK); /* unflushed */
        nats_server_kill(&f->server);
        run_until(f, &f->disconnected, round);
        assert_false(connection_is_up(f->connection));
        assert_int_equal(publish(f, "pub.stale"), STATUS_UNAVAILABLE);
        int64_t cpu = cpu_time();
        int64_t longest = run_for(f, CLOCK_SECOND);
        /* Each try costs much with TLS under a sanitizer; spinning, it all. */
        assert_true(cpu_time() - cpu <
                    (tls != NULL ? 700 : 300) * CLOCK_MILLISECOND);
        assert_true(longest < 300 * CLOCK_MILLISECOND);
        assert_int_equal(publish(f, "pub.stale"), STATUS_UNAVAILABLE);
        connection_flush(f->connection);
        int before = f->messages;
        start_server(&f->server, port, NULL);
        run_until(f, &f->reconnected, round);
        assert_true(connection_is_up(f->connection));
        assert_int_equal(publish(f, "pub.fresh"), STATUS_OK);
        connection_flush(f->connection);
        run_until(f, &f->messages, before + 1);
        /* The subscription lives, and nothing stale came before. */
        assert_string_equal(f->last_subject, "pub.fresh");
        assert_int_equal(f->messages, before + 1);
    }
}

static void subscribing_while_down_takes_effect_later(void **state)
{
    struct fixture *f = *state;
    int port = f->server.port;
    subscribe(f, INBOUND_PUBLISH, "gone");
    nats_server_kill(&f->server);
    run_until(f, &f->disconnected, 1);
    subscribe(f, INBOUND_PUBLISH, "later");
    connection_unsubscribe(f->connection, INBOUND_PUBLISH, "gone");
    start_server(&f->server, port, NULL);
    run_until(f, &f->reconnected, 1);
    assert_int_equal(publish(f, "gone"), STATUS_OK);
    assert_int_equal(publish(f, "later"), STATUS_OK);
    connection_flush(f->connection);
    run_until(f, &f->messages, 1);
    assert_string_equal(f->last_subject, "later");
}

/* nats.c by itself gives up for ever at the second refusal. */
static void does_not_give_up_when_it_is_refused(void **state)
{
    struct fixture *f = *state;
    int port = f->server.port;
    nats_server_kill(&f->server);
    run_until(f, &f->disconnected, 1);
    start_server(&f->server, port, "secret");
    (void)run_for(f, CLOCK_SECOND);
    assert_int_equal(f->reconnected, 0);
    nats_server_kill(&f->server);
    start_server(&f->server, port, NULL);
    run_until(f, &f->reconnected, 1);
    settle(f);
}

static void survives_being_paused_while_the_server_dies(void **state)
{
    struct fixture *f = *state;
    int port = f->server.port;
    connection_pause(f->connection, true);
    nats_server_kill(&f->server);
    int64_t cpu = cpu_time();
    (void)run_for(f, 500 * CLOCK_MILLISECOND);
    assert_true(cpu_time() - cpu < 200 * CLOCK_MILLISECOND);
    connection_pause(f->connection, false);
    run_until(f, &f->disconnected, 1);
    start_server(&f->server, port, NULL);
    run_until(f, &f->reconnected, 1);
    settle(f);
}

static void a_server_that_stands_still_congests_but_does_not_block(void **state)
{
    struct fixture *f = *state;
    static const char DATA[65536];
    int count = 0;
    if (tls != NULL)
        skip(); /* nats.c waits for the rest of a record: README.md */
    subscribe(f, INBOUND_PUBLISH, "flood");
    settle(f);
    int before = f->messages;
    nats_server_signal(&f->server, SIGSTOP);
    int64_t start = clock_monotonic(&clock_system);
    while (!connection_congested(f->connection)) {
        assert_int_equal(connection_publish(f->connection, "flood", NULL,
                                            bytes_of(DATA, sizeof DATA)),
                         STATUS_OK);
        count++;
        connection_flush(f->connection);
    }
    assert_true(clock_monotonic(&clock_system) - start < 5 * CLOCK_SECOND);
    int64_t cpu = cpu_time();
    int64_t longest = run_for(f, CLOCK_SECOND);
    assert_true(longest < 300 * CLOCK_MILLISECOND);
    assert_true(cpu_time() - cpu < 300 * CLOCK_MILLISECOND);
    assert_true(connection_congested(f->connection));
    assert_int_equal(f->drained, 0);
    nats_server_signal(&f->server, SIGCONT);
    run_until(f, &f->drained, 1);
    assert_false(connection_congested(f->connection));
    run_until(f, &f->messages, before + count); /* all of them, none twice */
    settle(f);
    assert_int_equal(f->messages, before + count + 1);
    assert_int_equal(f->disconnected, 0);
}

static void assert_logged(const struct fixture *f, const char *text)
{
    char content[4096];
    FILE *file = fopen(f->log_path, "r");
    assert_non_null(file);
    size_t size = fread(content, 1, sizeof content - 1, file);
    content[size] = '\0';
    (void)fclose(file);
    if (strstr(content, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, content);
}

static void what_becomes_of_it_is_logged_without_the_password(void **state)
{
    struct fixture *f = *state;
    char plain[sizeof f->server.url];
    char text[128];
    memcpy(plain, f->server.url, sizeof plain);
    (void)snprintf(f->server.url, sizeof f->server.url,
                   "nats://user:pw@127.0.0.1:%d", f->server.port);
    connection_close(f->connection);
    f->connection = open_connection(f);
    int port = f->server.port;
    nats_server_kill(&f->server);
    run_until(f, &f->disconnected, 1);
    start_server(&f->server, port, NULL);
    run_until(f, &f->reconnected, 1);
    assert_logged(f, "[DBG] STREAM: connection \"_NSS-test-general\" has been "
                     "closed\n");
    assert_logged(f, "[ERR] STREAM: connection \"_NSS-test-general\" has been "
                     "disconnected: Connection Closed\n");
    (void)snprintf(text, sizeof text,
                   "[INF] STREAM: connection \"_NSS-test-general\" "
                   "reconnected to NATS Server at "
                   "\"nats://[REDACTED]@127.0.0.1:%d\"\n",
                   port);
    assert_logged(f, text);
}

static void with_nobody_there_opening_fails_at_once(void **state)
{
    struct fixture *f = *state;
    int port = f->server.port;
    nats_server_kill(&f->server);
    char url[64];
    (void)snprintf(url, sizeof url, "nats://u:pw@127.0.0.1:%d", port);
    const struct connection_options options = {.urls = url, .name = "n"};
    const struct connection_events events = {0};
    struct connection *connection = NULL;
    struct error err = {0};
    int64_t start = clock_monotonic(&clock_system);
    assert_int_equal(
        connection_open(&f->loop, &options, &events, &connection, &err),
        STATUS_UNAVAILABLE);
    assert_true(clock_monotonic(&clock_system) - start < 2 * CLOCK_SECOND);
    assert_null(connection);
    char address[64];
    (void)snprintf(address, sizeof address, "nats://[REDACTED]@127.0.0.1:%d",
                   port);
    assert_non_null(strstr(err.detail, address));
}

static void a_malformed_url_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct connection_options options = {.urls = "h:1", .name = "n"};
    const struct connection_events events = {0};
    struct connection *connection = NULL;
    struct error err = {0};
    assert_int_equal(
        connection_open(&f->loop, &options, &events, &connection, &err),
        STATUS_INVALID);
    assert_string_equal(err.detail, "malformed url: h:1");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* With the argument "tls": over TLS. */
int main(int argc, char **argv)
{
    struct certificate certificate;
    if (argc > 1 && strcmp(argv[1], "tls") == 0) {
        certificate_make(&certificate);
        tls = &certificate;
    }
    const struct CMUnitTest tests[] = {
        CASE(a_burst_comes_in_one_order_over_all_subscriptions),
        CASE(a_request_that_nobody_hears_is_told),
        CASE(a_request_is_answered_and_flushed_after_the_burst),
        CASE(a_hostile_subject_is_refused_and_harmless),
        CASE(more_than_max_payload_is_too_big),
        CASE(a_subscription_may_end_itself_within_its_message),
        CASE(closing_delivers_what_was_queued),
        CASE(two_connections_live_in_one_loop),
        CASE(survives_kill_9_and_restart_of_the_server),
        CASE(subscribing_while_down_takes_effect_later),
        CASE(does_not_give_up_when_it_is_refused),
        CASE(survives_being_paused_while_the_server_dies),
        CASE(a_server_that_stands_still_congests_but_does_not_block),
        CASE(what_becomes_of_it_is_logged_without_the_password),
        CASE(with_nobody_there_opening_fails_at_once),
        CASE(a_malformed_url_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (tls != NULL) {
        certificate_remove(tls);
    } else {
        nats_Close(); /* with TLS it frees what OpenSSL frees at exit */
    }
    return failed;
}
