#include "streamd/base/log.h"

#include "streamd/base/buffer.h"
#include "tests/unit/base/allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A log file of its own for each test. */
struct fixture {
    char directory[64];
    char file[128];
    struct log *log;
    char *text; /* of the last read_back() */
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    (void)snprintf(fixture->directory, sizeof fixture->directory,
                   "/tmp/test_log_XXXXXX");
    if (mkdtemp(fixture->directory) == NULL) {
        free(fixture);
        return -1;
    }
    (void)snprintf(fixture->file, sizeof fixture->file, "%s/log",
                   fixture->directory);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    log_free(fixture->log);
    (void)unlink(fixture->file);
    (void)rmdir(fixture->directory);
    free(fixture->text);
    free(fixture);
    return 0;
}

static void open_log(struct fixture *fixture, struct log_options options)
{
    log_free(fixture->log);
    options.file = fixture->file;
    assert_int_equal(log_new(&options, &fixture->log, NULL), STATUS_OK);
}

static const char *read_back(struct fixture *fixture)
{
    struct blob blob = {0};
    char part[4096];
    ssize_t got;
    int fd = open(fixture->file, O_RDONLY);
    assert_true(fd >= 0);
    while ((got = read(fd, part, sizeof part)) > 0)
        assert_true(blob_append(&blob, part, (size_t)got));
    assert_int_equal(close(fd), 0);
    assert_true(blob_append(&blob, "", 1));
    free(fixture->text);
    fixture->text = (char *)blob.data;
    return fixture->text;
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

static void a_line_has_pid_level_and_subject(void **state)
{
    struct fixture *fixture = *state;
    open_log(fixture, (struct log_options){0});
    log_info(fixture->log, "Starting %s %d", "x", 7);
    log_warn(fixture->log, "w");
    log_error(fixture->log, "e");
    log_fatal(fixture->log, "f");
    log_foreign(fixture->log, LOG_LEVEL_INFO, "Server is ready, more", 15);
    char expected[512];
    long pid = (long)getpid();
    (void)snprintf(expected, sizeof expected,
                   "[%ld] [INF] STREAM: Starting x 7\n"
                   "[%ld] [WRN] STREAM: w\n"
                   "[%ld] [ERR] STREAM: e\n"
                   "[%ld] [FTL] STREAM: f\n"
                   "[%ld] [INF] Server is ready\n",
                   pid, pid, pid, pid, pid);
    assert_string_equal(read_back(fixture), expected);
}

static void with_time_a_line_has_date_and_microseconds(void **state)
{
    struct fixture *fixture = *state;
    open_log(fixture, (struct log_options){.time = true});
    log_info(fixture->log, "x");
    assert_matches(
        read_back(fixture),
        "^\\[[0-9]+\\] [0-9]{4}/[0-9]{2}/[0-9]{2} "
        "[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6} \\[INF\\] STREAM: x\n$");
}

/* The clock the log reads: time() is a coarser one and may lag behind. */
static time_t now(void)
{
    struct timespec time = {0};
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &time), 0);
    return time.tv_sec;
}

/* Seconds since 1970 if the line's time were UTC. */
static time_t line_time(struct fixture *fixture)
{
    struct tm tm = {0};
    const char *space = strchr(read_back(fixture), ' ');
    assert_non_null(space);
    assert_non_null(strptime(space + 1, "%Y/%m/%d %H:%M:%S", &tm));
    return timegm(&tm);
}

static void time_is_local_unless_utc_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    time_t before = now();
    assert_int_equal(setenv("TZ", "XYZ-5:30", 1), 0);
    open_log(fixture, (struct log_options){.time = true, .utc = true});
    log_info(fixture->log, "x");
    time_t utc = line_time(fixture);
    assert_int_equal(truncate(fixture->file, 0), 0);
    open_log(fixture, (struct log_options){.time = true});
    log_info(fixture->log, "x");
    time_t local = line_time(fixture);
    time_t after = now();
    assert_int_equal(unsetenv("TZ"), 0);
    assert_true(before <= utc && utc <= after);
    const time_t ahead = 19800; /* 5 h 30 min */
    assert_true(before <= local - ahead && local - ahead <= after);
}

static void the_file_is_appended_to_and_made_with_mode_0660(void **state)
{
    struct fixture *fixture = *state;
    mode_t mask = umask(0);
    open_log(fixture, (struct log_options){0});
    (void)umask(mask);
    log_info(fixture->log, "one");
    open_log(fixture, (struct log_options){0});
    log_info(fixture->log, "two");
    assert_matches(read_back(fixture), "one\n.* two\n$");
    struct stat stat_of_file;
    assert_int_equal(stat(fixture->file, &stat_of_file), 0);
    assert_int_equal(stat_of_file.st_mode & 07777, 0660);
}

