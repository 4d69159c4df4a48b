#include "tests/unit/proto/reference.h"

#include "proto/codec.h"
#include "proto/protocol.pb-c.h"
#include "proto/records.h"
#include "proto/records.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <stdlib.h>

#define DECODER(name)                                                          \
    static bool decode_##name(struct bytes input, void *out)                   \
    {                                                                          \
        return name##_decode(input, out);                                      \
    }
#define ENCODER(name)                                                          \
    static bool encode_##name(void *message, struct blob *out)                 \
    {                                                                          \
        return name##_encode(message, out);                                    \
    }

DECODER(pub_msg)
DECODER(ack)
DECODER(msg_proto)
DECODER(connect_request)
ENCODER(connect_request)
DECODER(connect_response)
ENCODER(connect_response)
DECODER(ping)
DECODER(subscription_request)
DECODER(unsubscribe_request)
DECODER(close_request)
ENCODER(close_request)
DECODER(server_record)
ENCODER(server_record)
DECODER(client_record)
ENCODER(client_record)
DECODER(subscription_record)
ENCODER(subscription_record)

/* The decoder of CtrlMsg only says yes or no. */
static bool decode_ctrl_msg(struct bytes input, void *out)
{
    (void)out;
    return is_ctrl_msg(input);
}

/* A stored message, with what a redelivery puts behind it. */
static bool encode_msg_proto(void *message, struct blob *out)
{
    struct msg_proto *msg_proto = message;
    if (!msg_proto->redelivered)
        msg_proto->redelivery_count = 0; /* only both together */
    size_t size = msg_proto_size(msg_proto);
    if (!blob_reserve(out, size + MSG_PROTO_REDELIVERY_MAX))
        return false;
    assert_int_equal(msg_proto_encode(msg_proto, out->data + out->size), size);
    out->size += size;
    if (msg_proto->redelivered) {
        out->size += msg_proto_redelivery(msg_proto->redelivery_count,
                                          out->data + out->size);
    }
    return true;
}

/* PubAck has no struct of ours: it is written from two byte strings. */
struct pub_ack {
    struct bytes guid, error;
};

static bool encode_pub_ack(void *message, struct blob *out)
{
    const struct pub_ack *ack = message;
    size_t size = pub_ack_size(ack->guid, ack->error);
    if (!blob_reserve(out, size + 1))
        return false;
    assert_int_equal(
        pub_ack_encode(ack->guid, ack->error, out->data + out->size), size);
    out->size += size;
    return true;
}

struct subscription_response {
    struct bytes ack_inbox, error;
};

static bool encode_subscription_response(void *message, struct blob *out)
{
    const struct subscription_response *response = message;
    return subscription_response_encode(response->ack_inbox, response->error,
                                        out);
}

static bool encode_error_response(void *message, struct blob *out)
{
    return error_response_encode(*(struct bytes *)message, out);
}

#define M(number, name, member)                                                \
    {                                                                          \
        number, offsetof(struct name, member)                                  \
    }

