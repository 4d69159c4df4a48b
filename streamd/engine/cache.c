#include "streamd/engine/cache.h"

#include <assert.h>
#include <stdlib.h>

enum {
    CHUNK_SIZE = 256 << 10, /* of a cache below HUGE_FROM, else BUFFER_HUGE */
    HUGE_FROM = 64 << 20,
    LONE_SIZE = 32 << 10, /* from here on a message has a chunk of its own */
};

/* That no buffer has. */
static const size_t no_size = SIZE_MAX;

/* That a channel's tail may have entries in a chunk. */
struct cache_place {
    struct cache_chunk *chunk;
    struct channel_cache *channel; /* NULL: it is gone */
    struct cache_place *next;      /* of the channel; in a younger chunk */
};

struct place_block {
    struct place_block *next;
    size_t count, capacity;
    struct cache_place places[];
};

/* A buffer with messages of many channels. The channels of its places are told
 * when it goes. */
struct cache_chunk {
    struct list link;
    struct buffer *buffer;
    struct place_block *blocks; /* the last one first, only that has room */
};

struct cached_run {
    struct list by_channel;
    struct list by_use;
    struct run *run;
    uint64_t from; /* the messages from here to the last of run are known */
    int64_t bytes;
};

void cache_init(struct cache *cache, int64_t budget)
{
    *cache = (struct cache){.budget = budget};
    list_init(&cache->chunks);
    list_init(&cache->runs);
}

static void chunk_free(struct cache *cache, struct cache_chunk *chunk)
{
    list_remove(&chunk->link);
    if (chunk->buffer != NULL)
        cache->chunk_bytes -= (int64_t)chunk->buffer->capacity;
    buffer_unref(chunk->buffer);
    while (chunk->blocks != NULL) {
        struct place_block *block = chunk->blocks;
        chunk->blocks = block->next;
        free(block);
    }
    free(chunk);
}

void cache_release(struct cache *cache)
{
    while (!list_empty(&cache->chunks)) {
        chunk_free(cache, list_entry(list_pop(&cache->chunks),
                                     struct cache_chunk, link));
    }
    assert(list_empty(&cache->runs));
}

void channel_cache_init(struct channel_cache *channel)
{
    *channel = (struct channel_cache){0};
    list_init(&channel->runs);
}

static void run_drop(struct cache *cache, struct cached_run *cached)
{
    cache->run_bytes -= cached->bytes;
    list_remove(&cached->by_channel);
    list_remove(&cached->by_use);
    run_free(cached->run);
    free(cached);
}

void channel_cache_release(struct cache *cache, struct channel_cache *channel)
{
    while (!list_empty(&channel->runs)) {
        run_drop(cache, list_entry(list_pop(&channel->runs), struct cached_run,
                                   by_channel));
    }
    for (struct cache_place *at = channel->oldest; at != NULL; at = at->next)
        at->channel = NULL;
    free(channel->entries);
    channel_cache_init(channel);
}

static struct slice *tail_entry(const struct channel_cache *channel,
                                uint32_t index)
{
    return &channel->entries[(channel->head + index) & (channel->capacity - 1)];
}

static void drop_oldest(struct channel_cache *channel)
{
    channel->head = (channel->head + 1) & (channel->capacity - 1);
    channel->count--;
    channel->first++;
}

/* Its entries are the oldest of the tail, its place is the oldest, too. */
static void leave_chunk(struct channel_cache *channel,
                        const struct cache_place *place)
{
    while (channel->count > 0 &&
           tail_entry(channel, 0)->buffer == place->chunk->buffer)
        drop_oldest(channel);
    assert(channel->oldest == place);
    channel->oldest = place->next;
    if (channel->newest == place)
        channel->newest = NULL;
}

/* The oldest chunk goes. Its buffer, if it has size bytes and nobody else needs
 * it, is handed out: the system would have to clear the memory of a new one. */
