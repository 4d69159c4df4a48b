#include "store/leveldb/reopen.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <inttypes.h>

void reopen_undo_later(struct file_store *store)
{
    store->failed = store->changes;
    store->changes = leveldb_writebatch_create();
}

bool reopen_needed(struct file_store *store)
{
    return store->failed != NULL || store->undo != NULL ||
           !database_is_trusted(store->database);
}

struct undoing {
    struct database *database;
    leveldb_writebatch_t *undo;
    enum status status;
    struct error *err;
};

/* What one key of the failed batch held before it. */
static void undo_key(void *context, const char *key, size_t size)
{
    struct undoing *undoing = context;
    if (undoing->status != STATUS_OK)
        return;
    struct blob value;
    enum status status = database_get(undoing->database, bytes_of(key, size),
                                      &value, undoing->err);
    if (status == STATUS_OK) {
        leveldb_writebatch_put(undoing->undo, key, size,
                               (const char *)value.data, value.size);
    } else if (status == STATUS_NOT_FOUND) {
        leveldb_writebatch_delete(undoing->undo, key, size);
    } else {
        undoing->status = status;
    }
    blob_release(&value);
}

static void undo_put(void *context, const char *key, size_t size,
                     const char *value, size_t value_size)
{
    (void)value;
    (void)value_size;
    undo_key(context, key, size);
}

/* The handle that refused the batch does not show it, so what it reads is
 * from before. */
static enum status prepare_undo(struct file_store *store, struct error *err)
{
    struct undoing undoing = {
        .database = store->database,
        .undo = leveldb_writebatch_create(),
        .err = err,
    };
    database_hold(store->database);
    leveldb_writebatch_iterate(store->failed, &undoing, undo_put, undo_key);
    database_release(store->database);
    if (undoing.status != STATUS_OK) {
        leveldb_writebatch_destroy(undoing.undo);
        return undoing.status;
    }
    leveldb_writebatch_destroy(store->failed);
    store->failed = NULL;
    store->undo = undoing.undo;
    return STATUS_OK;
}

static enum status undo(struct file_store *store, struct error *err)
{
    database_hold(store->database);
    enum status status =
        database_write(store->database, store->undo, true, err);
    database_release(store->database);
    if (status == STATUS_OK) {
        leveldb_writebatch_destroy(store->undo);
        store->undo = NULL;
    }
    return status;
}

static enum status missing(const struct channel *channel, uint64_t sequence,
                           struct error *err)
{
    return fail(err, STATUS_CORRUPT,
                "channel \"%.*s\": message %" PRIu64 " is not as it was stored",
                (int)channel->name.size, (const char *)channel->name.data,
                sequence);
}

/* The newest message is there and sound, and none behind it. */
static enum status verify_channel(const struct channel *channel,
                                  struct cursor cursor, struct error *err)
{
    const struct channel_state *state = &channel->state;
    uint64_t number, sequence;
    int64_t timestamp;
    struct bytes message;
    struct key key =
        key_pair(KEY_MESSAGE, channel->number,
                 state->messages > 0 ? state->last : state->last + 1);
    cursor_seek(cursor, key_bytes(&key));
    if (state->messages > 0) {
        if (!cursor_valid(cursor) ||
            !bytes_equal(cursor_key(cursor), key_bytes(&key)) ||
            !message_open(cursor_key(cursor), cursor_value(cursor), &timestamp,
                          &message))
            return missing(channel, state->last, err);
        cursor_next(cursor);
    }
    if (cursor_valid(cursor) &&
        key_parse_pair(cursor_key(cursor), KEY_MESSAGE, &number, &sequence) &&
        number == channel->number)
        return missing(channel, sequence, err);
    return cursor_status(cursor, err);
}

static enum status verify_server(struct file_store *store, struct error *err)
{
    struct key key = key_alone(KEY_SERVER);
    struct blob value;
    struct bytes record;
    if (!store->server_known)
        return STATUS_OK;
    enum status status =
        database_get(store->database, key_bytes(&key), &value, err);
    if (status == STATUS_OK &&
        !value_open(key_bytes(&key), blob_bytes(&value), &record))
        status = fail(err, STATUS_CORRUPT, "server record is damaged");
    blob_release(&value);
    return status;
}

static enum status verify(struct file_store *store, struct error *err)
{
    database_hold(store->database);
    enum status status = verify_server(store, err);
    struct cursor cursor = cursor_open(store->database);
    for (struct slot *slot = table_first(store->channels);
         slot != NULL && status == STATUS_OK; slot = table_next(slot))
        status = verify_channel(table_value(slot), cursor, err);
    cursor_close(cursor);
    database_release(store->database);
    return status;
}

enum status reopen_run(struct file_store *store, struct error *err)
{
    enum status status = STATUS_OK;
    if (store->failed != NULL)
        status = prepare_undo(store, err);
    if (status == STATUS_OK)
        status = database_reopen(store->database, err);
    if (status == STATUS_OK && store->undo != NULL)
        status = undo(store, err);
    if (status == STATUS_OK) {
        status = verify(store, err);
        if (status != STATUS_OK)
            database_distrust(store->database);
    }
    if (status == STATUS_OK) {
        log_info(store->log, "The database was opened again after a failed "
                             "write and holds what was stored");
    }
    return status;
}
