#include "streamd/base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

struct item {
    int value;
    struct list link;
};

static void fill(struct list *list, struct item *items, int from, int count)
{
    for (int i = 0; i < count; i++) {
        items[i].value = from + i;
        list_append(list, &items[i].link);
    }
}

static void assert_run(const struct list *list, int from, int count)
{
    const struct list *at = list->next;
    for (int i = 0; i < count; i++, at = at->next) {
        assert_int_equal(list_entry(at, struct item, link)->value, from + i);
        assert_ptr_equal(at->next->prev, at);
    }
    assert_ptr_equal(at, list);
}

static void a_list_keeps_the_order_of_appending(void **state)
{
    (void)state;
    struct list list;
    struct item items[5];
    list_init(&list);
    assert_true(list_empty(&list));
    fill(&list, items, 0, 5);
    assert_false(list_empty(&list));
    assert_run(&list, 0, 5);
}

static void a_removed_link_is_alone_and_may_be_removed_again(void **state)
{
    (void)state;
    struct list list;
    struct item items[3];
    list_init(&list);
    fill(&list, items, 0, 3);
    assert_true(list_linked(&items[0].link));
    list_remove(&items[0].link);
    list_remove(&items[0].link);
    assert_false(list_linked(&items[0].link));
    assert_run(&list, 1, 2);
    list_remove(&items[2].link);
    list_remove(&items[1].link);
    assert_true(list_empty(&list));
}

static void append_all_moves_everything_in_order(void **state)
{
    (void)state;
    struct list list;
    struct list from;
    struct item items[5];
    list_init(&list);
    list_init(&from);
    fill(&from, items, 0, 2);
    list_append_all(&list, &from); /* into an empty one */
    assert_true(list_empty(&from));
    fill(&from, items + 2, 2, 3);
    list_append_all(&list, &from);
    assert_true(list_empty(&from));
    list_append_all(&list, &from); /* nothing */
    assert_run(&list, 0, 5);
}

static void pop_takes_the_oldest_and_leaves_it_alone(void **state)
{
    (void)state;
    struct item items[3];
    struct list list;
    list_init(&list);
    fill(&list, items, 0, 3);
    struct list *first = list_pop(&list);
    assert_ptr_equal(list_entry(first, struct item, link), &items[0]);
    assert_false(list_linked(first));
    assert_run(&list, 1, 2);
    (void)list_pop(&list);
    (void)list_pop(&list);
    assert_true(list_empty(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_the_order_of_appending),
        cmocka_unit_test(a_removed_link_is_alone_and_may_be_removed_again),
        cmocka_unit_test(append_all_moves_everything_in_order),
        cmocka_unit_test(pop_takes_the_oldest_and_leaves_it_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
