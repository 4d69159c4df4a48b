#include "store/leveldb/compact.h"

#include "store/leveldb/keeper.h"
#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <unistd.h>

enum {
    SMALL_PARTS = 4,  /* a segment with less than 1/4 of one live is small */
    SMALL_COUNT = 32, /* so many small ones are put together */
};

struct compaction {
    struct file_store *store;
    struct blob chosen; /* numbers, ascending */
    leveldb_writebatch_t *changes;
    struct segment_header header; /* of the copy */
    int file;
    uint64_t offset, record, live; /* in the copy */
    struct blob bytes;             /* the record under way */
    struct runs page;
    uint64_t number, first; /* of the channel under way; 0: none */
    bool skipped;           /* its pages are not worth it: it is deleted */
    uint64_t damaged;       /* a segment that could not be read; 0: none */
};

/* ---- which ones ---- */

static bool is_closed(const struct file_store *store,
                      const struct segment *segment)
{
    return segment->number != store->durable.segment && !segment->stuck &&
           segment->live > 0;
}

static bool is_small(const struct file_store *store,
                     const struct segment *segment)
{
    return segment->live < store->segment_bytes / SMALL_PARTS;
}

/* What could be live in it: to copy a copy once more would not make it smaller,
 * however small its messages are beside what they are wrapped in. */
static uint64_t useful(const struct segment *segment)
{
    return segment->copied > 0 ? segment->copied : segment->end;
}

/* More garbage than live bytes, or many small files. */
static bool is_worth_it(const struct file_store *store, bool *small)
{
    uint64_t bytes = 0, live = 0;
    size_t count = 0;
    for (size_t i = 0; i < store->segments.count; i++) {
        const struct segment *segment = &store->segments.all[i];
        if (!is_closed(store, segment))
            continue;
        bytes += useful(segment);
        live += segment->live;
        count += is_small(store, segment) ? 1 : 0;
    }
    *small = count > SMALL_COUNT;
    return *small || bytes > 2 * live + 2 * store->segment_bytes;
}

static bool choose(struct compaction *compaction)
{
    const struct file_store *store = compaction->store;
    uint64_t live = 0;
    bool small, good = true;
    compaction->chosen.size = 0;
    if (!is_worth_it(store, &small))
        return false;
    for (size_t i = 0; i < store->segments.count && live < store->segment_bytes;
         i++) {
        const struct segment *segment = &store->segments.all[i];
        bool wanted = small ? is_small(store, segment)
                            : segment->live < useful(segment) / 2;
        if (!wanted || !is_closed(store, segment))
            continue;
        live += segment->live;
        good = good && blob_append(&compaction->chosen, &segment->number,
                                   sizeof segment->number);
    }
    return good && compaction->chosen.size > 0;
}

static uint64_t chosen_at(const struct compaction *compaction, size_t i)
{
    uint64_t number;
    memcpy(&number, compaction->chosen.data + i * sizeof number, sizeof number);
    return number;
}

static size_t chosen_count(const struct compaction *compaction)
{
    return compaction->chosen.size / sizeof(uint64_t);
}

static bool is_chosen(const struct compaction *compaction, uint64_t number)
{
    for (size_t i = 0; i < chosen_count(compaction); i++) {
        if (chosen_at(compaction, i) == number)
            return true;
    }
    return false;
}

/* ---- copying ---- */

/* What the channel still needs, as of the last checkpoint. */
static enum status enter_channel(struct compaction *compaction, uint64_t number,
                                 struct error *err)
{
    struct key key = key_channel(number);
    struct channel_record record;
    struct bytes payload;
    struct blob value;
    compaction->number = number;
    compaction->skipped = true;
    enum status status =
        database_get(compaction->store->database, key_bytes(&key), &value, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK) {
        if (!value_open(key_bytes(&key), blob_bytes(&value), &payload) ||
            !channel_record_decode(payload, &record)) {
            status = fail(err, STATUS_CORRUPT, "a channel record is damaged");
        } else {
            compaction->skipped = record.phase != RECORD_LIVE;
            compaction->first = record.state.first;
        }
    }
    blob_release(&value);
    return status;
}