static struct buffer *evict_chunk(struct cache *cache, size_t size)
{
    struct cache_chunk *chunk =
        list_entry(list_pop(&cache->chunks), struct cache_chunk, link);
    struct buffer *buffer = chunk->buffer;
    for (struct place_block *block = chunk->blocks; block != NULL;
         block = block->next) {
        for (size_t i = 0; i < block->count; i++) {
            if (block->places[i].channel != NULL)
                leave_chunk(block->places[i].channel, &block->places[i]);
        }
    }
    if (buffer->capacity == size && buffer_is_sole(buffer)) {
        cache->chunk_bytes -= (int64_t)size;
        buffer->used = 0;
        chunk->buffer = NULL;
    } else {
        buffer = NULL;
    }
    chunk_free(cache, chunk);
    return buffer;
}

void cache_clear(struct cache *cache)
{
    while (!list_empty(&cache->chunks))
        (void)evict_chunk(cache, no_size);
}

/* The list must not be empty. */
static struct cache_chunk *newest_chunk(const struct cache *cache)
{
    return list_entry(cache->chunks.prev, struct cache_chunk, link);
}

static bool has_room(const struct cache *cache, size_t size)
{
    if (list_empty(&cache->chunks))
        return false;
    const struct buffer *buffer = newest_chunk(cache)->buffer;
    return buffer->capacity - buffer->used >= size;
}

/* Of the chunk for a message of so many bytes. */
static size_t chunk_size(const struct cache *cache, size_t size)
{
    if (size >= LONE_SIZE)
        return size;
    return cache->budget >= HUGE_FROM ? BUFFER_HUGE : (size_t)CHUNK_SIZE;
}

static struct cache_chunk *add_chunk(struct cache *cache, size_t size)
{
    struct buffer *buffer = NULL;
    while (!list_empty(&cache->chunks) &&
           cache->chunk_bytes + (int64_t)size >
               cache->budget - cache->budget / 4) {
        struct buffer *freed =
            evict_chunk(cache, buffer == NULL ? size : no_size);
        if (freed != NULL)
            buffer = freed;
    }
    struct cache_chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk != NULL && buffer == NULL)
        buffer = buffer_new(size);
    if (chunk == NULL || buffer == NULL) {
        buffer_unref(buffer);
        free(chunk);
        return NULL;
    }
    chunk->buffer = buffer;
    cache->chunk_bytes += (int64_t)size;
    list_append(&cache->chunks, &chunk->link);
    return chunk;
}

enum status cache_reserve(struct cache *cache, size_t size, struct slice *out,
                          struct error *err)
{
    if (size > UINT32_MAX)
        return fail(err, STATUS_TOO_BIG, "message too big");
    struct cache_chunk *chunk = has_room(cache, size)
                                    ? newest_chunk(cache)
                                    : add_chunk(cache, chunk_size(cache, size));
    if (chunk == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    *out = (struct slice){.buffer = chunk->buffer,
                          .offset = (uint32_t)chunk->buffer->used,
                          .size = (uint32_t)size};
    chunk->buffer->used += size;
    return STATUS_OK;
}

static bool tail_grow(struct channel_cache *channel)
{
    if (channel->count < channel->capacity)
        return true;
    uint32_t capacity = channel->capacity == 0 ? 4 : channel->capacity * 2;
    struct slice *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL)
        return false;
    for (uint32_t i = 0; i < channel->count; i++)
        entries[i] = *tail_entry(channel, i);
    free(channel->entries);
    channel->entries = entries;
    channel->head = 0;
    channel->capacity = capacity;
    return true;
}

static struct cache_place *new_place(struct cache_chunk *chunk)
{
    struct place_block *block = chunk->blocks;
    if (block == NULL || block->count == block->capacity) {
        size_t capacity = block == NULL ? 8 : block->capacity * 2;
        block = malloc(sizeof *block + capacity * sizeof block->places[0]);
        if (block == NULL)
            return NULL;
        *block =
            (struct place_block){.next = chunk->blocks, .capacity = capacity};
        chunk->blocks = block;
    }
    return &block->places[block->count++];
}

