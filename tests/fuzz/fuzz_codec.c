/* Every decoder of proto/codec.h; what has an encoder must come back. */
#include "proto/codec.h"
#include "tests/fuzz/fuzz_target.h"

/* All members point into the input, or are empty. */
static void require_inside(struct bytes input, struct bytes part)
{
    if (part.size == 0)
        return;
    fuzz_require(part.data >= input.data);
    fuzz_require(part.size <= input.size);
    fuzz_require((size_t)(part.data - input.data) <= input.size - part.size);
}

static void fuzz_pub_msg(struct bytes input)
{
    struct pub_msg message;
    (void)!pub_msg_decode(input, &message); /* damaged or not: usable */
    require_inside(input, message.client_id);
    require_inside(input, message.guid);
    require_inside(input, message.subject);
    require_inside(input, message.reply);
    require_inside(input, message.data);
    require_inside(input, message.conn_id);
    size_t size = pub_ack_size(message.guid, message.reply);
    uint8_t *out = malloc(size + 1);
    if (out == NULL)
        return;
    fuzz_require(pub_ack_encode(message.guid, message.reply, out) == size);
    free(out);
}

static void fuzz_ack(struct bytes input)
{
    struct ack ack;
    (void)!ack_decode(input, &ack);
    require_inside(input, ack.subject);
}

static void fuzz_msg_proto(struct bytes input)
{
    struct msg_proto message;
    struct msg_proto back;
    (void)!msg_proto_decode(input, &message);
    require_inside(input, message.subject);
    require_inside(input, message.reply);
    require_inside(input, message.data);
    size_t size = msg_proto_size(&message);
    uint8_t *out = malloc(size + MSG_PROTO_REDELIVERY_MAX);
    if (out == NULL)
        return;
    fuzz_require(msg_proto_encode(&message, out) == size);
    size += msg_proto_redelivery(message.redelivery_count, out + size);
    fuzz_require(msg_proto_decode(bytes_of(out, size), &back));
    fuzz_require(back.sequence == message.sequence);
    fuzz_require(back.timestamp == message.timestamp);
    fuzz_require(back.redelivered);
    fuzz_require(back.redelivery_count == message.redelivery_count);
    fuzz_require(bytes_equal(back.subject, message.subject));
    fuzz_require(bytes_equal(back.reply, message.reply));
    fuzz_require(bytes_equal(back.data, message.data));
    free(out);
}

static void fuzz_connect_request(struct bytes input)
{
    struct connect_request request;
    struct connect_request back;
    struct blob blob = {0};
    (void)!connect_request_decode(input, &request);
    if (connect_request_encode(&request, &blob)) {
        fuzz_require(connect_request_decode(blob_bytes(&blob), &back));
        fuzz_require(bytes_equal(back.client_id, request.client_id));
        fuzz_require(bytes_equal(back.conn_id, request.conn_id));
        fuzz_require(back.protocol == request.protocol);
        fuzz_require(back.ping_interval == request.ping_interval);
        fuzz_require(back.ping_max_out == request.ping_max_out);
    }
    blob_release(&blob);
}

static void fuzz_connect_response(struct bytes input)
{
    struct connect_response response;
    struct connect_response back;
    struct blob blob = {0};
    (void)!connect_response_decode(input, &response);
    if (connect_response_encode(&response, &blob)) {
        fuzz_require(connect_response_decode(blob_bytes(&blob), &back));
        fuzz_require(bytes_equal(back.error, response.error));
        fuzz_require(bytes_equal(back.ping_requests, response.ping_requests));
        fuzz_require(back.protocol == response.protocol);
    }
    blob_release(&blob);
}

static void fuzz_other_requests(struct bytes input)
{
    struct subscription_request subscribe;
    struct unsubscribe_request unsubscribe;
    struct close_request close;
    struct ping ping;
    (void)!subscription_request_decode(input, &subscribe);
    require_inside(input, subscribe.client_id);
    require_inside(input, subscribe.subject);
    require_inside(input, subscribe.group);
    require_inside(input, subscribe.inbox);
    require_inside(input, subscribe.durable_name);
    (void)!unsubscribe_request_decode(input, &unsubscribe);
    require_inside(input, unsubscribe.inbox);
    (void)!close_request_decode(input, &close);
    require_inside(input, close.client_id);
    (void)!ping_decode(input, &ping);
    require_inside(input, ping.conn_id);
    (void)is_ctrl_msg(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    fuzz_pub_msg(input);
    fuzz_ack(input);
    fuzz_msg_proto(input);
    fuzz_connect_request(input);
    fuzz_connect_response(input);
    fuzz_other_requests(input);
    return 0;
}
