/* One walk over the channel records; for each the keys of its subscriptions,
 * and of its messages the first, the last of the record, the latest mark and
 * what came behind it. A channel is handed over only when all that was found
 * sound; a damaged one is put into quarantine. */
#include "store/leveldb/recover.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/quarantine.h"
#include "store/leveldb/trim.h"
#include "store/leveldb/value.h"

#include <inttypes.h>

enum {
    FORMAT_VERSION = 1,
    SHOWN_MAX = 100, /* bytes of a name in an error */
    CHANGES_MAX = 1000,
};

struct recovery {
    struct file_store *store;
    const struct store_visitor *visitor;
    struct cursor channels, subscriptions, progress, messages;
    size_t changed; /* records in store->changes */
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

static enum status write_format(struct file_store *store, struct error *err)
{
    struct key key = key_alone(KEY_FORMAT);
    uint8_t version[8];
    number_encode(FORMAT_VERSION, version);
    if (!value_seal(&store->value, key_bytes(&key),
                    bytes_of(version, sizeof version)))
        return fail(err, STATUS_NO_MEMORY, "format record");
    leveldb_writebatch_clear(store->changes);
    leveldb_writebatch_put(store->changes, (const char *)key.data, key.size,
                           (const char *)store->value.data, store->value.size);
    return database_write(store->database, store->changes, true, err);
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
        recovery->store->server_known = true;
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
    struct cursor cursor = recovery->messages; /* not in use yet */
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

/* Counts messages from the cursor to the end of the channel, or just one. */
static enum status count(struct recovery *recovery, struct channel *channel,
                         bool one, struct error *err)
{
    struct cursor cursor = recovery->messages;
    uint64_t number, sequence;
    while (
        cursor_valid(cursor) &&
        key_parse_pair(cursor_key(cursor), KEY_MESSAGE, &number, &sequence) &&
        number == channel->number) {
        int64_t timestamp;
        struct bytes message;
        if (!message_open(cursor_key(cursor), cursor_value(cursor), &timestamp,
                          &message))
            return bad_message(channel, sequence, "damaged", err);
        trim_append(channel, sequence, timestamp, message.size);
        channel->unrecorded++;
        cursor_next(cursor);
        if (one)
            break;
    }
    return cursor_status(cursor, err);
}

/* True if key is that of the message under the cursor. */
static bool at_message(struct cursor cursor, const struct key *key)
{
    return cursor_valid(cursor) &&
           bytes_equal(cursor_key(cursor), key_bytes(key));
}

/* The sequence of the latest mark there can be behind what was counted; 0 if
 * it is not worth the way. */
static uint64_t latest_mark(struct recovery *recovery,
                            const struct channel *channel)
{
    struct key behind = key_pair(KEY_MESSAGE, channel->number, UINT64_MAX);
    uint64_t number, last;
    cursor_last(recovery->messages, key_bytes(&behind));
    if (!cursor_valid(recovery->messages) ||
        !key_parse_pair(cursor_key(recovery->messages), KEY_MESSAGE, &number,
                        &last) ||
        number != channel->number)
        return 0;
    uint64_t mark = last - last % MARK_EVERY;
    return mark > channel->state.last ? mark : 0;
}

/* Takes over what a mark tells, if there is one at sequence (a gap may have
 * swallowed it: then all is counted). */
static enum status take_mark(struct recovery *recovery, struct channel *channel,
                             uint64_t sequence, struct error *err)
{
    struct cursor cursor = recovery->messages;
    struct channel_state *state = &channel->state;
    struct key key = key_pair(KEY_MESSAGE, channel->number, sequence);
    int64_t timestamp;
    struct bytes message;
    struct mark mark;
    cursor_seek(cursor, key_bytes(&key));
    if (!at_message(cursor, &key))
        return cursor_status(cursor, err);
    if (!message_open(cursor_key(cursor), cursor_value(cursor), &timestamp,
                      &message))
        return bad_message(channel, sequence, "damaged", err);
    if (!message_mark(cursor_value(cursor), &mark))
        return STATUS_OK;
    state->messages = mark.messages;
    state->bytes = mark.bytes;
    state->last = sequence;
    if (timestamp > state->last_timestamp)
        state->last_timestamp = timestamp;
    front_clear(&channel->front);
    channel->unrecorded++;
    return STATUS_OK;
}

/* From the cursor, which is behind what is counted, to the end. */
static enum status count_on(struct recovery *recovery, struct channel *channel,
                            struct error *err)
{
    enum status status = STATUS_OK;
    if (channel->state.messages == 0) /* the first is no mark's business */
        status = count(recovery, channel, true, err);
    if (status != STATUS_OK || channel->state.messages == 0)
        return status;
    uint64_t mark = latest_mark(recovery, channel);
    if (mark != 0)
        status = take_mark(recovery, channel, mark, err);
    if (status != STATUS_OK)
        return status;
    struct key next =
        key_pair(KEY_MESSAGE, channel->number, channel->state.last + 1);
    cursor_seek(recovery->messages, key_bytes(&next));
    return count(recovery, channel, false, err);
}

/* A power cut without sync can bring back an old record after the messages it
 * counts first were swept away: count anew what there is. */
static enum status recount(struct recovery *recovery, struct channel *channel,
                           struct error *err)
{
    struct channel_state *state = &channel->state;
    struct key key = key_pair(KEY_MESSAGE, channel->number, state->first);
    log_warn(recovery->store->log,
             "Channel \"%.*s\": first message %" PRIu64
             " is gone, counting the others",
             shown(channel->name.size), (const char *)channel->name.data,
             state->first);
    state->messages = state->bytes = 0;
    state->first_timestamp = 0;
    front_clear(&channel->front);
    cursor_seek(recovery->messages, key_bytes(&key));
    return count(recovery, channel, false, err);
}

static enum status recover_messages(struct recovery *recovery,
                                    struct channel *channel, struct error *err)
{
    struct cursor cursor = recovery->messages;
    struct channel_state *state = &channel->state;
    if (state->messages == 0) {
        struct key next =
            key_pair(KEY_MESSAGE, channel->number, state->last + 1);
        cursor_seek(cursor, key_bytes(&next));
        return count_on(recovery, channel, err);
    }
    struct key first = key_pair(KEY_MESSAGE, channel->number, state->first);
    struct key last = key_pair(KEY_MESSAGE, channel->number, state->last);
    bool first_is_there = true;
    if (state->first != state->last) {
        cursor_seek(cursor, key_bytes(&first));
        first_is_there = at_message(cursor, &first);
    }
    cursor_seek(cursor, key_bytes(&last));
    enum status status = cursor_status(cursor, err);
    if (status != STATUS_OK)
        return status;
    if (!at_message(cursor, &last))
        return bad_message(channel, state->last, "missing", err);
    if (!first_is_there)
        return recount(recovery, channel, err);
    int64_t timestamp;
    struct bytes message;
    if (!message_open(cursor_key(cursor), cursor_value(cursor), &timestamp,
                      &message))
        return bad_message(channel, state->last, "damaged", err);
    cursor_next(cursor);
    return count_on(recovery, channel, err);
}

/* ---- limits ---- */

static enum status flush(struct recovery *recovery, struct error *err)
{
    struct file_store *store = recovery->store;
    if (recovery->changed == 0)
        return STATUS_OK;
    enum status status =
        database_write(store->database, store->changes, true, err);
    leveldb_writebatch_clear(store->changes);
    recovery->changed = 0;
    return status;
}

static enum status keep_record(struct recovery *recovery,
                               struct channel *channel, uint64_t swept,
                               struct error *err)
{
    struct file_store *store = recovery->store;
    struct key key = key_channel(channel->number);
    if (!channel_seal(channel, RECORD_LIVE, swept, &store->payload,
                      &store->value))
        return fail(err, STATUS_NO_MEMORY, "channel record");
    leveldb_writebatch_put(store->changes, (const char *)key.data, key.size,
                           (const char *)store->value.data, store->value.size);
    channel->unrecorded = 0;
    return ++recovery->changed < CHANGES_MAX ? STATUS_OK : flush(recovery, err);
}

static enum status apply_limits(struct recovery *recovery,
                                struct channel *channel, uint64_t swept,
                                struct error *err)
{
    struct file_store *store = recovery->store;
    struct trim *trim = &recovery->trim;
    uint64_t first = channel->state.first;
    int64_t age = channel->limits.max_age;
    bool dropped = trim_limits(trim, channel);
    if (age > 0) {
        dropped = trim_expired(trim, channel, clock_wall(store->clock) - age) ||
                  dropped;
    }
    if (!dropped && first == channel->state.first)
        return STATUS_OK;
    return keep_record(recovery, channel, swept, err);
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
                                      &recovery->progress, &recovery->messages};
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
    status = apply_limits(recovery, channel, record->swept, err);
    channel->swept_recorded = record->swept;
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
                                 const struct channel_record *record,
                                 struct error *err)
{
    struct sweep *sweep = sweep_new(number);
    if (sweep == NULL)
        return fail(err, STATUS_NO_MEMORY, "recovery of a channel");
    sweeper_start_at(store->sweeper, sweep, record->swept);
    sweeper_discard(store->sweeper, sweep);
    return STATUS_OK;
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
                     : resume_delete(store, number, &record, err);
        if (status == STATUS_OK)
            cursor_next(cursor);
    }
    return status == STATUS_OK ? cursor_status(cursor, err) : status;
}