const struct reference references[] = {
    {&stan_pb__pub_msg__descriptor,
     decode_pub_msg,
     NULL,
     sizeof(struct pub_msg),
     {M(1, pub_msg, client_id), M(2, pub_msg, guid), M(3, pub_msg, subject),
      M(4, pub_msg, reply), M(5, pub_msg, data), M(6, pub_msg, conn_id)}},
    {&stan_pb__pub_ack__descriptor,
     NULL,
     encode_pub_ack,
     sizeof(struct pub_ack),
     {M(1, pub_ack, guid), M(2, pub_ack, error)}},
    {&stan_pb__ack__descriptor,
     decode_ack,
     NULL,
     sizeof(struct ack),
     {M(1, ack, subject), M(2, ack, sequence)}},
    {&stan_pb__msg_proto__descriptor,
     decode_msg_proto,
     encode_msg_proto,
     sizeof(struct msg_proto),
     {M(1, msg_proto, sequence), M(2, msg_proto, subject),
      M(3, msg_proto, reply), M(4, msg_proto, data), M(5, msg_proto, timestamp),
      M(6, msg_proto, redelivered), M(7, msg_proto, redelivery_count)}},
    {&stan_pb__connect_request__descriptor,
     decode_connect_request,
     encode_connect_request,
     sizeof(struct connect_request),
     {M(1, connect_request, client_id), M(2, connect_request, heartbeat_inbox),
      M(3, connect_request, protocol), M(4, connect_request, conn_id),
      M(5, connect_request, ping_interval),
      M(6, connect_request, ping_max_out)}},
    {&stan_pb__connect_response__descriptor,
     decode_connect_response,
     encode_connect_response,
     sizeof(struct connect_response),
     {M(1, connect_response, pub_prefix), M(2, connect_response, sub_requests),
      M(3, connect_response, unsub_requests),
      M(4, connect_response, close_requests), M(5, connect_response, error),
      M(6, connect_response, sub_close_requests),
      M(7, connect_response, ping_requests),
      M(8, connect_response, ping_interval),
      M(9, connect_response, ping_max_out), M(10, connect_response, protocol)}},
    {&stan_pb__ping__descriptor,
     decode_ping,
     NULL,
     sizeof(struct ping),
     {M(1, ping, conn_id)}},
    {&stan_pb__ping_response__descriptor,
     NULL,
     encode_error_response,
     sizeof(struct bytes),
     {{1, 0}}},
    {&stan_pb__subscription_request__descriptor,
     decode_subscription_request,
     NULL,
     sizeof(struct subscription_request),
     {M(1, subscription_request, client_id),
      M(2, subscription_request, subject), M(3, subscription_request, group),
      M(4, subscription_request, inbox),
      M(5, subscription_request, max_in_flight),
      M(6, subscription_request, ack_wait_seconds),
      M(7, subscription_request, durable_name),
      M(10, subscription_request, start_position),
      M(11, subscription_request, start_sequence),
      M(12, subscription_request, start_time_delta)}},
    {&stan_pb__subscription_response__descriptor,
     NULL,
     encode_subscription_response,
     sizeof(struct subscription_response),
     {M(2, subscription_response, ack_inbox),
      M(3, subscription_response, error)}},
    {&stan_pb__unsubscribe_request__descriptor,
     decode_unsubscribe_request,
     NULL,
     sizeof(struct unsubscribe_request),
     {M(1, unsubscribe_request, client_id), M(2, unsubscribe_request, subject),
      M(3, unsubscribe_request, inbox),
      M(4, unsubscribe_request, durable_name)}},
    {&stan_pb__close_request__descriptor,
     decode_close_request,
     encode_close_request,
     sizeof(struct close_request),
     {M(1, close_request, client_id)}},
    {&stan_pb__close_response__descriptor,
     NULL,
     encode_error_response,
     sizeof(struct bytes),
     {{1, 0}}},
    {&stan_pb__ctrl_msg__descriptor, decode_ctrl_msg, NULL, 0, {{0, 0}}},
    {&records__server_info__descriptor,
     decode_server_record,
     encode_server_record,
     sizeof(struct server_record),
     {M(1, server_record, cluster_id), M(2, server_record, discovery),
      M(3, server_record, publish), M(4, server_record, subscribe),
      M(5, server_record, unsubscribe), M(6, server_record, close),
      M(7, server_record, sub_close), M(8, server_record, acks_subs),
      M(9, server_record, node_id), M(20, server_record, ack_prefix)}},
    {&records__client_info__descriptor,
     decode_client_record,
     encode_client_record,
     sizeof(struct client_record),
     {M(1, client_record, id), M(2, client_record, heartbeat_inbox),
      M(3, client_record, conn_id), M(4, client_record, protocol),
      M(5, client_record, ping_interval), M(6, client_record, ping_max_out)}},
    {&records__sub_state__descriptor,
     decode_subscription_record,
     encode_subscription_record,
     sizeof(struct subscription_record),
     {M(1, subscription_record, id), M(2, subscription_record, client_id),
      M(3, subscription_record, group), M(4, subscription_record, inbox),
      M(5, subscription_record, ack_inbox),
      M(6, subscription_record, max_in_flight),
      M(7, subscription_record, ack_wait_seconds),
      M(8, subscription_record, durable_name),
      M(9, subscription_record, last_sent),
      M(10, subscription_record, is_durable),
      M(11, subscription_record, is_closed),
      M(20, subscription_record, saved_client_id)}},
};
const size_t reference_count = sizeof references / sizeof references[0];

static uint64_t random_number(struct random *random)
{
    static const uint64_t edges[] = {
        0,
        1,
        127,
        128,
        16383,
        16384,
        INT32_MAX,
        UINT64_C(0x80000000),
        UINT32_MAX,
        INT64_MAX,
        UINT64_MAX,
        UINT64_C(0xffffffff80000000),
        UINT64_C(1) << 32,
        UINT64_C(1) << 63,
    };
    uint64_t next = random_next(random);
    if (next % 3 == 0)
        return edges[(next >> 8) % (sizeof edges / sizeof edges[0])];
    return random_next(random) >> (next >> 8) % 64;
}

