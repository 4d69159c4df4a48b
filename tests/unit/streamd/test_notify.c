/* systemd's protocol: cli-config.md 14. */
#include "streamd/notify.h"

#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TEXT_MAX = 1024, PATIENCE_MS = 30000 };

/* What systemd would listen on, under an abstract name. */
struct fixture {
    char name[64]; /* with the @ */
    int fd;
    struct notify notify;
    char text[TEXT_MAX];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (f == NULL)
        return -1;
    *state = f;
    f->notify.fd = -1;
    (void)snprintf(f->name, sizeof f->name, "@streamd-test-notify-%ld",
                   (long)getpid());
    memcpy(address.sun_path + 1, f->name + 1, strlen(f->name + 1));
    f->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    return f->fd >= 0 &&
                   bind(f->fd, (struct sockaddr *)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                    strlen(f->name))) == 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    notify_close(&f->notify);
    (void)close(f->fd);
    free(f);
    return 0;
}

static void set(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static void open_notify(struct fixture *f)
{
    set("NOTIFY_SOCKET", f->name);
    assert_int_equal(notify_open(&f->notify, NULL), STATUS_OK);
}

static const char *received(struct fixture *f)
{
    struct pollfd one = {.fd = f->fd, .events = POLLIN};
    assert_int_equal(poll(&one, 1, PATIENCE_MS), 1);
    ssize_t size = read(f->fd, f->text, sizeof f->text - 1);
    assert_true(size >= 0);
    f->text[size] = '\0';
    return f->text;
}

static void a_life_is_told_in_datagrams(void **state)
{
    struct fixture *f = *state;
    open_notify(f);
    notify_starting(&f->notify, "a\nREADY=1");
    assert_string_equal(received(f), "EXTEND_TIMEOUT_USEC=600000000\n"
                                     "STATUS=a READY=1");
    notify_ready(&f->notify, "STANDALONE");
    assert_string_equal(received(f), "READY=1\nSTATUS=STANDALONE");
    int64_t before = clock_monotonic(&clock_system) / CLOCK_MICROSECOND;
    notify_reloading(&f->notify);
    int64_t after = clock_monotonic(&clock_system) / CLOCK_MICROSECOND;
    static const char reloading[] = "RELOADING=1\nMONOTONIC_USEC=";
    assert_memory_equal(received(f), reloading, sizeof reloading - 1);
    assert_in_range(strtoll(f->text + sizeof reloading - 1, NULL, 10), before,
                    after);
    notify_reloaded(&f->notify);
    assert_string_equal(received(f), "READY=1");
    notify_stopping(&f->notify);
    assert_string_equal(received(f), "STOPPING=1\nSTATUS=SHUTDOWN");
}

static void before_it_is_ready_a_reload_does_not_say_so(void **state)
{
    struct fixture *f = *state;
    open_notify(f);
    notify_reloading(&f->notify);
    notify_reloaded(&f->notify);
    notify_starting(&f->notify, "first");
    assert_string_equal(received(f), "EXTEND_TIMEOUT_USEC=600000000\n"
                                     "STATUS=first");
}

static void a_socket_may_be_a_file(void **state)
{
    struct fixture *f = *state;
    char directory[] = "/tmp/test_notify_XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(directory));
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/s",
                   directory);
    assert_int_equal(close(f->fd), 0);
    f->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&address, sizeof address),
                     0);
    set("NOTIFY_SOCKET", address.sun_path);
    assert_int_equal(notify_open(&f->notify, NULL), STATUS_OK);
    notify_ready(&f->notify, "x");
    assert_string_equal(received(f), "READY=1\nSTATUS=x");
    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void a_sign_of_life_comes_twice_in_the_time_asked_for(void **state)
{
    struct fixture *f = *state;
    char pid[32];
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    set("WATCHDOG_USEC", "40000");
    set("WATCHDOG_PID", pid);
    open_notify(f);
    for (int i = 0; i < 3; i++) {
        int wait = notify_alive(&f->notify);
        assert_string_equal(received(f), "WATCHDOG=1");
        assert_in_range(wait, 1, 21);
        int64_t due = f->notify.next;
        assert_in_range(notify_alive(&f->notify), 1, 21);
        assert_int_equal(f->notify.next, due); /* not yet another */
        f->notify.next = 0;                    /* as if it were time */
    }
}

static void without_a_watchdog_nobody_waits_for_a_sign(void **state)
{
    struct fixture *f = *state;
    static const char *const values[][2] = {
        {"", ""},  {"x", ""},      {"-5", ""}, {"99999999999999999999999", ""},
        {"0", ""}, {"40000", "1"}, /* another process is meant */
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        set("WATCHDOG_USEC", values[i][0]);
        if (values[i][1][0] != '\0')
            set("WATCHDOG_PID", values[i][1]);
        open_notify(f);
        assert_int_equal(notify_alive(&f->notify), -1);
        notify_close(&f->notify);
    }
}

static void the_environment_is_not_left_for_a_child(void **state)
{
    struct fixture *f = *state;
    set("WATCHDOG_USEC", "40000");
    open_notify(f);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
}

static void without_or_with_a_bad_socket_all_calls_do_nothing(void **state)
{
    struct fixture *f = *state;
    char too_long[120];
    memset(too_long, '/', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    const char *const bad[] = {"relative", "@", "/", "/nonexistent/socket",
                               too_long};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set("NOTIFY_SOCKET", bad[i]);
        assert_int_not_equal(notify_open(&f->notify, NULL), STATUS_OK);
        notify_ready(&f->notify, "x");
        assert_int_equal(notify_alive(&f->notify), -1);
    }
    assert_int_equal(notify_open(&f->notify, NULL), STATUS_OK);
    notify_ready(&f->notify, "x");
    notify_stopping(&f->notify);
    notify_close(&f->notify);
}

#define WITH_SOCKET(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SOCKET(a_life_is_told_in_datagrams),
        WITH_SOCKET(before_it_is_ready_a_reload_does_not_say_so),
        WITH_SOCKET(a_socket_may_be_a_file),
        WITH_SOCKET(a_sign_of_life_comes_twice_in_the_time_asked_for),
        WITH_SOCKET(without_a_watchdog_nobody_waits_for_a_sign),
        WITH_SOCKET(the_environment_is_not_left_for_a_child),
        WITH_SOCKET(without_or_with_a_bad_socket_all_calls_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
