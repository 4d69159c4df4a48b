/* One walk over the channel records; for each the keys of its subscriptions,
 * and of its messages the first and the last. The database is what the journal
 * says by then (restore.h). A channel is handed over only when all that was
 * found sound; a damaged one is put into quarantine. */
#include "store/leveldb/recover.h"

#include "store/leveldb/keeper.h"
#include "store/leveldb/keys.h"
#include "store/leveldb/quarantine.h"
#include "store/leveldb/trim.h"
#include "store/leveldb/value.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    FORMAT_VERSION = 2,
    SHOWN_MAX = 100, /* bytes of a name in an error */
    CHANGES_MAX = 1000,
};

struct recovery {
    struct file_store *store;
    const struct store_visitor *visitor;
    struct cursor channels, subscriptions, progress, others;
    leveldb_writebatch_t *changes;
    size_t changed; /* records in changes */
    struct lookup lookup;
    struct trim trim;
};

/* Damage met in what all channels share, or before it was known whose it is. */
static enum status shared_damage(enum status status, struct error *err)
{
    static const char words[] = "read: ";
    if (status != STATUS_CORRUPT || err == NULL ||
        strncmp(err->detail, words, sizeof words - 1) != 0)
        return status;
    const struct error cause = *err;
    return fail(err, status,
                "records that all channels share are damaged (%.*s); nothing "
                "was changed: copy the directory, then restore a backup",
                120, cause.detail + sizeof words - 1);
}

/* ---- format ---- */

/* The first batch of a new database. */
static enum status write_format(struct file_store *store, struct error *err)
{
    static const struct journal_position start = {.record = 1};
    struct key key = key_alone(KEY_FORMAT);
    uint8_t version[8];
    number_encode(FORMAT_VERSION, version);
    if (!value_seal(&store->value, key_bytes(&key),
                    bytes_of(version, sizeof version)))
        return fail(err, STATUS_NO_MEMORY, "format record");
    leveldb_writebatch_t *changes = leveldb_writebatch_create();
    leveldb_writebatch_put(changes, (const char *)key.data, key.size,
                           (const char *)store->value.data, store->value.size);
    enum status status = checkpoint_put_position(store, changes, &start)
                             ? database_write(store->database, changes, err)
                             : fail(err, STATUS_NO_MEMORY, "format record");
    leveldb_writebatch_destroy(changes);
    return status;
}

static enum status check_format(struct bytes key, struct bytes value,
                                struct error *err)
{
    struct bytes payload;
    if (!value_open(key, value, &payload) || payload.size != 8)
        return fail(err, STATUS_CORRUPT, "the format record is damaged");
    uint64_t version = number_decode(payload.data);
    if (version != FORMAT_VERSION) {
        return fail(err, STATUS_INVALID,
                    "unsupported store format: %" PRIu64 " (supports [%d..%d])",
                    version, FORMAT_VERSION, FORMAT_VERSION);
    }
    return STATUS_OK;
}

enum status recover_format(struct file_store *store, struct error *err)
{
    struct key key = key_alone(KEY_FORMAT);
    struct blob value;
    database_hold(store->database);
    enum status status =
        database_get(store->database, key_bytes(&key), &value, err);
    if (status == STATUS_OK) {
        status = check_format(key_bytes(&key), blob_bytes(&value), err);
    } else if (status == STATUS_NOT_FOUND) {
        struct cursor cursor = cursor_open(store->database);
        cursor_seek(cursor, bytes_of("", 0));
        if (cursor_valid(cursor)) {
            status = fail(err, STATUS_CORRUPT, "the format record is missing");
        } else {
            status = cursor_status(cursor, err);
        }
        cursor_close(cursor);
        if (status == STATUS_OK)
            status = write_format(store, err);
    }
    blob_release(&value);
    database_release(store->database);
    return shared_damage(status, err);
}

/* ---- server and clients ---- */

