#include "store/leveldb/quarantine.h"

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

enum status quarantine_channel(struct file_store *store,
                               const struct store_visitor *visitor,
                               struct channel *channel,
                               const struct channel_record *record,
                               const struct error *cause, struct error *err)
{
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
