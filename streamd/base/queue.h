/* queue.h - hands elements from any thread to one, whole lists at a time.
 *
 * The only lock of the house is in here. Elements are intrusive (a struct list
 * in each); the queue owns none of them. */
#ifndef STREAMD_BASE_QUEUE_H
#define STREAMD_BASE_QUEUE_H

#include "streamd/base/list.h"
#include "streamd/base/status.h"

struct queue;

/* wake (may be NULL) is called, in the pushing thread and outside the lock,
 * when an element came into an empty queue. On STATUS_OK the caller owns *out.
 * Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status queue_new(void (*wake)(void *context), void *context,
                                 struct queue **out, struct error *err);
void queue_free(struct queue *queue); /* NULL is allowed; must be empty */

/* Appends link. Any thread. */
void queue_push(struct queue *queue, struct list *link);

/* Moves everything, oldest first, to the end of list; false if there was
 * nothing. */
bool queue_take(struct queue *queue, struct list *list);

/* The same, but waits for something to come. False once the queue is closed
 * and empty: the thread that serves it may end. */
bool queue_wait(struct queue *queue, struct list *list);

/* Ends queue_wait() when all is taken. */
void queue_close(struct queue *queue);

#endif
