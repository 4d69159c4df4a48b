#include "streamd/engine/admin.h"

#include "streamd/engine/admin_work.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/queue_group.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TARGET_MAX = 512, RESULT_MAX = 320 };

static const char *const names[] = {
#define ADMIN_VERB_NAME(code, name) [code] = (name),
    ADMIN_VERB_MAP(ADMIN_VERB_NAME)
#undef ADMIN_VERB_NAME
};

const char *admin_verb_name(enum admin_verb verb)
{
    return names[verb];
}

bool admin_verb_find(struct bytes name, enum admin_verb *verb)
{
    for (int i = 0; i < ADMIN_VERBS; i++) {
        if (bytes_equal(name, bytes_text(names[i]))) {
            *verb = (enum admin_verb)i;
            return true;
        }
    }
    return false;
}

/* ---- memory ---- */

static void subscription_release(struct admin_subscription *subscription)
{
    text_release(&subscription->client_id);
    text_release(&subscription->inbox);
    text_release(&subscription->durable_name);
    text_release(&subscription->queue_name);
}

static void answer_release(struct admin_answer *answer)
{
    run_free(answer->run);
    text_release(&answer->client_id);
    text_release(&answer->durable_name);
    text_release(&answer->queue_name);
    for (size_t i = 0; i < answer->subscription_count; i++)
        subscription_release(&answer->subscriptions[i]);
    free(answer->subscriptions);
    free(answer->pending);
    *answer = (struct admin_answer){0};
}

void admin_request_release(struct admin_request *request)
{
    text_release(&request->who);
    text_release(&request->channel);
    text_release(&request->queue_group);
    text_release(&request->client_id);
    text_release(&request->data);
    answer_release(&request->answer);
}

/* ---- the end of a request, and its line in the log ---- */

static void add_name(char target[TARGET_MAX], const char *what,
                     const struct text *name)
{
    char shown[TEXT_QUOTED_MAX];
    size_t size = strlen(target);
    if (name->size > 0) {
        (void)snprintf(target + size, TARGET_MAX - size, " %s=%s", what,
                       text_quote(text_bytes(name), shown));
    }
}

static void add_number(char target[TARGET_MAX], const char *what,
                       uint64_t number)
{
    size_t size = strlen(target);
    if (number > 0) {
        (void)snprintf(target + size, TARGET_MAX - size, " %s=%" PRIu64, what,
                       number);
    }
}

/* Who asked for what, and what came of it. */
static void audit(struct admin_work *work, const char *result)
{
    const struct admin_request *request = work->request;
    char who[TEXT_QUOTED_MAX];
    char target[TARGET_MAX] = "";
    add_name(target, "channel", &request->channel);
    add_name(target, "queue", &request->queue_group);
    add_number(target, "subid", request->subscription);
    add_number(target, "seq", request->sequence);
    add_number(target, "time", request->by_time ? (uint64_t)request->time : 0);
    add_name(target, "client", &request->client_id);
    log_info(work->engine->log, "Admin %s: %s%s%s: %s",
             text_quote(text_bytes(&request->who), who),
             admin_verb_name(request->verb), target,
             request->force ? " force" : "", result);
}

static void end(struct admin_work *work, const char *result)
{
    struct admin_request *request = work->request;
    audit(work, result);
    text_release(&work->group_key);
    free(work);
    request->done(request);
}

void admin_done(struct admin_work *work, const char *format, ...)
{
    char result[RESULT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(result, sizeof result, format, arguments);
    va_end(arguments);
    work->request->status = STATUS_OK;
    end(work, result);
}

void admin_refuse_with(struct admin_work *work, const struct error *err)
{
    struct admin_request *request = work->request;
    char result[RESULT_MAX];
    (void)snprintf(result, sizeof result, "refused: %s", err->detail);
    answer_release(&request->answer);
    request->status = err->status;
    request->error = *err;
    end(work, result);
}

void admin_refuse(struct admin_work *work, enum status status,
                  const char *format, ...)
{
    struct error err = {.status = status};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err.detail, sizeof err.detail, format, arguments);
    va_end(arguments);
    admin_refuse_with(work, &err);
}

void admin_not_stored(struct admin_work *work, const struct error *failure)
{
    enum status status =
        failure->status == STATUS_CLOSED ? STATUS_CLOSED : STATUS_IO;
    admin_refuse(work, status, "not stored: %.120s; %s", failure->detail,
                 work->standing != NULL ? work->standing : "nothing changed");
}

