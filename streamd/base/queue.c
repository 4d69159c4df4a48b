#include "streamd/base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock; /* guards the three below */
    pthread_cond_t filled;
    struct list elements;
    bool closed;
    void (*wake)(void *context);
    void *context;
};

enum status queue_new(void (*wake)(void *context), void *context,
                      struct queue **out, struct error *err)
{
    *out = NULL;
    struct queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return fail(err, STATUS_NO_MEMORY, "queue: new");
    if (pthread_mutex_init(&queue->lock, NULL) != 0) {
        free(queue);
        return fail(err, STATUS_NO_MEMORY, "queue: lock");
    }
    if (pthread_cond_init(&queue->filled, NULL) != 0) {
        (void)pthread_mutex_destroy(&queue->lock);
        free(queue);
        return fail(err, STATUS_NO_MEMORY, "queue: condition");
    }
    list_init(&queue->elements);
    queue->wake = wake;
    queue->context = context;
    *out = queue;
    return STATUS_OK;
}

void queue_free(struct queue *queue)
{
    if (queue == NULL)
        return;
    assert(list_empty(&queue->elements));
    (void)pthread_cond_destroy(&queue->filled);
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue);
}

void queue_push(struct queue *queue, struct list *link)
{
    (void)pthread_mutex_lock(&queue->lock);
    bool was_empty = list_empty(&queue->elements);
    void (*wake)(void *context) = queue->wake;
    void *context = queue->context;
    list_append(&queue->elements, link);
    if (was_empty)
        (void)pthread_cond_signal(&queue->filled);
    (void)pthread_mutex_unlock(&queue->lock);
    /* Who waited may have freed the queue by now. */
    if (was_empty && wake != NULL)
        wake(context);
}

bool queue_take(struct queue *queue, struct list *list)
{
    (void)pthread_mutex_lock(&queue->lock);
    bool any = !list_empty(&queue->elements);
    list_append_all(list, &queue->elements);
    (void)pthread_mutex_unlock(&queue->lock);
    return any;
}

bool queue_wait(struct queue *queue, struct list *list)
{
    (void)pthread_mutex_lock(&queue->lock);
    while (list_empty(&queue->elements) && !queue->closed)
        (void)pthread_cond_wait(&queue->filled, &queue->lock);
    bool any = !list_empty(&queue->elements);
    list_append_all(list, &queue->elements);
    (void)pthread_mutex_unlock(&queue->lock);
    return any;
}

void queue_close(struct queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->filled);
    (void)pthread_mutex_unlock(&queue->lock);
}