static void a_file_that_cannot_be_opened_is_named_in_the_error(void **state)
{
    (void)state;
    struct log_options options = {.file = "/nonexistent/directory/log"};
    struct log *log = NULL;
    struct error err = {0};
    assert_int_equal(log_new(&options, &log, &err), STATUS_IO);
    assert_null(log);
    assert_string_equal(err.detail, "log: open /nonexistent/directory/log: "
                                    "No such file or directory");
}

static void debug_and_trace_have_a_gate_each(void **state)
{
    struct fixture *fixture = *state;
    for (int gates = 0; gates < 4; gates++) {
        bool debug = (gates & 1) != 0;
        bool trace = (gates & 2) != 0;
        open_log(fixture, (struct log_options){.debug = debug, .trace = trace});
        assert_int_equal(truncate(fixture->file, 0), 0);
        assert_int_equal(log_enabled(fixture->log, LOG_LEVEL_DEBUG), debug);
        assert_int_equal(log_enabled(fixture->log, LOG_LEVEL_TRACE), trace);
        assert_true(log_enabled(fixture->log, LOG_LEVEL_INFO));
        log_debug(fixture->log, "d");
        log_trace(fixture->log, "t");
        log_foreign(fixture->log, LOG_LEVEL_DEBUG, "fd", 2);
        const char *text = read_back(fixture);
        assert_int_equal(strstr(text, "[DBG] STREAM: d\n") != NULL, debug);
        assert_int_equal(strstr(text, "[TRC] STREAM: t\n") != NULL, trace);
        assert_non_null(strstr(text, "[DBG] fd\n"));
    }
}

static void no_log_drops_every_line(void **state)
{
    (void)state;
    assert_false(log_enabled(NULL, LOG_LEVEL_ERROR));
    log_error(NULL, "x");
    log_foreign(NULL, LOG_LEVEL_ERROR, "x", 1);
    log_free(NULL);
}

static void control_characters_cannot_forge_a_line(void **state)
{
    struct fixture *fixture = *state;
    open_log(fixture, (struct log_options){0});
    log_info(fixture->log, "[Client:%s]", "a\n[1] [INF] b\r\x1b[2J\x7f\tc\xc3");
    log_foreign(fixture->log, LOG_LEVEL_WARN, "a\0b\nc", 5);
    const char *text = read_back(fixture);
    assert_non_null(
        strstr(text, "STREAM: [Client:a?[1] [INF] b??[2J?\tc\xc3]\n"));
    assert_non_null(strstr(text, "[WRN] a?b?c\n"));
}

static void long_lines_are_whole_up_to_a_mebibyte(void **state)
{
    struct fixture *fixture = *state;
    static const size_t sizes[] = {
        800,  880,  890,    900,     1014,        1015,    1016,    1023,
        1024, 1025, 100000, 1048575, 1048576 - 8, 1048576, 1048577, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        open_log(fixture, (struct log_options){0});
        assert_int_equal(truncate(fixture->file, 0), 0);
        char *text = malloc(sizes[i] + 1);
        assert_non_null(text);
        memset(text, 'x', sizes[i]);
        text[sizes[i]] = '\0';
        log_info(fixture->log, "%s", text);
        log_foreign(fixture->log, LOG_LEVEL_INFO, text, (int)sizes[i]);
        free(text);
        size_t whole = sizes[i] < 1048576 ? sizes[i] : 1048576;
        const char *line = strstr(read_back(fixture), "STREAM: ");
        assert_non_null(line);
        line += strlen("STREAM: ");
        assert_int_equal(strspn(line, "x"), whole);
        assert_int_equal(line[whole], '\n');
        line = strstr(line, "[INF] ");
        assert_non_null(line);
        line += strlen("[INF] ");
        assert_int_equal(strspn(line, "x"), whole);
        assert_string_equal(line + whole, "\n");
    }
}

