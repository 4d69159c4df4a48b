#include "streamd/base/ordered.h"

#include "allocation.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { KEYS = 2000 };

/* Keys that sort as their numbers do, of different length; owned by no one. */
static char keys[KEYS][8];

static struct bytes key_of(size_t number)
{
    return bytes_text(keys[number]);
}

static int keys_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        (void)snprintf(keys[i], sizeof keys[i], i % 2 ? "%04zu" : "%04zu.x", i);
    return 0;
}

/* The walk from a position shows just the numbers that are there. */
static void agrees(const struct ordered *ordered, const bool *there)
{
    struct ordered_place place = ordered_at(ordered, 0);
    size_t count = 0;
    for (size_t i = 0; i < KEYS; i++) {
        if (!there[i])
            continue;
        assert_ptr_equal(ordered_next(ordered, &place), keys[i]);
        count++;
    }
    assert_null(ordered_next(ordered, &place));
    assert_null(ordered_next(ordered, &place));
    assert_int_equal(ordered_count(ordered), count);
}

static void *value_at(const struct ordered *ordered, size_t position)
{
    struct ordered_place place = ordered_at(ordered, position);
    return ordered_next(ordered, &place);
}

static void *value_behind(const struct ordered *ordered, struct bytes key)
{
    struct ordered_place place = ordered_behind(ordered, key);
    return ordered_next(ordered, &place);
}

static void an_empty_one_has_nothing_anywhere(void **state)
{
    (void)state;
    struct ordered *ordered = ordered_new();
    assert_null(value_at(ordered, 0));
    assert_null(value_at(ordered, 5));
    assert_null(value_behind(ordered, bytes_of(NULL, 0)));
    assert_false(ordered_remove(ordered, key_of(1)));
    ordered_free(ordered);
    ordered_free(NULL);
}

static void what_comes_up_or_down_is_found_by_position_and_by_key(void **state)
{
    (void)state;
    for (int down = 0; down < 2; down++) {
        struct ordered *ordered = ordered_new();
        for (size_t i = 0; i < KEYS; i++) {
            size_t number = down ? KEYS - 1 - i : i;
            assert_true(ordered_add(ordered, key_of(number), keys[number]));
        }
        for (size_t i = 0; i < KEYS; i++) {
            assert_ptr_equal(value_at(ordered, i), keys[i]);
            assert_ptr_equal(value_behind(ordered, key_of(i)),
                             i + 1 < KEYS ? keys[i + 1] : NULL);
        }
        assert_null(value_at(ordered, KEYS));
        assert_ptr_equal(value_behind(ordered, bytes_of(NULL, 0)), keys[0]);
        assert_ptr_equal(value_behind(ordered, bytes_text("0700")), keys[700]);
        assert_ptr_equal(value_behind(ordered, bytes_text("0700.y")),
                         keys[701]);
        ordered_free(ordered);
    }
}

static void random_operations_agree_with_an_array(void **state)
{
    (void)state;
    static bool there[KEYS];
    struct random random;
    random_init(&random);
    struct ordered *ordered = ordered_new();
    for (size_t step = 0; step < 60000; step++) {
        size_t number = random_below(&random, KEYS);
        /* Mostly adding, then mostly removing, and again. */
        bool add = random_below(&random, 10) < (step / 10000 % 2 ? 3 : 7);
        if (add && !there[number]) {
            assert_true(ordered_add(ordered, key_of(number), keys[number]));
            there[number] = true;
        } else if (!add) {
            assert_int_equal(ordered_remove(ordered, key_of(number)),
                             there[number]);
            there[number] = false;
        }
        if (step % 1000 == 0)
            agrees(ordered, there);
    }
    agrees(ordered, there);
    ordered_free(ordered);
}

static void a_failed_add_changes_nothing(void **state)
{
    (void)state;
    for (int good = 0;; good++) {
        bool there[KEYS] = {false};
        struct ordered *ordered = ordered_new();
        size_t count = 0;
        allocation_break(good);
        for (; count < KEYS; count++) {
            size_t number = count * 7 % KEYS; /* 7 and KEYS have no divisor */
            if (!ordered_add(ordered, key_of(number), keys[number]))
                break;
            there[number] = true;
        }
        allocation_repair();
        agrees(ordered, there);
        ordered_free(ordered);
        if (count == KEYS)
            break;
    }
    allocation_break(0);
    struct ordered *none = ordered_new();
    allocation_repair();
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_nothing_anywhere),
        cmocka_unit_test(what_comes_up_or_down_is_found_by_position_and_by_key),
        cmocka_unit_test(random_operations_agree_with_an_array),
        cmocka_unit_test(a_failed_add_changes_nothing),
    };
    return cmocka_run_group_tests(tests, keys_make, NULL);
}
