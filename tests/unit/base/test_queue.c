#include "streamd/base/queue.h"

#include "streamd/base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

enum { PRODUCERS = 4, EACH = 20000 };

struct item {
    struct list link;
    int producer, number;
    struct buffer *buffer;
};

struct producer {
    struct queue *queue;
    struct item *items;
    struct buffer *buffer;
    int id;
};

static void count_wake(void *context)
{
    (*(int *)context)++;
}

static void wake_comes_only_for_the_step_from_empty(void **state)
{
    (void)state;
    int wakes = 0;
    struct queue *queue = NULL;
    struct item items[3];
    struct list taken;
    list_init(&taken);
    assert_int_equal(queue_new(count_wake, &wakes, &queue, NULL), STATUS_OK);
    assert_false(queue_take(queue, &taken));
    for (int i = 0; i < 3; i++)
        queue_push(queue, &items[i].link);
    assert_int_equal(wakes, 1);
    assert_true(queue_take(queue, &taken));
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(taken.next, &items[i].link);
        list_remove(taken.next);
    }
    assert_true(list_empty(&taken));
    queue_push(queue, &items[0].link);
    assert_int_equal(wakes, 2);
    assert_true(queue_take(queue, &taken));
    queue_free(queue);
    queue_free(NULL);
}

static void *produce(void *context)
{
    const struct producer *producer = context;
    for (int i = 0; i < EACH; i++) {
        struct item *item = &producer->items[i];
        item->producer = producer->id;
        item->number = i;
        item->buffer = buffer_ref(producer->buffer);
        queue_push(producer->queue, &item->link);
    }
    return NULL;
}

struct consumer {
    struct queue *queue;
    int next[PRODUCERS]; /* expected number of each */
    bool ordered;
};

static void *consume(void *context)
{
    struct consumer *consumer = context;
    struct list list;
    list_init(&list);
    while (queue_wait(consumer->queue, &list)) {
        while (!list_empty(&list)) {
            struct item *item = list_entry(list.next, struct item, link);
            list_remove(&item->link);
            if (item->number != consumer->next[item->producer]++)
                consumer->ordered = false;
            buffer_unref(item->buffer);
        }
    }
    return NULL;
}

static void all_producers_elements_arrive_once_and_in_their_order(void **state)
{
    (void)state;
    struct consumer consumer = {.ordered = true};
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    pthread_t thread;
    assert_int_equal(queue_new(NULL, NULL, &consumer.queue, NULL), STATUS_OK);
    struct buffer *buffer = buffer_new(1);
    assert_non_null(buffer);
    assert_int_equal(pthread_create(&thread, NULL, consume, &consumer), 0);
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i].queue = consumer.queue;
        producers[i].id = i;
        producers[i].buffer = buffer;
        producers[i].items = calloc(EACH, sizeof(struct item));
        assert_non_null(producers[i].items);
        assert_int_equal(
            pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    queue_close(consumer.queue); /* what is in it is still handed over */
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(consumer.ordered);
    for (int i = 0; i < PRODUCERS; i++) {
        assert_int_equal(consumer.next[i], EACH);
        free(producers[i].items);
    }
    assert_int_equal(buffer->references, 1);
    buffer_unref(buffer);
    queue_free(consumer.queue);
}

static void a_closed_queue_hands_over_the_rest_and_then_ends(void **state)
{
    (void)state;
    struct queue *queue = NULL;
    struct item item;
    struct list list;
    list_init(&list);
    assert_int_equal(queue_new(NULL, NULL, &queue, NULL), STATUS_OK);
    queue_push(queue, &item.link);
    queue_close(queue);
    assert_true(queue_wait(queue, &list));
    assert_ptr_equal(list.next, &item.link);
    assert_false(queue_wait(queue, &list));
    queue_free(queue);
}

struct echo {
    struct queue *in, *out;
};

/* Sends back what comes, until its queue is closed. */
static void *echo_all(void *context)
{
    const struct echo *echo = context;
    struct list list;
    list_init(&list);
    while (queue_wait(echo->in, &list)) {
        while (!list_empty(&list)) {
            struct list *link = list.next;
            list_remove(link);
            queue_push(echo->out, link);
        }
    }
    return NULL;
}

static void a_waiting_thread_gets_what_comes_into_an_open_queue(void **state)
{
    (void)state;
    struct echo echo;
    struct item item;
    struct list list;
    pthread_t thread;
    list_init(&list);
    assert_int_equal(queue_new(NULL, NULL, &echo.in, NULL), STATUS_OK);
    assert_int_equal(queue_new(NULL, NULL, &echo.out, NULL), STATUS_OK);
    assert_int_equal(pthread_create(&thread, NULL, echo_all, &echo), 0);
    for (int i = 0; i < 1000; i++) {
        queue_push(echo.in, &item.link);
        assert_true(queue_wait(echo.out, &list));
        assert_ptr_equal(list.next, &item.link);
        list_remove(&item.link);
    }
    queue_close(echo.in);
    assert_int_equal(pthread_join(thread, NULL), 0);
    queue_free(echo.in);
    queue_free(echo.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wake_comes_only_for_the_step_from_empty),
        cmocka_unit_test(all_producers_elements_arrive_once_and_in_their_order),
        cmocka_unit_test(a_waiting_thread_gets_what_comes_into_an_open_queue),
        cmocka_unit_test(a_closed_queue_hands_over_the_rest_and_then_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
