/* How far a recovery is: told to systemd and to the log. */
#include "streamd/progress.h"

#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEXT_MAX = 1024 };

/* Both ends of what systemd would listen on, and a log. */
struct fixture {
    int systemd;
    struct notify notify;
    struct log *log;
    char path[32];
    struct progress progress;
    char text[TEXT_MAX];
};

static int set_up(void **state)
{
    int ends[2];
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f == NULL || socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0)
        return -1;
    f->systemd = ends[0];
    f->notify.fd = ends[1];
    (void)snprintf(f->path, sizeof f->path, "/tmp/test_progress.XXXXXX");
    int file = mkstemp(f->path);
    const struct log_options options = {.file = f->path};
    return file >= 0 && close(file) == 0 &&
                   log_new(&options, &f->log, NULL) == STATUS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    log_free(f->log);
    (void)unlink(f->path);
    notify_close(&f->notify);
    (void)close(f->systemd);
    free(f);
    return 0;
}

/* What systemd was told, "" if nothing more. */
static const char *told(struct fixture *f)
{
    ssize_t size = recv(f->systemd, f->text, sizeof f->text - 1, MSG_DONTWAIT);
    f->text[size < 0 ? 0 : size] = '\0';
    return f->text;
}

static int logged(const struct fixture *f, const char *words)
{
    char line[TEXT_MAX];
    int count = 0;
    FILE *file = fopen(f->path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, words) != NULL;
    (void)fclose(file);
    return count;
}

static void systemd_is_told_of_progress_twice_a_second_at_most(void **state)
{
    struct fixture *f = *state;
    int64_t now = 5 * CLOCK_SECOND;
    progress_init(&f->progress, &f->notify, f->log, now);
    assert_string_equal(told(f), "EXTEND_TIMEOUT_USEC=600000000\n"
                                 "STATUS=STARTING: recovering the state");
    assert_int_equal(progress_step(&f->progress, 0, 0, now), 501);
    assert_string_equal(told(f), ""); /* no news */
    now += CLOCK_SECOND / 10;
    assert_int_equal(progress_step(&f->progress, 3, 10, now), 401);
    assert_string_equal(told(f), ""); /* too early */
    now += CLOCK_SECOND;
    assert_int_equal(progress_step(&f->progress, 4, 12, now), 501);
    assert_string_equal(told(f),
                        "EXTEND_TIMEOUT_USEC=600000000\n"
                        "STATUS=STARTING: recovering the state, 4 channels "
                        "with 12 messages so far");
    now += CLOCK_SECOND;
    (void)progress_step(&f->progress, 4, 12, now);
    assert_string_equal(told(f), ""); /* it hangs: systemd may lose patience */
}

static void the_log_says_it_every_ten_seconds(void **state)
{
    struct fixture *f = *state;
    int64_t now = 5 * CLOCK_SECOND;
    progress_init(&f->progress, &f->notify, f->log, now);
    for (uint64_t i = 0; i < 25; i++) {
        (void)progress_step(&f->progress, i, 2 * i, now);
        now += CLOCK_SECOND;
    }
    assert_int_equal(logged(f, "[INF] STREAM: Recovering the state: "), 2);
    assert_int_equal(logged(f, ": 10 channels with 20 messages so far\n"), 1);
    assert_int_equal(logged(f, ": 20 channels with 40 messages so far\n"), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(systemd_is_told_of_progress_twice_a_second_at_most),
        CASE(the_log_says_it_every_ten_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