static enum status recover_server(struct recovery *recovery, struct error *err)
{
    struct key key = key_alone(KEY_SERVER);
    struct blob value;
    struct bytes record;
    enum status status =
        database_get(recovery->store->database, key_bytes(&key), &value, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK &&
        !value_open(key_bytes(&key), blob_bytes(&value), &record))
        status = fail(err, STATUS_CORRUPT, "the server record is damaged");
    if (status == STATUS_OK) {
        status =
            recovery->visitor->server(recovery->visitor->context, record, err);
    }
    blob_release(&value);
    return status;
}

static int shown(size_t size)
{
    return size < SHOWN_MAX ? (int)size : SHOWN_MAX;
}

static enum status recover_clients(struct recovery *recovery, struct error *err)
{
    const struct store_visitor *visitor = recovery->visitor;
    struct key start = key_alone(KEY_CLIENT);
    struct cursor cursor = recovery->others;
    cursor_seek(cursor, key_bytes(&start));
    while (cursor_valid(cursor)) {
        struct bytes key = cursor_key(cursor), record;
        if (key.size < 1 || key.data[0] != KEY_CLIENT)
            break;
        struct bytes id = bytes_of(key.data + 1, key.size - 1);
        if (!value_open(key, cursor_value(cursor), &record)) {
            return fail(err, STATUS_CORRUPT,
                        "the record of client \"%.*s\" is damaged",
                        shown(id.size), (const char *)id.data);
        }
        enum status status = visitor->client(visitor->context, id, record, err);
        if (status != STATUS_OK)
            return status;
        cursor_next(cursor);
    }
    return cursor_status(cursor, err);
}

/* ---- one channel's messages ---- */

static enum status bad_message(const struct channel *channel, uint64_t sequence,
                               const char *what, struct error *err)
{
    return fail(err, STATUS_CORRUPT,
                "channel \"%.*s\": message %" PRIu64 " is %s",
                shown(channel->name.size), (const char *)channel->name.data,
                sequence, what);
}

/* In the place that should hold it: the message is there and sound. */
static enum status check_message(struct recovery *recovery,
                                 const struct channel *channel,
                                 const struct place *place, uint64_t sequence,
                                 struct error *err)
{
    uint8_t *data = calloc(1, place->size);
    if (data == NULL)
        return fail(err, STATUS_NO_MEMORY, "recovery of a channel");
    struct bytes bytes = bytes_of(data, place->size);
    uint32_t seed = message_seed(channel->number);
    struct message message = {0};
    enum status status = kept_segment_read(
        &recovery->trim.file, recovery->store->directory, place_segment(place),
        place->position & UINT32_MAX, data, place->size, err);
    if (status == STATUS_OK) {
        while (message.sequence < sequence &&
               message_next(&bytes, seed, &message)) {
        }
        if (message.sequence != sequence || !message.is_whole)
            status = bad_message(channel, sequence, "damaged", err);
    } else if (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT) {
        const struct error cause = *err;
        status =
            fail(err, STATUS_CORRUPT,
                 "channel \"%.*s\": message %" PRIu64 " is missing: %.100s",
                 shown(channel->name.size), (const char *)channel->name.data,
                 sequence, cause.detail);
    }
    free(data);
    return status;
}

static enum status find_message(struct recovery *recovery,
                                const struct channel *channel,
                                uint64_t sequence, struct error *err)
{
    const struct runs *found = &recovery->lookup.found;
    enum status status =
        lookup_run(recovery->store, &recovery->lookup, channel->state.channel,
                   channel->number, sequence, 1, err);
    if (status == STATUS_CORRUPT) {
        const struct error cause = *err;
        return fail(err, status, "channel \"%.*s\": %.150s",
                    shown(channel->name.size), (const char *)channel->name.data,
                    cause.detail);
    }
    if (status != STATUS_OK)
        return status;
    if (found->count == 0 || found->places[0].first > sequence)
        return bad_message(channel, sequence, "missing", err);
    return check_message(recovery, channel, &found->places[0], sequence, err);
}

