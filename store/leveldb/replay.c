#include "store/leveldb/replay.h"

#include <inttypes.h>

enum {
    PLACES = 64,           /* of one look at the index */
    GAP_MAX = 4096,        /* what lies between two runs read in one go */
    READ_MAX = 1 << 20,    /* one read, unless one run is longer */
    TRIES = 16,            /* a segment may go while it is looked up */
    SCRATCH_MAX = 4 << 20, /* what is kept of scratch space between reads */
    THIN = 4, /* a buffer is copied together if less than 1/THIN is used */
};

struct reading {
    struct file_store *store;
    struct replay *replay;
    const struct view *view;
    const struct read *read;
    struct error *err;
    uint64_t next; /* the first sequence that is still wanted */
    size_t bytes;  /* of the messages taken */
    bool full;
};

static struct run_entry *entry_at(const struct replay *replay, size_t i)
{
    return (struct run_entry *)(void *)replay->entries.data + i;
}

static size_t taken(const struct replay *replay)
{
    return replay->entries.size / sizeof(struct run_entry);
}

static enum status damaged(const struct view *view, uint64_t sequence,
                           struct error *err)
{
    return fail(err, STATUS_CORRUPT,
                "channel \"%s\": message %" PRIu64 " is damaged", view->name,
                sequence);
}

static enum status no_memory(const struct view *view, struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "read of channel \"%s\"", view->name);
}

/* Puts the channel's name in front. */
static enum status named(const struct view *view, enum status status,
                         struct error *err)
{
    const struct error cause = *err;
    if (status == STATUS_OK || status == STATUS_NO_MEMORY)
        return status;
    return fail(err, status, "channel \"%s\": %.150s", view->name,
                cause.detail);
}

static enum status look(struct reading *reading, uint64_t sequence, size_t max)
{
    enum status status =
        lookup_run(reading->store, &reading->replay->lookup, reading->view->id,
                   reading->view->number, sequence, max, reading->err);
    return named(reading->view, status, reading->err);
}

/* ---- messages ---- */

/* Takes what is wanted of the messages of one place, which are in buffer. */
static enum status take(struct reading *reading, struct buffer *buffer,
                        const struct place *place, struct bytes bytes)
{
    const struct view *view = reading->view;
    size_t most =
        reading->read->max_messages == 0 ? 1 : reading->read->max_messages;
    uint32_t seed = message_seed(view->number);
    struct message message;
    uint64_t expected = place->first; /* or above it */
    while (bytes.size > 0 && !reading->full && reading->next <= view->last) {
        bool parsed = message_next(&bytes, seed, &message);
        if (!parsed || message.sequence < expected ||
            message.sequence > place->last) {
            return damaged(view,
                           expected > reading->next ? expected : reading->next,
                           reading->err);
        }
        expected = message.sequence + 1;
        if (message.sequence < reading->next)
            continue;
        if (message.sequence > view->last)
            break;
        if (!message.is_whole)
            return damaged(view, message.sequence, reading->err);
        const struct run_entry entry = {
            .sequence = message.sequence,
            .message = {.buffer = buffer,
                        .offset = (uint32_t)(message.body.data - buffer->data),
                        .size = (uint32_t)message.body.size},
        };
        if (!blob_append(&reading->replay->entries, &entry, sizeof entry))
            return no_memory(view, reading->err);
        (void)buffer_ref(buffer);
        reading->bytes += message.body.size;
        reading->next = expected;
        reading->full = taken(reading->replay) >= most ||
                        reading->bytes >= reading->read->max_bytes;
    }
    return STATUS_OK;
}

/* Few messages must not keep a big buffer alive: copies those from entry
 * `from` on out of it. */
