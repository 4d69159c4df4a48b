/* -signal: cli-config.md 11.3, C36. */
#include "streamd/signal_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 1024, HIGHEST_PID = 1 << 22 };

/* Status and text of the command; no process has that program's name, and
 * none but ours and our children its executable. */
static int command(const char *parameter, char out[TEXT_MAX])
{
    char text[TEXT_MAX];
    memset(text, 0, sizeof text);
    FILE *file = fmemopen(text, sizeof text, "w");
    assert_non_null(file);
    int status = signal_command(parameter, "/no/such_program", file);
    assert_int_equal(fclose(file), 0);
    memcpy(out, text, sizeof text);
    return status;
}

static void assert_refused(const char *parameter, const char *expected)
{
    char text[TEXT_MAX];
    assert_int_equal(command(parameter, text), 1);
    assert_string_equal(text, expected);
}

/* A process that waits for a signal. */
static pid_t child(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)pause();
    }
    return pid;
}

static int ended_by(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void each_command_is_a_signal_for_the_process_given(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        int number;
    } cases[] = {
        {"stop", SIGKILL},   {"quit", SIGINT},   {"term", SIGTERM},
        {"reopen", SIGUSR1}, {"reload", SIGHUP}, {"ldm", SIGUSR2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char parameter[64];
        char text[TEXT_MAX];
        pid_t pid = child();
        (void)snprintf(parameter, sizeof parameter, "%s=%ld", cases[i].command,
                       (long)pid);
        assert_int_equal(command(parameter, text), 0);
        assert_string_equal(text, "");
        assert_int_equal(ended_by(pid), cases[i].number);
    }
}

static void the_process_may_be_given_by_its_pid_file(void **state)
{
    (void)state;
    static const char *const ends[] = {"", "\n"};
    for (int i = 0; i < 2; i++) {
        char path[] = "/tmp/test_signal_XXXXXX";
        char parameter[64];
        char text[TEXT_MAX];
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        pid_t pid = child();
        assert_true(dprintf(fd, "%ld%s", (long)pid, ends[i]) > 0);
        (void)snprintf(parameter, sizeof parameter, "quit=%s", path);
        assert_int_equal(command(parameter, text), 0);
        assert_int_equal(ended_by(pid), SIGINT);
        assert_int_equal(close(fd), 0);
        assert_int_equal(unlink(path), 0);
    }
}

static void the_one_other_process_of_the_program_is_found(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    char expected[TEXT_MAX];
    assert_refused("quit", "no nats-streaming-server processes running\n");
    pid_t one = child();
    pid_t two = child();
    (void)snprintf(expected, sizeof expected,
                   "multiple nats-streaming-server processes running:\n"
                   "%ld\n%ld\n",
                   (long)(one < two ? one : two),
                   (long)(one < two ? two : one));
    assert_refused("quit", expected);
    assert_int_equal(kill(two, SIGKILL), 0);
    assert_int_equal(ended_by(two), SIGKILL);
    assert_int_equal(command("quit", text), 0);
    assert_string_equal(text, "");
    assert_int_equal(ended_by(one), SIGINT);
}

static void what_is_no_command_or_process_is_refused(void **state)
{
    (void)state;
    char parameter[64];
    assert_refused("bogus", "unknown signal \"bogus\"\n");
    assert_refused("", "unknown signal \"\"\n");
    assert_refused("QUIT=1", "unknown signal \"QUIT\"\n");
    assert_refused("quit=abc", "invalid pid: abc\n");
    assert_refused("quit=", "invalid pid: \n");
    assert_refused("quit=a\x1b", "invalid pid: a?\n");
    assert_refused("a=b=c", "invalid signal parameters: [c]\n");
    assert_refused("quit=b=c=d", "invalid signal parameters: [c d]\n");
    (void)snprintf(parameter, sizeof parameter, "quit=%d", HIGHEST_PID + 1);
    assert_refused(parameter, "no such process\n");
}

/* kill(0) and kill(-n) mean whole groups, kill(-1) everything there is */
static void no_group_of_processes_can_be_given(void **state)
{
    (void)state;
    assert_refused("quit=0", "invalid pid: 0\n");
    assert_refused("quit=-1", "invalid pid: -1\n");
    assert_refused("quit=4294967295", "invalid pid: 4294967295\n");
    assert_refused("quit=99999999999999999999",
                   "invalid pid: 99999999999999999999\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_is_a_signal_for_the_process_given),
        cmocka_unit_test(the_process_may_be_given_by_its_pid_file),
        cmocka_unit_test(the_one_other_process_of_the_program_is_found),
        cmocka_unit_test(what_is_no_command_or_process_is_refused),
        cmocka_unit_test(no_group_of_processes_can_be_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
