#include "store/batch.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

struct batch *batch_new(void)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch != NULL)
        list_init(&batch->link);
    return batch;
}

void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->operations[i].type == OPERATION_APPEND)
            buffer_unref(batch->operations[i].message.buffer);
    }
    batch->count = 0;
    batch->bytes.size = 0;
    batch->message_bytes = 0;
    batch->sync = false;
    batch->limits = NULL;
    batch->status = STATUS_OK;
    batch->error = (struct error){0};
    batch->sync_time = 0;
    batch->state_count = 0;
}

void batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    batch_clear(batch);
    blob_release(&batch->bytes);
    free(batch->operations);
    free(batch->states);
    free(batch);
}

/* Room for one more element, by doubling; NULL when out of memory. */
static void *grown(void *elements, size_t size, size_t *capacity)
{
    size_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
    void *moved = reallocarray(elements, wanted, size);
    if (moved != NULL)
        *capacity = wanted;
    return moved;
}

/* The next operation, not counted yet, so that a caller that fails behind it
 * has nothing to take back. */
static struct operation *next_operation(struct batch *batch)
{
    if (batch->count == batch->capacity) {
        struct operation *moved =
            grown(batch->operations, sizeof *moved, &batch->capacity);
        if (moved == NULL)
            return NULL;
        batch->operations = moved;
    }
    return &batch->operations[batch->count];
}

bool batch_reserve(struct batch *batch, size_t operations, size_t bytes)
{
    while (batch->capacity - batch->count < operations) {
        struct operation *moved =
            grown(batch->operations, sizeof *moved, &batch->capacity);
        if (moved == NULL)
            return false;
        batch->operations = moved;
    }
    return blob_reserve(&batch->bytes, bytes);
}

static bool add(struct batch *batch, enum operation_type type, uint64_t channel,
                uint64_t subscription, struct bytes name, struct bytes record)
{
    struct operation *operation = next_operation(batch);
    if (operation == NULL || name.size > SIZE_MAX - record.size ||
        !blob_reserve(&batch->bytes, name.size + record.size))
        return false;
    *operation = (struct operation){
        .type = type,
        .channel = channel,
        .name = batch->bytes.size,
        .name_size = name.size,
        .record = batch->bytes.size + name.size,
        .record_size = record.size,
        .subscription = subscription,
    };
    /* Reserved above, so these cannot fail. */
    if (!blob_append(&batch->bytes, name.data, name.size) ||
        !blob_append(&batch->bytes, record.data, record.size))
        return false;
    batch->count++;
    return true;
}

static const struct bytes none = {0};

bool batch_server(struct batch *batch, struct bytes record)
{
    return add(batch, OPERATION_SERVER, 0, 0, none, record);
}

bool batch_client_put(struct batch *batch, struct bytes id, struct bytes record)
{
    return add(batch, OPERATION_CLIENT_PUT, 0, 0, id, record);
}

bool batch_client_delete(struct batch *batch, struct bytes id)
{
    return add(batch, OPERATION_CLIENT_DELETE, 0, 0, id, none);
}

bool batch_channel_put(struct batch *batch, uint64_t channel, struct bytes name)
{
    return add(batch, OPERATION_CHANNEL_PUT, channel, 0, name, none);
}

bool batch_channel_delete(struct batch *batch, uint64_t channel)
{
    return add(batch, OPERATION_CHANNEL_DELETE, channel, 0, none, none);
}

bool batch_append(struct batch *batch, uint64_t channel, uint64_t sequence,
                  int64_t timestamp, struct slice message)
{
    struct operation *operation = next_operation(batch);
    if (operation == NULL)
        return false;
    *operation = (struct operation){
        .type = OPERATION_APPEND,
        .channel = channel,
        .sequence = sequence,
        .timestamp = timestamp,
        .message = message,
    };
    (void)buffer_ref(message.buffer);
    batch->count++;
    batch->message_bytes += message.size;
    return true;
}

bool batch_expire(struct batch *batch, uint64_t channel, int64_t timestamp)
{
    struct operation *operation = next_operation(batch);
    if (operation == NULL)
        return false;
    *operation = (struct operation){
        .type = OPERATION_EXPIRE,
        .channel = channel,
        .timestamp = timestamp,
    };
    batch->count++;
    return true;
}

bool batch_subscription_put(struct batch *batch, uint64_t channel,
                            uint64_t subscription, struct bytes record)
{
    return add(batch, OPERATION_SUBSCRIPTION_PUT, channel, subscription, none,
               record);
}

bool batch_subscription_delete(struct batch *batch, uint64_t channel,
                               uint64_t subscription)
{
    return add(batch, OPERATION_SUBSCRIPTION_DELETE, channel, subscription,
               none, none);
}

bool batch_progress(struct batch *batch, uint64_t channel,
                    uint64_t subscription, struct bytes record)
{
    return add(batch, OPERATION_PROGRESS, channel, subscription, none, record);
}

void batch_bring_to_front(struct batch *batch)
{
    if (batch->count < 2)
        return;
    struct operation last = batch->operations[batch->count - 1];
    memmove(batch->operations + 1, batch->operations,
            (batch->count - 1) * sizeof last);
    batch->operations[0] = last;
}

void batch_cut(struct batch *batch, size_t count)
{
    while (batch->count > count) {
        const struct operation *last = &batch->operations[--batch->count];
        if (last->type == OPERATION_APPEND) {
            batch->message_bytes -= last->message.size;
            buffer_unref(last->message.buffer);
        }
    }
}

struct bytes operation_name(const struct batch *batch,
                            const struct operation *operation)
{
    if (operation->name_size == 0)
        return none;
    return bytes_of(batch->bytes.data + operation->name, operation->name_size);
}

struct bytes operation_record(const struct batch *batch,
                              const struct operation *operation)
{
    if (operation->record_size == 0)
        return none;
    return bytes_of(batch->bytes.data + operation->record,
                    operation->record_size);
}

bool batch_report(struct batch *batch, const struct channel_state *state)
{
    if (batch->state_count == batch->state_capacity) {
        struct channel_state *moved =
            grown(batch->states, sizeof *moved, &batch->state_capacity);
        if (moved == NULL)
            return false;
        batch->states = moved;
    }
    batch->states[batch->state_count++] = *state;
    return true;
}
