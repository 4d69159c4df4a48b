#include "store/leveldb/lookup.h"

#include "store/leveldb/file_store.h"
#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <inttypes.h>

bool view_of(struct file_store *store, uint64_t id, struct view *view)
{
    (void)pthread_mutex_lock(&store->lock);
    const struct channel *channel = table_get(store->channels, &id, sizeof id);
    if (channel != NULL) {
        *view = (struct view){
            .id = id,
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

void lookup_release(struct lookup *lookup)
{
    runs_release(&lookup->found);
    runs_release(&lookup->page);
    runs_release(&lookup->memory);
}

/* Appends up to max places of from, those whose last is at or above sequence.
 */
static bool add_places(struct runs *out, const struct runs *from,
                       uint64_t sequence, size_t max)
{
    size_t at = runs_find(from, sequence);
    size_t count = from->count - at;
    if (max <= out->count)
        return true;
    if (count > max - out->count)
        count = max - out->count;
    if (!runs_reserve(out, count))
        return false;
    for (size_t i = 0; i < count; i++)
        runs_add(out, &from->places[at + i]);
    return true;
}

/* *lowest: the first sequence that memory knows a place of. */
static bool look_in_memory(struct file_store *store, struct lookup *lookup,
                           uint64_t id, uint64_t number, uint64_t sequence,
                           size_t max, uint64_t *lowest)
{
    bool good = true;
    *lowest = UINT64_MAX;
    lookup->memory.count = 0;
    (void)pthread_mutex_lock(&store->lock);
    const struct channel *channel = table_get(store->channels, &id, sizeof id);
    if (channel != NULL && channel->number == number) {
        const struct runs *frozen = &channel->frozen;
        const struct runs *active = &channel->active;
        if (active->count > 0)
            *lowest = active->places[0].first;
        if (frozen->count > 0)
            *lowest = frozen->places[0].first;
        good = add_places(&lookup->memory, frozen, sequence, max) &&
               add_places(&lookup->memory, active, sequence, max);
    }
    (void)pthread_mutex_unlock(&store->lock);
    return good;
}

static enum status look_in_pages(struct file_store *store,
                                 struct lookup *lookup, uint64_t number,
                                 uint64_t sequence, size_t max,
                                 struct error *err)
{
    struct key key = key_pair(KEY_RUNS, number, sequence);
    enum status status = STATUS_OK;
    uint64_t key_number, last;
    database_hold(store->database);
    struct cursor cursor = cursor_open(store->database);
    for (cursor_seek(cursor, key_bytes(&key));
         lookup->found.count < max && cursor_valid(cursor) &&
         key_parse_pair(cursor_key(cursor), KEY_RUNS, &key_number, &last) &&
         key_number == number;
         cursor_next(cursor)) {
        struct bytes payload;
        if (!value_open(cursor_key(cursor), cursor_value(cursor), &payload) ||
            !page_decode(payload, &lookup->page)) {
            status = fail(err, STATUS_CORRUPT,
                          "the index of messages up to %" PRIu64 " is damaged",
                          last);
            break;
        }
        if (!add_places(&lookup->found, &lookup->page, sequence, max)) {
            status = fail(err, STATUS_NO_MEMORY, "index");
            break;
        }
    }
    if (status == STATUS_OK)
        status = cursor_status(cursor, err);
    cursor_close(cursor);
    database_release(store->database);
    return status;
}

/* Memory first: what leaves it meanwhile is in the database by then. */
enum status lookup_run(struct file_store *store, struct lookup *lookup,
                       uint64_t id, uint64_t number, uint64_t sequence,
                       size_t max, struct error *err)
{
    uint64_t lowest;
    lookup->found.count = 0;
    if (!look_in_memory(store, lookup, id, number, sequence, max, &lowest))
        return fail(err, STATUS_NO_MEMORY, "index");
    if (sequence < lowest) {
        enum status status =
            look_in_pages(store, lookup, number, sequence, max, err);
        if (status != STATUS_OK)
            return status;
    }
    uint64_t from =
        lookup->found.count == 0
            ? sequence
            : lookup->found.places[lookup->found.count - 1].last + 1;
    if (!add_places(&lookup->found, &lookup->memory, from, max))
        return fail(err, STATUS_NO_MEMORY, "index");
    return STATUS_OK;
}
