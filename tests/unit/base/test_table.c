#include "streamd/base/table.h"

#include "tests/unit/base/allocation.h"
#include "tests/unit/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <string.h>

static void keys_are_byte_strings_of_any_length(void **state)
{
    (void)state;
    int a = 0;
    int b = 0;
    int c = 0;
    struct table *table = table_new();
    assert_non_null(table);
    assert_true(table_put(table, "a\0b", 3, &a));
    assert_true(table_put(table, "a\0c", 3, &b));
    assert_true(table_put(table, NULL, 0, &c));
    assert_ptr_equal(table_get(table, "a\0b", 3), &a);
    assert_ptr_equal(table_get(table, "a\0c", 3), &b);
    assert_ptr_equal(table_get(table, NULL, 0), &c);
    assert_null(table_get(table, "a", 1));
    assert_int_equal(table_count(table), 3);
    assert_ptr_equal(table_remove(table, NULL, 0), &c);
    assert_null(table_remove(table, NULL, 0));
    table_free(table);
    table_free(NULL);
}

static void the_key_is_copied(void **state)
{
    (void)state;
    int value = 0;
    char key[] = "key";
    struct table *table = table_new();
    assert_non_null(table);
    assert_true(table_put(table, key, 3, &value));
    memset(key, 'x', 3);
    assert_ptr_equal(table_get(table, "key", 3), &value);
    table_free(table);
}

static void a_walk_is_in_order_of_insertion_and_survives_removal(void **state)
{
    (void)state;
    int values[100];
    struct table *table = table_new();
    assert_non_null(table);
    for (int i = 0; i < 100; i++)
        assert_true(table_put(table, &i, sizeof i, &values[i]));
    int fifth = 5;
    assert_true(table_put(table, &fifth, sizeof fifth, &values[5]));
    int seen = 0;
    struct slot *at = table_first(table);
    while (at != NULL) {
        struct slot *next = table_next(at);
        assert_ptr_equal(table_value(at), &values[seen]);
        assert_ptr_equal(table_remove(table, &seen, sizeof seen),
                         &values[seen]);
        seen++;
        at = next;
    }
    assert_int_equal(seen, 100);
    assert_int_equal(table_count(table), 0);
    assert_null(table_first(table));
    table_free(table);
}

/* The model: an array indexed by the key. */
static void random_operations_agree_with_an_array(void **state)
{
    (void)state;
    enum { KEYS = 300, STEPS = 100000 };
    static int targets[16];
    void *model[KEYS] = {0};
    size_t count = 0;
    struct random random;
    random_init(&random);
    struct table *table = table_new();
    assert_non_null(table);
    for (int i = 0; i < STEPS; i++) {
        uint64_t key = random_below(&random, KEYS);
        assert_ptr_equal(table_get(table, &key, sizeof key), model[key]);
        if (random_below(&random, 2) == 0) {
            void *value = &targets[random_below(&random, 16)];
            assert_true(table_put(table, &key, sizeof key, value));
            count += model[key] == NULL;
            model[key] = value;
        } else {
            assert_ptr_equal(table_remove(table, &key, sizeof key), model[key]);
            count -= model[key] != NULL;
            model[key] = NULL;
        }
        assert_int_equal(table_count(table), count);
    }
    table_free(table);
}

static void a_failed_put_changes_nothing(void **state)
{
    (void)state;
    int value = 0;
    for (int good = 0;; good++) {
        struct table *table = table_new();
        assert_non_null(table);
        allocation_break(good);
        uint64_t key = 0;
        while (key < 1000 && table_put(table, &key, sizeof key, &value))
            key++;
        allocation_repair();
        assert_int_equal(table_count(table), key);
        assert_null(table_get(table, &key, sizeof key));
        bool all = key == 1000;
        for (uint64_t k = 0; k < key; k++)
            assert_ptr_equal(table_remove(table, &k, sizeof k), &value);
        table_free(table);
        if (all)
            break;
    }
    allocation_break(0);
    struct table *none = table_new();
    allocation_repair();
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_byte_strings_of_any_length),
        cmocka_unit_test(the_key_is_copied),
        cmocka_unit_test(a_walk_is_in_order_of_insertion_and_survives_removal),
        cmocka_unit_test(random_operations_agree_with_an_array),
        cmocka_unit_test(a_failed_put_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
