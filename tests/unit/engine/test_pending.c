/* pending.c against a naive set, and when memory runs out. */
#include "streamd/engine/pending.h"

#include "tests/unit/base/allocation.h"
#include "tests/unit/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

enum { MOST = 400, STEPS = 200000 };

/* The naive set: by sequence, whether it is pending, and what is noted. */
struct naive {
    bool there[MOST + 2];
    struct pending_entry entry[MOST + 2];
    size_t count;
};

static void check(const struct pending *pending, const struct naive *naive)
{
    assert_int_equal(pending_count(pending), naive->count);
    uint64_t at = 0;
    for (uint64_t s = 1; s <= MOST; s++) {
        const struct pending_entry *entry = pending_find(pending, s);
        assert_int_equal(entry != NULL, naive->there[s]);
        if (entry == NULL)
            continue;
        assert_int_equal(entry->expiration, naive->entry[s].expiration);
        assert_int_equal(entry->redelivery, naive->entry[s].redelivery);
        assert_ptr_equal(pending_after(pending, at), entry);
        at = s;
    }
    assert_null(pending_after(pending, at == 0 ? MOST : at));
}

static void add(struct pending *pending, struct naive *naive, uint64_t s,
                int64_t expiration)
{
    enum status status =
        pending_add(pending, s, 0, expiration, (uint32_t)s, NULL);
    if (naive->there[s]) {
        assert_int_equal(status, STATUS_EXISTS);
        return;
    }
    assert_int_equal(status, STATUS_OK);
    naive->there[s] = true;
    naive->entry[s].expiration = expiration;
    naive->entry[s].redelivery = (uint32_t)s;
    naive->count++;
}

static void ack(struct pending *pending, struct naive *naive, uint64_t s)
{
    assert_int_equal(pending_ack(pending, s), naive->there[s]);
    naive->count -= naive->there[s];
    naive->there[s] = false;
}

static void it_is_the_same_as_a_naive_set(void **state)
{
    (void)state;
    struct pending pending = {0};
    struct naive naive = {0};
    struct random random;
    random_init(&random);
    uint64_t bias = 50; /* how often something is added */
    for (int i = 0; i < STEPS; i++) {
        uint64_t s = 1 + random_below(&random, MOST);
        if (random_below(&random, 500) == 0)
            bias = 10 + random_below(&random, 80);
        if (random_below(&random, 100) < bias) {
            add(&pending, &naive, s, i);
        } else {
            ack(&pending, &naive, s);
        }
        if (i % 97 == 0)
            check(&pending, &naive);
    }
    check(&pending, &naive);
    pending_release(&pending);
}

/* As it is used most: sent in order, acked in order, for long. */
static void a_window_that_moves_takes_no_more_memory(void **state)
{
    (void)state;
    struct pending pending = {0};
    for (uint64_t s = 1; s <= 1000000; s++) {
        assert_int_equal(pending_add(&pending, s, 0, 1, 0, NULL), STATUS_OK);
        if (s > 100)
            assert_true(pending_ack(&pending, s - 100));
    }
    assert_int_equal(pending_count(&pending), 100);
    assert_true(pending.capacity <= 1024);
    pending_release(&pending);
}

static void the_largest_sequences_are_fine(void **state)
{
    (void)state;
    struct pending pending = {0};
    assert_int_equal(pending_add(&pending, UINT64_MAX, 0, 1, 0, NULL),
                     STATUS_OK);
    assert_int_equal(pending_add(&pending, 1, 0, 1, 0, NULL), STATUS_OK);
    assert_int_equal(pending_add(&pending, UINT64_MAX - 1, 0, 1, 0, NULL),
                     STATUS_OK);
    assert_int_equal(pending_after(&pending, 1)->sequence, UINT64_MAX - 1);
    assert_int_equal(pending_after(&pending, UINT64_MAX - 1)->sequence,
                     UINT64_MAX);
    assert_true(pending_ack(&pending, UINT64_MAX));
    assert_false(pending_ack(&pending, UINT64_MAX));
    assert_false(pending_ack(&pending, 0));
    pending_release(&pending);
}

static void without_memory_it_is_as_it_was(void **state)
{
    (void)state;
    struct pending pending = {0};
    struct error err = {0};
    for (uint64_t s = 1; s <= 16; s++) {
        assert_int_equal(pending_add(&pending, 2 * s, 0, 1, 0, NULL),
                         STATUS_OK);
    }
    allocation_break(0);
    enum status status = pending_add(&pending, 5, 0, 1, 0, &err);
    allocation_repair();
    assert_int_equal(status, STATUS_NO_MEMORY);
    assert_int_equal(pending_count(&pending), 16);
    assert_null(pending_find(&pending, 5));
    assert_non_null(pending_find(&pending, 32));
    assert_int_equal(pending_add(&pending, 5, 0, 1, 0, NULL), STATUS_OK);
    pending_release(&pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_same_as_a_naive_set),
        cmocka_unit_test(a_window_that_moves_takes_no_more_memory),
        cmocka_unit_test(the_largest_sequences_are_fine),
        cmocka_unit_test(without_memory_it_is_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
