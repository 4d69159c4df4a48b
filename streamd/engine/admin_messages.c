/* Administration: messages of a channel are listed and published. */
#include "natsclient/subjects.h"
#include "proto/codec.h"
#include "streamd/engine/admin_work.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/publish.h"

#include <inttypes.h>

/* ---- reading ---- */

/* True if there is something to answer from; else it is refused. */
static bool was_read(struct admin_work *work, struct channel **channel)
{
    struct engine *engine = work->engine;
    engine->reads--;
    work->request->answer.run = work->read.run; /* owned from here on */
    *channel = channel_find_id(engine, work->channel);
    if (work->read.status != STATUS_OK) {
        admin_refuse(work, work->read.status, "reading failed: %.200s",
                     work->read.error.detail);
        return false;
    }
    if (*channel == NULL) {
        admin_refuse(work, STATUS_NOT_FOUND, "the channel was deleted");
        return false;
    }
    return true;
}

static void listed(struct engine *engine, struct event *event)
{
    (void)engine;
    struct admin_work *work = list_entry(event, struct admin_work, event);
    struct admin_answer *answer = &work->request->answer;
    struct channel *channel = NULL;
    if (!was_read(work, &channel))
        return;
    answer->first = channel->first;
    answer->last = channel->durable;
    size_t count = answer->run == NULL ? 0 : answer->run->count;
    if (count > 0) {
        uint64_t last = answer->run->entries[count - 1].sequence;
        answer->next = last < channel->durable ? last + 1 : 0;
    }
    admin_done(work, "%zu messages", count);
}

void admin_messages(struct admin_work *work)
{
    const struct admin_request *request = work->request;
    struct channel *channel = admin_channel(work, false);
    if (channel == NULL)
        return;
    work->read = (struct read){.by_time = request->by_time,
                               .sequence = request->sequence,
                               .timestamp = request->time,
                               .max_messages = (uint32_t)request->limit,
                               .max_bytes = ADMIN_LIST_BYTES};
    admin_read(work, channel, listed);
}

static void found(struct engine *engine, struct event *event)
{
    (void)engine;
    struct admin_work *work = list_entry(event, struct admin_work, event);
    const struct admin_request *request = work->request;
    struct channel *channel = NULL;
    if (!was_read(work, &channel))
        return;
    const struct run *run = request->answer.run;
    if (run == NULL || run->count == 0 ||
        run->entries[0].sequence != request->sequence) {
        admin_refuse(work, STATUS_NOT_FOUND,
                     "message %" PRIu64 " is not stored; first %" PRIu64
                     ", last %" PRIu64,
                     request->sequence, channel->first, channel->durable);
        return;
    }
    admin_done(work, "%" PRIu32 " bytes", run->entries[0].message.size);
}

void admin_message(struct admin_work *work)
{
    struct channel *channel = admin_channel(work, false);
    if (channel == NULL)
        return;
    work->read = (struct read){
        .sequence = work->request->sequence, .max_messages = 1, .max_bytes = 1};
    admin_read(work, channel, found);
}

/* ---- publishing ---- */

static void published(struct engine *engine, struct effect *effect,
                      const struct error *failure)
{
    (void)engine;
    struct admin_work *work = list_entry(effect, struct admin_work, effect);
    if (failure != NULL) {
        admin_not_stored(work, failure);
    } else {
        admin_done(work, "stored as seq=%" PRIu64,
                   work->request->answer.sequence);
    }
}

/* One that could never be delivered would hold up every subscriber. Without
 * connection the server's default counts. */
static bool is_too_big(const struct engine *engine,
                       const struct admin_request *request)
{
    enum { MAX_PAYLOAD = 1 << 20, OVERHEAD = 64 };
    const struct transport *transport = &engine->config.transport;
    size_t most = transport->max_payload(transport->context);
    size_t size = request->data.size + request->channel.size + OVERHEAD;
    return size > (most > 0 ? most : MAX_PAYLOAD);
}

void admin_publish(struct admin_work *work)
{
    struct admin_request *request = work->request;
    struct admin_answer *answer = &request->answer;
    struct error err = {0};
    if (!channel_name_is_valid(text_bytes(&request->channel))) {
        admin_refuse(work, STATUS_INVALID, "invalid channel name");
        return;
    }
    if (is_too_big(work->engine, request)) {
        admin_refuse(work, STATUS_TOO_BIG,
                     "larger than the NATS server delivers");
        return;
    }
    nuid_next(answer->guid);
    const struct pub_msg message = {.guid = bytes_text(answer->guid),
                                    .subject = text_bytes(&request->channel),
                                    .data = text_bytes(&request->data)};
    if (publish_store(work->engine, &message, &answer->sequence, &err) !=
        STATUS_OK) {
        admin_refuse_with(work, &err);
        return;
    }
    work->engine->in_messages++;
    work->engine->in_bytes += request->data.size;
    admin_wait(work, published);
}