static void without_memory_a_long_line_is_cut_not_lost(void **state)
{
    struct fixture *fixture = *state;
    char text[5000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    open_log(fixture, (struct log_options){0});
    for (int good = 0; good < 2; good++) {
        allocation_break(good);
        log_info(fixture->log, "%s", text);
        allocation_repair();
    }
    assert_matches(read_back(fixture),
                   "^\\[[0-9]+\\] \\[INF\\] STREAM: x{800,}\n"
                   "\\[[0-9]+\\] \\[INF\\] STREAM: x{800,}\n$");
    struct log_options options = {0};
    struct log *log = NULL;
    allocation_break(0);
    enum status status = log_new(&options, &log, NULL);
    allocation_repair();
    assert_int_equal(status, STATUS_NO_MEMORY);
    assert_null(log);
}

static void logging_keeps_errno(void **state)
{
    struct fixture *fixture = *state;
    open_log(fixture, (struct log_options){.time = true});
    errno = EDOM;
    log_info(fixture->log, "x");
    log_foreign(fixture->log, LOG_LEVEL_INFO, "x", 1);
    assert_int_equal(errno, EDOM);
}

static void a_line_that_cannot_be_written_is_dropped(void **state)
{
    (void)state;
    struct log_options options = {.file = "/dev/full"};
    struct log *log = NULL;
    assert_int_equal(log_new(&options, &log, NULL), STATUS_OK);
    log_info(log, "x"); /* returns */
    log_free(log);
}

enum { WRITERS = 4, LINES = 500 };

static void *write_lines(void *context)
{
    char text[2001];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < LINES; i++)
        log_info(context, "<%s>", text + (i % 2 == 0 ? 1990 : 0));
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[WRITERS];
    open_log(fixture, (struct log_options){.time = true});
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, write_lines, fixture->log), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    const char *at = read_back(fixture);
    int lines = 0;
    for (; *at != '\0'; lines++) {
        at = strchr(at, '<');
        assert_non_null(at);
        size_t size = strspn(at + 1, "x");
        assert_true(size == 10 || size == 2000);
        assert_memory_equal(at + 1 + size, ">\n", 2);
        at += size + 3;
    }
    assert_int_equal(lines, WRITERS * LINES);
}

/* Puts fd in the place of stderr, logs a line of each level to a log without
 * a file, and puts stderr back. */
static void log_to_stderr(int fd)
{
    struct log_options options = {.debug = true, .trace = true};
    struct log *log = NULL;
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    enum status status = log_new(&options, &log, NULL);
    for (int level = LOG_LEVEL_INFO; level <= LOG_LEVEL_TRACE; level++)
        log_line(log, (enum log_level)level, "x");
    log_free(log); /* must not close stderr */
    int still_open = fcntl(STDERR_FILENO, F_GETFD);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(saved), 0);
    assert_int_equal(status, STATUS_OK);
    assert_true(still_open >= 0);
}

static void read_lines(int fd, char *out, size_t size, int lines)
{
    size_t used = 0;
    while (lines > 0 && used < size - 1) {
        assert_int_equal(read(fd, out + used, 1), 1);
        lines -= out[used++] == '\n';
    }
    out[used] = '\0';
}

static void on_a_terminal_the_level_is_coloured(void **state)
{
    (void)state;
    static const char *const levels[] = {"\x1b[32mINF", "\x1b[0;93mWRN",
                                         "\x1b[31mERR", "\x1b[31mFTL",
                                         "\x1b[36mDBG", "\x1b[33mTRC"};
    char got[1024];
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    int slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    log_to_stderr(slave);
    read_lines(terminal, got, sizeof got, 6);
    const char *at = got;
    for (size_t i = 0; i < 6; i++) {
        char expected[100];
        (void)snprintf(expected, sizeof expected,
                       "[%ld] [%s\x1b[0m] STREAM: x\r\n", (long)getpid(),
                       levels[i]);
        assert_memory_equal(at, expected, strlen(expected));
        at += strlen(expected);
    }
    assert_int_equal(close(slave), 0);
    assert_int_equal(close(terminal), 0);
}

static void on_a_pipe_nothing_is_coloured(void **state)
{
    (void)state;
    char got[1024];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_to_stderr(ends[1]);
    read_lines(ends[0], got, sizeof got, 6);
    assert_null(strchr(got, '\x1b'));
    assert_non_null(strstr(got, "[TRC] STREAM: x\n"));
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(a_line_has_pid_level_and_subject),
        WITH_FILE(with_time_a_line_has_date_and_microseconds),
        WITH_FILE(time_is_local_unless_utc_is_asked_for),
        WITH_FILE(the_file_is_appended_to_and_made_with_mode_0660),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_named_in_the_error),
        WITH_FILE(debug_and_trace_have_a_gate_each),
        cmocka_unit_test(no_log_drops_every_line),
        WITH_FILE(control_characters_cannot_forge_a_line),
        WITH_FILE(long_lines_are_whole_up_to_a_mebibyte),
        WITH_FILE(without_memory_a_long_line_is_cut_not_lost),
        cmocka_unit_test(a_line_that_cannot_be_written_is_dropped),
        WITH_FILE(logging_keeps_errno),
        WITH_FILE(lines_of_several_threads_do_not_mix),
        cmocka_unit_test(on_a_terminal_the_level_is_coloured),
        cmocka_unit_test(on_a_pipe_nothing_is_coloured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
