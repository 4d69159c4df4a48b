#include "store/leveldb/restore.h"

#include "store/leveldb/journal_scan.h"
#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

struct restore {
    struct file_store *store;
    struct segment_files files;
    struct table *channels; /* by number; owns them */
    uint64_t records;
};

/* ---- what the database knows ---- */

static enum status load_position(struct file_store *store,
                                 struct journal_position *out,
                                 struct error *err)
{
    struct key key = key_alone(KEY_JOURNAL);
    struct blob value;
    struct bytes payload;
    enum status status =
        database_get(store->database, key_bytes(&key), &value, err);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK &&
         (!value_open(key_bytes(&key), blob_bytes(&value), &payload) ||
          !position_decode(payload, out)))) {
        status = fail(err, STATUS_CORRUPT,
                      "the record of the journal's position is damaged");
    }
    blob_release(&value);
    return status;
}

static enum status load_segment(struct file_store *store, struct bytes key,
                                struct bytes value, uint64_t number,
                                struct error *err)
{
    struct bytes payload;
    struct segment record = {0};
    if (!value_open(key, value, &payload) ||
        !segment_record_decode(payload, &record)) {
        return fail(err, STATUS_CORRUPT,
                    "the record of segment %" PRIu64 " is damaged", number);
    }
    struct segment *segment = segments_put(&store->segments, number);
    if (segment == NULL)
        return fail(err, STATUS_NO_MEMORY, "segments");
    segment->end = record.end;
    segment->live = record.live;
    segment->changed = false;
    segments_seen(&store->segments, number);
    return STATUS_OK;
}

static enum status load_segments(struct file_store *store, struct error *err)
{
    struct key start = key_alone(KEY_SEGMENT);
    struct cursor cursor = cursor_open(store->database);
    enum status status = STATUS_OK;
    uint64_t number;
    for (cursor_seek(cursor, key_bytes(&start));
         status == STATUS_OK && cursor_valid(cursor) &&
         key_parse_segment(cursor_key(cursor), &number);
         cursor_next(cursor)) {
        status = load_segment(store, cursor_key(cursor), cursor_value(cursor),
                              number, err);
    }
    if (status == STATUS_OK)
        status = cursor_status(cursor, err);
    cursor_close(cursor);
    return status;
}

/* ---- files ---- */

static const struct segment_file *find_file(const struct restore *restore,
                                            uint64_t number)
{
    for (size_t low = 0, high = restore->files.count; low < high;) {
        size_t middle = low + (high - low) / 2;
        const struct segment_file *file = &restore->files.all[middle];
        if (file->number == number)
            return file;
        if (file->number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* A file that is shorter than it was is said at once; who reads what is gone
 * hears of it, too. */
static void check_sizes(const struct restore *restore)
{
    struct file_store *store = restore->store;
    for (size_t i = 0; i < store->segments.count; i++) {
        struct segment *segment = &store->segments.all[i];
        const struct segment_file *file = find_file(restore, segment->number);
        uint64_t size = file == NULL ? 0 : file->size;
        char name[SEGMENT_NAME];
        if (size >= segment->end)
            continue;
        segment->stuck = true;
        segment_name(segment->number, name);
        log_error(store->log,
                  "The file %s is %s: %" PRIu64 " of %" PRIu64
                  " bytes are there; copy the directory, then restore a backup",
                  name, file == NULL ? "missing" : "cut short", size,
                  segment->end);
    }
}

/* What is not known any more: copies that were not finished, segments that a
 * later one voids, some that went before a crash. */
static void remove_files(const struct restore *restore)
{
    struct file_store *store = restore->store;
    for (size_t i = 0; i < restore->files.count; i++) {
        uint64_t number = restore->files.all[i].number;
        char name[SEGMENT_NAME];
        segment_name(number, name);
        if (segments_find(&store->segments, number) == NULL)
            (void)unlinkat(store->directory, name, 0);
    }
}

/* ---- channels ---- */

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY, "recovery");
}

static enum status add_channel(struct restore *restore, uint64_t id,
                               uint64_t number, struct bytes name,
                               struct channel **out, struct error *err)
{
    static const struct channel_limits unlimited;
    struct channel *channel = channel_new(id, number, name, &unlimited);
    if (channel == NULL)
        return no_memory(err);
    if (!table_put(restore->channels, &number, sizeof number, channel)) {
        channel_free(channel);
        return no_memory(err);
    }
    dirty_channel(&restore->store->dirty, channel);
    *out = channel;
    return STATUS_OK;
}

/* As of the checkpoint. */
static enum status load_channel(struct restore *restore, uint64_t number,
                                struct channel **out, struct error *err)
{
    struct key key = key_channel(number);
    struct channel_record record = {0};
    struct bytes payload;
    struct blob value;
    enum status status =
        database_get(restore->store->database, key_bytes(&key), &value, err);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK &&
         (!value_open(key_bytes(&key), blob_bytes(&value), &payload) ||
          !channel_record_decode(payload, &record)))) {
        status =
            fail(err, STATUS_CORRUPT,
                 "the record of channel number %" PRIu64 " is damaged", number);
    }
    if (status == STATUS_OK) {
        status = add_channel(restore, record.state.channel, number, record.name,
                             out, err);
    }
    if (status == STATUS_OK) {
        (*out)->state = record.state;
        (*out)->swept = record.swept;
    }
    blob_release(&value);
    return status;
}

