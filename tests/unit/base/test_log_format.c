#include "streamd/base/log_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 4096 };

static char *line_of(const struct log_format *format, const char *text,
                     size_t size, char out[ROOM])
{
    size_t used = log_format_line(format, LOG_LEVEL_WARN, "STREAM: ", text,
                                  size, out, ROOM - 1);
    assert_true(used < ROOM);
    out[used] = '\0';
    return out;
}

/* The message of the JSON line of text is expected. */
static void assert_message(const char *text, size_t size, const char *expected)
{
    const struct log_format format = {.json = true};
    char line[ROOM];
    char whole[ROOM];
    (void)snprintf(whole, sizeof whole,
                   "{\"level\":\"warn\",\"pid\":%ld,\"message\":\"STREAM: %s\"}"
                   "\n",
                   (long)getpid(), expected);
    assert_string_equal(line_of(&format, text, size, line), whole);
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int result = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    if (result != 0)
        fail_msg("\"%s\" does not match \"%s\"", text, pattern);
}

#define MESSAGE(text, expected) assert_message(text, sizeof(text) - 1, expected)

static void a_json_line_is_one_object(void **state)
{
    (void)state;
    MESSAGE("ready", "ready");
    MESSAGE("", "");
}

static void json_escapes_what_a_string_may_not_hold(void **state)
{
    (void)state;
    MESSAGE("a\"b\\c/d", "a\\\"b\\\\c/d");
    MESSAGE("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
    MESSAGE("\x01\x1b[2J\x7f", "\\u0001\\u001b[2J\\u007f");
    MESSAGE("a\0b", "a\\u0000b");
}

static void json_text_is_utf_8_whatever_clients_send(void **state)
{
    (void)state;
    MESSAGE("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
            "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
#define BAD "\xef\xbf\xbd"
    MESSAGE("\xff", BAD);
    MESSAGE("\x80x", BAD "x");
    MESSAGE("\xc3", BAD);                 /* cut off */
    MESSAGE("\xe2\x82", BAD BAD);         /* cut off */
    MESSAGE("\xc0\xaf", BAD BAD);         /* overlong */
    MESSAGE("\xe0\x80\xaf", BAD BAD BAD); /* overlong */
    MESSAGE("\xed\xa0\x80", BAD BAD BAD); /* a surrogate */
    MESSAGE("\xf4\x90\x80\x80", BAD BAD BAD BAD);
    MESSAGE("\xc3\"", BAD "\\\"");
}

static void json_has_the_time_with_its_zone(void **state)
{
    (void)state;
    char line[ROOM];
    struct log_format format = {.json = true, .time = true, .utc = true};
    assert_matches(line_of(&format, "x", 1, line),
                   "^\\{\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}"
                   ":[0-9]{2}\\.[0-9]{6}Z\",\"level\":\"warn\",");
    assert_int_equal(setenv("TZ", "XYZ-5:30", 1), 0);
    tzset();
    format.utc = false;
    assert_non_null(strstr(line_of(&format, "x", 1, line), "+05:30\","));
    assert_int_equal(setenv("TZ", "XYZ3", 1), 0);
    tzset();
    assert_non_null(strstr(line_of(&format, "x", 1, line), "-03:00\","));
    assert_int_equal(unsetenv("TZ"), 0);
}

static void what_does_not_fit_is_cut_and_the_line_still_whole(void **state)
{
    (void)state;
    char text[1000];
    char line[1000];
    memset(text, '\x01', sizeof text);
    struct log_format format = {.json = true, .time = true};
    for (size_t room = LOG_FORMAT_FRAME; room < sizeof line; room++) {
        size_t used = log_format_line(&format, LOG_LEVEL_INFO, "STREAM: ", text,
                                      sizeof text, line, room);
        assert_in_range(used, room - 5, room);
        assert_memory_equal(line + used - 9, "\\u0001\"}\n", 9);
    }
    format.json = false;
    size_t used = log_format_line(&format, LOG_LEVEL_INFO, "STREAM: ", text,
                                  sizeof text, line, 300);
    assert_int_equal(used, 300);
    assert_memory_equal(line + 298, "?\n", 2);
}

static void the_room_asked_for_is_enough(void **state)
{
    (void)state;
    char text[100];
    char line[LOG_FORMAT_FRAME + 6 * sizeof text];
    memset(text, '\x01', sizeof text);
    const struct log_format format = {.json = true, .time = true};
    size_t room = log_format_room(&format, sizeof text);
    assert_in_range(room, 1, sizeof line);
    size_t used = log_format_line(&format, LOG_LEVEL_ERROR, "STREAM: ", text,
                                  sizeof text, line, room);
    int count = 0;
    for (size_t i = 0; i < used; i++)
        count += line[i] == '\\';
    assert_int_equal(count, sizeof text);
}

static void a_bare_line_is_subject_and_text(void **state)
{
    (void)state;
    char line[ROOM];
    const struct log_format format = {.bare = true, .time = true};
    assert_string_equal(line_of(&format, "a\nb", 3, line), "STREAM: a?b\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_json_line_is_one_object),
        cmocka_unit_test(json_escapes_what_a_string_may_not_hold),
        cmocka_unit_test(json_text_is_utf_8_whatever_clients_send),
        cmocka_unit_test(json_has_the_time_with_its_zone),
        cmocka_unit_test(what_does_not_fit_is_cut_and_the_line_still_whole),
        cmocka_unit_test(the_room_asked_for_is_enough),
        cmocka_unit_test(a_bare_line_is_subject_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
