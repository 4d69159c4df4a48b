/* Into a real nats-server that wants to know who we are, and shows who it is.
 * Certificates are made by openssl for each run. */
#include "natsclient/connection.h"
#include "natsclient/security.h"
#include "streamd/base/clock.h"
#include "tests/support/nats_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define PATIENCE (30 * CLOCK_SECOND)
#define SEED "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
#define PUBLIC "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"

struct fixture {
    struct nats_server server;
    uv_loop_t loop;
    uv_timer_t tick;
    struct log *log;
    struct security security;
    char urls[192]; /* "": that of server */
    int messages, reconnected;
};

static char directory[] = "/tmp/test_security-XXXXXX";

/* Makes a CA, and certificates signed by it. */
static const char MAKE_CERTIFICATES[] =
    "set -e; exec 2>openssl.log\n"
    "ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256"
    " -nodes -keyout $1.key -out $1.pem -subj /CN=$1 -days 2; }\n"
    "sign() {\n"
    "  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    "   -keyout $1.key -out $1.csr -subj /CN=$1\n"
    "  printf \"subjectAltName=$2\\n\" >$1.ext\n"
    "  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial"
    "   -extfile $1.ext -out $1.pem $3\n"
    "}\n"
    "ca ca; ca other\n"
    "sign here IP:127.0.0.1 '-days 2'\n"
    "sign elsewhere DNS:nats.example '-days 2'\n"
    "sign client DNS:client '-days 2'\n"
    "sign expired IP:127.0.0.1 '-days -1'\n";

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int group_setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
    write_file("make.sh", MAKE_CERTIFICATES);
    /* NOLINTNEXTLINE(cert-env33-c): a test, with a text of its own */
    assert_int_equal(system("sh make.sh"), 0);
    write_file("seed", SEED "\n");
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    /* NOLINTNEXTLINE(cert-env33-c): a test, with a text of its own */
    return system(command);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(uv_timer_init(&f->loop, &f->tick), 0);
    assert_int_equal(uv_timer_start(&f->tick, on_tick, 10, 10), 0);
    const struct log_options options = {.file = "log", .debug = true};
    assert_int_equal(log_new(&options, &f->log, NULL), STATUS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    uv_close((uv_handle_t *)&f->tick, NULL);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    nats_server_kill(&f->server);
    log_free(f->log);
    assert_int_equal(unlink("log"), 0);
    free(f);
    return 0;
}

static void on_message(void *context, const struct inbound_message *message)
{
    (void)message;
    ((struct fixture *)context)->messages++;
}

static void on_reconnected(void *context)
{
    ((struct fixture *)context)->reconnected++;
}

static void on_nothing(void *context)
{
    (void)context;
}

static enum status open_(struct fixture *f, struct connection **out,
                         struct error *err)
{
    const struct connection_events events = {
        .context = f,
        .message = on_message,
        .burst_end = on_nothing,
        .drained = on_nothing,
        .disconnected = on_nothing,
        .reconnected = on_reconnected,
    };
    const struct connection_options options = {
        .urls = f->urls[0] != '\0' ? f->urls : f->server.url,
        .name = "_NSS-a\"b\\c-general",
        .security = f->security,
        .log = f->log,
    };
    return connection_open(&f->loop, &options, &events, out, err);
}

static void run_until(struct fixture *f, const int *counter, int target)
{
    int64_t until = clock_monotonic(&clock_system) + PATIENCE;
    while (*counter < target) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
        assert_true(clock_monotonic(&clock_system) < until);
    }
}