static enum status find_channel(struct restore *restore, uint64_t number,
                                struct channel **out, struct error *err)
{
    *out = table_get(restore->channels, &number, sizeof number);
    return *out != NULL ? STATUS_OK : load_channel(restore, number, out, err);
}

static void free_channels(struct restore *restore)
{
    struct slot *slot;
    while (restore->channels != NULL &&
           (slot = table_first(restore->channels)) != NULL) {
        struct channel *channel = table_value(slot);
        (void)table_remove(restore->channels, &channel->number,
                           sizeof channel->number);
        channel_free(channel);
    }
    table_free(restore->channels);
}

/* ---- operations ---- */

static enum status put(struct restore *restore, struct bytes key,
                       const struct bytes *payload, struct error *err)
{
    struct dirty_record *record = dirty_record_new(key, payload);
    if (record != NULL && dirty_put(&restore->store->dirty, record))
        return STATUS_OK;
    free(record);
    return no_memory(err);
}

static enum status apply_run(struct restore *restore,
                             const struct record_operation *operation,
                             uint64_t position, struct error *err)
{
    struct channel *channel;
    enum status status =
        find_channel(restore, operation->number, &channel, err);
    if (status != STATUS_OK)
        return status;
    struct channel_state *state = &channel->state;
    struct place place = operation->place;
    place.position += position;
    if (place.first <= state->last) {
        return fail(err, STATUS_CORRUPT,
                    "channel \"%.*s\": message %" PRIu64
                    " is in the journal twice",
                    (int)(channel->name.size < 100 ? channel->name.size : 100),
                    (const char *)channel->name.data, place.first);
    }
    if (!runs_reserve(&channel->active, 1))
        return no_memory(err);
    runs_add(&channel->active, &place);
    if (state->messages == 0) {
        state->first = place.first;
        state->first_timestamp = place.timestamp;
    }
    state->messages += place.count;
    state->bytes += place_bytes(&place);
    state->last = place.last;
    if (operation->top_timestamp > state->last_timestamp)
        state->last_timestamp = operation->top_timestamp;
    return STATUS_OK;
}

static enum status apply_state(struct restore *restore,
                               const struct record_operation *operation,
                               struct error *err)
{
    struct channel *channel;
    enum status status =
        find_channel(restore, operation->number, &channel, err);
    if (status != STATUS_OK)
        return status;
    uint64_t id = channel->state.channel;
    channel->state = operation->state;
    channel->state.channel = id;
    return STATUS_OK;
}

/* Recovery goes on with what is to be deleted. */
static enum status apply_discard(struct restore *restore,
                                 const struct record_operation *operation,
                                 struct error *err)
{
    struct channel *channel;
    enum status status =
        find_channel(restore, operation->number, &channel, err);
    if (status != STATUS_OK)
        return status;
    struct key key = key_channel(channel->number);
    struct blob payload = {0};
    const struct channel_record record = {
        .phase = RECORD_DELETED,
        .state = channel->state,
        .swept = channel->swept,
        .name = blob_bytes(&channel->name),
    };
    status = no_memory(err);
    if (channel_record_encode(&record, &payload)) {
        struct bytes bytes = blob_bytes(&payload);
        status = put(restore, key_bytes(&key), &bytes, err);
    }
    blob_release(&payload);
    (void)table_remove(restore->channels, &channel->number,
                       sizeof channel->number);
    channel_free(channel);
    return status;
}

