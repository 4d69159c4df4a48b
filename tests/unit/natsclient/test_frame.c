#include "natsclient/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAYLOAD_MAX 1024

/* The frame at the front of text, which is copied to the heap so that a read
 * behind it is seen. */
static char *copied;

static int release(void **state)
{
    (void)state;
    free(copied);
    copied = NULL;
    return 0;
}

static struct frame read_bytes(const char *text, size_t size)
{
    struct frame frame;
    free(copied);
    copied = malloc(size + 1);
    assert_non_null(copied);
    char *exact = realloc(copied, size > 0 ? size : 1);
    assert_non_null(exact);
    copied = exact;
    memcpy(copied, text, size);
    frame_read(copied, size, PAYLOAD_MAX, &frame);
    return frame;
}

static struct frame read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void assert_data(const struct frame *frame, const char *text)
{
    assert_int_equal(frame->data.size, strlen(text));
    assert_memory_equal(frame->data.data, text, strlen(text));
}

static void a_message_is_read(void **state)
{
    (void)state;
    struct frame frame = read_text("MSG a.b 17 5\r\nhello\r\nPING\r\n");
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_int_equal(frame.size, strlen("MSG a.b 17 5\r\nhello\r\n"));
    assert_int_equal(frame.sid, 17);
    assert_string_equal(frame.subject, "a.b");
    assert_null(frame.reply);
    assert_data(&frame, "hello");
    assert_false(frame.no_responders);
}

static void a_message_with_a_reply_subject_is_read(void **state)
{
    (void)state;
    struct frame frame = read_text("MSG a 1 _INBOX.x 0\r\n\r\n");
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_string_equal(frame.subject, "a");
    assert_string_equal(frame.reply, "_INBOX.x");
    assert_data(&frame, "");
}

static void a_payload_may_hold_anything(void **state)
{
    (void)state;
    static const char TEXT[] = "MSG a 1 8\r\n\r\nPING\0\n\r\n";
    struct frame frame = read_bytes(TEXT, sizeof TEXT - 1);
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_int_equal(frame.size, sizeof TEXT - 1);
    assert_memory_equal(frame.data.data, "\r\nPING\0\n", 8);
}

static void headers_are_cut_off(void **state)
{
    (void)state;
    struct frame frame =
        read_text("HMSG a 1 r 22 27\r\nNATS/1.0\r\nKey: 503\r\n\r\nhello\r\n");
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_string_equal(frame.reply, "r");
    assert_false(frame.no_responders);
    assert_data(&frame, "\r\nhello" + 2);
}

static void status_503_without_data_says_that_nobody_listens(void **state)
{
    (void)state;
    struct frame frame =
        read_text("HMSG _INBOX.1 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_true(frame.no_responders);
    assert_string_equal(frame.subject, "_INBOX.1");
    frame = read_text("HMSG _INBOX.1 9 16 17\r\nNATS/1.0 503\r\n\r\nx\r\n");
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_false(frame.no_responders);
    frame = read_text("HMSG _INBOX.1 9 16 16\r\nNATS/1.0 5033\r\n\n\r\n");
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_false(frame.no_responders);
}

static void verbs_come_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(read_text("PING\r\n").type, FRAME_PING);
    assert_int_equal(read_text("pong\r\n").type, FRAME_PONG);
    assert_int_equal(read_text("+ok\n").type, FRAME_OK);
    assert_int_equal(read_text("msg a 1 0\r\n\r\n").type, FRAME_MESSAGE);
    struct frame frame = read_text("INFO {\"x\":1} \r\n");
    assert_int_equal(frame.type, FRAME_INFO);
    assert_memory_equal(frame.text.data, "{\"x\":1} ", frame.text.size);
    frame = read_text("-ERR 'Slow Consumer'\r\n");
    assert_int_equal(frame.type, FRAME_ERROR);
    assert_int_equal(frame.text.size, strlen("'Slow Consumer'"));
}

