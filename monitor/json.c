#include "monitor/json.h"

#include "monitor/gotext.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* An object under construction: the first failure sticks, so that the fields
 * can be listed one a line in the order of the spec. jansson's functions take
 * a NULL value for a failure and own the value in any case. */
struct object {
    json_t *json;
    bool failed;
};

static struct object object_new(void)
{
    json_t *json = json_object();
    return (struct object){.json = json, .failed = json == NULL};
}

static void put(struct object *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object->json, key, value) != 0)
        object->failed = true;
}

/* The object, or NULL if a field is missing. */
static json_t *object_end(struct object *object)
{
    if (!object->failed)
        return object->json;
    json_decref(object->json);
    return NULL;
}

static json_t *string_value(struct bytes bytes)
{
    struct blob clean = {0};
    json_t *value = NULL;
    if (gotext_utf8(bytes, &clean)) {
        value = json_stringn_nocheck(
            clean.data == NULL ? "" : (const char *)clean.data, clean.size);
    }
    blob_release(&clean);
    return value;
}

static struct bytes view_bytes(const struct view_string *string)
{
    return bytes_of(string->text, string->size);
}

static void put_string(struct object *object, const char *key,
                       const struct view_string *value)
{
    put(object, key, string_value(view_bytes(value)));
}

static void put_text(struct object *object, const char *key, const char *value)
{
    put(object, key, string_value(bytes_text(value)));
}

static void put_integer(struct object *object, const char *key, int64_t value)
{
    put(object, key, json_integer(value));
}