/* First and last. */
static enum status recover_messages(struct recovery *recovery,
                                    struct channel *channel, struct error *err)
{
    const struct channel_state *state = &channel->state;
    enum status status = STATUS_OK;
    if (state->messages > 0)
        status = find_message(recovery, channel, state->last, err);
    if (status == STATUS_OK && state->messages > 0 &&
        state->first != state->last)
        status = find_message(recovery, channel, state->first, err);
    return status;
}

/* ---- limits ---- */

static enum status flush(struct recovery *recovery, struct error *err)
{
    struct file_store *store = recovery->store;
    if (recovery->changed == 0)
        return STATUS_OK;
    enum status status =
        database_write(store->database, recovery->changes, err);
    leveldb_writebatch_clear(recovery->changes);
    recovery->changed = 0;
    return status;
}

static enum status keep_record(struct recovery *recovery,
                               struct channel *channel, struct error *err)
{
    struct file_store *store = recovery->store;
    struct key key = key_channel(channel->number);
    if (!channel_seal(channel, RECORD_LIVE, &store->payload, &store->value))
        return fail(err, STATUS_NO_MEMORY, "channel record");
    leveldb_writebatch_put(recovery->changes, (const char *)key.data, key.size,
                           (const char *)store->value.data, store->value.size);
    return ++recovery->changed < CHANGES_MAX ? STATUS_OK : flush(recovery, err);
}

static enum status apply_limits(struct recovery *recovery,
                                struct channel *channel, struct error *err)
{
    struct file_store *store = recovery->store;
    struct trim *trim = &recovery->trim;
    int64_t age = channel->limits.max_age;
    bool dropped = trim_limits(trim, channel);
    if (age > 0) {
        dropped = trim_expired(trim, channel, clock_wall(store->clock) - age) ||
                  dropped;
    }
    return dropped ? keep_record(recovery, channel, err) : STATUS_OK;
}

/* ---- channels ---- */

/* The cursor is at a key of that tag and number; its second part in *second. */
static bool is_at(struct cursor cursor, enum key_tag tag, uint64_t number,
                  uint64_t *second)
{
    uint64_t key_number;
    return cursor_valid(cursor) &&
           key_parse_pair(cursor_key(cursor), tag, &key_number, second) &&
           key_number == number;
}

static void seek_first(struct cursor cursor, enum key_tag tag, uint64_t number)
{
    struct key key = key_pair(tag, number, 0);
    cursor_seek(cursor, key_bytes(&key));
}

static enum status bad_subscription(const struct channel *channel, uint64_t id,
                                    struct error *err)
{
    return fail(
        err, STATUS_CORRUPT,
        "channel \"%.*s\": the record of subscription %" PRIu64 " is damaged",
        shown(channel->name.size), (const char *)channel->name.data, id);
}

/* All values under tag are whole, and no block of them is unreadable. */
static enum status check_values(struct cursor cursor, enum key_tag tag,
                                const struct channel *channel,
                                struct error *err)
{
    uint64_t id;
    for (seek_first(cursor, tag, channel->number);
         is_at(cursor, tag, channel->number, &id); cursor_next(cursor)) {
        struct bytes payload;
        if (!value_open(cursor_key(cursor), cursor_value(cursor), &payload))
            return bad_subscription(channel, id, err);
    }
    return cursor_status(cursor, err);
}

static enum status check_subscriptions(const struct recovery *recovery,
                                       const struct channel *channel,
                                       struct error *err)
{
    enum status status =
        check_values(recovery->subscriptions, KEY_SUBSCRIPTION, channel, err);
    if (status != STATUS_OK)
        return status;
    return check_values(recovery->progress, KEY_PROGRESS, channel, err);
}

/* The progress of subscription id, empty if there is none; cursor moves on. */
static struct bytes progress_of(struct cursor cursor,
                                const struct channel *channel, uint64_t id)
{
    uint64_t at;
    struct bytes progress = {0};
    while (is_at(cursor, KEY_PROGRESS, channel->number, &at) && at < id)
        cursor_next(cursor);
    if (!is_at(cursor, KEY_PROGRESS, channel->number, &at) || at != id ||
        !value_open(cursor_key(cursor), cursor_value(cursor), &progress))
        return bytes_of(NULL, 0);
    return progress;
}

