#include "store/leveldb/trim.h"

#include "store/leveldb/file_store.h"

#include <inttypes.h>
#include <stdlib.h>

enum { RUNS_AT_ONCE = 64, FRONT_LOAD = 48, TRIES = 3 };

void trim_append(struct channel *channel, uint64_t sequence, int64_t timestamp,
                 size_t size)
{
    struct channel_state *state = &channel->state;
    struct front *front = &channel->front;
    uint64_t bytes = size + MESSAGE_OVERHEAD;
    if (front->count == state->messages) { /* it holds all: go on with that */
        uint32_t room =
            front->capacity > FRONT_PUSH_MAX ? front->capacity : FRONT_PUSH_MAX;
        (void)front_push(front,
                         (struct front_message){.sequence = sequence,
                                                .timestamp = timestamp,
                                                .bytes = bytes},
                         room);
    }
    if (state->messages == 0) {
        state->first = sequence;
        state->first_timestamp = timestamp;
    }
    state->messages++;
    state->bytes += bytes;
    state->last = sequence;
    if (timestamp > state->last_timestamp)
        state->last_timestamp = timestamp;
}

/* A damaged one still has a place and a size: it can be dropped in its turn,
 * with the age of the one before it. */
static struct front_message measure(const struct trim *trim,
                                    const struct channel *channel,
                                    const struct message *message)
{
    const struct front *front = &channel->front;
    struct front_message out = {.sequence = message->sequence,
                                .timestamp = message->timestamp,
                                .bytes = message->body.size +
                                         (uint64_t)MESSAGE_OVERHEAD};
    if (message->is_whole)
        return out;
    log_error(trim->store->log,
              "Message %" PRIu64 " of channel \"%.*s\" is damaged",
              message->sequence, (int)channel->name.size,
              (const char *)channel->name.data);
    out.timestamp = front->count == 0
                        ? channel->state.first_timestamp
                        : front_at(front, front->count - 1)->timestamp;
    return out;
}

/* A run of one message: the index says all there is to know. */
static bool push_single(struct channel *channel, const struct place *place)
{
    const struct front_message message = {.sequence = place->first,
                                          .timestamp = place->timestamp,
                                          .bytes = place_bytes(place)};
    return place->first < channel->state.first ||
           front_push(&channel->front, message, FRONT_MAX);
}

