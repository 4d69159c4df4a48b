#include "store/leveldb/quarantine.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/value.h"

#include <inttypes.h>

enum { SHOWN_MAX = 100 }; /* bytes of a name in the log */

static void report(const struct file_store *store,
                   const struct channel_record *record,
                   const struct error *cause)
{
    size_t size = record->name.size < SHOWN_MAX ? record->name.size : SHOWN_MAX;
    log_error(store->log,
              "Channel \"%.*s\" (messages %" PRIu64 " to %" PRIu64
              ") is damaged: %s",
              (int)size, (const char *)record->name.data, record->state.first,
              record->state.last, cause->detail);
    log_error(store->log,
              "Channel \"%.*s\" is left as it is and not served: stop the "
              "server, copy the store, then restore a backup",
              (int)size, (const char *)record->name.data);
}

static void forget(struct file_store *store, struct channel *channel)
{
    (void)pthread_mutex_lock(&store->lock);
    (void)table_remove(store->channels, &channel->state.channel,
                       sizeof channel->state.channel);
    (void)pthread_mutex_unlock(&store->lock);
    channel_free(channel);
}

/* Nothing of the channel is moved, so that a segment of a backup fits. */
static void keep_segments(struct file_store *store, uint64_t number)
{
    struct key key = key_pair(KEY_RUNS, number, 0);
    struct runs page = {0};
    struct bytes payload;
    uint64_t key_number, last;
    struct cursor cursor = cursor_open(store->database);
    for (cursor_seek(cursor, key_bytes(&key));
         cursor_valid(cursor) &&
         key_parse_pair(cursor_key(cursor), KEY_RUNS, &key_number, &last) &&
         key_number == number;
         cursor_next(cursor)) {
        if (!value_open(cursor_key(cursor), cursor_value(cursor), &payload) ||
            !page_decode(payload, &page))
            continue;
        for (size_t i = 0; i < page.count; i++) {
            struct segment *segment =
                segments_find(&store->segments, place_segment(&page.places[i]));
            if (segment != NULL)
                segment->stuck = true;
        }
    }
    cursor_close(cursor);
    runs_release(&page);
}

enum status quarantine_channel(struct file_store *store,
                               const struct store_visitor *visitor,
                               struct channel *channel,
                               const struct channel_record *record,
                               const struct error *cause, struct error *err)
{
    keep_segments(store, channel->number);
    forget(store, channel);
    if (visitor->damaged == NULL) {
        if (err != NULL)
            *err = *cause;
        return cause->status;
    }
    report(store, record, cause);
    return visitor->damaged(visitor->context, record->state.channel,
                            record->name, err);
}
