#include "store/leveldb/sweep.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <unistd.h>

enum { CHUNK = 200 }; /* keys of one write */

/* A page goes: what it held is not needed any more. One that is damaged cannot
 * tell; then its segments stay until they are compacted. */
static void give_up(struct file_store *store, struct bytes key,
                    struct bytes value, struct runs *page)
{
    struct bytes payload;
    if (!value_open(key, value, &payload) || !page_decode(payload, page)) {
        log_error(store->log,
                  "A damaged part of the index of messages is deleted");
        return;
    }
    for (size_t i = 0; i < page->count; i++) {
        const struct place *place = &page->places[i];
        struct segment *segment =
            segments_find(&store->segments, place_segment(place));
        if (segment == NULL)
            continue; /* compacted, without this dead run */
        segment->live -=
            place->size < segment->live ? place->size : segment->live;
        segment->changed = true;
    }
}

static enum status put_segments(struct file_store *store,
                                leveldb_writebatch_t *changes,
                                struct error *err)
{
    for (size_t i = 0; i < store->segments.count; i++) {
        struct segment *segment = &store->segments.all[i];
        if (!segment->changed)
            continue;
        if (!checkpoint_put_segment(store, changes, segment))
            return fail(err, STATUS_NO_MEMORY, "sweep");
        segment->changed = false;
    }
    return STATUS_OK;
}

/* Up to CHUNK keys of tag and number from *from on, below to; moves *from
 * behind them and sets *done when there were no more. */
static enum status sweep_chunk(struct file_store *store, enum key_tag tag,
                               uint64_t number, uint64_t *from, uint64_t to,
                               bool *done, struct error *err)
{
    struct key key = key_pair(tag, number, *from);
    struct runs page = {0};
    uint64_t key_number, second;
    int count = 0;
    leveldb_writebatch_t *changes = leveldb_writebatch_create();
    database_hold(store->database);
    struct cursor cursor = cursor_open(store->database);
    cursor_seek(cursor, key_bytes(&key));
    while (count < CHUNK && cursor_valid(cursor) &&
           key_parse_pair(cursor_key(cursor), tag, &key_number, &second) &&
           key_number == number && second < to) {
        struct bytes bytes = cursor_key(cursor);
        if (tag == KEY_RUNS)
            give_up(store, bytes, cursor_value(cursor), &page);
        leveldb_writebatch_delete(changes, (const char *)bytes.data,
                                  bytes.size);
        *from = second + 1;
        count++;
        cursor_next(cursor);
    }
    *done = count < CHUNK;
    enum status status = cursor_status(cursor, err);
    cursor_close(cursor);
    database_release(store->database);
    if (count > 0) { /* what was counted down must go */
        enum status put = put_segments(store, changes, err);
        if (put == STATUS_OK)
            put = keeper_write(store, changes, err);
        status = status == STATUS_OK ? put : status;
    }
    leveldb_writebatch_destroy(changes);
    runs_release(&page);
    return status;
}

static enum status sweep_tag(struct file_store *store, enum key_tag tag,
                             uint64_t number, uint64_t from, uint64_t to,
                             struct error *err)
{
    bool done = false;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !done && !keeper_stopping(store->keeper))
        status = sweep_chunk(store, tag, number, &from, to, &done, err);
    return status;
}

static void note_swept(struct file_store *store, const struct sweep *sweep)
{
    (void)pthread_mutex_lock(&store->write_lock);
    (void)pthread_mutex_lock(&store->lock);
    struct channel *channel =
        table_get(store->channels, &sweep->id, sizeof sweep->id);
    if (channel != NULL && channel->number == sweep->number &&
        channel->swept < sweep->to)
        channel->swept = sweep->to;
    (void)pthread_mutex_unlock(&store->lock);
    (void)pthread_mutex_unlock(&store->write_lock);
}

/* A deleted channel: its record goes last, as recovery finds the rest by it. */
static enum status sweep_whole(struct file_store *store,
                               const struct sweep *sweep, struct error *err)
{
    static const enum key_tag tags[] = {KEY_RUNS, KEY_PROGRESS,
                                        KEY_SUBSCRIPTION};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (status == STATUS_OK) {
            status =
                sweep_tag(store, tags[i], sweep->number, 0, UINT64_MAX, err);
        }
    }
    if (status != STATUS_OK || keeper_stopping(store->keeper))
        return status;
    struct key key = key_channel(sweep->number);
    leveldb_writebatch_t *changes = leveldb_writebatch_create();
    leveldb_writebatch_delete(changes, (const char *)key.data, key.size);
    status = keeper_write(store, changes, err);
    leveldb_writebatch_destroy(changes);
    return status;
}

enum status sweep_run(struct file_store *store, const struct sweep *sweep,
                      struct error *err)
{
    if (sweep->whole)
        return sweep_whole(store, sweep, err);
    enum status status =
        sweep_tag(store, KEY_RUNS, sweep->number, sweep->from, sweep->to, err);
    if (status == STATUS_OK && !keeper_stopping(store->keeper))
        note_swept(store, sweep);
    return status;
}

/* ---- segments ---- */

enum status sweep_segments(struct file_store *store, struct error *err)
{
    struct blob gone = {0};
    leveldb_writebatch_t *changes = leveldb_writebatch_create();
    enum status status = STATUS_OK;
    for (size_t i = 0; i < store->segments.count; i++) {
        const struct segment *segment = &store->segments.all[i];
        if (segment->live > 0 || segment->number >= store->durable.segment)
            continue;
        struct key key = key_segment(segment->number);
        leveldb_writebatch_delete(changes, (const char *)key.data, key.size);
        if (!blob_append(&gone, &segment->number, sizeof segment->number)) {
            status = fail(err, STATUS_NO_MEMORY, "segments");
            break;
        }
    }
    if (status == STATUS_OK && gone.size > 0)
        status = keeper_write(store, changes, err);
    for (size_t at = 0; status == STATUS_OK && at < gone.size;
         at += sizeof(uint64_t)) {
        char name[SEGMENT_NAME];
        uint64_t number;
        memcpy(&number, gone.data + at, sizeof number);
        segments_drop(&store->segments, number);
        segment_name(number, name);
        (void)unlinkat(store->directory, name, 0); /* or at the next start */
    }
    leveldb_writebatch_destroy(changes);
    blob_release(&gone);
    return status;
}
