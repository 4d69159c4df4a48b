#include "store/leveldb/checkpoint.h"

#include "store/leveldb/file_store.h"
#include "store/leveldb/keeper.h"
#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <stdlib.h>

enum { SEGMENT_RECORD_MAX = 64 }; /* also of the journal's position */

/* ---- what is dirty ---- */

bool dirty_init(struct dirty *dirty)
{
    *dirty = (struct dirty){.records = table_new()};
    list_init(&dirty->channels);
    return dirty->records != NULL;
}

static struct bytes record_key(const struct dirty_record *record)
{
    return bytes_of(record->data, record->key_size);
}

static void free_records(struct table *records)
{
    struct slot *slot;
    while (records != NULL && (slot = table_first(records)) != NULL) {
        struct dirty_record *record = table_value(slot);
        (void)table_remove(records, record->data, record->key_size);
        free(record);
    }
    table_free(records);
}

void dirty_release(struct dirty *dirty)
{
    free_records(dirty->records);
    dirty->records = NULL;
    blob_release(&dirty->discarded);
}

struct dirty_record *dirty_record_new(struct bytes key,
                                      const struct bytes *payload)
{
    size_t size = payload == NULL ? 0 : payload->size;
    struct dirty_record *record = malloc(sizeof *record + key.size + size);
    if (record == NULL)
        return NULL;
    *record = (struct dirty_record){
        .key_size = key.size, .size = size, .is_delete = payload == NULL};
    list_init(&record->link);
    if (key.size > 0)
        memcpy(record->data, key.data, key.size);
    if (size > 0)
        memcpy(record->data + key.size, payload->data, size);
    return record;
}

bool dirty_put(struct dirty *dirty, struct dirty_record *record)
{
    struct bytes key = record_key(record);
    struct dirty_record *before = table_get(dirty->records, key.data, key.size);
    if (!table_put(dirty->records, key.data, key.size, record))
        return false;
    free(before);
    return true;
}

void dirty_channel(struct dirty *dirty, struct channel *channel)
{
    if (!list_linked(&channel->dirty))
        list_append(&dirty->channels, &channel->dirty);
}

/* ---- taking it ---- */

void checkpoint_free(struct checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    free_records(checkpoint->records);
    for (size_t i = 0; i < checkpoint->count; i++) {
        blob_release(&checkpoint->channels[i].record);
        runs_release(&checkpoint->channels[i].runs);
    }
    free(checkpoint->channels);
    blob_release(&checkpoint->discarded);
    blob_release(&checkpoint->sealed);
    if (checkpoint->changes != NULL)
        leveldb_writebatch_destroy(checkpoint->changes);
    free(checkpoint);
}

static bool freeze_channel(struct file_store *store, struct channel *channel,
                           struct frozen_channel *out)
{
    *out = (struct frozen_channel){
        .id = channel->state.channel,
        .number = channel->number,
        .first = channel->state.first,
        .swept = channel->swept,
    };
    return channel_seal(channel, RECORD_LIVE, &store->payload, &out->record);
}

/* The records of all dirty channels; nothing is taken from them yet. */
static bool freeze_channels(struct file_store *store,
                            struct checkpoint *checkpoint)
{
    size_t count = 0;
    struct list *head = &store->dirty.channels;
    for (struct list *link = head->next; link != head; link = link->next)
        count++;
    if (count == 0)
        return true;
    checkpoint->channels = calloc(count, sizeof *checkpoint->channels);
    if (checkpoint->channels == NULL)
        return false;
    for (struct list *link = head->next; link != head; link = link->next) {
        if (!freeze_channel(store, list_entry(link, struct channel, dirty),
                            &checkpoint->channels[checkpoint->count++]))
            return false;
    }
    return true;
}

/* Cannot fail any more: what was dirty is the checkpoint's. */
static void take_over(struct file_store *store, struct checkpoint *checkpoint,
                      struct table *records)
{
    struct dirty *dirty = &store->dirty;
    checkpoint->records = dirty->records;
    dirty->records = records;
    checkpoint->discarded = dirty->discarded;
    dirty->discarded = (struct blob){0};
    checkpoint->sealed = store->journal.sealed;
    store->journal.sealed = (struct blob){0};
    checkpoint->position = store->journal.position;
    checkpoint->backlog = store->backlog;
    dirty->dropped = false;
    (void)pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < checkpoint->count; i++) {
        struct channel *channel =
            list_entry(dirty->channels.next, struct channel, dirty);
        list_remove(&channel->dirty);
        checkpoint->channels[i].runs = channel->active;
        channel->frozen = channel->active;
        channel->active = (struct runs){0};
    }
    (void)pthread_mutex_unlock(&store->lock);
}

