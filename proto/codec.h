/* codec.h - the client protocol on the wire, in plain structs.
 *
 * Decoders borrow: every struct bytes points into the input and lives as long
 * as it. Strings are byte strings, never cut at a NUL, never checked for
 * UTF-8. They follow protocol.md section 4 to the letter: unknown fields are
 * skipped, the last of a repeated scalar wins, what came before the damage
 * stays in *out. Every decoder sets all of *out and returns false if the
 * payload is damaged. No thread, no state, no allocation when decoding.
 *
 * Encoders append to a blob and return false, with the blob as before, when
 * out of memory: fields ascending, defaults left out. */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- hot path ---- */

struct pub_msg {
    struct bytes client_id, guid, subject, reply, data, conn_id;
};
MUST_CHECK bool pub_msg_decode(struct bytes input, struct pub_msg *out);

struct ack {
    struct bytes subject;
    uint64_t sequence;
};
MUST_CHECK bool ack_decode(struct bytes input, struct ack *out);

/* Exact size, and the encoding into out which has at least that room; returns
 * the size. */
size_t pub_ack_size(struct bytes guid, struct bytes error);
size_t pub_ack_encode(struct bytes guid, struct bytes error, uint8_t *out);

/* The stored and delivered form of a message. */
struct msg_proto {
    uint64_t sequence;
    struct bytes subject, reply, data;
    int64_t timestamp;         /* Unix time in ns */
    bool redelivered;          /* in deliveries only */
    uint32_t redelivery_count; /* in deliveries only */
};
/* Sequence, subject, reply, data, timestamp; the redelivery fields are left
 * out: a redelivery is these bytes with msg_proto_redelivery() behind them. */
size_t msg_proto_size(const struct msg_proto *message);
size_t msg_proto_encode(const struct msg_proto *message, uint8_t *out);
enum { MSG_PROTO_REDELIVERY_MAX = 8 };
size_t msg_proto_redelivery(uint32_t count,
                            uint8_t out[MSG_PROTO_REDELIVERY_MAX]);
MUST_CHECK bool msg_proto_decode(struct bytes input, struct msg_proto *out);

/* ---- requests ---- */

struct connect_request {
    struct bytes client_id, heartbeat_inbox, conn_id;
    int32_t protocol, ping_interval, ping_max_out;
};
MUST_CHECK bool connect_request_decode(struct bytes input,
                                       struct connect_request *out);

struct ping {
    struct bytes conn_id;
};
MUST_CHECK bool ping_decode(struct bytes input, struct ping *out);

enum start_position {
    START_POSITION_NEW_ONLY = 0,
    START_POSITION_LAST_RECEIVED = 1,
    START_POSITION_TIME_DELTA = 2,
    START_POSITION_SEQUENCE = 3,
    START_POSITION_FIRST = 4,
};

struct subscription_request {
    struct bytes client_id, subject, group, inbox, durable_name;
    int32_t max_in_flight, ack_wait_seconds;
    int32_t start_position; /* enum start_position, or any other number */
    uint64_t start_sequence;
    int64_t start_time_delta; /* ns before now */
};
MUST_CHECK bool subscription_request_decode(struct bytes input,
                                            struct subscription_request *out);

struct unsubscribe_request {
    struct bytes client_id, subject, inbox, durable_name;
};
MUST_CHECK bool unsubscribe_request_decode(struct bytes input,
                                           struct unsubscribe_request *out);

struct close_request {
    struct bytes client_id;
};
MUST_CHECK bool close_request_decode(struct bytes input,
                                     struct close_request *out);

/* True if input decodes as the server-to-server CtrlMsg (protocol.md 5). */
bool is_ctrl_msg(struct bytes input);

/* For the stand-alone probe: what streamd itself asks and reads. */
MUST_CHECK bool connect_request_encode(const struct connect_request *request,
                                       struct blob *out);
MUST_CHECK bool close_request_encode(const struct close_request *request,
                                     struct blob *out);

/* ---- replies ---- */

struct connect_response {
    struct bytes pub_prefix, sub_requests, unsub_requests, close_requests,
        error, sub_close_requests, ping_requests;
    int32_t ping_interval, ping_max_out, protocol;
};
MUST_CHECK bool connect_response_encode(const struct connect_response *response,
                                        struct blob *out);
MUST_CHECK bool connect_response_decode(struct bytes input,
                                        struct connect_response *out);

/* Also the answer to unsubscribe and subscription close (no ack inbox). */
MUST_CHECK bool subscription_response_encode(struct bytes ack_inbox,
                                             struct bytes error,
                                             struct blob *out);
/* PingResponse and CloseResponse hold one string, field 1: the error. */
MUST_CHECK bool error_response_encode(struct bytes error, struct blob *out);

#endif