static void close_(struct fixture *f, struct connection *connection)
{
    connection_close(connection);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* One message there and back. */
static void exchange(struct fixture *f, struct connection *connection)
{
    int target = f->messages + 1;
    assert_int_equal(connection_publish(connection, "x", NULL, bytes_text("")),
                     STATUS_OK);
    connection_flush(connection);
    run_until(f, &f->messages, target);
}

/* It lets us in, and after kill -9 and a restart again. */
static void assert_works(struct fixture *f)
{
    struct connection *connection = NULL;
    struct error err = {0};
    if (open_(f, &connection, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    assert_int_equal(
        connection_subscribe(connection, INBOUND_PUBLISH, "x", NULL),
        STATUS_OK);
    exchange(f, connection);
    int target = f->reconnected + 1;
    nats_server_kill(&f->server);
    nats_server_start_file(&f->server, f->server.port, "conf");
    run_until(f, &f->reconnected, target);
    exchange(f, connection);
    close_(f, connection);
}

static void assert_fails(struct fixture *f, const char *expected)
{
    struct connection *connection = NULL;
    struct error err = {0};
    enum status status = open_(f, &connection, &err);
    if (status == STATUS_OK)
        close_(f, connection);
    assert_int_not_equal(status, STATUS_OK);
    if (strstr(err.detail, expected) == NULL)
        fail_msg("%s", err.detail);
    assert_null(strstr(err.detail, "se\"cret"));
    assert_null(strchr(err.detail, '\n'));
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void serve(struct fixture *f, const char *conf)
{
    write_file("conf", conf);
    nats_server_start_file(&f->server, 0, "conf");
}

static void serve_tls(struct fixture *f, const char *certificate,
                      const char *more)
{
    char conf[256];
    (void)snprintf(conf, sizeof conf,
                   "tls { cert_file: \"%s.pem\", key_file: \"%s.key\", %s }\n",
                   certificate, certificate, more);
    serve(f, conf);
}

static void user_and_password_may_hold_any_characters(void **state)
{
    struct fixture *f = *state;
    serve(f, "authorization { user: \"a@b\\\"\", "
             "password: \"se\\\"cret\\\\\\t/\" }");
    f->security =
        (struct security){.user = "a@b\"", .password = "se\"cret\\\t/"};
    assert_works(f);
    f->security.password = "se\"cret";
    assert_fails(f, "Authorization Violation");
    /* That of the URL goes before. */
    (void)snprintf(f->urls, sizeof f->urls,
                   "nats://a%%40b%%22:se%%22cret%%5C%%09%%2f@127.0.0.1:%d",
                   f->server.port);
    assert_works(f);
}

static void a_token_lets_us_in(void **state)
{
    struct fixture *f = *state;
    serve(f, "authorization { token: \"se\\\"cret\" }");
    f->security.token = "se\"cret";
    assert_works(f);
    f->security.token = "";
    assert_fails(f, "Authorization Violation");
    (void)snprintf(f->urls, sizeof f->urls, "nats://se%%22cret@127.0.0.1:%d",
                   f->server.port);
    assert_works(f);
}

static void a_seed_file_lets_us_in(void **state)
{
    struct fixture *f = *state;
    serve(f, "authorization { users: [ { nkey: \"" PUBLIC "\" } ] }");
    f->security.nkey_seed_file = "seed";
    assert_works(f);
    f->security.nkey_seed_file = "make.sh";
    assert_fails(f, "nkey seed file \"make.sh\": no user seed");
    f->security.nkey_seed_file = "missing";
    assert_fails(f, "nkey seed file \"missing\": No such file");
    f->security.nkey_seed_file = NULL;
    assert_fails(f, "Authorization Violation");
}

static void credentials_that_are_no_file_are_told(void **state)
{
    struct fixture *f = *state;
    serve(f, "");
    f->security.credentials = "missing";
    assert_fails(f, "credentials file \"missing\": No such file");
    f->security.credentials = "make.sh";
    assert_fails(f, "credentials file \"make.sh\": no user seed");
    f->security.credentials = "seed";
    f->security.nkey_seed_file = "seed";
    assert_fails(f, "exclude each other");
}

static void a_server_is_verified_against_the_ca(void **state)
{
    struct fixture *f = *state;
    serve_tls(f, "here", "");
    f->security.tls_ca = "ca.pem";
    assert_works(f);
    f->security.tls_ca = "other.pem";
    assert_fails(f, "TLS: unable to get local issuer certificate");
    f->security.tls_ca = "missing.pem";
    assert_fails(f, "missing.pem");
}

static void secure_alone_verifies_against_the_system(void **state)
{
    struct fixture *f = *state;
    serve_tls(f, "here", "");
    f->security.secure = true;
    assert_fails(f, "skip_verify");
    f->security.secure = false; /* the server demands it all the same */
    assert_fails(f, "skip_verify");
    f->security.tls_skip_verify = true;
    assert_works(f);
}

static void the_name_of_the_server_is_verified(void **state)
{
    struct fixture *f = *state;
    serve_tls(f, "elsewhere", "");
    f->security.tls_ca = "ca.pem";
    assert_fails(f, "TLS: IP address mismatch");
    f->security.tls_server_name = "other.example";
    assert_fails(f, "TLS: hostname mismatch");
    f->security.tls_server_name = "nats.example";
    assert_works(f);
    f->security = (struct security){.secure = true, .tls_skip_verify = true};
    assert_works(f);
}

static void an_expired_certificate_is_refused(void **state)
{
    struct fixture *f = *state;
    serve_tls(f, "expired", "");
    f->security.tls_ca = "ca.pem";
    assert_fails(f, "TLS: certificate has expired");
}

static void our_certificate_is_shown(void **state)
{
    struct fixture *f = *state;
    serve_tls(f, "here", "ca_file: ca.pem, verify: true");
    f->security.tls_ca = "ca.pem";
    assert_fails(f, "does it demand a client certificate?");
    f->security.tls_cert = "client.pem";
    assert_fails(f, "without its key");
    f->security.tls_key = "here.key";
    assert_fails(f, "key values mismatch");
    f->security.tls_key = "client.key";
    assert_works(f);
    f->security.tls_cert = "other.pem";
    f->security.tls_key = "other.key";
    assert_fails(f, "ended the connection");
    f->security.tls_cert = NULL;
    assert_fails(f, "without its certificate");
}

static void the_scheme_tls_wants_tls(void **state)
{
    struct fixture *f = *state;
    serve(f, "");
    (void)snprintf(f->urls, sizeof f->urls, "tls://127.0.0.1:%d",
                   f->server.port);
    assert_fails(f, "TLS: the server offers none");
    nats_server_kill(&f->server);
    serve_tls(f, "here", "");
    (void)snprintf(f->urls, sizeof f->urls, "tls://127.0.0.1:%d",
                   f->server.port);
    f->security.tls_ca = "ca.pem";
    assert_works(f);
}

static void nobody_there_is_told_as_such(void **state)
{
    struct fixture *f = *state;
    (void)snprintf(f->urls, sizeof f->urls, "%s",
                   "nats://u:se\"cret@127.0.0.1:1");
    assert_fails(f, "nats: nats://[REDACTED]@127.0.0.1:1: no server available "
                    "for connection: Connection refused");
    (void)snprintf(f->urls, sizeof f->urls, "%s",
                   "nats://127.0.0.1:1,nats://127.0.0.1:1/");
    assert_fails(f, "Connection refused");
}

static void one_of_several_urls_is_enough(void **state)
{
    struct fixture *f = *state;
    serve(f, "authorization { user: u, password: p }");
    (void)snprintf(f->urls, sizeof f->urls,
                   "nats://u:p@127.0.0.1:1, nats://u:p@127.0.0.1:%d, "
                   "nats://u:wrong@127.0.0.1:%d",
                   f->server.port, f->server.port);
    for (int i = 0; i < 4; i++)
        assert_works(f);
}

/* A relay in front of the server. Once told to cut it lets through only the
 * next few bytes of what the server sends, and keeps the connection. */
struct relay {
    int listener;
    int target; /* port; 0: greets itself, wants TLS, says nothing more */
    atomic_int cut;
    atomic_int stop;
    pthread_t thread;
};

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
}

/* Passes on what from has; false at its end. */
static bool pass(int from, int to, atomic_int *cut)
{
    char data[65536];
    ssize_t size = recv(from, data, sizeof data, 0);
    if (size <= 0)
        return false;
    if (cut != NULL && atomic_load(cut) == 1) {
        atomic_store(cut, 2);
        size = size < 7 ? size : 7;
    } else if (cut != NULL && atomic_load(cut) == 2) {
        return true; /* swallowed */
    }
    return send(to, data, (size_t)size, MSG_NOSIGNAL) == size;
}

static void relay_one(struct relay *relay, int client)
{
    struct sockaddr_in address = loopback(relay->target);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    static const char GREETING[] =
        "INFO {\"server_id\":\"x\",\"max_payload\":1048576,"
        "\"tls_required\":true}\r\n";
    if (relay->target == 0) {
        (void)send(client, GREETING, strlen(GREETING), MSG_NOSIGNAL);
        (void)close(server);
        server = -1;
    } else if (connect(server, (struct sockaddr *)&address, sizeof address) !=
               0) {
        (void)close(server);
        return;
    }
    struct pollfd ends[] = {{.fd = client, .events = POLLIN},
                            {.fd = server, .events = POLLIN}};
    bool goes_on = true;
    while (goes_on && !atomic_load(&relay->stop)) {
        if (poll(ends, 2, 20) <= 0)
            continue;
        char waste[4096];
        if (ends[0].revents != 0 && server < 0)
            goes_on = recv(client, waste, sizeof waste, 0) > 0;
        if (ends[0].revents != 0 && server >= 0)
            goes_on = pass(client, server, NULL);
        if (goes_on && ends[1].revents != 0)
            goes_on = pass(server, client, &relay->cut);
    }
    atomic_store(&relay->cut, 0);
    if (server >= 0)
        (void)close(server);
}

static void *run_relay(void *argument)
{
    struct relay *relay = argument;
    struct pollfd pollfd = {.fd = relay->listener, .events = POLLIN};
    while (!atomic_load(&relay->stop)) {
        if (poll(&pollfd, 1, 20) <= 0)
            continue;
        int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
        relay_one(relay, client);
        (void)close(client);
    }
    return NULL;
}

static void relay_start(struct relay *relay, int target, struct fixture *f)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    relay->target = target;
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(relay->listener, (struct sockaddr *)&address, size),
                     0);
    assert_int_equal(listen(relay->listener, 5), 0);
    assert_int_equal(
        getsockname(relay->listener, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(f->urls, sizeof f->urls, "tls://127.0.0.1:%d",
                   ntohs(address.sin_port));
    assert_int_equal(pthread_create(&relay->thread, NULL, run_relay, relay), 0);
}

static void relay_stop(struct relay *relay)
{
    atomic_store(&relay->stop, 1);
    assert_int_equal(pthread_join(relay->thread, NULL), 0);
    (void)close(relay->listener);
}

static void a_server_that_stops_in_its_handshake_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct relay relay = {0};
    relay_start(&relay, 0, f);
    int64_t start = clock_monotonic(&clock_system);
    assert_fails(f, "TLS");
    assert_true(clock_monotonic(&clock_system) - start < PATIENCE);
    relay_stop(&relay);
}

static void a_server_that_stops_within_a_record_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct relay relay = {0};
    serve_tls(f, "here", "");
    f->security.tls_ca = "ca.pem";
    relay_start(&relay, f->server.port, f);
    struct connection *connection = NULL;
    struct error err = {0};
    if (open_(f, &connection, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    assert_int_equal(
        connection_subscribe(connection, INBOUND_PUBLISH, "x", NULL),
        STATUS_OK);
    exchange(f, connection);
    atomic_store(&relay.cut, 1);
    assert_int_equal(connection_publish(connection, "x", NULL, bytes_text("")),
                     STATUS_OK);
    connection_flush(connection);
    run_until(f, &f->reconnected, 1);
    exchange(f, connection);
    close_(f, connection);
    relay_stop(&relay);
}

static int count_in_log(const char *words)
{
    static char text[65536];
    FILE *file = fopen("log", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    int count = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

static void wait_for_log(struct fixture *f, const char *words)
{
    int64_t until = clock_monotonic(&clock_system) + PATIENCE;
    while (count_in_log(words) == 0) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
        assert_true(clock_monotonic(&clock_system) < until);
    }
}

static void why_it_cannot_reconnect_is_logged_once(void **state)
{
    struct fixture *f = *state;
    serve(f, "authorization { token: secret }");
    f->security.token = "secret";
    struct connection *connection = NULL;
    struct error err = {0};
    if (open_(f, &connection, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    nats_server_kill(&f->server);
    wait_for_log(f, "cannot reconnect yet");
    wait_for_log(f, "Connection refused");
    write_file("conf", "authorization { token: other }");
    nats_server_start_file(&f->server, f->server.port, "conf");
    wait_for_log(f, "Authorization Violation");
    nats_server_kill(&f->server);
    write_file("conf", "authorization { token: secret }");
    nats_server_start_file(&f->server, f->server.port, "conf");
    run_until(f, &f->reconnected, 1);
    assert_int_equal(count_in_log("Authorization Violation"), 1);
    assert_int_equal(count_in_log("secret"), 0);
    close_(f, connection);
}

static void a_copy_has_strings_of_its_own(void **state)
{
    (void)state;
    char user[] = "user";
    const struct security security = {
        .user = user, .password = "", .tls_key = "key", .secure = true};
    struct security copy;
    assert_int_equal(security_copy(&security, &copy, NULL), STATUS_OK);
    user[0] = 'x';
    assert_string_equal(copy.user, "user");
    assert_null(copy.password);
    assert_string_equal(copy.tls_key, "key");
    assert_true(copy.secure);
    security_release(&copy);
    assert_null(copy.user);
    assert_false(copy.secure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            user_and_password_may_hold_any_characters, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_lets_us_in, setup, teardown),
        cmocka_unit_test_setup_teardown(a_seed_file_lets_us_in, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(credentials_that_are_no_file_are_told,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_is_verified_against_the_ca,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            secure_alone_verifies_against_the_system, setup, teardown),
        cmocka_unit_test_setup_teardown(the_name_of_the_server_is_verified,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_expired_certificate_is_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(our_certificate_is_shown, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_scheme_tls_wants_tls, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nobody_there_is_told_as_such, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_of_several_urls_is_enough, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_server_that_stops_in_its_handshake_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_server_that_stops_within_a_record_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(why_it_cannot_reconnect_is_logged_once,
                                        setup, teardown),
        cmocka_unit_test(a_copy_has_strings_of_its_own),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
