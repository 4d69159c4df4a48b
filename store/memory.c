/* Everything runs in the caller's thread and done is called inside the call.
 *
 * A commit has two passes: prepare() gets all memory the batch will need,
 * apply() then cannot fail, so a batch is there as a whole or not at all.
 * Server, clients and subscriptions are not kept: nobody could ask for them.
 *
 * Messages are copied, those of one channel and batch into one buffer: the
 * engine's buffers are shared by all channels, and a single old message would
 * hold the memory of all that came and went around it. A channel with much in
 * it has larger buffers, for many batches, but none larger than a quarter of
 * what it holds. */
#include "store/memory.h"

#include "streamd/base/list.h"
#include "streamd/base/table.h"
#include "streamd/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    FIRST_CAPACITY = 16,
    SPARE_ENTRIES = 4096, /* an empty channel keeps room for no more */
};

/* Messages of a channel that the batch itself deleted again. */
static const uint64_t not_reported = UINT64_MAX;

struct entry {
    uint64_t sequence;
    int64_t timestamp;
    struct slice message; /* holds a reference */
};

/* entries is a ring, its capacity a power of two; the oldest is at start.
 * Sequences and timestamps ascend, so both can be searched by halves. */
struct channel {
    struct list link; /* in prepared while a batch is prepared and applied */
    struct entry *entries;
    size_t start, capacity;
    size_t expected; /* appends of the batch being prepared */
    size_t expected_bytes;
    struct buffer *open;   /* what has room behind its messages; may be NULL */
    struct buffer *packed; /* where the batch's messages are copied to */
    size_t report; /* place in batch->states + 1; 0: nothing to report */
    bool is_new, is_deleted; /* by the batch being prepared */
    struct text name;
    struct channel_limits limits;
    struct channel_state state; /* state.messages entries are used */
};

struct memory_store {
    struct store store;
    const struct limits *limits;
    struct table *channels; /* by id; owns them */
    struct channel *recent; /* the one found last; may be NULL */
    struct list prepared;
};

static struct channel *find(struct memory_store *memory, uint64_t id)
{
    if (memory->recent == NULL || memory->recent->state.channel != id)
        memory->recent = table_get(memory->channels, &id, sizeof id);
    return memory->recent;
}

static struct entry *entry_at(const struct channel *channel, size_t index)
{
    return &channel
                ->entries[(channel->start + index) & (channel->capacity - 1)];
}

static void drop_first(struct channel *channel)
{
    struct channel_state *state = &channel->state;
    const struct entry *first = entry_at(channel, 0);
    state->bytes -= first->message.size;
    state->messages--;
    buffer_unref(first->message.buffer);
    channel->start = (channel->start + 1) & (channel->capacity - 1);
    if (state->messages == 0) {
        state->first = state->last + 1;
        state->first_timestamp = 0;
        return;
    }
    state->first = entry_at(channel, 0)->sequence;
    state->first_timestamp = entry_at(channel, 0)->timestamp;
}

/* Index behind the last entry of the buffer that entry `from` is in: those of
 * one buffer are neighbours. */
static size_t buffer_end(const struct channel *channel, size_t from)
{
    const struct buffer *buffer = entry_at(channel, from)->message.buffer;
    size_t low = from, high = (size_t)channel->state.messages;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(channel, middle)->message.buffer == buffer) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

/* Looks at few of them: the engine waits. */
static void drop_all(struct channel *channel)
{
    struct channel_state *state = &channel->state;
    for (size_t at = 0; at < state->messages;) {
        size_t end = buffer_end(channel, at);
        buffer_unref_many(entry_at(channel, at)->message.buffer, end - at);
        at = end;
    }
    channel->start = 0;
    state->messages = state->bytes = 0;
    state->first = state->last + 1;
    state->first_timestamp = 0;
}

static void expire(struct channel *channel, int64_t timestamp)
{
    if (channel->state.messages > 0 &&
        channel->state.last_timestamp <= timestamp)
        drop_all(channel);
    while (channel->state.messages > 0 &&
           channel->state.first_timestamp <= timestamp)
        drop_first(channel);
}

