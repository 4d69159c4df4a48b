#include "monitor/connections.h"

#include "streamd/base/list.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { SWEEP_MILLISECONDS = 250 };

struct connection {
    struct list link; /* in waiting, or in none */
    int socket;
    int64_t since;
    bool is_cut; /* its owner has not yet seen the end */
};

struct connections {
    pthread_mutex_t mutex; /* covers all below but limits, clock, thread */
    pthread_cond_t ending;
    struct list waiting; /* longest first */
    size_t count, cut;
    bool ended;
    struct connections_limits limits;
    const struct clock *clock;
    pthread_t thread;
    bool watched;
};

struct connections *connections_new(const struct connections_limits *limits,
                                    const struct clock *clock)
{
    pthread_condattr_t attributes;
    struct connections *connections = calloc(1, sizeof *connections);
    if (connections == NULL)
        return NULL;
    (void)pthread_mutex_init(&connections->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&connections->ending, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    list_init(&connections->waiting);
    connections->limits = *limits;
    connections->clock = clock;
    return connections;
}

/* ---- cutting off ---- */

/* The socket stays open until its owner sees the end of it. */
static void cut_off(struct connections *connections,
                    struct connection *connection)
{
    (void)shutdown(connection->socket, SHUT_RDWR);
    list_remove(&connection->link);
    connection->is_cut = true;
    connections->cut++;
}

/* With the lock. */
static void sweep(struct connections *connections)
{
    const struct connections_limits *limits = &connections->limits;
    int64_t now = clock_monotonic(connections->clock);
    while (!list_empty(&connections->waiting)) {
        struct connection *oldest =
            list_entry(connections->waiting.next, struct connection, link);
        bool narrow = connections->count - connections->cut > limits->narrow;
        if (now - oldest->since <= (narrow ? limits->grace : limits->patience))
            return;
        cut_off(connections, oldest);
    }
}

void connections_sweep(struct connections *connections)
{
    (void)pthread_mutex_lock(&connections->mutex);
    sweep(connections);
    (void)pthread_mutex_unlock(&connections->mutex);
}

static void *watch(void *argument)
{
    struct connections *connections = argument;
    struct timespec next;
    (void)pthread_mutex_lock(&connections->mutex);
    while (!connections->ended) {
        (void)clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_nsec += SWEEP_MILLISECONDS * 1000000L;
        next.tv_sec += next.tv_nsec / 1000000000L;
        next.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&connections->ending, &connections->mutex,
                                     &next);
        sweep(connections);
    }
    (void)pthread_mutex_unlock(&connections->mutex);
    return NULL;
}

enum status connections_watch(struct connections *connections,
                              struct error *err)
{
    if (pthread_create(&connections->thread, NULL, watch, connections) != 0)
        return fail(err, STATUS_IO, "monitor: thread");
    (void)pthread_setname_np(connections->thread, "monitor-sweep");
    connections->watched = true;
    return STATUS_OK;
}

void connections_free(struct connections *connections)
{
    if (connections == NULL)
        return;
    (void)pthread_mutex_lock(&connections->mutex);
    connections->ended = true;
    (void)pthread_cond_signal(&connections->ending);
    (void)pthread_mutex_unlock(&connections->mutex);
    if (connections->watched)
        (void)pthread_join(connections->thread, NULL);
    (void)pthread_cond_destroy(&connections->ending);
    (void)pthread_mutex_destroy(&connections->mutex);
    free(connections);
}

/* ---- coming and going ---- */

struct connection *connections_add(struct connections *connections, int socket)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->socket = socket;
    connection->since = clock_monotonic(connections->clock);
    (void)pthread_mutex_lock(&connections->mutex);
    connections->count++;
    list_append(&connections->waiting, &connection->link);
    (void)pthread_mutex_unlock(&connections->mutex);
    return connection;
}

void connections_remove(struct connections *connections,
                        struct connection *connection)
{
    if (connection == NULL)
        return;
    (void)pthread_mutex_lock(&connections->mutex);
    connections->count--;
    if (connection->is_cut)
        connections->cut--;
    list_remove(&connection->link);
    (void)pthread_mutex_unlock(&connections->mutex);
    free(connection);
}

void connections_busy(struct connections *connections,
                      struct connection *connection)
{
    if (connection == NULL)
        return;
    (void)pthread_mutex_lock(&connections->mutex);
    list_remove(&connection->link);
    (void)pthread_mutex_unlock(&connections->mutex);
}

void connections_waiting(struct connections *connections,
                         struct connection *connection)
{
    if (connection == NULL)
        return;
    int64_t now = clock_monotonic(connections->clock);
    (void)pthread_mutex_lock(&connections->mutex);
    connection->since = now;
    list_remove(&connection->link);
    if (!connection->is_cut)
        list_append(&connections->waiting, &connection->link);
    (void)pthread_mutex_unlock(&connections->mutex);
}

size_t connections_count(struct connections *connections)
{
    (void)pthread_mutex_lock(&connections->mutex);
    size_t count = connections->count;
    (void)pthread_mutex_unlock(&connections->mutex);
    return count;
}
