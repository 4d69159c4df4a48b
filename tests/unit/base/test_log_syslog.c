/* Syslog and streams that take nothing: cli-config.md 10.3. */
#include "streamd/base/log_syslog.h"

#include "streamd/base/clock.h"
#include "streamd/base/log_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, TEXT_MAX = 20000 };

/* A syslog daemon at a socket of its own. */
struct fixture {
    char directory[64];
    char path[96];
    int fd;
    struct log_syslog *syslog;
    char text[TEXT_MAX];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    f->fd = -1;
    (void)snprintf(f->directory, sizeof f->directory,
                   "/tmp/test_syslog_XXXXXX");
    if (mkdtemp(f->directory) == NULL) {
        free(f);
        return -1;
    }
    (void)snprintf(f->path, sizeof f->path, "%s/socket", f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    log_syslog_close(f->syslog);
    if (f->fd >= 0)
        (void)close(f->fd);
    (void)unlink(f->path);
    (void)rmdir(f->directory);
    free(f);
    return 0;
}

static void listen_unix(struct fixture *f, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", f->path);
    (void)unlink(f->path);
    f->fd = socket(AF_UNIX, type, 0);
    assert_true(f->fd >= 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&address, sizeof address),
                     0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(f->fd, 5), 0);
}

/* Returns the port. */
static int listen_inet(struct fixture *f, int type, int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof address;
    int on = 1;
    f->fd = socket(AF_INET, type, 0);
    assert_true(f->fd >= 0);
    assert_int_equal(
        setsockopt(f->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&address, size), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(f->fd, 5), 0);
    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static const char *receive(struct fixture *f, int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&one, 1, PATIENCE_MS), 1);
    ssize_t size = read(fd, f->text, sizeof f->text - 1);
    assert_true(size > 0);
    f->text[size] = '\0';
    return f->text;
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

static void open_syslog(struct fixture *f, const char *remote)
{
    const struct log_syslog_options options = {
        .remote = remote, .local = f->path, .tag = "me"};
    struct error err = {0};
    enum status status = log_syslog_open(&options, &f->syslog, &err);
    if (status != STATUS_OK)
        fail_msg("%s", err.detail);
}

static void send_line(struct fixture *f, enum log_level level, const char *line)
{
    log_syslog_write(f->syslog, level, line, strlen(line));
}

static void a_local_line_has_priority_date_and_tag(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum log_level level;
        int priority; /* facility daemon: 24 and severity */
    } levels[] = {
        {LOG_LEVEL_INFO, 29},  {LOG_LEVEL_WARN, 28},  {LOG_LEVEL_ERROR, 27},
        {LOG_LEVEL_FATAL, 26}, {LOG_LEVEL_DEBUG, 31}, {LOG_LEVEL_TRACE, 29},
    };
    listen_unix(f, SOCK_DGRAM);
    open_syslog(f, NULL);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        char pattern[160];
        (void)snprintf(pattern, sizeof pattern,
                       "^<%d>[A-Z][a-z]{2} [ 1-3][0-9] "
                       "[0-9]{2}:[0-9]{2}:[0-9]{2} me\\[%ld\\]: STREAM: x\n$",
                       levels[i].priority, (long)getpid());
        send_line(f, levels[i].level, "STREAM: x\n");
        assert_matches(receive(f, f->fd), pattern);
    }
}

static void a_local_daemon_may_listen_for_a_stream(void **state)
{
    struct fixture *f = *state;
    listen_unix(f, SOCK_STREAM);
    open_syslog(f, NULL);
    int fd = accept(f->fd, NULL, NULL);
    send_line(f, LOG_LEVEL_INFO, "one\n");
    send_line(f, LOG_LEVEL_INFO, "two\n");
    receive(f, fd);
    assert_matches(f->text, "^<29>.* me\\[[0-9]+\\]: one\n");
    assert_int_equal(close(fd), 0);
}

static void a_remote_line_names_this_host(void **state)
{
    struct fixture *f = *state;
    char url[160];
    char host[256] = "";
    char expected[320];
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    (void)snprintf(expected, sizeof expected, "Z %s me[%ld]: STREAM: x\n", host,
                   (long)getpid());
    (void)snprintf(url, sizeof url, "udp://127.0.0.1:%d",
                   listen_inet(f, SOCK_DGRAM, 0));
    open_syslog(f, url);
    send_line(f, LOG_LEVEL_WARN, "STREAM: x\n");
    assert_matches(receive(f, f->fd),
                   "^<28>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z ");
    assert_non_null(strstr(f->text, expected));
    log_syslog_close(f->syslog);
    assert_int_equal(close(f->fd), 0);
    listen_unix(f, SOCK_DGRAM);
    (void)snprintf(url, sizeof url, "unix://%s", f->path);
    open_syslog(f, url);
    send_line(f, LOG_LEVEL_WARN, "STREAM: x\n");
    assert_non_null(strstr(receive(f, f->fd), expected));
}

