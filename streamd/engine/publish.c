#include "streamd/engine/publish.h"

#include "natsclient/subjects.h"
#include "proto/codec.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/commit.h"
#include "streamd/engine/reply.h"

static void count_failure(struct engine *engine, enum publish_failure failure)
{
    engine->counters.publish_failures[failure]++;
}

static const char invalid[] = "stan: invalid publish request";

/* The name was checked when the channel was made: one that is known needs no
 * second look. */
static bool names_channel(struct engine *engine, struct bytes name)
{
    return channel_find(engine, name) != NULL || channel_name_is_valid(name);
}

/* Encodes the message once, in the form it is stored and delivered in. */
static enum status encode(struct engine *engine, struct channel *channel,
                          const struct pub_msg *request,
                          struct msg_proto *stored, struct slice *out,
                          struct error *err)
{
    int64_t timestamp = engine->wall;
    if (timestamp <= channel->last_timestamp)
        timestamp = channel->last_timestamp + 1; /* rising, in a channel */
    *stored = (struct msg_proto){
        .sequence = channel->last + 1,
        .subject = request->subject,
        .reply = request->reply,
        .data = request->data,
        .timestamp = timestamp,
    };
    enum status status =
        cache_reserve(&engine->cache, msg_proto_size(stored), out, err);
    if (status == STATUS_OK)
        (void)msg_proto_encode(stored, out->buffer->data + out->offset);
    return status;
}

enum status publish_store(struct engine *engine, const struct pub_msg *request,
                          uint64_t *sequence, struct error *err)
{
    struct channel *channel = NULL;
    enum status status = channel_get(engine, request->subject, &channel, err);
    if (status != STATUS_OK)
        return status;
    struct slice slice;
    struct msg_proto stored;
    status = encode(engine, channel, request, &stored, &slice, err);
    if (status != STATUS_OK)
        return status;
    status = cache_append(&engine->cache, &channel->cache, stored.sequence,
                          slice, err);
    if (status != STATUS_OK)
        return status;
    if (!batch_append(commit_batch(engine), channel->id, stored.sequence,
                      stored.timestamp, slice)) {
        cache_drop_above(&channel->cache, channel->last);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    /* Even if nobody asked for an ack: subscribers must not see a message that
     * a power cut takes back. */
    commit_batch(engine)->sync = true;
    channel->last = stored.sequence;
    channel->last_timestamp = stored.timestamp;
    channel->idle_since = engine->now;
    *sequence = stored.sequence;
    return STATUS_OK;
}

static enum status store(struct engine *engine, const char *reply,
                         const struct pub_msg *request, struct error *err)
{
    uint64_t sequence = 0;
    enum status status = publish_store(engine, request, &sequence, err);
    if (status == STATUS_OK && reply != NULL &&
        commit_pub_ack(engine, reply, request->guid, err) != STATUS_OK)
        log_error(engine->log, "Out of memory: a publisher gets no ack");
    return status;
}

void publish_message(struct engine *engine,
                     const struct inbound_message *message)
{
    struct pub_msg request;
    struct error err = {0};
    if (!pub_msg_decode(message->data, &request)) {
        if (!is_ctrl_msg(message->data)) {
            count_failure(engine, PUBLISH_INVALID);
            reply_pub_error(engine, message->reply, request.guid, invalid);
        }
        return;
    }
    engine->in_messages++;
    engine->in_bytes += message->data.size;
    if (request.guid.size == 0 || !names_channel(engine, request.subject) ||
        !client_may_publish(engine, request.client_id, request.conn_id)) {
        if (log_enabled(engine->log, LOG_LEVEL_DEBUG)) {
            char id[TEXT_QUOTED_MAX];
            char name[TEXT_QUOTED_MAX];
            log_debug(engine->log,
                      "[Client:%s] Received invalid PUB request: subject=%s",
                      text_quote(request.client_id, id),
                      text_quote(request.subject, name));
        }
        count_failure(engine, PUBLISH_INVALID);
        reply_pub_error(engine, message->reply, request.guid, invalid);
        return;
    }
    enum status status = store(engine, message->reply, &request, &err);
    if (status != STATUS_OK) {
        count_failure(engine, status == STATUS_LIMIT ? PUBLISH_LIMIT
                                                     : PUBLISH_RESOURCE);
        reply_pub_error(engine, message->reply, request.guid, err.detail);
    }
}
