#include "monitor/connections.h"

#include "streamd/base/list.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

struct connection {
    struct list link; /* in waiting, or in none */
    int socket;
    int64_t since;
};

struct connections {
    pthread_mutex_t mutex; /* covers all below */
    struct list waiting;   /* longest first */
    size_t count;
    size_t narrow;
    int64_t patience;
    const struct clock *clock;
};

struct connections *connections_new(size_t narrow, int64_t patience,
                                    const struct clock *clock)
{
    struct connections *connections = calloc(1, sizeof *connections);
    if (connections == NULL)
        return NULL;
    (void)pthread_mutex_init(&connections->mutex, NULL);
    list_init(&connections->waiting);
    connections->narrow = narrow;
    connections->patience = patience;
    connections->clock = clock;
    return connections;
}

void connections_free(struct connections *connections)
{
    if (connections == NULL)
        return;
    (void)pthread_mutex_destroy(&connections->mutex);
    free(connections);
}

/* The socket stays open until its owner sees the end of it. */
static void cut_off(struct connection *connection)
{
    (void)shutdown(connection->socket, SHUT_RDWR);
    list_remove(&connection->link);
}

static void make_room(struct connections *connections, int64_t now)
{
    bool narrow = connections->count > connections->narrow;
    while (!list_empty(&connections->waiting)) {
        struct connection *oldest =
            list_entry(connections->waiting.next, struct connection, link);
        if (!narrow && now - oldest->since <= connections->patience)
            break;
        cut_off(oldest);
        narrow = false;
    }
}

struct connection *connections_add(struct connections *connections, int socket)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    int64_t now = clock_monotonic(connections->clock);
    list_init(&connection->link);
    connection->socket = socket;
    connection->since = now;
    (void)pthread_mutex_lock(&connections->mutex);
    connections->count++;
    make_room(connections, now);
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
