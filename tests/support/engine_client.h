/* engine_client.h - what clients ask of the engine of a fixture.
 *
 * The functions that return a text run everything and return the error of the
 * answer: "" is success, NULL no answer (yet). Those that send only are of the
 * burst that the next fixture_run() ends, and return the reply subject. */
#ifndef TESTS_SUPPORT_ENGINE_CLIENT_H
#define TESTS_SUPPORT_ENGINE_CLIENT_H

#include "tests/support/engine_fixture.h"

/* Client id: heartbeat inbox "hb.<id>", connID "conn.<id>". */
const char *client_send_connect(struct fixture *fixture, const char *id);
const char *client_send_connect_as(struct fixture *fixture, const char *id,
                                   const char *heartbeat_inbox,
                                   const char *conn_id);
const char *client_send_publish(struct fixture *fixture, const char *id,
                                const char *channel, const char *text);
const char *client_send_close(struct fixture *fixture, const char *id);
const char *client_send_ping(struct fixture *fixture, const char *conn_id);

/* 0 and NULL mean: 100 in flight, ack wait 30 s, inbox "in", client "me",
 * channel "foo". */
struct subscribe_request {
    const char *client, *channel, *inbox, *group, *durable;
    int max_in_flight, ack_wait;
    int position; /* enum start_position; 0 is new-only */
    uint64_t sequence;
    int64_t delta;
};
const char *client_send_subscribe(struct fixture *fixture,
                                  const struct subscribe_request *request);
/* What kind is: INBOUND_UNSUBSCRIBE or INBOUND_SUB_CLOSE. */
const char *client_send_unsubscribe(struct fixture *fixture, enum inbound kind,
                                    const char *id, const char *channel,
                                    const char *inbox);
void client_send_ack(struct fixture *fixture, const char *ack_inbox,
                     const char *channel, uint64_t sequence);

/* The error in the answer at reply, by the field that holds it there. */
const char *client_error(struct fixture *fixture, const char *reply,
                         unsigned field);

const char *client_connect(struct fixture *fixture, const char *id);
const char *client_publish(struct fixture *fixture, const char *id,
                           const char *channel, const char *text);
const char *client_close(struct fixture *fixture, const char *id);
const char *client_ping(struct fixture *fixture, const char *conn_id);
/* On success *ack_inbox (may be NULL) is the ack inbox. */
const char *client_subscribe(struct fixture *fixture,
                             const struct subscribe_request *request,
                             const char **ack_inbox);
const char *client_unsubscribe(struct fixture *fixture, const char *id,
                               const char *channel, const char *inbox);
const char *client_sub_close(struct fixture *fixture, const char *id,
                             const char *channel, const char *inbox);
void client_ack(struct fixture *fixture, const char *ack_inbox,
                const char *channel, uint64_t sequence);

#endif
