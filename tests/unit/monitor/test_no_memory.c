/* The n-th allocation fails, for every n: the answer is 500, nothing leaks. */
#include "fake_source.h"
#include "monitor/endpoints.h"
#include "tests/unit/base/allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ALLOCATIONS_MAX = 10000 };

/* The view itself is always made; failures go on behind it. */
struct sparing_source {
    struct fake_source fake;
    struct limits limits;
    int good_after; /* -1: no failures from then on */
};

static enum status get(void *context, const struct view_query *query,
                       struct view **out, struct error *err)
{
    struct sparing_source *sparing = context;
    allocation_repair();
    enum status status =
        sparing->fake.source.get(&sparing->fake, query, out, err);
    allocation_break(sparing->good_after);
    return status;
}

static int answer(struct sparing_source *sparing, const char *target,
                  int good_before)
{
    const struct view_source source = {.context = sparing, .get = get};
    struct endpoints endpoints = {.source = &source,
                                  .limits = &sparing->limits,
                                  .clock = &fake_clock,
                                  .version = "0.25.6",
                                  .streamd_version = "0.1.0"};
    struct reply reply;
    allocation_break(good_before);
    endpoints_answer(&endpoints, target, &reply);
    allocation_repair();
    int status = reply.status;
    http_release(&reply);
    return status;
}

/* Two entries, for storez. */
static void limits_set_up(struct limits *limits)
{
    const struct channel_limits few = {.max_messages = 5};
    *limits = limits_default;
    for (const char *name = "ab"; *name != '\0'; name++) {
        assert_int_equal(limits_add(limits, bytes_of(name, 1), &few, NULL),
                         STATUS_OK);
    }
    limits_inherit(limits);
}

static void fails_until_it_works(const char *target, int works)
{
    struct sparing_source sparing;
    fake_source_init(&sparing.fake);
    limits_set_up(&sparing.limits);
    sparing.good_after = -1;
    int before = 0;
    int status;
    while ((status = answer(&sparing, target, before)) != works) {
        assert_int_equal(status, 500);
        assert_true(++before < ALLOCATIONS_MAX);
    }
    int after = 0;
    for (sparing.good_after = 0;
         (status = answer(&sparing, target, -1)) != works;
         sparing.good_after = ++after) {
        assert_int_equal(status, 500);
        assert_true(after < ALLOCATIONS_MAX);
    }
    assert_true(before > 0);
    limits_release(&sparing.limits);
}

static void every_failed_allocation_is_a_500(void **state)
{
    (void)state;
    fails_until_it_works("/nope", 404);
    fails_until_it_works("//streaming?a", 301);
    fails_until_it_works("/streaming", 200);
    fails_until_it_works("/streaming/isFTActive", 204);
    fails_until_it_works("/streaming/serverz?callback=cb", 200);
    fails_until_it_works("/streaming/storez", 200);
    fails_until_it_works("/streaming/clientsz?subs=1&limit=4", 200);
    fails_until_it_works("/streaming/clientsz?client=me2&subs=1", 200);
    fails_until_it_works("/streaming/channelsz", 200);
    fails_until_it_works("/streaming/channelsz?subs=1", 200);
    fails_until_it_works("/streaming/channelsz?channel=foo.bar&subs=1", 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_is_a_500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