/* The run behind place, into the record under way; place moves. */
static enum status copy_run(struct compaction *compaction, struct place *place,
                            struct record_writer *writer, struct error *err)
{
    struct blob *bytes = &compaction->bytes;
    const struct record_operation run = {.kind = RECORD_RUN,
                                         .number = compaction->number,
                                         .place = *place,
                                         .top_timestamp = place->timestamp};
    if (!record_add(writer, &run) || !blob_reserve(bytes, place->size))
        return fail(err, STATUS_NO_MEMORY, "compaction");
    enum status status =
        segment_read(compaction->store->directory, place_segment(place),
                     place->position & UINT32_MAX, bytes->data + bytes->size,
                     place->size, err);
    if (status != STATUS_OK) {
        compaction->damaged = place_segment(place);
        return status;
    }
    place->position =
        compaction->header.number << 32 | (compaction->offset + bytes->size);
    bytes->size += place->size;
    compaction->live += place->size;
    return STATUS_OK;
}

static enum status write_record(struct compaction *compaction,
                                struct record_writer *writer, struct error *err)
{
    struct blob *bytes = &compaction->bytes;
    if (!record_pad(writer))
        return fail(err, STATUS_NO_MEMORY, "compaction");
    const struct record_header header = {
        .number = compaction->record++,
        .size = (uint32_t)(bytes->size - RECORD_HEADER),
        .crc = writer->crc,
    };
    record_encode(&header, compaction->header.salt, bytes->data);
    compaction->offset += bytes->size;
    return journal_write_all(compaction->file, bytes->data, bytes->size, err);
}

/* Copies the runs of one page that lie in chosen segments. */
static enum status copy_page(struct compaction *compaction, struct error *err)
{
    static const uint8_t room[RECORD_HEADER];
    struct runs *page = &compaction->page;
    struct record_writer writer = {.out = &compaction->bytes};
    enum status status = STATUS_OK;
    bool any = false;
    compaction->bytes.size = 0;
    if (!blob_append(&compaction->bytes, room, sizeof room))
        return fail(err, STATUS_NO_MEMORY, "compaction");
    for (size_t i = 0; i < page->count && status == STATUS_OK; i++) {
        struct place *place = &page->places[i];
        if (place->last < compaction->first ||
            !is_chosen(compaction, place_segment(place)))
            continue;
        status = copy_run(compaction, place, &writer, err);
        any = true;
    }
    if (!any || status != STATUS_OK)
        return status;
    status = write_record(compaction, &writer, err);
    if (status == STATUS_OK &&
        !checkpoint_put_page(compaction->store, compaction->changes,
                             compaction->number, page->places, page->count))
        status = fail(err, STATUS_NO_MEMORY, "compaction");
    return status;
}

/* All of the index; *stopped: the keeper is to end. */
static enum status copy_all(struct compaction *compaction, bool *stopped,
                            struct error *err)
{
    struct file_store *store = compaction->store;
    struct key start = key_alone(KEY_RUNS);
    uint64_t number, last;
    enum status status = STATUS_OK;
    struct cursor cursor = cursor_open(store->database);
    for (cursor_seek(cursor, key_bytes(&start));
         status == STATUS_OK && !*stopped && cursor_valid(cursor) &&
         key_parse_pair(cursor_key(cursor), KEY_RUNS, &number, &last);
         cursor_next(cursor)) {
        struct bytes payload;
        *stopped = keeper_stopping(store->keeper);
        if (number != compaction->number)
            status = enter_channel(compaction, number, err);
        if (status != STATUS_OK || compaction->skipped)
            continue;
        if (!value_open(cursor_key(cursor), cursor_value(cursor), &payload) ||
            !page_decode(payload, &compaction->page)) {
            status = fail(err, STATUS_CORRUPT,
                          "a part of the index of messages is damaged");
        } else {
            status = copy_page(compaction, err);
        }
    }
    if (status == STATUS_OK)
        status = cursor_status(cursor, err);
    cursor_close(cursor);
    return status;
}