/* jansson's integers end at INT64_MAX, which no counter here will reach. */
static void put_count(struct object *object, const char *key, uint64_t value)
{
    put_integer(object, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void put_time(struct object *object, const char *key, int64_t wall)
{
    char text[GOTEXT_TIME_MAX];
    gotext_time(wall, text);
    put_text(object, key, text);
}

static void put_boolean(struct object *object, const char *key, bool value)
{
    put(object, key, json_boolean(value));
}

/* Appends the text of json (NULL: an earlier failure) and lets go of it. */
static enum status finish(json_t *json, struct blob *out)
{
    if (json == NULL)
        return STATUS_NO_MEMORY;
    char *text = json_dumps(json, JSON_INDENT(2));
    json_decref(json);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    bool appended = gotext_json(bytes_text(text), out);
    free(text);
    return appended ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- serverz, storez ---- */

enum status json_serverz(const struct view *view, int64_t now,
                         const struct json_server *server, struct blob *out)
{
    char uptime[GOTEXT_UPTIME_MAX];
    gotext_uptime(now - view->start_time, uptime);
    struct object object = object_new();
    put_string(&object, "cluster_id", &view->cluster_id);
    put_string(&object, "server_id", &view->server_id);
    put_text(&object, "version", server->version);
    put_text(&object, "go", "cc " __VERSION__); /* exporters label with it */
    put_text(&object, "state", view->state);
    put_time(&object, "now", now);
    put_time(&object, "start_time", view->start_time);
    put_text(&object, "uptime", uptime);
    put_count(&object, "clients", view->clients_total);
    put_count(&object, "subscriptions", view->subscriptions_total);
    put_count(&object, "channels", view->channels_total);
    put_count(&object, "total_msgs", view->messages_total);
    put_count(&object, "total_bytes", view->bytes_total);
    put_count(&object, "in_msgs", view->in_messages);
    put_count(&object, "in_bytes", view->in_bytes);
    put_count(&object, "out_msgs", view->out_messages);
    put_count(&object, "out_bytes", view->out_bytes);
    if (server->open_descriptors != 0)
        put_integer(&object, "open_fds", server->open_descriptors);
    if (server->max_descriptors != 0)
        put_integer(&object, "max_fds", server->max_descriptors);
    /* Not of the Go server: behind all that is. */
    put_text(&object, "streamd_version", server->streamd_version);
    return finish(object_end(&object), out);
}

static void put_channel_limits(struct object *object,
                               const struct channel_limits *limits)
{
    put_integer(object, "max_msgs", limits->max_messages);
    put_integer(object, "max_bytes", limits->max_bytes);
    put_integer(object, "max_age", limits->max_age);
    put_integer(object, "max_subscriptions", limits->max_subscriptions);
    put_integer(object, "max_inactivity", limits->max_inactivity);
}

static int entry_compare(const void *a, const void *b)
{
    const struct limits_entry *left = a;
    const struct limits_entry *right = b;
    return strcmp(left->name, right->name);
}

static json_t *entry_json(const struct limits_entry *entry)
{
    struct object object = object_new();
    put_channel_limits(&object, &entry->limits);
    return object_end(&object);
}

/* By name, bytewise, as Go prints a map. */
static json_t *entries_json(const struct limits_entry *entries, size_t count)
{
    struct object object = object_new();
    struct limits_entry *sorted = calloc(count, sizeof *sorted);
    if (sorted == NULL) {
        json_decref(object.json);
        return NULL;
    }
    memcpy(sorted, entries, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, entry_compare);
    for (size_t i = 0; !object.failed && i < count; i++) {
        json_t *name = string_value(bytes_text(sorted[i].name));
        put(&object, json_string_value(name), entry_json(&sorted[i]));
        json_decref(name);
    }
    free(sorted);
    return object_end(&object);
}

static json_t *limits_json(const struct limits *limits)
{
    size_t count;
    const struct limits_entry *entries = limits_entries(limits, &count);
    struct object object = object_new();
    put_integer(&object, "max_channels", limits->max_channels);
    put_channel_limits(&object, &limits->global);
    if (count > 0)
        put(&object, "channels", entries_json(entries, count));
    return object_end(&object);
}

enum status json_storez(const struct view *view, int64_t now,
                        const struct limits *limits, struct blob *out)
{
    struct object object = object_new();
    put_string(&object, "cluster_id", &view->cluster_id);
    put_string(&object, "server_id", &view->server_id);
    put_time(&object, "now", now);
    put_text(&object, "type", view->store);
    put(&object, "limits", limits_json(limits));
    put_count(&object, "total_msgs", view->messages_total);
    put_count(&object, "total_bytes", view->bytes_total);
    return finish(object_end(&object), out);
}

/* ---- subscriptions ---- */

static json_t *subscription_json(const struct view_subscription *subscription)
{
    struct object object = object_new();
    put_string(&object, "client_id", &subscription->client_id);
    put_string(&object, "inbox", &subscription->inbox);
    put_string(&object, "ack_inbox", &subscription->ack_inbox);
    if (subscription->durable_name.size > 0)
        put_string(&object, "durable_name", &subscription->durable_name);
    if (subscription->queue_name.size > 0)
        put_string(&object, "queue_name", &subscription->queue_name);
    put_boolean(&object, "is_durable", subscription->is_durable);
    put_boolean(&object, "is_offline", subscription->is_offline);
    put_integer(&object, "max_inflight", subscription->max_in_flight);
    put_integer(&object, "ack_wait", subscription->ack_wait_seconds);
    put_count(&object, "last_sent", subscription->last_sent);
    put_count(&object, "pending_count", subscription->pending_count);
    put_boolean(&object, "is_stalled", subscription->is_stalled);
    return object_end(&object);
}

static bool array_add(json_t *array, json_t *value)
{
    return json_array_append_new(array, value) == 0;
}

static json_t *subscriptions_array(const struct view_subscription *items,
                                   size_t size)
{
    json_t *array = json_array();
    for (size_t i = 0; i < size; i++) {
        if (!array_add(array, subscription_json(&items[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

struct item {
    const struct view_subscription *subscription;
};

/* By channel bytewise; of one channel in the order they stand. */
static int by_channel(const void *a, const void *b)
{
    const struct view_subscription *first =
        ((const struct item *)a)->subscription;
    const struct view_subscription *second =
        ((const struct item *)b)->subscription;
    const struct view_string *x = &first->channel;
    const struct view_string *y = &second->channel;
    size_t common = x->size < y->size ? x->size : y->size;
    int order = common == 0 ? 0 : memcmp(x->text, y->text, common);
    if (order == 0)
        order = (x->size > y->size) - (x->size < y->size);
    if (order == 0)
        order = (first > second) - (first < second);
    return order;
}

/* Adds to the array of its channel. Two names that differ only in bytes which
 * are no UTF-8 share one. */
static bool map_add(json_t *map, const struct view_subscription *subscription)
{
    struct blob key = {0};
    bool added = false;
    if (gotext_utf8(view_bytes(&subscription->channel), &key)) {
        const char *name = key.data == NULL ? "" : (const char *)key.data;
        json_t *array = json_object_getn(map, name, key.size);
        if (array == NULL) {
            array = json_array();
            if (json_object_setn_new_nocheck(map, name, key.size, array) != 0)
                array = NULL;
        }
        added = array_add(array, subscription_json(subscription));
    }
    blob_release(&key);
    return added;
}

/* Channel name to array, names in order. */
static json_t *subscriptions_map(const struct view_subscription *items,
                                 size_t size)
{
    struct item *sorted = calloc(size, sizeof *sorted);
    json_t *map = json_object();
    bool complete = sorted != NULL && map != NULL;
    for (size_t i = 0; complete && i < size; i++)
        sorted[i].subscription = &items[i];
    if (complete)
        qsort(sorted, size, sizeof *sorted, by_channel);
    for (size_t i = 0; complete && i < size; i++)
        complete = map_add(map, sorted[i].subscription);
    free(sorted);
    if (complete)
        return map;
    json_decref(map);
    return NULL;
}

/* ---- clientsz, channelsz ---- */

static json_t *client_json(const struct view_client *client)
{
    struct object object = object_new();
    put_string(&object, "id", &client->id);
    put_string(&object, "hb_inbox", &client->heartbeat_inbox);
    put_count(&object, "subs_count", client->subscription_count);
    if (client->subscriptions_size > 0) {
        put(&object, "subscriptions",
            subscriptions_map(client->subscriptions,
                              client->subscriptions_size));
    }
    return object_end(&object);
}

static json_t *channel_json(const struct view_channel *channel)
{
    struct object object = object_new();
    put_string(&object, "name", &channel->name);
    put_count(&object, "msgs", channel->messages);
    put_count(&object, "bytes", channel->bytes);
    put_count(&object, "first_seq", channel->first);
    put_count(&object, "last_seq", channel->last);
    put_count(&object, "subs_count", channel->subscription_count);
    if (channel->subscriptions_size > 0) {
        put(&object, "subscriptions",
            subscriptions_array(channel->subscriptions,
                                channel->subscriptions_size));
    }
    return object_end(&object);
}

enum status json_client(const struct view_client *client, struct blob *out)
{
    return finish(client_json(client), out);
}

enum status json_channel(const struct view_channel *channel, struct blob *out)
{
    return finish(channel_json(channel), out);
}

static struct object list_head(const struct view *view, int64_t now,
                               const struct view_query *query, uint64_t count,
                               uint64_t total)
{
    struct object object = object_new();
    put_string(&object, "cluster_id", &view->cluster_id);
    put_string(&object, "server_id", &view->server_id);
    put_time(&object, "now", now);
    put_count(&object, "offset", query->offset);
    put_count(&object, "limit", query->limit);
    put_count(&object, "count", count);
    put_count(&object, "total", total);
    return object;
}

enum status json_clientsz(const struct view *view, int64_t now,
                          const struct view_query *query, struct blob *out)
{
    struct object object =
        list_head(view, now, query, view->clients_size, view->clients_total);
    json_t *array = json_array();
    put(&object, "clients", array);
    for (size_t i = 0; !object.failed && i < view->clients_size; i++)
        object.failed = !array_add(array, client_json(&view->clients[i]));
    return finish(object_end(&object), out);
}

enum status json_channelsz(const struct view *view, int64_t now,
                           const struct view_query *query, struct blob *out)
{
    struct object object =
        list_head(view, now, query, view->channels_size, view->channels_total);
    if (view->channels_size == 0) /* Go leaves the key out */
        return finish(object_end(&object), out);
    json_t *array = json_array();
    put(&object, query->subscriptions ? "channels" : "names", array);
    for (size_t i = 0; !object.failed && i < view->channels_size; i++) {
        const struct view_channel *channel = &view->channels[i];
        json_t *item = query->subscriptions
                           ? channel_json(channel)
                           : string_value(view_bytes(&channel->name));
        object.failed = !array_add(array, item);
    }
    return finish(object_end(&object), out);
}