/* The messages of one place that are not dropped yet. */
static enum status load_place(struct trim *trim, struct channel *channel,
                              const struct place *place, struct error *err)
{
    uint8_t *data = malloc(place->size);
    if (data == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    enum status status = kept_segment_read(
        &trim->file, trim->store->directory, place_segment(place),
        place->position & UINT32_MAX, data, place->size, err);
    struct bytes bytes = bytes_of(data, place->size);
    uint32_t seed = message_seed(channel->number);
    uint64_t from = place->first;
    struct message message;
    while (status == STATUS_OK && bytes.size > 0) {
        if (!message_next(&bytes, seed, &message) || message.sequence < from ||
            message.sequence > place->last) {
            status = fail(err, STATUS_CORRUPT, "its run is damaged");
            break;
        }
        from = message.sequence + 1;
        if (message.sequence < channel->state.first)
            continue;
        if (!front_push(&channel->front, measure(trim, channel, &message),
                        FRONT_MAX))
            break;
    }
    free(data);
    return status;
}

/* Fills the front ahead of need. What is behind the first two may fail: it is
 * met again when they are gone. */
static enum status try_load(struct trim *trim, struct channel *channel,
                            struct error *err)
{
    const struct runs *found = &trim->lookup->found;
    const struct front *front = &channel->front;
    enum status status =
        lookup_run(trim->store, trim->lookup, channel->state.channel,
                   channel->number, channel->state.first, FRONT_LOAD, err);
    for (size_t i = 0;
         status == STATUS_OK && i < found->count && front->count < FRONT_LOAD;
         i++) {
        const struct place *place = &found->places[i];
        if (place->count > 1) {
            status = load_place(trim, channel, place, err);
        } else if (!push_single(channel, place)) {
            status = fail(err, STATUS_NO_MEMORY, "out of memory");
        }
    }
    return front->count >= 2 ? STATUS_OK : status;
}

/* A segment may go while it is looked up: then its runs are in another. */
static enum status load_stored(struct trim *trim, struct channel *channel,
                               struct error *err)
{
    enum status status = STATUS_NOT_FOUND;
    for (int i = 0; i < TRIES && status == STATUS_NOT_FOUND; i++) {
        front_clear(&channel->front);
        status = try_load(trim, channel, err);
    }
    return status;
}

/* What the batch under way appended, if all that is stored is in the front. */
static void load_unwritten(const struct trim *trim, struct channel *channel)
{
    struct front *front = &channel->front;
    uint64_t from = front->count == 0
                        ? channel->state.first
                        : front_at(front, front->count - 1)->sequence + 1;
    if (from <= channel->before.last)
        return;
    for (size_t i = 0; trim->batch != NULL && i < trim->operations; i++) {
        const struct operation *operation = &trim->batch->operations[i];
        if (operation->type != OPERATION_APPEND ||
            operation->channel != channel->state.channel ||
            operation->sequence < from)
            continue;
        struct front_message message = {
            .sequence = operation->sequence,
            .timestamp = operation->timestamp,
            .bytes = operation->message.size + (uint64_t)MESSAGE_OVERHEAD,
        };
        if (!front_push(front, message, FRONT_MAX))
            return;
        from = operation->sequence + 1;
    }
}

/* True if the front holds the first message and the one behind it, so that
 * dropping one leaves a first whose sequence and age are known. */
static bool ready(struct trim *trim, struct channel *channel)
{
    const struct channel_state *state = &channel->state;
    struct front *front = &channel->front;
    if (front->count >= 2 || front->count == state->messages)
        return true;
    if (channel->unreadable)
        return false;
    struct error cause = {.detail = "messages are missing"};
    front_clear(front);
    enum status status = load_stored(trim, channel, &cause);
    if (status == STATUS_OK)
        load_unwritten(trim, channel);
    if (front->count > 0 && front_at(front, 0)->sequence == state->first &&
        (front->count >= 2 || front->count == state->messages))
        return true;
    front_clear(front);
    channel->unreadable = true;
    log_error(trim->store->log,
              "Unable to remove first message: channel \"%.*s\", message "
              "%" PRIu64 ": %s",
              (int)channel->name.size, (const char *)channel->name.data,
              state->first, cause.detail);
    return false;
}

static void drop_first(struct channel *channel)
{
    struct channel_state *state = &channel->state;
    uint64_t bytes = front_at(&channel->front, 0)->bytes;
    front_pop(&channel->front);
    state->messages--;
    state->bytes -= bytes < state->bytes ? bytes : state->bytes;
    if (state->messages == 0) {
        state->first = state->last + 1;
        state->first_timestamp = 0;
        state->bytes = 0;
        return;
    }
    state->first = front_at(&channel->front, 0)->sequence;
    state->first_timestamp = front_at(&channel->front, 0)->timestamp;
}

static bool over(const struct channel *channel, uint64_t messages,
                 uint64_t bytes)
{
    const struct channel_limits *limits = &channel->limits;
    return messages > 1 &&
           ((limits->max_messages > 0 &&
             messages > (uint64_t)limits->max_messages) ||
            (limits->max_bytes > 0 && bytes > (uint64_t)limits->max_bytes));
}

static bool over_limit(const struct channel *channel)
{
    return over(channel, channel->state.messages, channel->state.bytes);
}

/* What many messages are dropped for: their age, or (NULL) the limits. */
static bool drops_all(const struct channel *channel, const struct place *place,
                      const struct place *next, const int64_t *timestamp)
{
    const struct channel_state *state = &channel->state;
    uint64_t bytes = place_bytes(place);
    if (place->first != state->first || place->count >= state->messages ||
        bytes >= state->bytes)
        return false;
    return timestamp != NULL ? next->timestamp <= *timestamp
                             : over(channel, state->messages - place->count,
                                    state->bytes - bytes);
}

/* Whole runs at the front, without a look into them; there are many. */
static bool drop_runs(struct trim *trim, struct channel *channel,
                      const int64_t *timestamp)
{
    const struct runs *found = &trim->lookup->found;
    struct channel_state *state = &channel->state;
    bool dropped = false, more = true;
    while (more && state->messages > FRONT_MAX) {
        more = lookup_run(trim->store, trim->lookup, state->channel,
                          channel->number, state->first, RUNS_AT_ONCE,
                          NULL) == STATUS_OK;
        for (size_t i = 0; more && i < RUNS_AT_ONCE - 1; i++) {
            const struct place *place = &found->places[i];
            more = i + 1 < found->count &&
                   drops_all(channel, place, place + 1, timestamp);
            if (!more)
                break;
            state->messages -= place->count;
            state->bytes -= place_bytes(place);
            state->first = place[1].first;
            state->first_timestamp = place[1].timestamp;
            front_clear(&channel->front);
            dropped = true;
        }
    }
    return dropped;
}

bool trim_limits(struct trim *trim, struct channel *channel)
{
    bool dropped = false;
    if (over_limit(channel) && channel->front.count == 0 &&
        channel->state.messages > FRONT_MAX &&
        over(channel, channel->state.messages - FRONT_MAX,
             channel->state.bytes))
        dropped = drop_runs(trim, channel, NULL);
    while (over_limit(channel) && ready(trim, channel)) {
        drop_first(channel);
        dropped = true;
    }
    return dropped;
}

/* Without a look at any of them: a million go as fast as one. */
static void drop_all(struct channel *channel)
{
    struct channel_state *state = &channel->state;
    front_clear(&channel->front);
    state->messages = state->bytes = 0;
    state->first = state->last + 1;
    state->first_timestamp = 0;
}

bool trim_expired(struct trim *trim, struct channel *channel, int64_t timestamp)
{
    bool dropped = false;
    if (channel->state.messages > 0 &&
        channel->state.last_timestamp <= timestamp) {
        drop_all(channel);
        return true;
    }
    if (channel->state.messages > FRONT_MAX &&
        channel->state.first_timestamp <= timestamp)
        dropped = drop_runs(trim, channel, &timestamp);
    while (channel->state.messages > 0 &&
           channel->state.first_timestamp <= timestamp &&
           ready(trim, channel)) {
        drop_first(channel);
        dropped = true;
    }
    return dropped;
}

void trim_end(struct trim *trim)
{
    kept_segment_close(&trim->file);
}
