#include "store/leveldb/channel.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <assert.h>
#include <stdlib.h>

struct channel *channel_new(uint64_t id, uint64_t number, struct bytes name,
                            const struct channel_limits *limits)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return NULL;
    channel->number = number;
    channel->limits = *limits;
    channel->state.channel = id;
    list_init(&channel->link);
    list_init(&channel->dirty);
    if (!blob_append(&channel->name, name.data, name.size)) {
        channel_free(channel);
        return NULL;
    }
    return channel;
}

void channel_free(struct channel *channel)
{
    if (channel == NULL)
        return;
    list_remove(&channel->link);
    list_remove(&channel->dirty);
    runs_release(&channel->active);
    blob_release(&channel->name);
    free(channel->front.messages);
    free(channel);
}

bool channel_seal(const struct channel *channel, enum record_phase phase,
                  struct blob *scratch, struct blob *out)
{
    const struct channel_record record = {
        .phase = phase,
        .state = channel->state,
        .swept = channel->swept,
        .name = blob_bytes(&channel->name),
    };
    struct key key = key_channel(channel->number);
    return channel_record_encode(&record, scratch) &&
           value_seal(out, key_bytes(&key), blob_bytes(scratch));
}

void front_clear(struct front *front)
{
    front->start = front->count = 0;
}

const struct front_message *front_at(const struct front *front, uint32_t at)
{
    assert(at < front->count);
    return &front->messages[(front->start + at) & (front->capacity - 1)];
}

static bool grow(struct front *front)
{
    uint32_t capacity = front->capacity == 0 ? 4 : front->capacity * 2;
    struct front_message *messages =
        reallocarray(NULL, capacity, sizeof *messages);
    if (messages == NULL)
        return false;
    for (uint32_t i = 0; i < front->count; i++)
        messages[i] = *front_at(front, i);
    free(front->messages);
    front->messages = messages;
    front->start = 0;
    front->capacity = capacity;
    return true;
}

bool front_push(struct front *front, struct front_message message,
                uint32_t room)
{
    if (front->count >= room)
        return false;
    if (front->count == front->capacity && !grow(front))
        return false;
    front->messages[(front->start + front->count) & (front->capacity - 1)] =
        message;
    front->count++;
    return true;
}

void front_pop(struct front *front)
{
    assert(front->count > 0);
    front->start = (front->start + 1) & (front->capacity - 1);
    front->count--;
}