static void a_line_too_long_for_a_datagram_is_cut(void **state)
{
    struct fixture *f = *state;
    static char line[100000];
    memset(line, 'x', sizeof line);
    listen_unix(f, SOCK_DGRAM);
    open_syslog(f, NULL);
    log_syslog_write(f->syslog, LOG_LEVEL_INFO, line, sizeof line);
    const char *text = receive(f, f->fd);
    assert_int_equal(strlen(strchr(text, 'x')), 8192);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void a_daemon_that_was_restarted_gets_the_next_line(void **state)
{
    struct fixture *f = *state;
    listen_unix(f, SOCK_DGRAM);
    open_syslog(f, NULL);
    assert_int_equal(close(f->fd), 0);
    listen_unix(f, SOCK_DGRAM);
    send_line(f, LOG_LEVEL_INFO, "again\n");
    assert_non_null(strstr(receive(f, f->fd), "again\n"));
}

static void what_was_dropped_is_counted_and_told(void **state)
{
    struct fixture *f = *state;
    char url[64];
    int port = listen_inet(f, SOCK_STREAM, 0);
    (void)snprintf(url, sizeof url, "tcp://127.0.0.1:%d", port);
    open_syslog(f, url);
    int fd = accept(f->fd, NULL, NULL);
    send_line(f, LOG_LEVEL_INFO, "one\n");
    assert_non_null(strstr(receive(f, fd), "one\n"));
    const struct linger reset = {.l_onoff = 1};
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(f->fd), 0);
    for (int i = 0; i < 3; i++)
        send_line(f, LOG_LEVEL_INFO, "lost\n");
    (void)listen_inet(f, SOCK_STREAM, port);
    struct pollfd one = {.fd = f->fd, .events = POLLIN};
    do { /* it is tried again once a second */
        send_line(f, LOG_LEVEL_INFO, "back\n");
    } while (poll(&one, 1, 10) == 0);
    fd = accept(f->fd, NULL, NULL);
    assert_matches(receive(f, fd), "^<28>.* [0-9]+ log lines were dropped\n");
    assert_int_equal(close(fd), 0);
}

static void a_bad_url_and_an_absent_daemon_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *url, *detail;
    } cases[] = {
        {"http://host:1", "error invalid network type: \"http\""},
        {"localhost:514", "error invalid network type: \"\""},
        {"unixx:///x", "error invalid network type: \"unixx\""},
        {"unix:///nonexistent/s", "error connecting to syslog: "
                                  "\"/nonexistent/s: No such file or "
                                  "directory\""},
        {"tcp://127.0.0.1:1", "error connecting to syslog: \"127.0.0.1: "
                              "Connection refused\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct log_syslog_options options = {.remote = cases[i].url,
                                                   .tag = "me"};
        struct error err = {0};
        assert_int_not_equal(log_syslog_open(&options, &f->syslog, &err),
                             STATUS_OK);
        assert_null(f->syslog);
        assert_string_equal(err.detail, cases[i].detail);
    }
    const struct log_syslog_options options = {.local = f->path, .tag = "me"};
    assert_int_equal(log_syslog_open(&options, &f->syslog, NULL),
                     STATUS_UNAVAILABLE);
}

static void who_takes_nothing_holds_nobody_for_long(void **state)
{
    (void)state;
    static char line[3000];
    int ends[2];
    struct log_stream stream;
    int stalled = 0;
    memset(line, 'x', sizeof line);
    assert_int_equal(pipe(ends), 0); /* blocking, as stderr is */
    log_stream_init(&stream, ends[1]);
    int64_t start = clock_monotonic(&clock_system);
    for (int i = 0; i < 1000; i++) {
        stalled +=
            log_stream_write(&stream, line, sizeof line) == LOG_STREAM_STALLED;
    }
    int64_t took = clock_monotonic(&clock_system) - start;
    assert_true(stalled > 900);
    assert_true(took < 10 * CLOCK_SECOND); /* one wait of 1 s, not 900 */
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    while (read(ends[0], line, sizeof line) > 0) {
    }
    assert_int_equal(log_stream_write(&stream, "y\n", 2), LOG_STREAM_DONE);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void a_line_that_was_torn_does_not_spoil_the_next(void **state)
{
    (void)state;
    static char line[200000];
    int ends[2];
    struct log_stream stream;
    memset(line, 'x', sizeof line);
    assert_int_equal(pipe(ends), 0);
    log_stream_init(&stream, ends[1]);
    assert_int_equal(log_stream_write(&stream, line, sizeof line),
                     LOG_STREAM_STALLED);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    while (read(ends[0], line, sizeof line) > 0) {
    }
    assert_int_equal(log_stream_write(&stream, "y\n", 2), LOG_STREAM_DONE);
    assert_int_equal(read(ends[0], line, sizeof line), 3);
    assert_memory_equal(line, "\ny\n", 3);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(log_stream_write(&stream, "z\n", 2), LOG_STREAM_BROKEN);
    assert_int_equal(close(ends[1]), 0);
}

#define WITH_DAEMON(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(a_local_line_has_priority_date_and_tag),
        WITH_DAEMON(a_local_daemon_may_listen_for_a_stream),
        WITH_DAEMON(a_remote_line_names_this_host),
        WITH_DAEMON(a_line_too_long_for_a_datagram_is_cut),
        WITH_DAEMON(a_daemon_that_was_restarted_gets_the_next_line),
        WITH_DAEMON(what_was_dropped_is_counted_and_told),
        WITH_DAEMON(a_bad_url_and_an_absent_daemon_are_refused),
        cmocka_unit_test(who_takes_nothing_holds_nobody_for_long),
        cmocka_unit_test(a_line_that_was_torn_does_not_spoil_the_next),
    };
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) /* as the server does */
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