static void what_is_no_frame_is_broken(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "\r\n",
        "GET / HTTP/1.1\r\n",
        "PINGS\r\n",
        "MSGS a 1 0\r\n\r\n",
        "MSG\r\n",
        "MSG a\r\n",
        "MSG a 1\r\n",
        "MSG a b 0\r\n\r\n",
        "MSG a 1 -1\r\n\r\n",
        "MSG a 1 +1\r\nx\r\n",
        "MSG a 1 0x1\r\nx\r\n",
        "MSG a 1 r 0 0\r\n\r\n",
        "MSG  a 1 0\r\n\r\n",
        "MSG a  1 0\r\n\r\n",
        "MSG a 1  0\r\n\r\n",
        "MSG a 1 1234567890123456789\r\n",
        "MSG a 12345678901234567890 0\r\n\r\n",
        "MSG a 1 1025\r\n",
        "MSG a 1 999999999999999999\r\n",
        "MSG a 1 1\r\nxy\r\n",
        "MSG a 1 1\r\nx\n\n",
        "HMSG a 1 5\r\nhello\r\n",
        "HMSG a 1 6 5\r\nhello\r\n",
        "HMSG a 1 r s 1 5\r\nhello\r\n",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        if (read_text(TEXTS[i]).type != FRAME_BROKEN)
            fail_msg("not broken: %s", TEXTS[i]);
    }
}

static void a_line_without_end_is_broken(void **state)
{
    (void)state;
    static char line[FRAME_LINE_MAX];
    memset(line, 'x', sizeof line);
    line[0] = '+'; /* a verb may follow it yet */
    struct frame frame = read_bytes(line, sizeof line - 1);
    assert_int_equal(frame.type, FRAME_PARTIAL);
    frame = read_bytes(line, sizeof line);
    assert_int_equal(frame.type, FRAME_BROKEN);
}

/* It would be another subject as a C string. */
static void a_subject_with_a_nul_is_not_said(void **state)
{
    (void)state;
    static const char TEXT[] = "MSG a\0b 1 0\r\n\r\n";
    struct frame frame = read_bytes(TEXT, sizeof TEXT - 1);
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_int_equal(frame.size, sizeof TEXT - 1);
    assert_null(frame.subject);
    static const char REPLY[] = "MSG a 1 b\0c 0\r\n\r\n";
    frame = read_bytes(REPLY, sizeof REPLY - 1);
    assert_int_equal(frame.type, FRAME_MESSAGE);
    assert_null(frame.subject);
}

static void cut_anywhere_a_frame_is_partial(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "MSG a.b 17 reply 5\r\nhello\r\n",
        "HMSG a 1 r 22 27\r\nNATS/1.0\r\nKey: val\r\n\r\nhello\r\n",
        "INFO {}\r\n",
        "-ERR 'x'\r\n",
        "PING\r\n",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        size_t whole = strlen(TEXTS[i]);
        for (size_t size = 0; size < whole; size++) {
            struct frame frame = read_bytes(TEXTS[i], size);
            assert_int_equal(frame.type, FRAME_PARTIAL);
            assert_true(frame.size > size && frame.size <= whole);
            /* Nothing of it has changed. */
            assert_memory_equal(copied, TEXTS[i], size);
        }
        struct frame frame = read_bytes(TEXTS[i], whole);
        assert_int_not_equal(frame.type, FRAME_PARTIAL);
        assert_int_equal(frame.size, whole);
    }
}

#define CASE(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_message_is_read),
        CASE(a_message_with_a_reply_subject_is_read),
        CASE(a_payload_may_hold_anything),
        CASE(headers_are_cut_off),
        CASE(status_503_without_data_says_that_nobody_listens),
        CASE(verbs_come_in_any_case),
        CASE(what_is_no_frame_is_broken),
        CASE(a_line_without_end_is_broken),
        CASE(a_subject_with_a_nul_is_not_said),
        CASE(cut_anywhere_a_frame_is_partial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
