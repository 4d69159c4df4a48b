#include "monitor/admin_json.h"

#include "monitor/base64.h"
#include "monitor/gotext.h"
#include "monitor/rfc3339.h"
#include "proto/codec.h"
#include "streamd/base/clock.h"

#include <jansson.h>
#include <stdlib.h>

enum { SHOWN_MAX = 64 * 1024 }; /* of a message's data, in a list */

/* jansson's functions take a NULL value for a failure and own the value in any
 * case, so the first failure sticks. */
struct object {
    json_t *json;
    bool failed;
};

static struct object object_new(void)
{
    json_t *json = json_object();
    return (struct object){.json = json, .failed = json == NULL};
}

static json_t *object_end(struct object *object)
{
    if (!object->failed)
        return object->json;
    json_decref(object->json);
    return NULL;
}

static void put(struct object *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object->json, key, value) != 0)
        object->failed = true;
}

static void put_count(struct object *object, const char *key, uint64_t value)
{
    put(object, key,
        json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

static void put_boolean(struct object *object, const char *key, bool value)
{
    put(object, key, json_boolean(value));
}

static void put_bytes(struct object *object, const char *key,
                      struct bytes value)
{
    struct blob clean = {0};
    json_t *text = NULL;
    if (gotext_utf8(value, &clean)) {
        text = json_stringn_nocheck(
            clean.data == NULL ? "" : (const char *)clean.data, clean.size);
    }
    blob_release(&clean);
    put(object, key, text);
}

static void put_text(struct object *object, const char *key,
                     const struct text *value)
{
    put_bytes(object, key, text_bytes(value));
}

/* ns as seconds; below 0: null. */
static void put_seconds(struct object *object, const char *key, int64_t ns)
{
    put(object, key,
        ns < 0 ? json_null() : json_real((double)ns / (double)CLOCK_SECOND));
}

/* ---- messages ---- */

static void put_data(struct object *object, struct bytes data)
{
    struct blob encoded = {0};
    json_t *text = NULL;
    if (base64_write(data, &encoded)) {
        text = json_stringn_nocheck(
            encoded.data == NULL ? "" : (const char *)encoded.data,
            encoded.size);
    }
    blob_release(&encoded);
    put(object, "data", text);
}

static json_t *message_json(const struct run_entry *entry, size_t most,
                            bool *damaged)
{
    struct msg_proto message;
    char time[RFC3339_MAX];
    if (!msg_proto_decode(slice_bytes(entry->message), &message)) {
        *damaged = true;
        return NULL;
    }
    struct object object = object_new();
    rfc3339_write(message.timestamp, time);
    put_count(&object, "sequence", message.sequence);
    put_bytes(&object, "timestamp", bytes_text(time));
    put_count(&object, "size", message.data.size);
    if (message.reply.size > 0)
        put_bytes(&object, "reply", message.reply);
    bool cut = message.data.size > most;
    put_data(&object,
             bytes_of(message.data.data, cut ? most : message.data.size));
    if (cut)
        put_boolean(&object, "truncated", true);
    return object_end(&object);
}

static json_t *messages_json(const struct run *run, bool *damaged)
{
    json_t *list = json_array();
    for (size_t i = 0; run != NULL && list != NULL && i < run->count; i++) {
        if (json_array_append_new(
                list, message_json(&run->entries[i], SHOWN_MAX, damaged)) !=
            0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

/* ---- subscriptions, pending ---- */

static json_t *subscription_json(const struct admin_subscription *from)
{
    struct object object = object_new();
    put_count(&object, "id", from->id);
    put_text(&object, "client_id", &from->client_id);
    put_text(&object, "inbox", &from->inbox);
    put_text(&object, "durable_name", &from->durable_name);
    put_text(&object, "queue_name", &from->queue_name);
    put_boolean(&object, "is_durable", from->is_durable);
    put_boolean(&object, "is_offline", from->is_offline);
    put_boolean(&object, "is_stalled", from->is_stalled);
    put_count(&object, "max_inflight", (uint64_t)from->max_in_flight);
    put_count(&object, "ack_wait", (uint64_t)from->ack_wait_seconds);
    put_count(&object, "last_sent", from->last_sent);
    put_count(&object, "pending_count", from->pending_count);
    put_seconds(&object, "oldest_pending_age", from->oldest_pending_age);
    return object_end(&object);
}

static json_t *pending_json(const struct admin_pending *from)
{
    struct object object = object_new();
    put_count(&object, "sequence", from->sequence);
    put_seconds(&object, "age", from->age);
    put_count(&object, "delivery_count", from->deliveries);
    put_seconds(&object, "due_in", from->due_in);
    return object_end(&object);
}

static json_t *subscriptions_json(const struct admin_answer *answer)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < answer->subscription_count; i++) {
        if (json_array_append_new(
                list, subscription_json(&answer->subscriptions[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *pending_list_json(const struct admin_answer *answer)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < answer->pending_count; i++) {
        if (json_array_append_new(list, pending_json(&answer->pending[i])) !=
            0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

/* ---- by verb ---- */

static void put_next(struct object *object, const struct admin_answer *answer)
{
    if (answer->next > 0)
        put_count(object, "next_seq", answer->next);
}

static void put_lists(struct object *object,
                      const struct admin_request *request, bool *damaged)
{
    const struct admin_answer *answer = &request->answer;
    if (request->verb == ADMIN_MESSAGES) {
        put_count(object, "first_seq", answer->first);
        put_count(object, "last_seq", answer->last);
        put(object, "messages", messages_json(answer->run, damaged));
        put_next(object, answer);
    } else if (request->verb == ADMIN_MESSAGE) {
        put(object, "message",
            message_json(&answer->run->entries[0], SIZE_MAX, damaged));
    } else if (request->verb == ADMIN_SUBSCRIPTIONS) {
        put_count(object, "total", answer->total);
        put_count(object, "offset", request->offset);
        put_count(object, "limit", request->limit);
        put(object, "subscriptions", subscriptions_json(answer));
    } else {
        put_count(object, "id", request->subscription);
        put_count(object, "pending_count", answer->total);
        put(object, "pending", pending_list_json(answer));
        put_next(object, answer);
    }
}

static void put_channel_change(struct object *object,
                               const struct admin_request *request)
{
    const struct admin_answer *answer = &request->answer;
    if (request->verb == ADMIN_PUBLISH) {
        put_count(object, "sequence", answer->sequence);
        put_bytes(object, "guid", bytes_text(answer->guid));
    } else if (request->verb == ADMIN_PURGE) {
        put_count(object, "purged_msgs", answer->messages);
        put_count(object, "purged_bytes", answer->bytes);
        put_count(object, "first_seq", answer->first);
        put_count(object, "last_seq", answer->last);
    } else {
        put_count(object, "deleted_msgs", answer->messages);
        put_count(object, "deleted_bytes", answer->bytes);
        put_count(object, "last_seq", answer->last);
        put_count(object, "ended_subscriptions", answer->ended);
    }
}

static void put_deletion(struct object *object,
                         const struct admin_request *request)
{
    const struct admin_answer *answer = &request->answer;
    if (request->verb == ADMIN_DELETE_QUEUE_GROUP) {
        put_text(object, "queue_name", &request->queue_group);
        put_boolean(object, "is_durable", answer->is_durable);
        put_count(object, "members", answer->ended);
        put_count(object, "last_sent", answer->last);
        put_count(object, "pending_dropped", answer->dropped);
        return;
    }
    put_count(object, "id", request->subscription);
    put_text(object, "client_id", &answer->client_id);
    put_text(object, "durable_name", &answer->durable_name);
    put_text(object, "queue_name", &answer->queue_name);
    put_boolean(object, "was_offline", answer->was_offline);
    put_count(object, "pending_dropped", answer->dropped);
    put_count(object, "pending_transferred", answer->transferred);
    put_boolean(object, "group_deleted", answer->group_deleted);
}

static void put_move(struct object *object, const struct admin_request *request)
{
    const struct admin_answer *answer = &request->answer;
    if (answer->queue_name.size > 0) {
        put_text(object, "queue_name", &answer->queue_name);
    } else {
        put_count(object, "id", request->subscription);
    }
    put_count(object, "previous_last_sent", answer->previous);
    put_count(object, "last_sent", answer->next - 1);
    put_count(object, "next_seq", answer->next);
    put_count(object, "pending_cleared", answer->dropped);
}

static void put_one_pending(struct object *object,
                            const struct admin_request *request)
{
    const struct admin_answer *answer = &request->answer;
    put_count(object, "id", request->subscription);
    put_count(object, "sequence", request->sequence);
    if (request->verb == ADMIN_RELEASE) {
        put_count(object, "delivery_count", answer->deliveries);
    } else {
        put_count(object, "pending_count", answer->total);
    }
}

static void put_answer(struct object *object,
                       const struct admin_request *request, bool *damaged)
{
    if (request->verb != ADMIN_CLOSE_CLIENT)
        put_text(object, "channel", &request->channel);
    switch (request->verb) {
    case ADMIN_MESSAGES:
    case ADMIN_MESSAGE:
    case ADMIN_SUBSCRIPTIONS:
    case ADMIN_PENDING:
        put_lists(object, request, damaged);
        break;
    case ADMIN_PUBLISH:
    case ADMIN_PURGE:
    case ADMIN_DELETE_CHANNEL:
        put_channel_change(object, request);
        break;
    case ADMIN_DELETE_SUBSCRIPTION:
    case ADMIN_DELETE_QUEUE_GROUP:
        put_deletion(object, request);
        break;
    case ADMIN_MOVE:
        put_move(object, request);
        break;
    case ADMIN_RELEASE:
    case ADMIN_DROP:
        put_one_pending(object, request);
        break;
    case ADMIN_CLOSE_CLIENT:
        put_text(object, "client_id", &request->client_id);
        put_count(object, "ended_subscriptions", request->answer.ended);
        put_count(object, "offline_durables", request->answer.offline);
        break;
    case ADMIN_VERBS:
        break;
    }
}

/* Appends the text of json (NULL: an earlier failure) and lets go of it. */
static bool finish(json_t *json, struct blob *out)
{
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    bool done = text != NULL && blob_append(out, text, strlen(text)) &&
                blob_append(out, "\n", 1);
    free(text);
    return done;
}

enum status admin_json(const struct admin_request *request, bool with_ok,
                       struct blob *out, struct error *err)
{
    bool damaged = false;
    struct object object = object_new();
    if (with_ok)
        put_boolean(&object, "ok", true);
    put_answer(&object, request, &damaged);
    json_t *json = object_end(&object);
    if (damaged) {
        json_decref(json);
        return fail(err, STATUS_CORRUPT, "a stored message is damaged");
    }
    return finish(json, out) ? STATUS_OK
                             : fail(err, STATUS_NO_MEMORY, "out of memory");
}

bool admin_json_error(const char *text, struct blob *out)
{
    struct object object = object_new();
    put_bytes(&object, "error", bytes_text(text));
    return finish(object_end(&object), out);
}