static enum status apply(struct restore *restore,
                         const struct record_operation *operation,
                         uint64_t position, struct error *err)
{
    struct channel *channel;
    switch (operation->kind) {
    case RECORD_RUN:
        return apply_run(restore, operation, position, err);
    case RECORD_PUT:
        return put(restore, operation->key, &operation->payload, err);
    case RECORD_DELETE:
        return put(restore, operation->key, NULL, err);
    case RECORD_STATE:
        return apply_state(restore, operation, err);
    case RECORD_CREATE:
        return add_channel(restore, operation->id, operation->number,
                           operation->name, &channel, err);
    case RECORD_DISCARD:
        return apply_discard(restore, operation, err);
    }
    return fail(err, STATUS_CORRUPT, "unknown operation in the journal");
}

static enum status on_record(void *context, uint64_t number,
                             struct bytes payload, uint64_t position,
                             struct error *err)
{
    struct restore *restore = context;
    struct record_reader reader;
    struct record_operation operation;
    enum status status = STATUS_OK;
    bool good = true;
    (void)number;
    record_reader_init(&reader, payload);
    while (status == STATUS_OK && record_next(&reader, &operation, &good))
        status = apply(restore, &operation, position, err);
    restore->records++;
    return status;
}

/* ---- all of it ---- */

/* The segments that were gone through are known from now on. */
static enum status note_segments(struct restore *restore,
                                 const struct journal_position *from,
                                 const struct journal_position *to,
                                 struct error *err)
{
    struct file_store *store = restore->store;
    for (size_t i = 0; i < restore->files.count; i++) {
        const struct segment_file *file = &restore->files.all[i];
        const struct sealed_segment sealed = {.number = file->number,
                                              .end = file->size};
        if (!file->is_journal || file->number < from->segment ||
            file->number >= to->segment)
            continue;
        if (!blob_append(&store->journal.sealed, &sealed, sizeof sealed))
            return no_memory(err);
    }
    return STATUS_OK;
}

static enum status scan(struct restore *restore,
                        struct journal_position *position, struct error *err)
{
    struct file_store *store = restore->store;
    struct journal_visitor visitor = {.context = restore, .record = on_record};
    const struct journal_position from = *position;
    enum status status = journal_scan(store->directory, &restore->files,
                                      position, &visitor, store->log, err);
    if (status != STATUS_OK)
        return status;
    if (position->record == from.record && position->segment == from.segment)
        return STATUS_OK;
    log_info(store->log, "Recovered %" PRIu64 " commits from the journal",
             restore->records);
    status = note_segments(restore, &from, position, err);
    store->journal.position = *position;
    if (status == STATUS_OK)
        status = checkpoint_take(store, err);
    if (status == STATUS_OK)
        status = checkpoint_write(store, err);
    if (status == STATUS_OK)
        checkpoint_free(checkpoint_finish(store));
    return status;
}

enum status restore_run(struct file_store *store, struct error *err)
{
    struct restore restore = {.store = store, .channels = table_new()};
    struct journal_position position = {.record = 1};
    enum status status = restore.channels == NULL ? no_memory(err) : STATUS_OK;
    store->segments.next = 1;
    if (status == STATUS_OK)
        status = load_position(store, &position, err);
    if (status == STATUS_OK)
        status = load_segments(store, err);
    if (status == STATUS_OK) {
        status = segment_files_list(store->path, store->directory,
                                    &restore.files, err);
    }
    for (size_t i = 0; i < restore.files.count; i++)
        segments_seen(&store->segments, restore.files.all[i].number);
    segments_seen(&store->segments, position.segment);
    if (status == STATUS_OK) {
        check_sizes(&restore);
        store->durable = position;
        status = scan(&restore, &position, err);
    }
    if (status == STATUS_OK)
        remove_files(&restore);
    free_channels(&restore);
    segment_files_release(&restore.files);
    blob_release(&store->journal.sealed);
    if (status == STATUS_OK) {
        journal_init(&store->journal, store->directory, &store->segments,
                     store->segment_bytes, store->no_sync, &position);
    }
    return status;
}