/* Keys may be left of channels whose record was lost with a power cut: their
 * numbers are not to be used again. */
static void skip_numbers(struct recovery *recovery)
{
    static const enum key_tag tags[] = {KEY_MESSAGE, KEY_PROGRESS,
                                        KEY_SUBSCRIPTION};
    struct file_store *store = recovery->store;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        const uint8_t behind = (uint8_t)(tags[i] + 1);
        uint64_t number, second;
        cursor_last(recovery->messages, bytes_of(&behind, 1));
        if (cursor_valid(recovery->messages) &&
            key_parse_pair(cursor_key(recovery->messages), tags[i], &number,
                           &second) &&
            number >= store->next_number)
            store->next_number = number + 1;
    }
}

/* Last, when the new watermarks are written: the sweeper goes by them. */
static void publish_all(struct file_store *store)
{
    for (struct slot *slot = table_first(store->channels); slot != NULL;
         slot = table_next(slot)) {
        struct channel *channel = table_value(slot);
        (void)pthread_mutex_lock(&store->lock);
        channel->visible_first = channel->state.first;
        channel->visible_last = channel->state.last;
        (void)pthread_mutex_unlock(&store->lock);
        sweeper_start_at(store->sweeper, channel->sweep,
                         channel->swept_recorded);
        if (channel->state.first > 1)
            sweeper_trim(store->sweeper, channel->sweep, channel->state.first);
    }
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
        publish_all(recovery->store);
    return status;
}

enum status recover_run(struct store *store,
                        const struct store_visitor *visitor, struct error *err)
{
    struct file_store *file = (struct file_store *)store;
    struct recovery recovery = {
        .store = file,
        .visitor = visitor,
        .trim = {.database = file->database, .log = file->log},
    };
    leveldb_writebatch_clear(file->changes);
    file->next_number = 1;
    database_hold(file->database);
    recovery.channels = cursor_open(file->database);
    recovery.subscriptions = cursor_open(file->database);
    recovery.progress = cursor_open(file->database);
    recovery.messages = cursor_open(file->database);
    enum status status = recover_all(&recovery, err);
    cursor_close(recovery.channels);
    cursor_close(recovery.subscriptions);
    cursor_close(recovery.progress);
    cursor_close(recovery.messages);
    database_release(file->database);
    file->recovered = status == STATUS_OK;
    return shared_damage(status, err);
}
