/* The requests of codec.h, and CtrlMsg. */
#include "proto/codec.h"
#include "proto/pack.h"
#include "proto/protocol.pb-c.h"
#include "proto/wire.h"

bool connect_request_decode(struct bytes input, struct connect_request *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, BYTES, struct connect_request, client_id),
        WIRE_FIELD(2, BYTES, struct connect_request, heartbeat_inbox),
        WIRE_FIELD(3, UINT32, struct connect_request, protocol),
        WIRE_FIELD(4, BYTES, struct connect_request, conn_id),
        WIRE_FIELD(5, UINT32, struct connect_request, ping_interval),
        WIRE_FIELD(6, UINT32, struct connect_request, ping_max_out),
    };
    *out = (struct connect_request){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}

bool ping_decode(struct bytes input, struct ping *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, BYTES, struct ping, conn_id)};
    *out = (struct ping){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}

bool subscription_request_decode(struct bytes input,
                                 struct subscription_request *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, BYTES, struct subscription_request, client_id),
        WIRE_FIELD(2, BYTES, struct subscription_request, subject),
        WIRE_FIELD(3, BYTES, struct subscription_request, group),
        WIRE_FIELD(4, BYTES, struct subscription_request, inbox),
        WIRE_FIELD(5, UINT32, struct subscription_request, max_in_flight),
        WIRE_FIELD(6, UINT32, struct subscription_request, ack_wait_seconds),
        WIRE_FIELD(7, BYTES, struct subscription_request, durable_name),
        WIRE_FIELD(10, UINT32, struct subscription_request, start_position),
        WIRE_FIELD(11, UINT64, struct subscription_request, start_sequence),
        WIRE_FIELD(12, UINT64, struct subscription_request, start_time_delta),
    };
    *out = (struct subscription_request){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}

bool unsubscribe_request_decode(struct bytes input,
                                struct unsubscribe_request *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, BYTES, struct unsubscribe_request, client_id),
        WIRE_FIELD(2, BYTES, struct unsubscribe_request, subject),
        WIRE_FIELD(3, BYTES, struct unsubscribe_request, inbox),
        WIRE_FIELD(4, BYTES, struct unsubscribe_request, durable_name),
    };
    *out = (struct unsubscribe_request){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}

bool close_request_decode(struct bytes input, struct close_request *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, BYTES, struct close_request, client_id)};
    *out = (struct close_request){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}

struct ctrl_msg {
    int32_t type;
    struct bytes server_id, data, ref_id;
};

bool is_ctrl_msg(struct bytes input)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, UINT32, struct ctrl_msg, type),
        WIRE_FIELD(2, BYTES, struct ctrl_msg, server_id),
        WIRE_FIELD(3, BYTES, struct ctrl_msg, data),
        WIRE_FIELD(4, BYTES, struct ctrl_msg, ref_id),
    };
    struct ctrl_msg ignored = {0};
    return wire_decode(input, fields, WIRE_COUNT(fields), &ignored);
}

bool connect_request_encode(const struct connect_request *request,
                            struct blob *out)
{
    StanPb__ConnectRequest message = STAN_PB__CONNECT_REQUEST__INIT;
    message.client_id = pack_bytes(request->client_id);
    message.heartbeat_inbox = pack_bytes(request->heartbeat_inbox);
    message.protocol = request->protocol;
    message.conn_id = pack_bytes(request->conn_id);
    message.ping_interval = request->ping_interval;
    message.ping_max_out = request->ping_max_out;
    return pack_append(&message.base, out);
}

bool close_request_encode(const struct close_request *request, struct blob *out)
{
    StanPb__CloseRequest message = STAN_PB__CLOSE_REQUEST__INIT;
    message.client_id = pack_bytes(request->client_id);
    return pack_append(&message.base, out);
}