/* ---- one compaction ---- */

static enum status begin(struct compaction *compaction, struct error *err)
{
    struct file_store *store = compaction->store;
    compaction->header = (struct segment_header){
        .kind = SEGMENT_COPY,
        .number = segments_next(&store->segments),
    };
    compaction->offset = SEGMENT_HEADER;
    compaction->record = 1;
    compaction->live = compaction->number = 0;
    enum status status = journal_salt(&compaction->header.salt, err);
    if (status == STATUS_OK) {
        status = journal_create(store->directory, &compaction->header,
                                &compaction->file, err);
    }
    return status;
}

static void remove_file(const struct file_store *store, uint64_t number)
{
    char name[SEGMENT_NAME];
    segment_name(number, name);
    (void)unlinkat(store->directory, name, 0); /* or at the next start */
}

/* The index moves to the copy, all at once. */
static enum status move(struct compaction *compaction, struct error *err)
{
    struct file_store *store = compaction->store;
    struct segment *copy =
        segments_put(&store->segments, compaction->header.number);
    if (copy == NULL)
        return fail(err, STATUS_NO_MEMORY, "compaction");
    copy->end = compaction->offset;
    copy->live = copy->copied = compaction->live;
    copy->changed = false;
    if (!checkpoint_put_segment(store, compaction->changes, copy)) {
        segments_drop(&store->segments, compaction->header.number);
        return fail(err, STATUS_NO_MEMORY, "compaction");
    }
    for (size_t i = 0; i < chosen_count(compaction); i++) {
        struct key key = key_segment(chosen_at(compaction, i));
        leveldb_writebatch_delete(compaction->changes, (const char *)key.data,
                                  key.size);
    }
    enum status status = keeper_write(store, compaction->changes, err);
    if (status != STATUS_OK)
        return status; /* it ends; nobody knows which files are needed */
    for (size_t i = 0; i < chosen_count(compaction); i++) {
        segments_drop(&store->segments, chosen_at(compaction, i));
        remove_file(store, chosen_at(compaction, i));
    }
    return STATUS_OK;
}

static void leave_alone(struct compaction *compaction, const struct error *err)
{
    struct segment *segment =
        segments_find(&compaction->store->segments, compaction->damaged);
    if (segment != NULL)
        segment->stuck = true;
    log_error(compaction->store->log, "A segment is not compacted: %s",
              err->detail);
}

/* *done: there is no more to do. */
static enum status compact(struct compaction *compaction, bool *done,
                           struct error *err)
{
    struct file_store *store = compaction->store;
    bool moving = false;
    *done = true;
    if (!choose(compaction))
        return STATUS_OK;
    enum status status = begin(compaction, err);
    if (status != STATUS_OK)
        return status;
    compaction->damaged = 0;
    compaction->changes = leveldb_writebatch_create();
    database_hold(store->database);
    bool stopped = false;
    status = copy_all(compaction, &stopped, err);
    database_release(store->database);
    if (status == STATUS_OK && !stopped && fdatasync(compaction->file) != 0)
        status = fail(err, STATUS_IO, "sync a segment");
    (void)close(compaction->file);
    if (status == STATUS_OK && !stopped) {
        moving = true;
        status = move(compaction, err);
        *done = status != STATUS_OK;
    }
    leveldb_writebatch_destroy(compaction->changes);
    if (!moving)
        remove_file(store, compaction->header.number);
    if (compaction->damaged != 0 && status != STATUS_OK) {
        leave_alone(compaction, err);
        *done = false;
        return STATUS_OK;
    }
    return status;
}

enum status compact_run(struct file_store *store, struct error *err)
{
    struct compaction compaction = {.store = store};
    bool done = false;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !done && !keeper_stopping(store->keeper))
        status = compact(&compaction, &done, err);
    blob_release(&compaction.chosen);
    blob_release(&compaction.bytes);
    runs_release(&compaction.page);
    return status;
}
