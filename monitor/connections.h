/* connections.h - who is connected, and who goes when it gets narrow.
 *
 * A client that sends its request slowly, or holds a connection it does not
 * use, costs others nothing while there is room. When there is not, those
 * waited for longest are cut off; one whose request is being answered never
 * is, nor one that has just come. Any thread. */
#ifndef MONITOR_CONNECTIONS_H
#define MONITOR_CONNECTIONS_H

#include "streamd/base/clock.h"
#include "streamd/base/status.h"

#include <stddef.h>

struct connections;
struct connection; /* one of them */

struct connections_limits {
    size_t narrow;    /* so many are welcome */
    int64_t grace;    /* ns that a request may take when there are more */
    int64_t patience; /* ns that it may take ever */
};

/* NULL when out of memory. */
struct connections *connections_new(const struct connections_limits *limits,
                                    const struct clock *clock);
void connections_free(struct connections *connections); /* NULL is allowed */

/* Starts the thread that sweeps every quarter of a second; it ends with
 * connections_free(). Errors: STATUS_IO. */
MUST_CHECK enum status connections_watch(struct connections *connections,
                                         struct error *err);

/* Cuts off who has taken too long. */
void connections_sweep(struct connections *connections);

/* A new one on socket, whose request is waited for; NULL when out of memory:
 * it is then never cut off. */
struct connection *connections_add(struct connections *connections, int socket);
/* Before its socket is closed. NULL is allowed, and below. */
void connections_remove(struct connections *connections,
                        struct connection *connection);

/* Its request is whole and is answered; or the next one is waited for. */
void connections_busy(struct connections *connections,
                      struct connection *connection);
void connections_waiting(struct connections *connections,
                         struct connection *connection);

/* How many there are. */
size_t connections_count(struct connections *connections);

#endif
