#include "store/leveldb/trim.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <inttypes.h>

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

/* One message of the database. A damaged one still has a place and a size: it
 * can be dropped in its turn, with the age of the one before it. */
static struct front_message measure(const struct trim *trim,
                                    const struct channel *channel,
                                    struct cursor cursor, uint64_t sequence)
{
    struct front_message message = {.sequence = sequence};
    struct bytes value = cursor_value(cursor), payload;
    const struct front *front = &channel->front;
    if (message_open(cursor_key(cursor), value, &message.timestamp, &payload)) {
        message.bytes = payload.size + MESSAGE_OVERHEAD;
        return message;
    }
    log_error(trim->log, "Message %" PRIu64 " of channel \"%.*s\" is damaged",
              sequence, (int)channel->name.size,
              (const char *)channel->name.data);
    message.timestamp = front->count == 0
                            ? channel->state.first_timestamp
                            : front_at(front, front->count - 1)->timestamp;
    message.bytes = MESSAGE_OVERHEAD;
    if (value.size > MESSAGE_HEADER)
        message.bytes += value.size - MESSAGE_HEADER;
    return message;
}

static enum status load_stored(const struct trim *trim, struct channel *channel,
                               struct error *err)
{
    struct key key =
        key_pair(KEY_MESSAGE, channel->number, channel->state.first);
    struct cursor cursor = cursor_open(trim->database);
    uint64_t number, sequence;
    enum status status = STATUS_OK;
    cursor_seek(cursor, key_bytes(&key));
    while (
        cursor_valid(cursor) && channel->front.count < FRONT_MAX &&
        key_parse_pair(cursor_key(cursor), KEY_MESSAGE, &number, &sequence) &&
        number == channel->number && sequence <= channel->state.last) {
        if (!front_push(&channel->front,
                        measure(trim, channel, cursor, sequence), FRONT_MAX)) {
            status = fail(err, STATUS_NO_MEMORY, "out of memory");
            break;
        }
        cursor_next(cursor);
    }
    if (status == STATUS_OK)
        status = cursor_status(cursor, err);
    cursor_close(cursor);
    return status;
}

/* What the batch under way appended, behind what is stored. */
static void load_unwritten(const struct trim *trim, struct channel *channel)
{
    struct front *front = &channel->front;
    uint64_t from = front->count == 0
                        ? channel->state.first
                        : front_at(front, front->count - 1)->sequence + 1;
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
    log_error(trim->log,
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

static bool over_limit(const struct channel *channel)
{
    const struct channel_limits *limits = &channel->limits;
    const struct channel_state *state = &channel->state;
    return state->messages > 1 &&
           ((limits->max_messages > 0 &&
             state->messages > (uint64_t)limits->max_messages) ||
            (limits->max_bytes > 0 &&
             state->bytes > (uint64_t)limits->max_bytes));
}

bool trim_limits(struct trim *trim, struct channel *channel)
{
    bool dropped = false;
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
    while (channel->state.messages > 0 &&
           channel->state.first_timestamp <= timestamp &&
           ready(trim, channel)) {
        drop_first(channel);
        dropped = true;
    }
    return dropped;
}