/* After check_subscriptions(). */
static enum status recover_subscriptions(struct recovery *recovery,
                                         const struct channel *channel,
                                         struct error *err)
{
    const struct store_visitor *visitor = recovery->visitor;
    struct cursor cursor = recovery->subscriptions, own = recovery->progress;
    uint64_t id;
    enum status status = STATUS_OK;
    seek_first(own, KEY_PROGRESS, channel->number);
    for (seek_first(cursor, KEY_SUBSCRIPTION, channel->number);
         status == STATUS_OK &&
         is_at(cursor, KEY_SUBSCRIPTION, channel->number, &id);
         cursor_next(cursor)) {
        struct bytes record;
        if (!value_open(cursor_key(cursor), cursor_value(cursor), &record))
            return bad_subscription(channel, id, err);
        status =
            visitor->subscription(visitor->context, channel->state.channel, id,
                                  record, progress_of(own, channel, id), err);
    }
    return status;
}

/* What a cursor met it tells for ever: new ones for the channels to come. */
static void renew_cursors(struct recovery *recovery)
{
    struct cursor *const cursors[] = {&recovery->subscriptions,
                                      &recovery->progress};
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; i++) {
        cursor_close(*cursors[i]);
        *cursors[i] = cursor_open(recovery->store->database);
    }
}

static enum status recover_channel(struct recovery *recovery, uint64_t number,
                                   const struct channel_record *record,
                                   struct error *err)
{
    struct file_store *store = recovery->store;
    const struct store_visitor *visitor = recovery->visitor;
    uint64_t id = record->state.channel;
    const struct channel_limits limits =
        limits_channel(store->limits, record->name);
    struct channel *channel = channel_new(id, number, record->name, &limits);
    if (channel == NULL)
        return fail(err, STATUS_NO_MEMORY, "recovery of a channel");
    channel->state = record->state;
    channel->swept = record->swept;
    (void)pthread_mutex_lock(&store->lock);
    bool known = table_get(store->channels, &id, sizeof id) != NULL;
    bool is_put = !known && table_put(store->channels, &id, sizeof id, channel);
    (void)pthread_mutex_unlock(&store->lock);
    if (!is_put) {
        channel_free(channel);
        return known ? fail(err, STATUS_CORRUPT,
                            "two channels have the id %" PRIu64, id)
                     : fail(err, STATUS_NO_MEMORY, "recovery of a channel");
    }
    struct error cause = {0};
    enum status status = check_subscriptions(recovery, channel, &cause);
    if (status == STATUS_OK)
        status = recover_messages(recovery, channel, &cause);
    if (status == STATUS_CORRUPT) {
        renew_cursors(recovery);
        return quarantine_channel(store, visitor, channel, record, &cause, err);
    }
    if (status != STATUS_OK) {
        if (err != NULL)
            *err = cause;
        return status;
    }
    status = apply_limits(recovery, channel, err);
    if (status == STATUS_OK) {
        status = visitor->channel(visitor->context, &channel->state,
                                  blob_bytes(&channel->name), err);
    }
    if (status == STATUS_OK)
        status = recover_subscriptions(recovery, channel, err);
    return status;
}

/* A channel whose deletion was interrupted. */
static enum status resume_delete(struct file_store *store, uint64_t number,
                                 struct error *err)
{
    const struct sweep sweep = {
        .number = number, .to = UINT64_MAX, .whole = true};
    return keeper_sweep(store, &sweep, err);
}