static bool chunk_knows(struct cache_chunk *chunk,
                        struct channel_cache *channel)
{
    struct cache_place *newest = channel->newest;
    if (newest != NULL && newest->chunk == chunk)
        return true;
    struct cache_place *place = new_place(chunk);
    if (place == NULL)
        return false;
    *place = (struct cache_place){.chunk = chunk, .channel = channel};
    if (newest == NULL) {
        channel->oldest = place;
    } else {
        newest->next = place;
    }
    channel->newest = place;
    return true;
}

enum status cache_append(struct cache *cache, struct channel_cache *channel,
                         uint64_t sequence, struct slice message,
                         struct error *err)
{
    struct cache_chunk *chunk = newest_chunk(cache);
    assert(chunk->buffer == message.buffer);
    if (channel->count > 0 && channel->first + channel->count != sequence)
        channel->count = 0;
    if (!tail_grow(channel) || !chunk_knows(chunk, channel))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (channel->count == 0)
        channel->first = sequence;
    channel->count++;
    *tail_entry(channel, channel->count - 1) = message;
    return STATUS_OK;
}

void cache_drop_below(struct channel_cache *channel, uint64_t first)
{
    while (channel->count > 0 && channel->first < first)
        drop_oldest(channel);
}

void cache_drop_above(struct channel_cache *channel, uint64_t last)
{
    while (channel->count > 0 && channel->first + channel->count - 1 > last)
        channel->count--;
}

static int64_t run_size(const struct run *run)
{
    int64_t size = (int64_t)(sizeof *run + run->count * sizeof *run->entries);
    for (size_t i = 0; i < run->count; i++)
        size += run->entries[i].message.size;
    return size;
}

void cache_add_run(struct cache *cache, struct channel_cache *channel,
                   uint64_t from, struct run *run)
{
    if (run == NULL)
        return;
    struct cached_run *cached = calloc(1, sizeof *cached);
    if (cached == NULL || run->count == 0) {
        free(cached);
        run_free(run); /* it will be read again */
        return;
    }
    cached->run = run;
    cached->from = from;
    cached->bytes = run_size(run);
    list_append(&channel->runs, &cached->by_channel);
    list_append(&cache->runs, &cached->by_use);
    cache->run_bytes += cached->bytes;
}

void cache_trim_runs(struct cache *cache)
{
    while (!list_empty(&cache->runs) && cache->run_bytes > cache->budget / 4) {
        run_drop(cache,
                 list_entry(list_pop(&cache->runs), struct cached_run, by_use));
    }
}

/* Index of the first entry at or after sequence; the run is known to have
 * one. Mostly dense: the distance from the first is the first guess. */
static size_t run_index(const struct run *run, uint64_t sequence)
{
    uint64_t first = run->entries[0].sequence;
    if (sequence <= first)
        return 0;
    size_t low = 0;
    size_t high = run->count - 1;
    if (sequence - first < high) {
        high = (size_t)(sequence - first);
        if (run->entries[high].sequence == sequence)
            return high;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->entries[middle].sequence < sequence) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool run_find(struct cache *cache, struct channel_cache *channel,
                     uint64_t sequence, uint64_t *found, struct bytes *message)
{
    for (struct list *at = channel->runs.next; at != &channel->runs;
         at = at->next) {
        struct cached_run *cached =
            list_entry(at, struct cached_run, by_channel);
        const struct run *run = cached->run;
        if (sequence < cached->from ||
            sequence > run->entries[run->count - 1].sequence)
            continue;
        const struct run_entry *entry = &run->entries[run_index(run, sequence)];
        *found = entry->sequence;
        *message = slice_bytes(entry->message);
        if (cache->runs.prev != &cached->by_use) {
            list_remove(&cached->by_use);
            list_append(&cache->runs, &cached->by_use);
        }
        return true;
    }
    return false;
}

bool cache_find(struct cache *cache, struct channel_cache *channel,
                uint64_t sequence, uint64_t *found, struct bytes *message)
{
    if (channel->count > 0 && sequence >= channel->first &&
        sequence - channel->first < channel->count) {
        *found = sequence;
        *message = slice_bytes(
            *tail_entry(channel, (uint32_t)(sequence - channel->first)));
        return true;
    }
    return run_find(cache, channel, sequence, found, message);
}
