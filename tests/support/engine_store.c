#include "tests/support/engine_store.h"

#include "tests/support/engine_store_image.h"

#include <stdlib.h>

/* A test without memory is no test. */
static void *need(void *allocated)
{
    if (allocated == NULL)
        abort();
    return allocated;
}

/* ---- commits ---- */

static void finish_commit(struct engine_store *store, struct batch *batch,
                          bool refused)
{
    batch->status = STATUS_OK;
    if (refused) {
        batch->status = fail(&batch->error, STATUS_IO, "%s", store->failure);
    } else {
        batch->status = engine_store_apply(store, batch);
    }
    batch->done(batch);
}

static void commit(struct store *base, struct batch *batch)
{
    struct engine_store *store = (struct engine_store *)base;
    store->commit_count++;
    if (store->hold_commits && !store->dead) {
        list_append(&store->commits, &batch->link);
        return;
    }
    bool refused = store->dead || store->fail_commits > 0;
    if (store->fail_commits > 0)
        store->fail_commits--;
    finish_commit(store, batch, refused);
}

/* ---- reads ---- */

static void collect(const struct stored_channel *channel, struct read *read)
{
    size_t from = engine_store_search(channel, read);
    size_t count = channel->count - from;
    size_t size = 0;
    if (count > read->max_messages)
        count = read->max_messages;
    if (count == 0)
        return;
    read->run = need(run_new(count));
    read->run->count = 0;
    while (read->run->count < count &&
           (read->run->count == 0 || size < read->max_bytes)) {
        const struct stored_message *message =
            &channel->messages[channel->start + from + read->run->count];
        (void)buffer_ref(message->bytes.buffer);
        size += message->bytes.size;
        read->run->entries[read->run->count++] = (struct run_entry){
            .sequence = message->sequence, .message = message->bytes};
    }
}

static void finish_read(struct engine_store *store, struct read *read,
                        bool refused)
{
    const struct stored_channel *channel =
        table_get(store->channels, &read->channel, sizeof read->channel);
    read->run = NULL;
    read->status = STATUS_OK;
    if (refused) {
        store->failed_reads++;
        read->status = fail(&read->error, STATUS_IO, "%s", store->failure);
    } else if (channel != NULL) {
        collect(channel, read);
    }
    read->done(read);
}

static void read_run(struct store *base, struct read *read)
{
    struct engine_store *store = (struct engine_store *)base;
    store->read_count++;
    if (store->hold_reads && !store->dead) {
        list_append(&store->reads, &read->link);
        return;
    }
    bool refused = store->dead || store->fail_reads > 0;
    if (store->fail_reads > 0)
        store->fail_reads--;
    finish_read(store, read, refused);
}

/* ---- what the test decides ---- */

bool engine_store_release_commit(struct engine_store *store)
{
    if (list_empty(&store->commits))
        return false;
    bool refused = store->fail_commits > 0;
    if (refused)
        store->fail_commits--;
    finish_commit(store,
                  list_entry(list_pop(&store->commits), struct batch, link),
                  refused);
    return true;
}

bool engine_store_release_read(struct engine_store *store)
{
    if (list_empty(&store->reads))
        return false;
    bool refused = store->fail_reads > 0;
    if (refused)
        store->fail_reads--;
    finish_read(store, list_entry(list_pop(&store->reads), struct read, link),
                refused);
    return true;
}

void engine_store_release(struct engine_store *store)
{
    store->hold_commits = store->hold_reads = false;
    while (engine_store_release_commit(store) ||
           engine_store_release_read(store))
        continue;
}

void engine_store_kill(struct engine_store *store, size_t kept)
{
    for (; kept > 0; kept--)
        (void)engine_store_release_commit(store);
    store->dead = true;
    while (!list_empty(&store->commits)) {
        finish_commit(store,
                      list_entry(list_pop(&store->commits), struct batch, link),
                      true);
    }
    while (!list_empty(&store->reads)) {
        finish_read(store,
                    list_entry(list_pop(&store->reads), struct read, link),
                    true);
    }
}

void engine_store_revive(struct engine_store *store)
{
    store->dead = store->hold_commits = store->hold_reads = false;
    store->fail_commits = store->fail_reads = 0;
}

/* ---- life ---- */

static enum status recover_subscriptions(const struct stored_channel *channel,
                                         const struct store_visitor *visitor,
                                         struct error *err)
{
    enum status status = STATUS_OK;
    for (struct slot *at = table_first(channel->subscriptions);
         status == STATUS_OK && at != NULL; at = table_next(at)) {
        const struct stored_subscription *subscription = table_value(at);
        status = visitor->subscription(
            visitor->context, channel->id, subscription->id,
            text_bytes(&subscription->record),
            text_bytes(&subscription->progress), err);
    }
    return status;
}

static enum status recover(struct store *base,
                           const struct store_visitor *visitor,
                           struct error *err)
{
    const struct engine_store *store = (const struct engine_store *)base;
    enum status status = STATUS_OK;
    if (store->has_server) {
        status =
            visitor->server(visitor->context, text_bytes(&store->server), err);
    }
    for (struct slot *at = table_first(store->clients);
         status == STATUS_OK && at != NULL; at = table_next(at)) {
        const struct stored_client *client = table_value(at);
        status = visitor->client(visitor->context, text_bytes(&client->id),
                                 text_bytes(&client->record), err);
    }
    for (struct slot *at = table_first(store->channels);
         status == STATUS_OK && at != NULL; at = table_next(at)) {
        struct stored_channel *channel = table_value(at);
        int64_t max_age =
            limits_channel(store->limits, text_bytes(&channel->name)).max_age;
        engine_store_trim(store, channel);
        if (max_age > 0)
            engine_store_expire(channel, clock_wall(store->clock) - max_age);
        channel->state.limit_reached = false;
        status = visitor->channel(visitor->context, &channel->state,
                                  text_bytes(&channel->name), err);
        if (status == STATUS_OK)
            status = recover_subscriptions(channel, visitor, err);
    }
    return status;
}

/* It lives on for the next engine. */
static void keep(struct store *base)
{
    (void)base;
}

static const struct store_operations operations = {
    .name = "FAKE",
    .recover = recover,
    .commit = commit,
    .read = read_run,
    .close = keep,
};

struct engine_store *engine_store_new(const struct limits *limits,
                                      const struct clock *clock)
{
    struct engine_store *store = need(calloc(1, sizeof *store));
    store->store.operations = &operations;
    store->limits = limits;
    store->clock = clock;
    store->failure = "disk is on fire";
    store->clients = need(table_new());
    store->channels = need(table_new());
    list_init(&store->commits);
    list_init(&store->reads);
    return store;
}

void engine_store_free(struct engine_store *store)
{
    struct slot *at;
    while ((at = table_first(store->channels)) != NULL) {
        struct stored_channel *channel = table_value(at);
        (void)table_remove(store->channels, &channel->id, sizeof channel->id);
        engine_store_free_channel(channel);
    }
    for (at = table_first(store->clients); at != NULL; at = table_next(at))
        engine_store_free_client(table_value(at));
    table_free(store->channels);
    table_free(store->clients);
    text_release(&store->server);
    free(store);
}