enum status checkpoint_take(struct file_store *store, struct error *err)
{
    struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    struct table *records = table_new();
    (void)pthread_mutex_lock(&store->write_lock);
    bool good = checkpoint != NULL && records != NULL &&
                freeze_channels(store, checkpoint);
    if (good) {
        take_over(store, checkpoint, records);
        store->checkpoint = checkpoint;
    }
    (void)pthread_mutex_unlock(&store->write_lock);
    if (good)
        return STATUS_OK;
    table_free(records);
    checkpoint_free(checkpoint);
    return fail(err, STATUS_NO_MEMORY, "checkpoint");
}

/* ---- writing it ---- */

static bool put(struct file_store *store, leveldb_writebatch_t *changes,
                struct bytes key, struct bytes payload)
{
    if (!value_seal(&store->value, key, payload))
        return false;
    leveldb_writebatch_put(changes, (const char *)key.data, key.size,
                           (const char *)store->value.data, store->value.size);
    return true;
}

bool checkpoint_put_segment(struct file_store *store,
                            leveldb_writebatch_t *changes,
                            const struct segment *segment)
{
    struct key key = key_segment(segment->number);
    store->payload.size = 0;
    return segment_record_encode(segment, &store->payload) &&
           put(store, changes, key_bytes(&key), blob_bytes(&store->payload));
}

bool checkpoint_put_position(struct file_store *store,
                             leveldb_writebatch_t *changes,
                             const struct journal_position *position)
{
    struct key key = key_alone(KEY_JOURNAL);
    store->payload.size = 0;
    return pack_number(&store->payload, position->segment) &&
           pack_number(&store->payload, position->offset) &&
           pack_number(&store->payload, position->record) &&
           put(store, changes, key_bytes(&key), blob_bytes(&store->payload));
}

bool position_decode(struct bytes payload, struct journal_position *out)
{
    struct unpack unpack = {.left = payload};
    out->segment = unpack_number(&unpack);
    out->offset = unpack_number(&unpack);
    out->record = unpack_number(&unpack);
    return !unpack.failed && unpack.left.size == 0 && out->record > 0;
}

bool checkpoint_put_page(struct file_store *store,
                         leveldb_writebatch_t *changes, uint64_t number,
                         const struct place *places, size_t count)
{
    struct key key = key_pair(KEY_RUNS, number, places[count - 1].last);
    store->payload.size = 0;
    return page_encode(places, count, &store->payload) &&
           put(store, changes, key_bytes(&key), blob_bytes(&store->payload));
}

static bool know_segment(struct file_store *store, uint64_t number)
{
    return segments_put(&store->segments, number) != NULL;
}

/* Runs that were dropped meanwhile need no page. */
static bool build_channel(struct file_store *store,
                          struct checkpoint *checkpoint,
                          const struct frozen_channel *channel)
{
    struct key key = key_channel(channel->number);
    leveldb_writebatch_put(checkpoint->changes, (const char *)key.data,
                           key.size, (const char *)channel->record.data,
                           channel->record.size);
    const struct runs *runs = &channel->runs;
    bool good = true;
    for (size_t from = runs_find(runs, channel->first), count;
         good && from < runs->count; from += count) {
        count = runs->count - from < PAGE_PLACES ? runs->count - from
                                                 : (size_t)PAGE_PLACES;
        good = checkpoint_put_page(store, checkpoint->changes, channel->number,
                                   runs->places + from, count);
        for (size_t i = from; good && i < from + count; i++)
            good = know_segment(store, place_segment(&runs->places[i]));
    }
    return good;
}

static bool build_records(struct file_store *store,
                          struct checkpoint *checkpoint)
{
    bool good = true;
    for (struct slot *slot = table_first(checkpoint->records);
         good && slot != NULL; slot = table_next(slot)) {
        const struct dirty_record *record = table_value(slot);
        struct bytes key = record_key(record);
        if (record->is_delete) {
            leveldb_writebatch_delete(checkpoint->changes,
                                      (const char *)key.data, key.size);
        } else {
            good = put(store, checkpoint->changes, key,
                       bytes_of(record->data + record->key_size, record->size));
        }
    }
    for (size_t i = 0; good && i < checkpoint->count; i++)
        good = build_channel(store, checkpoint, &checkpoint->channels[i]);
    return good;
}

static struct sealed_segment sealed_at(const struct checkpoint *checkpoint,
                                       size_t i)
{
    struct sealed_segment sealed;
    memcpy(&sealed, checkpoint->sealed.data + i * sizeof sealed, sizeof sealed);
    return sealed;
}