static void channel_free(struct channel *channel)
{
    drop_all(channel);
    list_remove(&channel->link);
    buffer_unref(channel->open);
    free(channel->entries);
    text_release(&channel->name);
    free(channel);
}

static void forget(struct memory_store *memory, struct channel *channel)
{
    (void)table_remove(memory->channels, &channel->state.channel,
                       sizeof channel->state.channel);
    memory->recent = NULL;
    channel_free(channel);
}

/* Room for `more` messages behind those there are. A ring that begins at its
 * front grows where it lies: the kernel moves large ones without a copy. */
static bool reserve(struct channel *channel, size_t more)
{
    size_t used = (size_t)channel->state.messages;
    size_t capacity =
        channel->capacity == 0 ? FIRST_CAPACITY : channel->capacity;
    while (capacity - used < more)
        capacity *= 2;
    if (capacity == channel->capacity)
        return true;
    bool in_place = channel->start == 0;
    struct entry *entries = reallocarray(in_place ? channel->entries : NULL,
                                         capacity, sizeof *entries);
    if (entries == NULL)
        return false;
    for (size_t i = 0; i < used && !in_place; i++)
        entries[i] = *entry_at(channel, i);
    if (!in_place)
        free(channel->entries);
    channel->entries = entries;
    channel->capacity = capacity;
    channel->start = 0;
    return true;
}

/* ---- commit ---- */

static enum status prepare_channel(struct memory_store *memory,
                                   const struct batch *batch,
                                   const struct operation *operation,
                                   struct error *err)
{
    if (find(memory, operation->channel) != NULL) {
        return fail(err, STATUS_EXISTS, "channel %" PRIu64 " already exists",
                    operation->channel);
    }
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        goto no_memory;
    list_init(&channel->link);
    channel->state.channel = operation->channel;
    if (!text_set(&channel->name, operation_name(batch, operation)))
        goto no_memory;
    channel->limits =
        limits_channel(memory->limits, text_bytes(&channel->name));
    channel->is_new = true;
    if (!table_put(memory->channels, &operation->channel,
                   sizeof operation->channel, channel))
        goto no_memory;
    list_append(&memory->prepared, &channel->link);
    return STATUS_OK;
no_memory:
    if (channel != NULL)
        channel_free(channel);
    return fail(err, STATUS_NO_MEMORY, "channel %" PRIu64, operation->channel);
}

static enum status prepare_messages(struct memory_store *memory,
                                    struct batch *batch,
                                    const struct operation *operation,
                                    struct error *err)
{
    struct channel *channel = find(memory, operation->channel);
    bool gone = channel == NULL || channel->is_deleted;
    if (gone && operation->type == OPERATION_EXPIRE)
        return STATUS_OK;
    if (gone) {
        return fail(err, STATUS_NOT_FOUND, "channel %" PRIu64 " not found",
                    operation->channel);
    }
    if (!list_linked(&channel->link))
        list_append(&memory->prepared, &channel->link);
    if (channel->report == 0) {
        if (!batch_report(batch, &channel->state))
            return fail(err, STATUS_NO_MEMORY, "state of a channel");
        channel->report = batch->state_count;
    }
    if (operation->type == OPERATION_EXPIRE)
        return STATUS_OK;
    channel->expected++;
    channel->expected_bytes += operation->message.size;
    if (!reserve(channel, channel->expected)) {
        return fail(err, STATUS_NO_MEMORY, "messages of channel %" PRIu64,
                    operation->channel);
    }
    return STATUS_OK;
}

static enum status prepare(struct memory_store *memory, struct batch *batch,
                           const struct operation *operation, struct error *err)
{
    struct channel *channel;
    switch (operation->type) {
    case OPERATION_CHANNEL_PUT:
        return prepare_channel(memory, batch, operation, err);
    case OPERATION_CHANNEL_DELETE:
        channel = find(memory, operation->channel);
        if (channel == NULL)
            return STATUS_OK;
        channel->is_deleted = true;
        if (!list_linked(&channel->link))
            list_append(&memory->prepared, &channel->link);
        return STATUS_OK;
    case OPERATION_APPEND:
    case OPERATION_EXPIRE:
        return prepare_messages(memory, batch, operation, err);
    case OPERATION_SERVER:
    case OPERATION_CLIENT_PUT:
    case OPERATION_CLIENT_DELETE:
    case OPERATION_SUBSCRIPTION_PUT:
    case OPERATION_SUBSCRIPTION_DELETE:
    case OPERATION_PROGRESS:
        break;
    }
    return STATUS_OK;
}

