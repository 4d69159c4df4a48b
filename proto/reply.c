/* The replies of codec.h. */
#include "proto/codec.h"
#include "proto/pack.h"
#include "proto/protocol.pb-c.h"
#include "proto/wire.h"

bool connect_response_encode(const struct connect_response *response,
                             struct blob *out)
{
    StanPb__ConnectResponse message = STAN_PB__CONNECT_RESPONSE__INIT;
    message.pub_prefix = pack_bytes(response->pub_prefix);
    message.sub_requests = pack_bytes(response->sub_requests);
    message.unsub_requests = pack_bytes(response->unsub_requests);
    message.close_requests = pack_bytes(response->close_requests);
    message.error = pack_bytes(response->error);
    message.sub_close_requests = pack_bytes(response->sub_close_requests);
    message.ping_requests = pack_bytes(response->ping_requests);
    message.ping_interval = response->ping_interval;
    message.ping_max_out = response->ping_max_out;
    message.protocol = response->protocol;
    return pack_append(&message.base, out);
}

bool connect_response_decode(struct bytes input, struct connect_response *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, BYTES, struct connect_response, pub_prefix),
        WIRE_FIELD(2, BYTES, struct connect_response, sub_requests),
        WIRE_FIELD(3, BYTES, struct connect_response, unsub_requests),
        WIRE_FIELD(4, BYTES, struct connect_response, close_requests),
        WIRE_FIELD(5, BYTES, struct connect_response, error),
        WIRE_FIELD(6, BYTES, struct connect_response, sub_close_requests),
        WIRE_FIELD(7, BYTES, struct connect_response, ping_requests),
        WIRE_FIELD(8, UINT32, struct connect_response, ping_interval),
        WIRE_FIELD(9, UINT32, struct connect_response, ping_max_out),
        WIRE_FIELD(10, UINT32, struct connect_response, protocol),
        WIRE_IGNORED(100, BYTES), /* the public key */
    };
    *out = (struct connect_response){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}

bool subscription_response_encode(struct bytes ack_inbox, struct bytes error,
                                  struct blob *out)
{
    StanPb__SubscriptionResponse message = STAN_PB__SUBSCRIPTION_RESPONSE__INIT;
    message.ack_inbox = pack_bytes(ack_inbox);
    message.error = pack_bytes(error);
    return pack_append(&message.base, out);
}

bool error_response_encode(struct bytes error, struct blob *out)
{
    /* CloseResponse is the same on the wire. */
    StanPb__PingResponse message = STAN_PB__PING_RESPONSE__INIT;
    message.error = pack_bytes(error);
    return pack_append(&message.base, out);
}
