#include "streamd/base/timer.h"

#include "tests/unit/base/allocation.h"
#include "tests/unit/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

enum { TIMERS = 60, STEPS = 100000, NEVER = -1 };

/* The model: when each is due, NEVER if it is not set. Waiting are those
 * that were due when the run began and have neither fired nor been touched. */
struct model {
    struct timers timers;
    struct timer timer[TIMERS];
    int64_t due[TIMERS];
    bool waiting[TIMERS];
    int64_t now, last; /* of the run: its time, due of the one fired last */
    struct random random;
};

static void model_set(struct model *model, uint64_t i, int64_t due)
{
    timer_set(&model->timers, &model->timer[i], due);
    model->due[i] = due;
    model->waiting[i] = false;
}

static void model_clear(struct model *model, uint64_t i)
{
    timer_clear(&model->timers, &model->timer[i]);
    model->due[i] = NEVER;
    model->waiting[i] = false;
}

/* Sets or clears any timer, also from within a fire. */
static void disturb(struct model *model)
{
    uint64_t i = random_below(&model->random, TIMERS);
    if (random_below(&model->random, 3) == 0) {
        model_clear(model, i);
    } else {
        model_set(model, i,
                  model->now + (int64_t)random_below(&model->random, 40) - 10);
    }
}

static void fire(struct timer *timer, int64_t now)
{
    struct model *model = timer->context;
    ptrdiff_t i = timer - model->timer;
    assert_int_equal(now, model->now);
    assert_true(model->waiting[i]); /* due, set before, once only */
    assert_false(timer_is_set(timer));
    assert_true(model->due[i] >= model->last); /* earliest first */
    model->last = model->due[i];
    model->waiting[i] = false;
    model->due[i] = NEVER;
    while (random_below(&model->random, 3) == 0)
        disturb(model);
}

static void model_run(struct model *model)
{
    for (int i = 0; i < TIMERS; i++) {
        model->waiting[i] =
            model->due[i] != NEVER && model->due[i] <= model->now;
    }
    model->last = INT64_MIN;
    timers_run(&model->timers, model->now);
    for (int i = 0; i < TIMERS; i++)
        assert_false(model->waiting[i]);
}

static void model_check(const struct model *model)
{
    int64_t least = INT64_MAX;
    size_t count = 0;
    for (int i = 0; i < TIMERS; i++) {
        bool set = model->due[i] != NEVER;
        assert_int_equal(timer_is_set(&model->timer[i]), set);
        if (!set)
            continue;
        count++;
        if (model->due[i] < least)
            least = model->due[i];
    }
    int64_t due = 0;
    assert_int_equal(timers_next(&model->timers, &due), count > 0);
    if (count > 0)
        assert_int_equal(due, least);
    assert_int_equal(model->timers.count, count);
}

static void random_operations_agree_with_a_naive_model(void **state)
{
    (void)state;
    static struct model model;
    random_init(&model.random);
    model.now = 1000;
    assert_true(timers_reserve(&model.timers, TIMERS));
    for (int i = 0; i < TIMERS; i++) {
        model.timer[i].fire = fire;
        model.timer[i].context = &model;
        model.due[i] = NEVER;
    }
    for (int step = 0; step < STEPS; step++) {
        if (random_below(&model.random, 4) == 0) {
            model.now += (int64_t)random_below(&model.random, 8);
            model_run(&model);
        } else {
            disturb(&model);
        }
        model_check(&model);
    }
    timers_release(&model.timers);
    for (int i = 0; i < TIMERS; i++)
        assert_false(timer_is_set(&model.timer[i]));
}

struct again {
    struct timers timers;
    int fired;
};

static void set_again(struct timer *timer, int64_t now)
{
    struct again *again = timer->context;
    again->fired++;
    timer_set(&again->timers, timer, now - 5);
}

static void a_timer_set_by_its_own_fire_waits_for_the_next_run(void **state)
{
    (void)state;
    struct again again = {0};
    struct timer timers[2] = {{.fire = set_again, .context = &again},
                              {.fire = set_again, .context = &again}};
    assert_true(timers_reserve(&again.timers, 2));
    timer_set(&again.timers, &timers[0], 1);
    timer_set(&again.timers, &timers[1], 9);
    timers_run(&again.timers, 10);
    assert_int_equal(again.fired, 2);
    assert_int_equal(timers[0].due, 5); /* each of them once */
    assert_int_equal(timers[1].due, 5);
    timers_run(&again.timers, 10);
    assert_int_equal(again.fired, 4);
    timers_release(&again.timers);
}

static void without_memory_there_is_no_place_and_the_others_stay(void **state)
{
    (void)state;
    struct timers timers = {0};
    struct timer timer[100] = {0};
    int good = 0;
    allocation_break(1);
    while (good < 100 && timers_reserve(&timers, 1)) {
        timer_set(&timers, &timer[good], 100 - good);
        good++;
    }
    allocation_repair();
    assert_in_range(good, 1, 99);
    int64_t due = 0;
    assert_true(timers_next(&timers, &due));
    assert_int_equal(due, 100 - (good - 1));
    assert_true(timers_reserve(&timers, 1));
    timer_set(&timers, &timer[good], 1);
    assert_true(timers_next(&timers, &due));
    assert_int_equal(due, 1);
    timers_release(&timers);
}

static void whoever_has_a_place_sets_its_timer_without_memory(void **state)
{
    (void)state;
    struct timers timers = {0};
    struct timer timer[100] = {0};
    assert_true(timers_reserve(&timers, 100));
    allocation_break(0);
    for (int i = 0; i < 100; i++)
        timer_set(&timers, &timer[i], i);
    allocation_repair();
    assert_int_equal(timers.count, 100);
    for (int i = 0; i < 60; i++)
        timer_clear(&timers, &timer[i]);
    timers_unreserve(&timers, 60);
    assert_int_equal(timers.count, timers.reserved);
    timers_release(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_a_naive_model),
        cmocka_unit_test(a_timer_set_by_its_own_fire_waits_for_the_next_run),
        cmocka_unit_test(without_memory_there_is_no_place_and_the_others_stay),
        cmocka_unit_test(whoever_has_a_place_sets_its_timer_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