static ProtobufCBinaryData random_bytes(struct random *random)
{
    static const size_t sizes[] = {0, 1, 2, 22, 127, 128, 300, 20000};
    uint64_t next = random_next(random);
    ProtobufCBinaryData bytes = {0};
    bytes.len = next % 64 == 0 ? sizes[(next >> 8) % 8] : (next >> 8) % 40;
    if (bytes.len == 0)
        return bytes;
    bytes.data = malloc(bytes.len);
    assert_non_null(bytes.data);
    for (size_t i = 0; i < bytes.len; i++)
        bytes.data[i] = (uint8_t)random_next(random);
    return bytes;
}

static void set_field(void *member, ProtobufCType type, struct random *random)
{
    uint64_t number = random_number(random);
    uint32_t low = (uint32_t)number;
    protobuf_c_boolean truth = number % 2 != 0;
    ProtobufCBinaryData bytes;
    if (type == PROTOBUF_C_TYPE_BYTES) {
        bytes = random_bytes(random);
        memcpy(member, &bytes, sizeof bytes);
    } else if (type == PROTOBUF_C_TYPE_UINT64 ||
               type == PROTOBUF_C_TYPE_INT64) {
        memcpy(member, &number, sizeof number);
    } else if (type == PROTOBUF_C_TYPE_BOOL) {
        memcpy(member, &truth, sizeof truth);
    } else {
        memcpy(member, &low, sizeof low);
    }
}

ProtobufCMessage *reference_random(const struct reference *reference,
                                   struct random *random)
{
    const ProtobufCMessageDescriptor *descriptor = reference->descriptor;
    ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
    assert_non_null(message);
    descriptor->message_init(message);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (random_below(random, 4) != 0) {
            set_field((char *)message + descriptor->fields[i].offset,
                      descriptor->fields[i].type, random);
        }
    }
    return message;
}

static bool same(const void *ours, const void *theirs, ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_BYTES) {
        struct bytes a;
        ProtobufCBinaryData b;
        memcpy(&a, ours, sizeof a);
        memcpy(&b, theirs, sizeof b);
        return bytes_equal(a, bytes_of(b.data, b.len));
    }
    if (type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_INT64)
        return memcmp(ours, theirs, sizeof(uint64_t)) == 0;
    if (type == PROTOBUF_C_TYPE_BOOL) {
        return *(const bool *)ours ==
               (*(const protobuf_c_boolean *)theirs != 0);
    }
    return memcmp(ours, theirs, sizeof(uint32_t)) == 0;
}

static void copy_member(void *ours, const void *theirs, ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *from = theirs;
        struct bytes to = bytes_of(from->data, from->len);
        memcpy(ours, &to, sizeof to);
    } else if (type == PROTOBUF_C_TYPE_UINT64 ||
               type == PROTOBUF_C_TYPE_INT64) {
        memcpy(ours, theirs, sizeof(uint64_t));
    } else if (type == PROTOBUF_C_TYPE_BOOL) {
        *(bool *)ours = *(const protobuf_c_boolean *)theirs != 0;
    } else {
        memcpy(ours, theirs, sizeof(uint32_t));
    }
}

static const ProtobufCFieldDescriptor *twin(const struct reference *reference,
                                            const struct member *member)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(reference->descriptor,
                                                member->number);
    assert_non_null(field);
    return field;
}

void reference_copy(const struct reference *reference,
                    const ProtobufCMessage *theirs, void *ours)
{
    for (const struct member *m = reference->members; m->number != 0; m++) {
        const ProtobufCFieldDescriptor *field = twin(reference, m);
        copy_member((char *)ours + m->offset,
                    (const char *)theirs + field->offset, field->type);
    }
}

void reference_compare(const struct reference *reference, const void *ours,
                       const ProtobufCMessage *theirs)
{
    for (const struct member *m = reference->members; m->number != 0; m++) {
        const ProtobufCFieldDescriptor *field = twin(reference, m);
        if (!same((const char *)ours + m->offset,
                  (const char *)theirs + field->offset, field->type))
            fail_msg("%s.%s differs", reference->descriptor->name, field->name);
    }
}
