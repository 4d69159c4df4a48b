#include "streamd/engine/client.h"

#include "streamd/engine/inquiry.h"

#include <assert.h>
#include <stdlib.h>

enum { TIMERS = 3 }; /* heartbeat_timer, and those of heartbeat and probe */

static void client_free(struct client *client)
{
    text_release(&client->id);
    text_release(&client->heartbeat_inbox);
    text_release(&client->conn_id);
    free(client);
}

static struct client *client_new(const struct client_record *record)
{
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    list_init(&client->subscriptions);
    client->protocol = record->protocol;
    client->ping_interval = record->ping_interval;
    client->ping_max_out = record->ping_max_out;
    if (!text_set(&client->id, record->id) ||
        !text_set(&client->heartbeat_inbox, record->heartbeat_inbox) ||
        !text_set(&client->conn_id, record->conn_id)) {
        client_free(client);
        return NULL;
    }
    return client;
}

static bool index_client(struct engine *engine, struct client *client)
{
    const struct text *id = &client->id;
    if (!table_put(engine->clients, id->data, id->size, client))
        return false;
    if (ordered_add(engine->clients_by_id, text_bytes(id), client))
        return true;
    (void)table_remove(engine->clients, id->data, id->size);
    return false;
}

enum status client_add(struct engine *engine,
                       const struct client_record *record, struct client **out,
                       struct error *err)
{
    *out = NULL;
    assert(client_find(engine, record->id) == NULL);
    struct client *client = client_new(record);
    if (client != NULL && !timers_reserve(&engine->timers, TIMERS)) {
        client_free(client);
        client = NULL;
    }
    if (client == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    if (!index_client(engine, client)) {
        timers_unreserve(&engine->timers, TIMERS);
        client_free(client);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (client->conn_id.size > 0 &&
        client_find_connection(engine, record->conn_id) == NULL &&
        !table_put(engine->conn_ids, client->conn_id.data, client->conn_id.size,
                   client)) {
        client_remove(engine, client);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    *out = client;
    return STATUS_OK;
}

void client_remove(struct engine *engine, struct client *client)
{
    assert(list_empty(&client->subscriptions));
    inquiry_cancel(&client->heartbeat);
    inquiry_cancel(&client->probe);
    timer_clear(&engine->timers, &client->heartbeat_timer);
    timers_unreserve(&engine->timers, TIMERS);
    if (engine->recent_client == client)
        engine->recent_client = NULL;
    (void)table_remove(engine->clients, client->id.data, client->id.size);
    (void)ordered_remove(engine->clients_by_id, text_bytes(&client->id));
    if (client_find_connection(engine, text_bytes(&client->conn_id)) ==
        client) {
        (void)table_remove(engine->conn_ids, client->conn_id.data,
                           client->conn_id.size);
    }
    client_free(client);
}

struct client *client_find(const struct engine *engine, struct bytes id)
{
    return id.size == 0 ? NULL : table_get(engine->clients, id.data, id.size);
}

struct client *client_find_connection(const struct engine *engine,
                                      struct bytes conn_id)
{
    return conn_id.size == 0
               ? NULL
               : table_get(engine->conn_ids, conn_id.data, conn_id.size);
}

bool client_may_publish(struct engine *engine, struct bytes id,
                        struct bytes conn_id)
{
    if (conn_id.size == 0)
        return client_find(engine, id) != NULL;
    if (engine->recent_client != NULL &&
        bytes_equal(text_bytes(&engine->recent_client->conn_id), conn_id))
        return true;
    engine->recent_client = client_find_connection(engine, conn_id);
    return engine->recent_client != NULL;
}

struct client_record client_record(const struct client *client)
{
    return (struct client_record){
        .id = text_bytes(&client->id),
        .heartbeat_inbox = text_bytes(&client->heartbeat_inbox),
        .conn_id = text_bytes(&client->conn_id),
        .protocol = client->protocol,
        .ping_interval = client->ping_interval,
        .ping_max_out = client->ping_max_out,
    };
}