/* ---- waiting ---- */

void admin_wait(struct admin_work *work,
                void (*finish)(struct engine *engine, struct effect *effect,
                               const struct error *failure))
{
    work->effect.finish = finish;
    commit_wait(work->engine, &work->effect);
}

/* Any thread. */
static void read_done(struct read *read)
{
    struct admin_work *work = list_entry(read, struct admin_work, read);
    work->engine->config.post(work->engine->config.context, &work->event);
}

void admin_read(struct admin_work *work, struct channel *channel,
                void (*finish)(struct engine *engine, struct event *event))
{
    work->channel = channel->id;
    work->event.run = finish;
    work->read.channel = channel->id;
    work->read.done = read_done;
    work->engine->reads++;
    store_read(work->engine->config.store, &work->read);
}

/* ---- finding what a request names ---- */

struct channel *admin_channel(struct admin_work *work, bool to_change)
{
    char shown[TEXT_QUOTED_MAX];
    struct bytes name = text_bytes(&work->request->channel);
    struct channel *channel = channel_find(work->engine, name);
    if (channel == NULL) {
        admin_refuse(work, STATUS_NOT_FOUND, "channel %s not found",
                     text_quote(name, shown));
        return NULL;
    }
    if (to_change && channel->state != CHANNEL_LIVE) {
        admin_refuse(work, STATUS_CONFLICT, "channel %s is being deleted",
                     text_quote(name, shown));
        return NULL;
    }
    return channel;
}

struct subscription *admin_subscription(struct admin_work *work,
                                        const struct channel *channel)
{
    struct subscription *subscription =
        subscription_find(channel, work->request->subscription);
    if (subscription == NULL) {
        char shown[TEXT_QUOTED_MAX];
        admin_refuse(work, STATUS_NOT_FOUND,
                     "subscription %" PRIu64 " of channel %s not found",
                     work->request->subscription,
                     text_quote(text_bytes(&channel->name), shown));
    }
    return subscription;
}

struct queue_group *admin_group(struct admin_work *work,
                                const struct channel *channel)
{
    struct bytes name = text_bytes(&work->request->queue_group);
    struct queue_group *found = NULL;
    for (struct slot *at = table_first(channel->groups); at != NULL;
         at = table_next(at)) {
        struct queue_group *group = table_value(at);
        /* "a:b" may be a durable group, and one without durable: then the
         * durable is meant, the other has no name of its own to be asked by */
        if (bytes_equal(text_bytes(&group->name), name) &&
            (found == NULL || group->is_durable))
            found = group;
    }
    if (found == NULL) {
        char shown[TEXT_QUOTED_MAX];
        char of[TEXT_QUOTED_MAX];
        admin_refuse(work, STATUS_NOT_FOUND,
                     "queue group %s of channel %s not found",
                     text_quote(name, shown),
                     text_quote(text_bytes(&channel->name), of));
    }
    return found;
}

/* ---- the verbs ---- */

static void (*const verbs[])(struct admin_work *work) = {
    [ADMIN_MESSAGES] = admin_messages,
    [ADMIN_MESSAGE] = admin_message,
    [ADMIN_PUBLISH] = admin_publish,
    [ADMIN_PURGE] = admin_purge,
    [ADMIN_DELETE_CHANNEL] = admin_delete_channel,
    [ADMIN_SUBSCRIPTIONS] = admin_subscriptions,
    [ADMIN_DELETE_SUBSCRIPTION] = admin_delete_subscription,
    [ADMIN_DELETE_QUEUE_GROUP] = admin_delete_group,
    [ADMIN_MOVE] = admin_move,
    [ADMIN_PENDING] = admin_pending,
    [ADMIN_RELEASE] = admin_release,
    [ADMIN_DROP] = admin_drop,
    [ADMIN_CLOSE_CLIENT] = admin_close_client,
};

void engine_admin(struct engine *engine, struct admin_request *request)
{
    request->answer = (struct admin_answer){0};
    struct admin_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        request->status =
            fail(&request->error, STATUS_NO_MEMORY, "out of memory");
        log_error(engine->log, "Admin: out of memory");
        request->done(request);
        return;
    }
    work->engine = engine;
    work->request = request;
    if (engine->phase != ENGINE_SERVING) {
        admin_refuse(work, STATUS_UNAVAILABLE, "the server is %s",
                     engine->phase == ENGINE_STOPPING ? "shutting down"
                                                      : "starting");
    } else {
        verbs[request->verb](work);
    }
}
