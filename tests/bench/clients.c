#include "tests/bench/clients.h"

#include "streamd/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static const char *trouble_of(const struct client *client)
{
    return client->link.trouble == NULL ? "" : client->link.trouble;
}

bool clients_init(struct clients *clients, size_t count,
                  const struct load_options *options,
                  const struct client_handlers *handlers)
{
    *clients = (struct clients){.epoll = epoll_create1(EPOLL_CLOEXEC),
                                .cluster = options->cluster};
    clients->all = calloc(count, sizeof *clients->all);
    if (clients->epoll < 0 || clients->all == NULL) {
        (void)fprintf(stderr, "stanload: out of memory\n");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct client *client = &clients->all[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        client->index = i;
        client->handlers = handlers;
        clients->count++;
        if (!client_open(client, (uint16_t)options->port) ||
            epoll_ctl(clients->epoll, EPOLL_CTL_ADD, client->link.fd, &event) !=
                0) {
            (void)fprintf(stderr, "stanload: %s\n", trouble_of(client));
            return false;
        }
    }
    return true;
}

bool clients_connect(struct clients *clients, int64_t timeout, int64_t again)
{
    for (size_t i = 0; i < clients->count; i++) {
        struct client *client = &clients->all[i];
        if (!client_connect(client, clients->cluster, timeout, again)) {
            (void)fprintf(stderr, "stanload: connect: %s%s\n", client->error,
                          trouble_of(client));
            return false;
        }
    }
    return true;
}

void clients_release(struct clients *clients)
{
    for (size_t i = 0; i < clients->count; i++) {
        client_release(&clients->all[i]);
    }
    free(clients->all);
    if (clients->epoll >= 0)
        (void)close(clients->epoll);
    *clients = (struct clients){.epoll = -1};
}

/* Sends, and asks epoll for EPOLLOUT only while something is left. */
static bool flush(struct clients *clients, struct client *client)
{
    bool left = link_flush(&client->link);
    if (left != client->wants_write) {
        struct epoll_event event = {.events = EPOLLIN |
                                              (left ? (uint32_t)EPOLLOUT : 0U),
                                    .data.ptr = client};
        client->wants_write = left;
        if (epoll_ctl(clients->epoll, EPOLL_CTL_MOD, client->link.fd, &event) !=
            0)
            client->link.trouble = "epoll_ctl";
    }
    if (client->link.trouble == NULL)
        return true;
    (void)fprintf(stderr, "stanload: %s\n", trouble_of(client));
    return false;
}

bool clients_serve(struct clients *clients, int64_t timeout)
{
    enum { EVENTS = 64 };
    struct epoll_event events[EVENTS];
    const struct timespec most = {.tv_sec = timeout / CLOCK_SECOND,
                                  .tv_nsec = timeout % CLOCK_SECOND};
    for (size_t i = 0; i < clients->count; i++) {
        if (!flush(clients, &clients->all[i]))
            return false;
    }
    int count = epoll_pwait2(clients->epoll, events, EVENTS, &most, NULL);
    if (count < 0 && errno != EINTR) {
        (void)fprintf(stderr, "stanload: epoll_pwait2: %d\n", errno);
        return false;
    }
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
            link_read(&client->link);
    }
    return true;
}

bool clients_settle(struct clients *clients)
{
    static const int64_t patience = 20 * CLOCK_MILLISECOND;
    int64_t end = clock_monotonic(&clock_system) + patience;
    int64_t left = patience;
    while (left > 0) {
        if (!clients_serve(clients, left))
            return false;
        left = end - clock_monotonic(&clock_system);
    }
    return true;
}
