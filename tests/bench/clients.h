/* clients.h - all clients of a load, behind one epoll.
 *
 * One thread; see client.h for the handlers. */
#ifndef TESTS_BENCH_CLIENTS_H
#define TESTS_BENCH_CLIENTS_H

#include "tests/bench/client.h"
#include "tests/bench/load_options.h"

struct clients {
    struct client *all;
    size_t count;
    int epoll;
    const char *cluster;
};

/* Makes count clients, each with a connection to the nats-server. False, with
 * the reason on standard error; end it with clients_release() in both cases. */
MUST_CHECK bool clients_init(struct clients *clients, size_t count,
                             const struct load_options *options,
                             const struct client_handlers *handlers);
/* Sends a connect request for each and waits for the answers, timeout ns for
 * each; asks again every `again` ns if that is not 0. */
MUST_CHECK bool clients_connect(struct clients *clients, int64_t timeout,
                                int64_t again);
/* Closes those that are connected, and their connections. */
void clients_release(struct clients *clients);

/* Takes what still comes in a short while, so that what comes too often is
 * seen. */
MUST_CHECK bool clients_settle(struct clients *clients);

/* Sends what is queued, waits at most timeout (ns; 0: not at all) for
 * something to come, and takes it. False, with the reason on standard error,
 * if a connection is lost. */
MUST_CHECK bool clients_serve(struct clients *clients, int64_t timeout);

#endif
