/* The records of records.h without Progress, which is in progress.c. */
#include "proto/records.h"

#include "proto/pack.h"
#include "proto/records.pb-c.h"
#include "proto/wire.h"

bool server_record_encode(const struct server_record *record, struct blob *out)
{
    Records__ServerInfo message = RECORDS__SERVER_INFO__INIT;
    message.cluster_id = pack_bytes(record->cluster_id);
    message.discovery = pack_bytes(record->discovery);
    message.publish = pack_bytes(record->publish);
    message.subscribe = pack_bytes(record->subscribe);
    message.unsubscribe = pack_bytes(record->unsubscribe);
    message.close = pack_bytes(record->close);
    message.sub_close = pack_bytes(record->sub_close);
    message.acks_subs = pack_bytes(record->acks_subs);
    message.node_id = pack_bytes(record->node_id);
    message.ack_prefix = pack_bytes(record->ack_prefix);
    return pack_append(&message.base, out);
}

bool server_record_decode(struct bytes input, struct server_record *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, BYTES, struct server_record, cluster_id),
        WIRE_FIELD(2, BYTES, struct server_record, discovery),
        WIRE_FIELD(3, BYTES, struct server_record, publish),
        WIRE_FIELD(4, BYTES, struct server_record, subscribe),
        WIRE_FIELD(5, BYTES, struct server_record, unsubscribe),
        WIRE_FIELD(6, BYTES, struct server_record, close),
        WIRE_FIELD(7, BYTES, struct server_record, sub_close),
        WIRE_FIELD(8, BYTES, struct server_record, acks_subs),
        WIRE_FIELD(9, BYTES, struct server_record, node_id),
        WIRE_FIELD(20, BYTES, struct server_record, ack_prefix),
    };
    *out = (struct server_record){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}

bool client_record_encode(const struct client_record *record, struct blob *out)
{
    Records__ClientInfo message = RECORDS__CLIENT_INFO__INIT;
    message.id = pack_bytes(record->id);
    message.heartbeat_inbox = pack_bytes(record->heartbeat_inbox);
    message.conn_id = pack_bytes(record->conn_id);
    message.protocol = record->protocol;
    message.ping_interval = record->ping_interval;
    message.ping_max_out = record->ping_max_out;
    return pack_append(&message.base, out);
}

bool client_record_decode(struct bytes input, struct client_record *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, BYTES, struct client_record, id),
        WIRE_FIELD(2, BYTES, struct client_record, heartbeat_inbox),
        WIRE_FIELD(3, BYTES, struct client_record, conn_id),
        WIRE_FIELD(4, UINT32, struct client_record, protocol),
        WIRE_FIELD(5, UINT32, struct client_record, ping_interval),
        WIRE_FIELD(6, UINT32, struct client_record, ping_max_out),
    };
    *out = (struct client_record){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}

bool subscription_record_encode(const struct subscription_record *record,
                                struct blob *out)
{
    Records__SubState message = RECORDS__SUB_STATE__INIT;
    message.id = record->id;
    message.client_id = pack_bytes(record->client_id);
    message.group = pack_bytes(record->group);
    message.inbox = pack_bytes(record->inbox);
    message.ack_inbox = pack_bytes(record->ack_inbox);
    message.max_in_flight = record->max_in_flight;
    message.ack_wait_seconds = record->ack_wait_seconds;
    message.durable_name = pack_bytes(record->durable_name);
    message.last_sent = record->last_sent;
    message.is_durable = record->is_durable;
    message.is_closed = record->is_closed;
    message.saved_client_id = pack_bytes(record->saved_client_id);
    return pack_append(&message.base, out);
}

bool subscription_record_decode(struct bytes input,
                                struct subscription_record *out)
{
    static const struct wire_field fields[] = {
        WIRE_FIELD(1, UINT64, struct subscription_record, id),
        WIRE_FIELD(2, BYTES, struct subscription_record, client_id),
        WIRE_FIELD(3, BYTES, struct subscription_record, group),
        WIRE_FIELD(4, BYTES, struct subscription_record, inbox),
        WIRE_FIELD(5, BYTES, struct subscription_record, ack_inbox),
        WIRE_FIELD(6, UINT32, struct subscription_record, max_in_flight),
        WIRE_FIELD(7, UINT32, struct subscription_record, ack_wait_seconds),
        WIRE_FIELD(8, BYTES, struct subscription_record, durable_name),
        WIRE_FIELD(9, UINT64, struct subscription_record, last_sent),
        WIRE_FIELD(10, BOOL, struct subscription_record, is_durable),
        WIRE_FIELD(11, BOOL, struct subscription_record, is_closed),
        WIRE_FIELD(20, BYTES, struct subscription_record, saved_client_id),
    };
    *out = (struct subscription_record){0};
    return wire_decode(input, fields, WIRE_COUNT(fields), out);
}
