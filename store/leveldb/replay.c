#include "store/leveldb/replay.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <inttypes.h>

/* One buffer holds a run, its slices have 32-bit offsets. */
static const size_t run_bytes_max = (size_t)1 << 30;

/* What is kept of the scratch space between reads. */
static const size_t scratch_max = (size_t)4 << 20;

struct place {
    uint64_t sequence;
    uint32_t offset, size;
};

/* What the reader may see of a channel. */
struct view {
    uint64_t number, first, last;
    char name[64]; /* for errors; cut */
};

static bool look(struct file_store *store, uint64_t id, struct view *view)
{
    (void)pthread_mutex_lock(&store->lock);
    const struct channel *channel = table_get(store->channels, &id, sizeof id);
    if (channel != NULL) {
        *view = (struct view){
            .number = channel->number,
            .first = channel->visible_first,
            .last = channel->visible_last,
        };
        size_t size = channel->name.size < sizeof view->name - 1
                          ? channel->name.size
                          : sizeof view->name - 1;
        if (size > 0)
            memcpy(view->name, channel->name.data, size);
    }
    (void)pthread_mutex_unlock(&store->lock);
    return channel != NULL && view->first <= view->last && view->last > 0;
}

static enum status damaged(const struct view *view, uint64_t sequence,
                           struct error *err)
{
    return fail(err, STATUS_CORRUPT,
                "channel \"%s\": message %" PRIu64 " is damaged", view->name,
                sequence);
}

/* *found is the sequence of the message at the cursor, above view->last if
 * there is none of this channel. */
static void at_cursor(struct cursor cursor, const struct view *view,
                      uint64_t *found)
{
    uint64_t number;
    if (!cursor_valid(cursor) ||
        !key_parse_pair(cursor_key(cursor), KEY_MESSAGE, &number, found) ||
        number != view->number)
        *found = UINT64_MAX;
}

/* Moves to the first message at or after sequence; *found is its sequence or,
 * if there is none, above view->last. */
static enum status seek(struct cursor cursor, const struct view *view,
                        uint64_t sequence, uint64_t *found, struct error *err)
{
    struct key key = key_pair(KEY_MESSAGE, view->number, sequence);
    cursor_seek(cursor, key_bytes(&key));
    at_cursor(cursor, view, found);
    return cursor_status(cursor, err);
}

/* The first sequence whose message is not older than timestamp; timestamps
 * ascend with the sequences. */
static enum status seek_time(struct cursor cursor, const struct view *view,
                             int64_t timestamp, uint64_t *sequence,
                             struct error *err)
{
    uint64_t low = view->first, high = view->last + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2, found;
        enum status status = seek(cursor, view, middle, &found, err);
        if (status != STATUS_OK)
            return status;
        if (found > view->last) {
            high = middle;
            continue;
        }
        int64_t at;
        struct bytes message;
        if (!message_open(cursor_key(cursor), cursor_value(cursor), &at,
                          &message))
            return damaged(view, found, err);
        if (at < timestamp) {
            low = found + 1;
        } else {
            high = middle;
        }
    }
    *sequence = low;
    return STATUS_OK;
}

/* The message at the cursor; *full if it does not fit any more. */
static enum status take(struct replay *replay, struct cursor cursor,
                        const struct view *view, uint64_t sequence, bool *full,
                        struct error *err)
{
    int64_t timestamp;
    struct bytes message;
    if (!message_open(cursor_key(cursor), cursor_value(cursor), &timestamp,
                      &message) ||
        message.size > UINT32_MAX)
        return damaged(view, sequence, err);
    *full = replay->bytes.size > run_bytes_max ||
            message.size > UINT32_MAX - replay->bytes.size;
    if (*full)
        return STATUS_OK;
    const struct place place = {.sequence = sequence,
                                .offset = (uint32_t)replay->bytes.size,
                                .size = (uint32_t)message.size};
    if (!blob_append(&replay->bytes, message.data, message.size) ||
        !blob_append(&replay->places, &place, sizeof place)) {
        return fail(err, STATUS_NO_MEMORY, "read of channel \"%s\"",
                    view->name);
    }
    return STATUS_OK;
}

