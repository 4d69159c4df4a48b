/* connections.h - who is connected, and who goes when it gets narrow.
 *
 * A client that sends its request slowly, or holds a connection it does not
 * use, costs others nothing while there is room. When there is not, the one
 * waited for longest is cut off; one whose request is being answered never is.
 * Any thread. */
#ifndef MONITOR_CONNECTIONS_H
#define MONITOR_CONNECTIONS_H

#include "streamd/base/clock.h"
#include "streamd/base/status.h"

#include <stddef.h>

struct connections;
struct connection; /* one of them */

/* Above narrow connections the longest waiting one goes for each new one; a
 * new one also ends those whose request has been waited for longer than
 * patience (ns). NULL when out of memory. */
struct connections *connections_new(size_t narrow, int64_t patience,
                                    const struct clock *clock);
void connections_free(struct connections *connections); /* NULL is allowed */

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