/* The open buffer if it has room for the batch, else a new one; a reference to
 * it, or NULL. */
static struct buffer *buffer_for(const struct channel *channel)
{
    size_t size = channel->expected_bytes;
    struct buffer *open = channel->open;
    if (open != NULL && open->capacity - open->used >= size)
        return buffer_ref(open);
    size_t share = (size_t)channel->state.bytes / 4;
    if (share > BUFFER_HUGE)
        share = BUFFER_HUGE;
    return buffer_new(size > share ? size : share);
}

static enum status prepare_buffers(const struct memory_store *memory,
                                   struct error *err)
{
    for (struct list *at = memory->prepared.next; at != &memory->prepared;
         at = at->next) {
        struct channel *channel = list_entry(at, struct channel, link);
        if (channel->expected == 0)
            continue;
        if (channel->expected_bytes > UINT32_MAX)
            return fail(err, STATUS_TOO_BIG, "batch of a channel too big");
        channel->packed = buffer_for(channel);
        if (channel->packed == NULL)
            return fail(err, STATUS_NO_MEMORY, "messages of a channel");
    }
    return STATUS_OK;
}

static struct slice pack(struct buffer *packed, struct slice message)
{
    struct slice copy = {.buffer = buffer_ref(packed),
                         .offset = (uint32_t)packed->used,
                         .size = message.size};
    memcpy(packed->data + packed->used, slice_bytes(message).data,
           message.size);
    packed->used += message.size;
    return copy;
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

static void append(struct channel *channel, const struct operation *operation)
{
    struct channel_state *state = &channel->state;
    if (operation->sequence <= state->last)
        return; /* S3: stored before */
    *entry_at(channel, (size_t)state->messages) = (struct entry){
        .sequence = operation->sequence,
        .timestamp = operation->timestamp,
        .message = pack(channel->packed, operation->message),
    };
    if (state->messages == 0) {
        state->first = operation->sequence;
        state->first_timestamp = operation->timestamp;
    }
    state->messages++;
    state->bytes += operation->message.size;
    state->last = operation->sequence;
    if (operation->timestamp > state->last_timestamp)
        state->last_timestamp = operation->timestamp;
    while (over_limit(channel)) {
        drop_first(channel);
        state->limit_reached = true;
    }
}

/* Channels deleted by the batch are forgotten in finish(), so they are still
 * found here. */
static void apply(struct memory_store *memory,
                  const struct operation *operation)
{
    if (operation->type != OPERATION_APPEND &&
        operation->type != OPERATION_EXPIRE)
        return;
    struct channel *channel = find(memory, operation->channel);
    if (channel == NULL)
        return;
    if (operation->type == OPERATION_APPEND) {
        append(channel, operation);
        return;
    }
    expire(channel, operation->timestamp);
}

/* Ends what prepare() began: channels made by a batch that failed go, those
 * that a good one deleted too. */
static void finish(struct memory_store *memory, struct batch *batch)
{
    bool good = batch->status == STATUS_OK;
    size_t kept = 0;
    while (!list_empty(&memory->prepared)) {
        struct channel *channel =
            list_entry(list_pop(&memory->prepared), struct channel, link);
        if (good && channel->packed != NULL) {
            buffer_unref(channel->open);
            channel->open = channel->packed;
        } else {
            buffer_unref(channel->packed);
        }
        channel->packed = NULL;
        channel->expected_bytes = 0;
        if (good && channel->report > 0)
            batch->states[channel->report - 1] = channel->state;
        if (good ? channel->is_deleted : channel->is_new) {
            if (channel->report > 0)
                batch->states[channel->report - 1].messages = not_reported;
            forget(memory, channel);
            continue;
        }
        channel->expected = 0;
        channel->report = 0;
        channel->is_new = channel->is_deleted = false;
        if (channel->state.messages == 0 && channel->capacity > SPARE_ENTRIES) {
            free(channel->entries);
            channel->entries = NULL;
            channel->capacity = 0;
        }
        channel->state.limit_reached = false;
    }
    for (size_t i = 0; good && i < batch->state_count; i++) {
        if (batch->states[i].messages != not_reported)
            batch->states[kept++] = batch->states[i];
    }
    batch->state_count = kept;
}

static void adopt_limits(struct memory_store *memory,
                         const struct limits *limits)
{
    memory->limits = limits;
    for (struct slot *slot = table_first(memory->channels); slot != NULL;
         slot = table_next(slot)) {
        struct channel *channel = table_value(slot);
        channel->limits = limits_channel(limits, text_bytes(&channel->name));
    }
}

static void memory_commit(struct store *store, struct batch *batch)
{
    struct memory_store *memory = (struct memory_store *)store;
    batch->status = STATUS_OK;
    batch->state_count = 0;
    if (batch->limits != NULL)
        adopt_limits(memory, batch->limits);
    for (size_t i = 0; i < batch->count && batch->status == STATUS_OK; i++) {
        batch->status =
            prepare(memory, batch, &batch->operations[i], &batch->error);
    }
    if (batch->status == STATUS_OK)
        batch->status = prepare_buffers(memory, &batch->error);
    if (batch->status == STATUS_OK) {
        for (size_t i = 0; i < batch->count; i++)
            apply(memory, &batch->operations[i]);
    }
    finish(memory, batch);
    batch->done(batch);
}

/* ---- read ---- */

/* The index of the first message that is not before what read asks for. */
static size_t search(const struct channel *channel, const struct read *read)
{
    size_t low = 0, high = (size_t)channel->state.messages;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct entry *entry = entry_at(channel, middle);
        bool before = read->by_time ? entry->timestamp < read->timestamp
                                    : entry->sequence < read->sequence;
        if (before) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum status collect(const struct channel *channel, struct read *read)
{
    size_t from = search(channel, read);
    size_t end = (size_t)channel->state.messages, count = 0, bytes = 0;
    size_t most = read->max_messages == 0 ? 1 : read->max_messages;
    while (from + count < end && count < most &&
           (count == 0 || bytes < read->max_bytes)) {
        bytes += entry_at(channel, from + count)->message.size;
        count++;
    }
    if (count == 0)
        return STATUS_OK;
    read->run = run_new(count);
    if (read->run == NULL) {
        return fail(&read->error, STATUS_NO_MEMORY, "read of %zu messages",
                    count);
    }
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = entry_at(channel, from + i);
        (void)buffer_ref(entry->message.buffer);
        read->run->entries[i] = (struct run_entry){.sequence = entry->sequence,
                                                   .message = entry->message};
    }
    read->run->count = count;
    return STATUS_OK;
}

static void memory_read(struct store *store, struct read *read)
{
    struct memory_store *memory = (struct memory_store *)store;
    const struct channel *channel = find(memory, read->channel);
    read->run = NULL;
    read->status = channel == NULL ? STATUS_OK : collect(channel, read);
    read->done(read);
}

/* ---- life ---- */

static enum status memory_recover(struct store *store,
                                  const struct store_visitor *visitor,
                                  struct error *err)
{
    (void)store;
    (void)visitor;
    (void)err;
    return STATUS_OK;
}

static void memory_close(struct store *store)
{
    struct memory_store *memory = (struct memory_store *)store;
    struct slot *slot;
    while ((slot = table_first(memory->channels)) != NULL)
        forget(memory, table_value(slot));
    table_free(memory->channels);
    free(memory);
}

static const struct store_operations memory_operations = {
    .name = "MEMORY",
    .recover = memory_recover,
    .commit = memory_commit,
    .read = memory_read,
    .close = memory_close,
};

enum status memory_store_open(const struct store_config *config,
                              struct store **out, struct error *err)
{
    *out = NULL;
    struct memory_store *memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        return fail(err, STATUS_NO_MEMORY, "memory store");
    memory->store.operations = &memory_operations;
    memory->limits = config->limits;
    list_init(&memory->prepared);
    memory->channels = table_new();
    if (memory->channels == NULL) {
        free(memory);
        return fail(err, STATUS_NO_MEMORY, "memory store");
    }
    *out = &memory->store;
    return STATUS_OK;
}