static size_t taken(const struct replay *replay)
{
    return replay->places.size / sizeof(struct place);
}

/* From sequence on until a limit of read or the end. */
static enum status collect(struct replay *replay, struct cursor cursor,
                           const struct view *view, const struct read *read,
                           uint64_t sequence, bool *ended, struct error *err)
{
    uint64_t found = sequence;
    size_t most = read->max_messages == 0 ? 1 : read->max_messages;
    bool full = false;
    enum status status = seek(cursor, view, sequence, &found, err);
    while (status == STATUS_OK && found <= view->last) {
        status = take(replay, cursor, view, found, &full, err);
        if (full || taken(replay) >= most ||
            replay->bytes.size >= read->max_bytes || found == view->last)
            break;
        cursor_next(cursor);
        at_cursor(cursor, view, &found);
    }
    *ended = found > view->last;
    return status == STATUS_OK ? cursor_status(cursor, err) : status;
}

static struct run *make_run(const struct replay *replay)
{
    size_t count = taken(replay);
    struct run *run = run_new(count);
    struct buffer *buffer = buffer_new(replay->bytes.size);
    if (run == NULL || buffer == NULL) {
        run_free(run);
        buffer_unref(buffer);
        return NULL;
    }
    if (replay->bytes.size > 0)
        memcpy(buffer->data, replay->bytes.data, replay->bytes.size);
    buffer->used = replay->bytes.size;
    if (count > 1)
        buffer_ref_many(buffer, count - 1);
    for (size_t i = 0; i < count; i++) {
        struct place place;
        memcpy(&place, replay->places.data + i * sizeof place, sizeof place);
        run->entries[i] = (struct run_entry){
            .sequence = place.sequence,
            .message = {.buffer = buffer,
                        .offset = place.offset,
                        .size = place.size},
        };
    }
    run->count = count;
    return run;
}

static enum status search(struct file_store *store, struct replay *replay,
                          const struct view *view, struct read *read,
                          bool *ended)
{
    struct error *err = &read->error;
    uint64_t sequence = read->sequence;
    enum status status = STATUS_OK;
    database_hold(store->database);
    struct cursor cursor = cursor_open(store->database);
    if (read->by_time)
        status = seek_time(cursor, view, read->timestamp, &sequence, err);
    if (sequence < view->first)
        sequence = view->first; /* below are only deleted keys */
    if (status == STATUS_OK && sequence <= view->last)
        status = collect(replay, cursor, view, read, sequence, ended, err);
    cursor_close(cursor);
    database_release(store->database);
    return status;
}

void replay_run(struct file_store *store, struct replay *replay,
                struct read *read)
{
    struct view view, now;
    bool ended = false; /* before the last message was met */
    read->run = NULL;
    read->status = STATUS_OK;
    if (!look(store, read->channel, &view))
        return;
    replay->places.size = replay->bytes.size = 0;
    read->status = search(store, replay, &view, read, &ended);
    /* The newest message goes by expiry or with its channel only. */
    if (read->status == STATUS_OK && ended &&
        look(store, read->channel, &now) && now.first <= view.last) {
        read->status = fail(&read->error, STATUS_CORRUPT,
                            "channel \"%s\": message %" PRIu64 " is missing",
                            view.name, view.last);
    }
    if (read->status == STATUS_OK && taken(replay) > 0) {
        read->run = make_run(replay);
        if (read->run == NULL) {
            read->status = fail(&read->error, STATUS_NO_MEMORY,
                                "read of channel \"%s\"", view.name);
        }
    }
    if (replay->bytes.capacity > scratch_max)
        replay_release(replay);
}

void replay_release(struct replay *replay)
{
    blob_release(&replay->places);
    blob_release(&replay->bytes);
}
