/* A nats-server of our own that ends (cli-config.md 13). */
#include "streamd/supervisor.h"

#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS CLOCK_MILLISECOND

struct fake {
    bool ended, ready, killed;
    enum status outcome; /* of the next restart */
    int restarts;
};

static bool fake_ended(void *context, struct error *err)
{
    const struct fake *fake = context;
    if (fake->ended)
        (void)(fail)(err, STATUS_CLOSED, "gone");
    return fake->ended;
}

static bool fake_ready(void *context)
{
    return ((struct fake *)context)->ready;
}

static enum status fake_restart(void *context, struct error *err)
{
    struct fake *fake = context;
    fake->restarts++;
    if (fake->outcome != STATUS_OK)
        return (fail)(err, fake->outcome, "no program");
    fake->ended = fake->ready = false;
    return STATUS_OK;
}

static void fake_kill(void *context)
{
    ((struct fake *)context)->killed = true;
}

static struct supervisor supervise(struct fake *fake)
{
    const struct supervised process = {.context = fake,
                                       .ended = fake_ended,
                                       .ready = fake_ready,
                                       .restart = fake_restart,
                                       .kill = fake_kill};
    struct supervisor supervisor;
    supervisor_init(&supervisor, &process, NULL, 0);
    return supervisor;
}

static void one_that_runs_is_left_alone(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct supervisor supervisor = supervise(&fake);
    assert_true(supervisor_turn(&supervisor, 0));
    assert_int_equal(supervisor_wait(&supervisor, 0), -1);
    assert_int_equal(fake.restarts, 0);
}

static void it_is_started_again_after_250_ms_and_watched(void **state)
{
    (void)state;
    struct fake fake = {.ended = true};
    struct supervisor supervisor = supervise(&fake);
    assert_true(supervisor_turn(&supervisor, 0));
    assert_int_equal(supervisor_wait(&supervisor, 0), 251);
    assert_true(supervisor_turn(&supervisor, 249 * MS));
    assert_int_equal(fake.restarts, 0);
    assert_true(supervisor_turn(&supervisor, 250 * MS));
    assert_int_equal(fake.restarts, 1);
    assert_true(supervisor_wait(&supervisor, 250 * MS) > 0);
    fake.ready = true;
    assert_true(supervisor_turn(&supervisor, 300 * MS));
    assert_int_equal(supervisor.state, SUPERVISOR_RUNNING);
    assert_int_equal(supervisor_wait(&supervisor, 300 * MS), -1);
}

static void the_wait_doubles_up_to_5_s_and_10_failures_are_the_end(void **state)
{
    (void)state;
    static const int64_t delays[] = {250,  500,  1000, 2000, 4000,
                                     5000, 5000, 5000, 5000};
    struct fake fake = {.ended = true, .outcome = STATUS_NOT_FOUND};
    struct supervisor supervisor = supervise(&fake);
    int64_t now = 0;
    for (int i = 0; i < 9; i++) {
        assert_true(supervisor_turn(&supervisor, now));
        assert_int_equal(supervisor.due - now, delays[i] * MS);
        now = supervisor.due;
    }
    assert_false(supervisor_turn(&supervisor, now));
    assert_int_equal(fake.restarts, 9);
}

static void one_that_ran_for_a_while_has_failed_once_only(void **state)
{
    (void)state;
    struct fake fake = {.ended = true};
    struct supervisor supervisor = supervise(&fake);
    int64_t now = 0;
    for (int i = 0; i < 50; i++) {
        assert_true(supervisor_turn(&supervisor, now)); /* ended */
        assert_int_equal(supervisor.due - now, 250 * MS);
        now = supervisor.due;
        assert_true(supervisor_turn(&supervisor, now)); /* started */
        fake.ready = true;
        assert_true(supervisor_turn(&supervisor, now));
        now += 5000 * MS;
        fake.ended = true;
    }
}

static void one_that_is_not_ready_within_10_s_is_killed(void **state)
{
    (void)state;
    struct fake fake = {.ended = true};
    struct supervisor supervisor = supervise(&fake);
    assert_true(supervisor_turn(&supervisor, 0));
    assert_true(supervisor_turn(&supervisor, 250 * MS));
    assert_true(supervisor_turn(&supervisor, 10250 * MS));
    assert_false(fake.killed);
    assert_true(supervisor_turn(&supervisor, 10251 * MS));
    assert_true(fake.killed);
    fake.ended = true;
    assert_true(supervisor_turn(&supervisor, 10252 * MS));
    assert_int_equal(supervisor.state, SUPERVISOR_WAITING);
    assert_int_equal(supervisor.failures, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_runs_is_left_alone),
        cmocka_unit_test(it_is_started_again_after_250_ms_and_watched),
        cmocka_unit_test(
            the_wait_doubles_up_to_5_s_and_10_failures_are_the_end),
        cmocka_unit_test(one_that_ran_for_a_while_has_failed_once_only),
        cmocka_unit_test(one_that_is_not_ready_within_10_s_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