static size_t sealed_count(const struct checkpoint *checkpoint)
{
    return checkpoint->sealed.size / sizeof(struct sealed_segment);
}

/* All that counting and writing the segments' records takes. */
static bool reserve_segments(struct file_store *store,
                             const struct checkpoint *checkpoint)
{
    const struct journal_position *position = &checkpoint->position;
    bool good =
        position->segment == 0 || know_segment(store, position->segment);
    for (size_t i = 0; good && i < sealed_count(checkpoint); i++)
        good = know_segment(store, sealed_at(checkpoint, i).number);
    return good && blob_reserve(&store->payload, SEGMENT_RECORD_MAX) &&
           blob_reserve(&store->value, (size_t)2 * SEGMENT_RECORD_MAX);
}

static void count_live(struct file_store *store,
                       const struct frozen_channel *channel)
{
    const struct runs *runs = &channel->runs;
    for (size_t i = runs_find(runs, channel->first); i < runs->count; i++) {
        const struct place *place = &runs->places[i];
        struct segment *segment =
            segments_find(&store->segments, place_segment(place));
        segment->live += place->size;
        segment->changed = true;
    }
}

static void end_segment(struct file_store *store, uint64_t number, uint64_t end)
{
    struct segment *segment = segments_find(&store->segments, number);
    segment->end = end;
    segment->changed = true;
}

/* Counts what becomes live: must not be done in half, nor twice. */
static bool build_segments(struct file_store *store,
                           struct checkpoint *checkpoint)
{
    const struct journal_position *position = &checkpoint->position;
    bool good = true;
    for (size_t i = 0; i < checkpoint->count; i++)
        count_live(store, &checkpoint->channels[i]);
    for (size_t i = 0; i < sealed_count(checkpoint); i++) {
        const struct sealed_segment sealed = sealed_at(checkpoint, i);
        end_segment(store, sealed.number, sealed.end);
    }
    if (position->segment != 0)
        end_segment(store, position->segment, position->offset);
    for (size_t i = 0; good && i < store->segments.count; i++) {
        struct segment *segment = &store->segments.all[i];
        if (segment->changed)
            good = checkpoint_put_segment(store, checkpoint->changes, segment);
        segment->changed = false;
    }
    return good &&
           checkpoint_put_position(store, checkpoint->changes, position);
}

static enum status build(struct file_store *store,
                         struct checkpoint *checkpoint, struct error *err)
{
    checkpoint->changes = leveldb_writebatch_create();
    if (!build_records(store, checkpoint) ||
        !reserve_segments(store, checkpoint)) {
        leveldb_writebatch_destroy(checkpoint->changes);
        checkpoint->changes = NULL;
        return fail(err, STATUS_NO_MEMORY, "checkpoint");
    }
    if (!build_segments(store, checkpoint))
        abort(); /* cannot be: it needs no more than was reserved */
    return STATUS_OK;
}

/* Of all segments that the checkpoint speaks of: it must not know more than
 * they hold. Mostly they are on the disk already. */
static enum status sync_segments(struct file_store *store,
                                 const struct checkpoint *checkpoint,
                                 struct error *err)
{
    enum status status =
        journal_sync_sealed(store->directory, &checkpoint->sealed, err);
    if (status == STATUS_OK && checkpoint->position.offset > SEGMENT_HEADER) {
        status = journal_sync_segment(store->directory,
                                      checkpoint->position.segment, err);
    }
    return status;
}

enum status checkpoint_write(struct file_store *store, struct error *err)
{
    struct checkpoint *checkpoint = store->checkpoint;
    enum status status =
        checkpoint->changes == NULL ? build(store, checkpoint, err) : STATUS_OK;
    if (status == STATUS_OK)
        status = sync_segments(store, checkpoint, err);
    if (status != STATUS_OK)
        return status;
    return keeper_write(store, checkpoint->changes, err);
}

struct checkpoint *checkpoint_finish(struct file_store *store)
{
    struct checkpoint *checkpoint = store->checkpoint;
    store->checkpoint = NULL;
    store->durable = checkpoint->position;
    (void)pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < checkpoint->count; i++) {
        const struct frozen_channel *frozen = &checkpoint->channels[i];
        struct channel *channel =
            table_get(store->channels, &frozen->id, sizeof frozen->id);
        if (channel != NULL && channel->number == frozen->number)
            channel->frozen = (struct runs){0};
    }
    (void)pthread_mutex_unlock(&store->lock);
    (void)pthread_mutex_lock(&store->write_lock);
    store->backlog -= checkpoint->backlog;
    (void)pthread_cond_broadcast(&store->drained);
    (void)pthread_mutex_unlock(&store->write_lock);
    return checkpoint;
}
