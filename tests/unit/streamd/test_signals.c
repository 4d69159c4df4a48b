#include "streamd/signals.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static bool readable(int descriptor)
{
    struct pollfd poll_one = {.fd = descriptor, .events = POLLIN};
    return poll(&poll_one, 1, 0) == 1;
}

static void a_signal_makes_the_descriptor_readable_and_is_taken_once(void **s)
{
    (void)s;
    static const struct {
        int number;
        enum signals_event event;
    } cases[] = {
        {SIGINT, SIGNALS_INTERRUPT},
        {SIGTERM, SIGNALS_TERMINATE},
        {SIGUSR1, SIGNALS_REOPEN},
        {SIGHUP, SIGNALS_RELOAD},
    };
    int descriptor;
    assert_int_equal(signals_open(&descriptor, NULL), STATUS_OK);
    assert_int_equal(signals_next(descriptor), SIGNALS_NONE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(readable(descriptor));
        assert_int_equal(kill(getpid(), cases[i].number), 0);
        assert_true(readable(descriptor));
        assert_int_equal(signals_next(descriptor), cases[i].event);
        assert_int_equal(signals_next(descriptor), SIGNALS_NONE);
    }
    assert_int_equal(close(descriptor), 0);
}

/* C32 */
static void sigusr2_and_sigpipe_are_ignored(void **s)
{
    (void)s;
    int descriptor;
    assert_int_equal(signals_open(&descriptor, NULL), STATUS_OK);
    assert_int_equal(kill(getpid(), SIGUSR2), 0);
    assert_int_equal(kill(getpid(), SIGPIPE), 0);
    assert_int_equal(signals_next(descriptor), SIGNALS_NONE);
    assert_int_equal(close(descriptor), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_signal_makes_the_descriptor_readable_and_is_taken_once),
        cmocka_unit_test(sigusr2_and_sigpipe_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
