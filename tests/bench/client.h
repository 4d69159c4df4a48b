/* client.h - a streaming client that measures: connection, subscription, acks.
 *
 * One thread. Messages reach the handlers from within link_read(), and from
 * within the calls that wait for a reply. */
#ifndef TESTS_BENCH_CLIENT_H
#define TESTS_BENCH_CLIENT_H

#include "proto/codec.h"
#include "tests/bench/link.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CLIENT_SUBJECT_MAX = 256,
    CLIENT_ID_SIZE = 22, /* of guid and connection ID */
};

struct client;

struct client_handlers {
    /* A publish ack; damaged ones have an empty guid. */
    void (*acked)(void *context, struct client *client, struct bytes guid,
                  struct bytes error);
    /* A message for the subscription; NULL if it is damaged. Not acked yet. */
    void (*delivered)(void *context, struct client *client,
                      const struct msg_proto *message);
    void *context;
};

enum client_question {
    CLIENT_ASKS_NOTHING,
    CLIENT_ASKS_CONNECT,
    CLIENT_ASKS_SUBSCRIBE,
    CLIENT_ASKS_CLOSE,
};

struct client {
    struct link link;
    size_t index; /* in its set */
    const struct client_handlers *handlers;
    bool wants_write; /* as the epoll of its set knows it */
    enum client_question question;
    uint64_t questions; /* numbers the reply inbox of a question */
    bool answered;
    bool connected;
    char error[CLIENT_SUBJECT_MAX]; /* of the last answer; "": none */
    char id[CLIENT_ID_SIZE + 8];
    char connection_id[CLIENT_ID_SIZE + 1]; /* also part of its inboxes */
    char publish_prefix[CLIENT_SUBJECT_MAX], subscribe[CLIENT_SUBJECT_MAX],
        close[CLIENT_SUBJECT_MAX], ack_inbox[CLIENT_SUBJECT_MAX];
};

/* Fills subject with the client's own inbox for acks of what it published. */
void client_publish_inbox(const struct client *client,
                          char subject[CLIENT_SUBJECT_MAX]);
void client_ack(struct client *client, const struct msg_proto *message);

struct client_subscription {
    const char *channel, *group;
    uint64_t max_in_flight;
    enum start_position start_position;
};
/* False, with the reason in error, if it is refused or not answered. */
MUST_CHECK bool client_subscribe(struct client *client,
                                 const struct client_subscription *wanted);

/* Opens the connection and takes its inboxes. False: see link.trouble. */
MUST_CHECK bool client_open(struct client *client, uint16_t port);
/* Connects to the server and waits for the answer, at most timeout ns; asks
 * again every `again` ns if that is not 0. False: see link.trouble, error. */
MUST_CHECK bool client_connect(struct client *client, const char *cluster,
                               int64_t timeout, int64_t again);
/* Closes the client if it is connected, and its connection. */
void client_release(struct client *client);

#endif