static enum status recover_channels(struct recovery *recovery,
                                    struct error *err)
{
    struct file_store *store = recovery->store;
    struct cursor cursor = recovery->channels;
    uint64_t number;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && cursor_valid(cursor) &&
           key_parse_channel(cursor_key(cursor), &number)) {
        struct bytes payload;
        struct channel_record record;
        if (!value_open(cursor_key(cursor), cursor_value(cursor), &payload) ||
            !channel_record_decode(payload, &record)) {
            return fail(err, STATUS_CORRUPT,
                        "the record of channel number %" PRIu64 " is damaged",
                        number);
        }
        if (number >= store->next_number)
            store->next_number = number + 1;
        status = record.phase == RECORD_LIVE
                     ? recover_channel(recovery, number, &record, err)
                     : resume_delete(store, number, err);
        if (status == STATUS_OK)
            cursor_next(cursor);
    }
    return status == STATUS_OK ? cursor_status(cursor, err) : status;
}

/* Nothing should be under a number that has no record; if it is, the number is
 * not to be used again. */
static void skip_numbers(struct recovery *recovery)
{
    static const enum key_tag tags[] = {KEY_RUNS, KEY_PROGRESS,
                                        KEY_SUBSCRIPTION};
    struct file_store *store = recovery->store;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        const uint8_t behind = (uint8_t)(tags[i] + 1);
        uint64_t number, second;
        cursor_last(recovery->others, bytes_of(&behind, 1));
        if (cursor_valid(recovery->others) &&
            key_parse_pair(cursor_key(recovery->others), tags[i], &number,
                           &second) &&
            number >= store->next_number)
            store->next_number = number + 1;
    }
}

/* Last, when the new watermarks are written: the keeper goes by them. */
static enum status publish_all(struct file_store *store, struct error *err)
{
    enum status status = STATUS_OK;
    for (struct slot *slot = table_first(store->channels);
         slot != NULL && status == STATUS_OK; slot = table_next(slot)) {
        struct channel *channel = table_value(slot);
        (void)pthread_mutex_lock(&store->lock);
        channel->visible_first = channel->state.first;
        channel->visible_last = channel->state.last;
        (void)pthread_mutex_unlock(&store->lock);
        const struct sweep sweep = {.id = channel->state.channel,
                                    .number = channel->number,
                                    .from = channel->swept,
                                    .to = channel->state.first};
        if (channel->state.first > 1 && sweep.from < sweep.to)
            status = keeper_sweep(store, &sweep, err);
    }
    return status;
}

static enum status recover_all(struct recovery *recovery, struct error *err)
{
    struct key channels = key_alone(KEY_CHANNEL);
    cursor_seek(recovery->channels, key_bytes(&channels));
    enum status status = recover_server(recovery, err);
    if (status == STATUS_OK)
        status = recover_clients(recovery, err);
    if (status == STATUS_OK)
        status = recover_channels(recovery, err);
    if (status == STATUS_OK) {
        skip_numbers(recovery);
        status = flush(recovery, err);
    }
    if (status == STATUS_OK)
        status = publish_all(recovery->store, err);
    return status;
}

enum status recover_run(struct store *store,
                        const struct store_visitor *visitor, struct error *err)
{
    struct file_store *file = (struct file_store *)store;
    struct recovery recovery = {
        .store = file,
        .visitor = visitor,
        .changes = leveldb_writebatch_create(),
        .trim = {.store = file},
    };
    recovery.trim.lookup = &recovery.lookup;
    file->next_number = 1;
    /* Nobody else uses the database yet, so nothing is held. */
    recovery.channels = cursor_open(file->database);
    recovery.subscriptions = cursor_open(file->database);
    recovery.progress = cursor_open(file->database);
    recovery.others = cursor_open(file->database);
    enum status status = recover_all(&recovery, err);
    cursor_close(recovery.channels);
    cursor_close(recovery.subscriptions);
    cursor_close(recovery.progress);
    cursor_close(recovery.others);
    trim_end(&recovery.trim);
    lookup_release(&recovery.lookup);
    leveldb_writebatch_destroy(recovery.changes);
    (void)pthread_mutex_lock(&file->write_lock);
    file->recovered = status == STATUS_OK;
    (void)pthread_mutex_unlock(&file->write_lock);
    if (status == STATUS_OK)
        keeper_wake_to_sweep(file->keeper);
    return shared_damage(status, err);
}
