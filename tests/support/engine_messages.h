/* engine_messages.h - what clients send and what they read, written by hand
 * from protocol.md section 3, so that it is no mirror of our codec. */
#ifndef TESTS_SUPPORT_ENGINE_MESSAGES_H
#define TESTS_SUPPORT_ENGINE_MESSAGES_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Each appends one field; a default is left out, as clients do. Out of memory
 * aborts. */
void field_bytes(struct blob *out, unsigned number, struct bytes value);
void field_text(struct blob *out, unsigned number, const char *value);
void field_number(struct blob *out, unsigned number, uint64_t value);

/* The last field of this number: its bytes, or its number. Empty, 0 if there
 * is none. input must be well formed; aborts otherwise. */
struct bytes field_of(struct bytes input, unsigned number);
uint64_t field_number_of(struct bytes input, unsigned number);

/* Field numbers of protocol.md section 3. */
enum {
    FIELD_PUB_CLIENT_ID = 1,
    FIELD_PUB_GUID = 2,
    FIELD_PUB_SUBJECT = 3,
    FIELD_PUB_REPLY = 4,
    FIELD_PUB_DATA = 5,
    FIELD_PUB_CONN_ID = 6,

    FIELD_PUB_ACK_GUID = 1,
    FIELD_PUB_ACK_ERROR = 2,

    FIELD_MESSAGE_SEQUENCE = 1,
    FIELD_MESSAGE_SUBJECT = 2,
    FIELD_MESSAGE_DATA = 4,
    FIELD_MESSAGE_TIMESTAMP = 5,
    FIELD_MESSAGE_REDELIVERED = 6,
    FIELD_MESSAGE_REDELIVERY_COUNT = 7,

    FIELD_ACK_SUBJECT = 1,
    FIELD_ACK_SEQUENCE = 2,

    FIELD_CONNECT_CLIENT_ID = 1,
    FIELD_CONNECT_HEARTBEAT_INBOX = 2,
    FIELD_CONNECT_PROTOCOL = 3,
    FIELD_CONNECT_CONN_ID = 4,
    FIELD_CONNECT_PING_INTERVAL = 5,
    FIELD_CONNECT_PING_MAX_OUT = 6,

    FIELD_CONNECTED_ERROR = 5,

    FIELD_SUBSCRIBE_CLIENT_ID = 1,
    FIELD_SUBSCRIBE_SUBJECT = 2,
    FIELD_SUBSCRIBE_GROUP = 3,
    FIELD_SUBSCRIBE_INBOX = 4,
    FIELD_SUBSCRIBE_MAX_IN_FLIGHT = 5,
    FIELD_SUBSCRIBE_ACK_WAIT = 6,
    FIELD_SUBSCRIBE_DURABLE = 7,
    FIELD_SUBSCRIBE_POSITION = 10,
    FIELD_SUBSCRIBE_SEQUENCE = 11,
    FIELD_SUBSCRIBE_DELTA = 12,

    FIELD_SUBSCRIBED_ACK_INBOX = 2,
    FIELD_SUBSCRIBED_ERROR = 3,

    FIELD_UNSUBSCRIBE_CLIENT_ID = 1,
    FIELD_UNSUBSCRIBE_SUBJECT = 2,
    FIELD_UNSUBSCRIBE_INBOX = 3,

    FIELD_CLOSE_CLIENT_ID = 1,
    FIELD_PING_CONN_ID = 1,
    FIELD_ERROR = 1, /* of the answers to close and ping */
};

#endif
