/* Who is cut off when it gets narrow. */
#include "monitor/connections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t read_time(void *context)
{
    return *(int64_t *)context;
}

enum { MANY = 8, NARROW = 4, GRACE = 10, PATIENCE = 100 };

struct fixture {
    int64_t now;
    struct clock clock;
    struct connections *connections;
    int ours[MANY], theirs[MANY];
    struct connection *each[MANY];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.now = 1000};
    fixture.clock = (struct clock){
        .monotonic = read_time, .wall = read_time, .context = &fixture.now};
    fixture.connections = connections_new(
        &(struct connections_limits){NARROW, GRACE, PATIENCE}, &fixture.clock);
    for (int i = 0; i < MANY; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
            return -1;
        fixture.ours[i] = pair[0];
        fixture.theirs[i] = pair[1];
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < MANY; i++) {
        connections_remove(fixture->connections, fixture->each[i]);
        (void)close(fixture->ours[i]);
        (void)close(fixture->theirs[i]);
    }
    connections_free(fixture->connections);
    return 0;
}

static void add(struct fixture *fixture, int number)
{
    fixture->now++;
    fixture->each[number] =
        connections_add(fixture->connections, fixture->ours[number]);
    assert_non_null(fixture->each[number]);
}

static bool is_cut(const struct fixture *fixture, int number)
{
    char byte;
    return recv(fixture->theirs[number], &byte, 1, 0) == 0;
}

static void sweep_at(struct fixture *fixture, int64_t now)
{
    fixture->now = now;
    connections_sweep(fixture->connections);
}

static void when_it_is_narrow_the_longest_waiting_go(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < NARROW + 2; i++)
        add(fixture, i); /* at 1001, 1002, ... */
    connections_busy(fixture->connections, fixture->each[0]);
    sweep_at(fixture, 1002 + GRACE);
    assert_false(is_cut(fixture, 0)); /* is being answered */
    assert_false(is_cut(fixture, 1)); /* has its grace */
    sweep_at(fixture, 1010 + GRACE);
    assert_false(is_cut(fixture, 0));
    assert_true(is_cut(fixture, 1));
    assert_true(is_cut(fixture, 2));
    assert_false(is_cut(fixture, 3)); /* there is room again */
    connections_remove(fixture->connections, fixture->each[1]);
    fixture->each[1] = NULL;
    assert_int_equal(connections_count(fixture->connections), NARROW + 1);
    sweep_at(fixture, 1020 + GRACE);
    assert_false(is_cut(fixture, 3));
}

/* However many come at once: nobody is cut off who has just come. */
static void a_burst_of_requests_is_not_cut_off(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < MANY; i++) {
        add(fixture, i);
        connections_sweep(fixture->connections);
    }
    for (int i = 0; i < MANY; i++)
        assert_false(is_cut(fixture, i));
}

static void who_is_waited_for_too_long_goes_in_any_case(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 0);
    add(fixture, 1);
    connections_busy(fixture->connections, fixture->each[1]);
    sweep_at(fixture, fixture->now + PATIENCE);
    assert_true(is_cut(fixture, 0));
    connections_waiting(fixture->connections, fixture->each[1]);
    sweep_at(fixture, fixture->now + PATIENCE);
    assert_false(is_cut(fixture, 1)); /* waited for since then only */
    sweep_at(fixture, fixture->now + 1);
    assert_true(is_cut(fixture, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            when_it_is_narrow_the_longest_waiting_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_burst_of_requests_is_not_cut_off,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            who_is_waited_for_too_long_goes_in_any_case, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
