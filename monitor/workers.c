#include "monitor/workers.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS_MAX = 8 };

struct workers {
    pthread_mutex_t mutex; /* covers all below but threads */
    pthread_cond_t changed;
    struct list jobs;
    bool stopped;
    pthread_t threads[THREADS_MAX];
    size_t count;
};

/* The next job; NULL: there will be none. */
static struct job *job_take(struct workers *workers)
{
    struct job *job = NULL;
    (void)pthread_mutex_lock(&workers->mutex);
    while (list_empty(&workers->jobs) && !workers->stopped)
        (void)pthread_cond_wait(&workers->changed, &workers->mutex);
    if (!list_empty(&workers->jobs))
        job = list_entry(list_pop(&workers->jobs), struct job, link);
    (void)pthread_mutex_unlock(&workers->mutex);
    return job;
}

static void *work(void *argument)
{
    struct workers *workers = argument;
    struct job *job;
    while ((job = job_take(workers)) != NULL)
        job->run(job);
    return NULL;
}

enum status workers_start(size_t threads, const char *name,
                          struct workers **out, struct error *err)
{
    *out = NULL;
    struct workers *workers = calloc(1, sizeof *workers);
    if (workers == NULL)
        return fail(err, STATUS_NO_MEMORY, "monitor: workers");
    list_init(&workers->jobs);
    (void)pthread_mutex_init(&workers->mutex, NULL);
    (void)pthread_cond_init(&workers->changed, NULL);
    while (workers->count < threads && workers->count < THREADS_MAX) {
        pthread_t *thread = &workers->threads[workers->count];
        if (pthread_create(thread, NULL, work, workers) != 0) {
            workers_free(workers);
            return fail(err, STATUS_IO, "monitor: thread");
        }
        (void)pthread_setname_np(*thread, name);
        workers->count++;
    }
    *out = workers;
    return STATUS_OK;
}

bool workers_add(struct workers *workers, struct job *job)
{
    (void)pthread_mutex_lock(&workers->mutex);
    bool taken = !workers->stopped;
    if (taken) {
        list_append(&workers->jobs, &job->link);
        (void)pthread_cond_signal(&workers->changed);
    }
    (void)pthread_mutex_unlock(&workers->mutex);
    return taken;
}

void workers_stop(struct workers *workers)
{
    if (workers == NULL)
        return;
    (void)pthread_mutex_lock(&workers->mutex);
    workers->stopped = true;
    (void)pthread_cond_broadcast(&workers->changed);
    (void)pthread_mutex_unlock(&workers->mutex);
    for (size_t i = 0; i < workers->count; i++)
        (void)pthread_join(workers->threads[i], NULL);
    workers->count = 0;
}

void workers_free(struct workers *workers)
{
    if (workers == NULL)
        return;
    workers_stop(workers);
    (void)pthread_cond_destroy(&workers->changed);
    (void)pthread_mutex_destroy(&workers->mutex);
    free(workers);
}