static enum status thin_out(struct reading *reading, struct buffer *buffer,
                            size_t from)
{
    struct replay *replay = reading->replay;
    size_t size = 0, count = taken(replay) - from;
    for (size_t i = from; i < from + count; i++)
        size += entry_at(replay, i)->message.size;
    if (count == 0 || size >= buffer->used / THIN)
        return STATUS_OK;
    struct buffer *small = buffer_new(size);
    if (small == NULL)
        return no_memory(reading->view, reading->err);
    for (size_t i = from; i < from + count; i++) {
        struct slice *slice = &entry_at(replay, i)->message;
        struct bytes bytes = slice_bytes(*slice);
        if (bytes.size > 0)
            memcpy(small->data + small->used, bytes.data, bytes.size);
        *slice = (struct slice){.buffer = buffer_ref(small),
                                .offset = (uint32_t)small->used,
                                .size = (uint32_t)bytes.size};
        small->used += bytes.size;
        buffer_unref(buffer);
    }
    buffer_unref(small);
    return STATUS_OK;
}

/* How many of places can be read at one go, as far as they are wanted. */
static size_t stretch(const struct reading *reading, const struct place *places,
                      size_t count)
{
    const struct read *read = reading->read;
    uint64_t messages = taken(reading->replay), bytes = reading->bytes;
    size_t i = 0;
    for (; i < count; i++) {
        const struct place *place = &places[i];
        uint64_t end = place->position + place->size;
        if (i > 0 &&
            (messages >= read->max_messages || bytes >= read->max_bytes ||
             place->first > reading->view->last ||
             place_segment(place) != place_segment(&places[0]) ||
             place->position < place[-1].position + place[-1].size ||
             place->position - place[-1].position - place[-1].size > GAP_MAX ||
             end - places[0].position > READ_MAX))
            break;
        /* The first may be wanted in part only. */
        messages += i == 0 && place->first < reading->next ? 1 : place->count;
        bytes += i == 0 && place->first < reading->next ? 1 : place->size;
    }
    return i;
}

static enum status read_stretch(struct reading *reading,
                                const struct place *places, size_t count)
{
    const struct place *last = &places[count - 1];
    size_t from = taken(reading->replay);
    size_t size = (size_t)(last->position + last->size - places[0].position);
    struct buffer *buffer = buffer_new(size);
    if (buffer == NULL)
        return no_memory(reading->view, reading->err);
    enum status status = segment_read(
        reading->store->directory, place_segment(places),
        places[0].position & UINT32_MAX, buffer->data, size, reading->err);
    buffer->used = size;
    if (status == STATUS_CORRUPT) {
        status = damaged(reading->view,
                         reading->next > places[0].first ? reading->next
                                                         : places[0].first,
                         reading->err);
    }
    for (size_t i = 0; i < count && status == STATUS_OK && !reading->full;
         i++) {
        status = take(
            reading, buffer, &places[i],
            bytes_of(buffer->data + (places[i].position - places[0].position),
                     places[i].size));
    }
    if (status == STATUS_OK)
        status = thin_out(reading, buffer, from);
    buffer_unref(buffer);
    return status;
}

/* What one look at the index gives. *ended: nothing is behind it. */
static enum status read_some(struct reading *reading, bool *ended)
{
    const struct runs *found = &reading->replay->lookup.found;
    enum status status = look(reading, reading->next, PLACES);
    if (status != STATUS_OK)
        return status;
    *ended = found->count < PLACES;
    for (size_t i = 0; i < found->count && !reading->full &&
                       found->places[i].first <= reading->view->last;) {
        size_t count = stretch(reading, found->places + i, found->count - i);
        status = read_stretch(reading, found->places + i, count);
        if (status != STATUS_OK)
            return status;
        i += count;
        uint64_t behind = found->places[i - 1].last + 1;
        if (reading->next < behind && !reading->full)
            reading->next = behind;
    }
    return status;
}

