#include "natsclient/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SERVERS_MAX ((size_t)4 << 20)

/* The other end of the socket is the test's. */
struct fixture {
    int ends[2];
    struct plain *plain;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->ends), 0);
    assert_int_equal(plain_new(f->ends[0], SERVERS_MAX, &f->plain, NULL),
                     STATUS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    plain_free(f->plain);
    (void)close(f->ends[0]);
    if (f->ends[1] >= 0)
        (void)close(f->ends[1]);
    free(f);
    return 0;
}

static void say_bytes(struct fixture *f, const char *data, size_t size)
{
    assert_int_equal(send(f->ends[1], data, size, MSG_NOSIGNAL), (int)size);
}

static void say(struct fixture *f, const char *text)
{
    say_bytes(f, text, strlen(text));
}

/* What has been written, terminated. */
static const char *heard(struct fixture *f)
{
    static char text[4096];
    plain_write(f->plain);
    ssize_t size = recv(f->ends[1], text, sizeof text - 1, MSG_DONTWAIT);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void frames_come_in_order_and_pings_are_answered(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    say(f, "+OK\r\nMSG a 1 1\r\nx\r\nPING\r\nMSG b 2 r 2\r\nyz\r\nPONG\r\n"
           "INFO {}\r\n-ERR 'no'\r\n");
    plain_read(f->plain);
    assert_true(plain_next(f->plain, &frame));
    assert_string_equal(frame.subject, "a");
    assert_true(plain_next(f->plain, &frame));
    assert_string_equal(frame.subject, "b");
    assert_string_equal(frame.reply, "r");
    assert_int_equal(frame.sid, 2);
    assert_true(plain_next(f->plain, &frame));
    assert_int_equal(frame.type, FRAME_INFO);
    assert_true(plain_next(f->plain, &frame));
    assert_int_equal(frame.type, FRAME_ERROR);
    assert_false(plain_next(f->plain, &frame));
    assert_string_equal(heard(f), "PONG\r\n");
    assert_false(f->plain->lost);
}

static void a_stream_cut_at_every_byte_says_the_same(void **state)
{
    struct fixture *f = *state;
    static const char TEXT[] =
        "MSG a 1 3\r\nabc\r\nPING\r\nHMSG b 2 r 16 16\r\n"
        "NATS/1.0 503\r\n\r\n\r\nMSG c 3 0\r\n\r\n";
    struct frame frame;
    for (size_t cut = 0; cut < sizeof TEXT; cut++) {
        char got[8] = "";
        size_t parts[] = {cut, sizeof TEXT - 1 - cut};
        const char *at = TEXT;
        for (int i = 0; i < 2; i++) {
            if (parts[i] == 0)
                continue;
            say_bytes(f, at, parts[i]);
            at += parts[i];
            plain_read(f->plain);
            while (plain_next(f->plain, &frame))
                got[strlen(got)] = frame.subject[0];
        }
        assert_string_equal(got, "abc");
        assert_string_equal(heard(f), "PONG\r\n");
        assert_false(f->plain->lost);
    }
}

static void a_stream_byte_by_byte_says_the_same(void **state)
{
    struct fixture *f = *state;
    static const char TEXT[] = "MSG a 1 3\r\nabc\r\nMSG b 2 r 0\r\n\r\n";
    char got[8] = "";
    for (size_t i = 0; i < sizeof TEXT - 1; i++) {
        struct frame frame;
        say_bytes(f, TEXT + i, 1);
        plain_read(f->plain);
        while (plain_next(f->plain, &frame))
            got[strlen(got)] = frame.subject[0];
    }
    assert_string_equal(got, "ab");
}

/* More than the buffer holds at first; it is small again afterwards. */
static void a_large_payload_arrives_whole(void **state)
{
    struct fixture *f = *state;
    size_t size = SERVERS_MAX;
    size_t small = f->plain->capacity;
    char line[64];
    char *data = malloc(size + 2);
    assert_non_null(data);
    memset(data, 'x', size);
    data[size] = '\r';
    data[size + 1] = '\n';
    (void)snprintf(line, sizeof line, "MSG big 1 %zu\r\n", size);
    say(f, line);
    struct frame frame;
    bool done = false;
    for (size_t sent = 0; sent < size + 2;) {
        ssize_t more = send(f->ends[1], data + sent, size + 2 - sent,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += more > 0 ? (size_t)more : 0;
        plain_read(f->plain);
        done = plain_next(f->plain, &frame);
    }
    while (!done) {
        assert_false(f->plain->lost);
        plain_read(f->plain);
        done = plain_next(f->plain, &frame);
    }
    assert_int_equal(frame.data.size, size);
    assert_memory_equal(frame.data.data, data, size);
    assert_false(plain_next(f->plain, &frame));
    plain_read(f->plain);
    assert_int_equal(f->plain->capacity, small);
    free(data);
}

static void a_payload_beyond_all_limits_loses_the_connection(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    say(f, "MSG a 1 99999999\r\n");
    plain_read(f->plain);
    assert_false(plain_next(f->plain, &frame));
    assert_true(f->plain->lost);
    assert_string_equal(f->plain->reason, "protocol error");
}

static void behind_a_broken_frame_nothing_is_read(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    say(f, "MSG a 1 0\r\n\r\nnonsense\r\nMSG b 1 0\r\n\r\n");
    plain_read(f->plain);
    assert_true(plain_next(f->plain, &frame));
    assert_false(plain_next(f->plain, &frame));
    assert_true(f->plain->lost);
    plain_read(f->plain);
    assert_false(plain_next(f->plain, &frame));
}

static void the_end_of_the_stream_comes_behind_its_messages(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    say(f, "MSG a 1 0\r\n\r\nMSG b");
    (void)close(f->ends[1]);
    f->ends[1] = -1;
    plain_read(f->plain);
    assert_true(plain_next(f->plain, &frame));
    assert_false(plain_next(f->plain, &frame));
    assert_false(f->plain->lost);
    plain_read(f->plain);
    assert_true(f->plain->lost);
    assert_string_equal(f->plain->reason, "Connection Closed");
}

static void what_is_published_is_written_as_it_should_be(void **state)
{
    struct fixture *f = *state;
    struct bytes none = bytes_of(NULL, 0);
    assert_int_equal(plain_subscribe(f->plain, 12, "a.>"), STATUS_OK);
    assert_int_equal(plain_publish(f->plain, bytes_text("to"), none,
                                   bytes_text("0123456789")),
                     STATUS_OK);
    assert_int_equal(
        plain_publish(f->plain, bytes_text("to"), bytes_text("back"), none),
        STATUS_OK);
    plain_unsubscribe(f->plain, 12);
    assert_string_equal(heard(f), "SUB a.> 12\r\nPUB to 10\r\n0123456789\r\n"
                                  "PUB to back 0\r\n\r\nUNSUB 12\r\n");
    assert_int_equal(f->plain->out.size, 0);
}

static void more_than_the_server_takes_is_too_big(void **state)
{
    struct fixture *f = *state;
    char *data = calloc(1, SERVERS_MAX + 1);
    assert_non_null(data);
    struct bytes none = bytes_of(NULL, 0);
    assert_int_equal(plain_publish(f->plain, bytes_text("to"), none,
                                   bytes_of(data, SERVERS_MAX + 1)),
                     STATUS_TOO_BIG);
    assert_int_equal(f->plain->out.size, 0);
    assert_int_equal(plain_publish(f->plain, bytes_text("to"), none,
                                   bytes_of(data, SERVERS_MAX)),
                     STATUS_OK);
    free(data);
}

/* Small and large messages, over many chunks, to a server that reads slowly. */
static void what_does_not_fit_the_socket_is_written_later(void **state)
{
    struct fixture *f = *state;
    static char data[700000];
    static char got[65536];
    struct bytes none = bytes_of(NULL, 0);
    size_t total = 0;
    for (size_t i = 0; i < 40; i++) {
        size_t size = i % 8 == 7 ? sizeof data : i * 1000;
        memset(data, 'a' + (int)i % 26, size);
        assert_int_equal(plain_publish(f->plain, bytes_text("t"), none,
                                       bytes_of(data, size)),
                         STATUS_OK);
        total = f->plain->out.size;
    }
    size_t received = 0;
    size_t letters = 0;
    while (received < total) {
        plain_write(f->plain);
        assert_false(f->plain->lost);
        ssize_t size = recv(f->ends[1], got, sizeof got, MSG_DONTWAIT);
        assert_true(size > 0);
        for (ssize_t i = 0; i < size; i++)
            letters += got[i] >= 'a' && got[i] <= 'z' && got[i] != 't';
        received += (size_t)size;
    }
    assert_int_equal(received, total);
    assert_int_equal(f->plain->out.size, 0);
    size_t expected = 0;
    for (size_t i = 0; i < 40; i++) {
        if ('a' + i % 26 != 't')
            expected += i % 8 == 7 ? sizeof data : i * 1000;
    }
    assert_int_equal(letters, expected);
}

static void writing_to_nobody_loses_the_connection(void **state)
{
    struct fixture *f = *state;
    (void)close(f->ends[1]);
    f->ends[1] = -1;
    plain_unsubscribe(f->plain, 1);
    plain_write(f->plain);
    assert_true(f->plain->lost);
    assert_string_equal(f->plain->reason, "Broken pipe");
}

static void a_silent_server_is_asked_and_then_given_up(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    for (int i = 0; i < PLAIN_PINGS_MAX; i++) {
        plain_tick(f->plain);
        assert_string_equal(heard(f), "PING\r\n");
    }
    say(f, "PONG\r\n"); /* in the last moment */
    plain_read(f->plain);
    assert_false(plain_next(f->plain, &frame));
    plain_tick(f->plain);
    assert_string_equal(heard(f), "");
    for (int i = 0; i < PLAIN_PINGS_MAX; i++)
        plain_tick(f->plain);
    assert_false(f->plain->lost);
    plain_tick(f->plain);
    assert_true(f->plain->lost);
    assert_string_equal(f->plain->reason, "Stale Connection");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(frames_come_in_order_and_pings_are_answered),
        CASE(a_stream_cut_at_every_byte_says_the_same),
        CASE(a_stream_byte_by_byte_says_the_same),
        CASE(a_large_payload_arrives_whole),
        CASE(a_payload_beyond_all_limits_loses_the_connection),
        CASE(behind_a_broken_frame_nothing_is_read),
        CASE(the_end_of_the_stream_comes_behind_its_messages),
        CASE(what_is_published_is_written_as_it_should_be),
        CASE(more_than_the_server_takes_is_too_big),
        CASE(what_does_not_fit_the_socket_is_written_later),
        CASE(writing_to_nobody_loses_the_connection),
        CASE(a_silent_server_is_asked_and_then_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