/* From reading->next on until a limit of read or the end. */
static enum status collect(struct reading *reading)
{
    bool ended = false;
    int tries = 0;
    while (!reading->full && !ended && reading->next <= reading->view->last) {
        uint64_t before = reading->next;
        enum status status = read_some(reading, &ended);
        if (reading->next > before)
            tries = 0;
        if (status == STATUS_NOT_FOUND && ++tries < TRIES) {
            ended = false; /* it was moved to another segment */
            continue;
        }
        if (status == STATUS_NOT_FOUND)
            status = damaged(reading->view, reading->next, reading->err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* ---- by time ---- */

/* In the one place: the first message not older than timestamp. */
static enum status seek_in(struct reading *reading, struct place place,
                           int64_t timestamp, uint64_t *sequence)
{
    struct buffer *buffer = buffer_new(place.size);
    if (buffer == NULL)
        return no_memory(reading->view, reading->err);
    enum status status = segment_read(
        reading->store->directory, place_segment(&place),
        place.position & UINT32_MAX, buffer->data, place.size, reading->err);
    struct bytes bytes = bytes_of(buffer->data, place.size);
    uint32_t seed = message_seed(reading->view->number);
    *sequence = place.last + 1;
    if (status == STATUS_CORRUPT)
        status = damaged(reading->view, place.first, reading->err);
    while (status == STATUS_OK && bytes.size > 0) {
        struct message message;
        if (!message_next(&bytes, seed, &message) || !message.is_whole) {
            status = damaged(reading->view, place.first, reading->err);
        } else if (message.timestamp >= timestamp) {
            *sequence = message.sequence;
            break;
        }
    }
    buffer_unref(buffer);
    return status;
}

/* The first sequence whose message is not older than timestamp; timestamps
 * ascend with the sequences. */
static enum status seek_time(struct reading *reading, int64_t timestamp,
                             uint64_t *sequence)
{
    uint64_t low = reading->view->first, high = reading->view->last + 1;
    const struct runs *found = &reading->replay->lookup.found;
    struct place before = {0}; /* the latest that begins earlier */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        enum status status = look(reading, middle, 1);
        if (status != STATUS_OK)
            return status;
        if (found->count == 0) {
            high = middle;
        } else if (found->places[0].timestamp < timestamp) {
            before = found->places[0];
            low = before.last + 1;
        } else {
            high = found->places[0].first < middle ? found->places[0].first
                                                   : middle;
        }
    }
    *sequence = low;
    if (before.count == 0)
        return STATUS_OK;
    return seek_in(reading, before, timestamp, sequence);
}

static enum status find_start(struct reading *reading)
{
    const struct read *read = reading->read;
    enum status status = STATUS_OK;
    reading->next = read->sequence;
    for (int i = 0; read->by_time && i < TRIES; i++) {
        status = seek_time(reading, read->timestamp, &reading->next);
        if (status != STATUS_NOT_FOUND)
            break;
    }
    if (reading->next < reading->view->first)
        reading->next = reading->view->first;
    return status;
}

/* ---- one read ---- */

static struct run *make_run(struct replay *replay)
{
    size_t count = taken(replay);
    struct run *run = run_new(count);
    if (run == NULL)
        return NULL;
    memcpy(run->entries, replay->entries.data, replay->entries.size);
    run->count = count;
    replay->entries.size = 0;
    return run;
}

static void drop_entries(struct replay *replay)
{
    for (size_t i = 0; i < taken(replay); i++)
        buffer_unref(entry_at(replay, i)->message.buffer);
    replay->entries.size = 0;
}

void replay_run(struct file_store *store, struct replay *replay,
                struct read *read)
{
    struct view view, now;
    read->run = NULL;
    read->status = STATUS_OK;
    if (!view_of(store, read->channel, &view))
        return;
    struct reading reading = {.store = store,
                              .replay = replay,
                              .view = &view,
                              .read = read,
                              .err = &read->error};
    read->status = find_start(&reading);
    bool any = reading.next <= view.last;
    if (read->status == STATUS_OK)
        read->status = collect(&reading);
    /* The newest message goes by expiry or with its channel only. */
    if (read->status == STATUS_OK && any && !reading.full &&
        (taken(replay) == 0 ||
         entry_at(replay, taken(replay) - 1)->sequence < view.last) &&
        view_of(store, read->channel, &now) && now.first <= view.last) {
        read->status = fail(&read->error, STATUS_CORRUPT,
                            "channel \"%s\": message %" PRIu64 " is missing",
                            view.name, view.last);
    }
    if (read->status == STATUS_OK && taken(replay) > 0) {
        read->run = make_run(replay);
        if (read->run == NULL)
            read->status = no_memory(&view, &read->error);
    }
    drop_entries(replay);
    if (replay->entries.capacity > SCRATCH_MAX)
        blob_release(&replay->entries);
}

void replay_release(struct replay *replay)
{
    lookup_release(&replay->lookup);
    blob_release(&replay->entries);
}
