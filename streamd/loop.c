#include "streamd/loop.h"

#include "natsclient/connection.h"
#include "streamd/admin_nats.h"
#include "streamd/base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { NAME_MAX_SIZE = 512, MEMORY_STORE_CACHE = 8 << 20 };

struct loop {
    struct loop_config config;
    pthread_t thread;
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t timer;
    uv_prepare_t prepare;
    struct queue *events;
    struct connection *connection;
    struct engine *engine;
    bool open;       /* the engine answers; atomic, set by its thread */
    unsigned health; /* enum view_health; atomic, set by the engine's thread */
    bool stop;       /* loop_stop() was called; atomic */
    bool ending;     /* engine thread only, as those below */
    struct view_recovery recovery; /* atomic */
    int64_t start_time;            /* wall */
    int64_t timer_due;             /* what the uv timer is set to; 0: not set */
};

/* ---- the engine's transport ---- */

static enum status publish(void *context, const char *subject,
                           const char *reply, struct bytes data)
{
    const struct loop *loop = context;
    if (loop->connection == NULL)
        return STATUS_UNAVAILABLE;
    return connection_publish(loop->connection, subject, reply, data);
}

/* The connection may not be there yet, or not have come to be. */
static void flush(struct loop *loop)
{
    if (loop->connection != NULL)
        connection_flush(loop->connection);
}

static enum status subscribe(void *context, enum inbound kind,
                             const char *subject, struct error *err)
{
    const struct loop *loop = context;
    return connection_subscribe(loop->connection, kind, subject, err);
}

static void unsubscribe(void *context, enum inbound kind, const char *subject)
{
    const struct loop *loop = context;
    connection_unsubscribe(loop->connection, kind, subject);
}

static bool congested(void *context)
{
    const struct loop *loop = context;
    return loop->connection != NULL && connection_congested(loop->connection);
}

static void pause_reading(void *context, bool pause)
{
    const struct loop *loop = context;
    if (loop->connection != NULL)
        connection_pause(loop->connection, pause);
}

static bool is_up(void *context)
{
    const struct loop *loop = context;
    return loop->connection != NULL && connection_is_up(loop->connection);
}

static size_t max_payload(void *context)
{
    const struct loop *loop = context;
    return loop->connection == NULL ? 0
                                    : connection_max_payload(loop->connection);
}

static struct transport transport_of(struct loop *loop)
{
    return (struct transport){
        .context = loop,
        .publish = publish,
        .subscribe = subscribe,
        .unsubscribe = unsubscribe,
        .congested = congested,
        .pause = pause_reading,
        .is_up = is_up,
        .max_payload = max_payload,
    };
}

/* ---- events of the connection; it flushes after each ---- */

static void on_message(void *context, const struct inbound_message *message)
{
    const struct loop *loop = context;
    engine_message(loop->engine, message);
}

static void on_burst_end(void *context)
{
    const struct loop *loop = context;
    engine_burst_end(loop->engine);
}

static void on_drained(void *context)
{
    struct loop *loop = context;
    engine_drained(loop->engine);
    flush(loop);
}

static void on_disconnected(void *context)
{
    const struct loop *loop = context;
    if (loop->engine != NULL) /* publishing fails by itself meanwhile */
        engine_disconnected(loop->engine);
}

static void on_reconnected(void *context)
{
    struct loop *loop = context;
    engine_reconnected(loop->engine);
    flush(loop);
}

/* ---- what other threads posted ---- */

static void run_events(struct loop *loop)
{
    struct list events;
    list_init(&events);
    (void)queue_take(loop->events, &events);
    while (!list_empty(&events)) {
        engine_event(loop->engine,
                     list_entry(list_pop(&events), struct event, link));
    }
}

/* ---- the end ---- */

static void finish(struct loop *loop)
{
    __atomic_store_n(&loop->open, false, __ATOMIC_RELEASE);
    loop->ending = true;
    store_close(loop->config.engine.store);
    loop->config.engine.store = NULL;
    run_events(loop); /* of what the close finished */
    flush(loop);
    engine_free(loop->engine);
    loop->engine = NULL;
    connection_close(loop->connection);
    loop->connection = NULL;
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->wake, NULL);
}

static void end_if_idle(struct loop *loop)
{
    if (!loop->ending && __atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE) &&
        engine_stop(loop->engine))
        finish(loop);
}

/* ---- turns of the loop ---- */

static void on_wake(uv_async_t *handle)
{
    struct loop *loop = handle->data;
    run_events(loop);
    flush(loop);
    end_if_idle(loop);
}

static void on_timer(uv_timer_t *handle)
{
    struct loop *loop = handle->data;
    loop->timer_due = 0;
    engine_timers(loop->engine);
    flush(loop);
    end_if_idle(loop);
}

static void note_health(struct loop *loop)
{
    unsigned health = 0;
    if (!loop->ending && __atomic_load_n(&loop->open, __ATOMIC_RELAXED))
        health = VIEW_RECOVERED | engine_health(loop->engine);
    __atomic_store_n(&loop->health, health, __ATOMIC_RELAXED);
}

/* Before the loop sleeps: until when? */
static void on_prepare(uv_prepare_t *handle)
{
    struct loop *loop = handle->data;
    note_health(loop);
    int64_t due = 0;
    if (loop->ending || !engine_next_timer(loop->engine, &due)) {
        if (loop->timer_due != 0)
            (void)uv_timer_stop(&loop->timer);
        loop->timer_due = 0;
        return;
    }
    if (due == loop->timer_due)
        return;
    int64_t now = clock_monotonic(loop->config.engine.clock);
    int64_t wait = due <= now ? 0 : due - now;
    uint64_t milliseconds =
        (uint64_t)((wait + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND);
    uv_update_time(&loop->uv);
    if (uv_timer_start(&loop->timer, on_timer, milliseconds, 0) == 0)
        loop->timer_due = due;
}

/* Any thread. */
static void wake(void *context)
{
    struct loop *loop = context;
    (void)uv_async_send(&loop->wake);
}

/* Any thread. */
static void post(void *context, struct event *event)
{
    const struct loop *loop = context;
    queue_push(loop->events, &event->link);
}

static void on_admin(void *context, const struct inbound_message *message)
{
    const struct loop *loop = context;
    const struct transport transport = transport_of(context);
    admin_nats_message(loop->config.admin, loop->config.engine.log,
                       loop->engine, &transport, message);
}

static void on_started(void *context, const struct error *failure)
{
    struct loop *loop = context;
    loop->config.started(loop->config.context, failure);
}

/* ---- the thread ---- */

static enum status open_connection(struct loop *loop, struct error *err)
{
    char name[NAME_MAX_SIZE];
    (void)snprintf(name, sizeof name, "_NSS-%s-general",
                   loop->config.engine.cluster_id);
    const struct connection_options options = {
        .urls = loop->config.urls,
        .security = loop->config.security,
        .name = name,
        .log = loop->config.engine.log,
    };
    const struct connection_events events = {
        .context = loop,
        .message = on_message,
        .burst_end = on_burst_end,
        .drained = on_drained,
        .disconnected = on_disconnected,
        .reconnected = on_reconnected,
    };
    return connection_open(&loop->uv, &options, &events, &loop->connection,
                           err);
}

static void *run(void *argument)
{
    struct loop *loop = argument;
    struct error err = {0};
    (void)pthread_setname_np(pthread_self(), "engine");
    enum status status = open_connection(loop, &err);
    int64_t begun = clock_monotonic(loop->config.engine.clock);
    if (status == STATUS_OK)
        status = engine_recover(loop->engine, &err);
    __atomic_store_n(&loop->recovery.duration,
                     clock_monotonic(loop->config.engine.clock) - begun,
                     __ATOMIC_RELAXED);
    if (status == STATUS_OK) {
        __atomic_store_n(&loop->open, true, __ATOMIC_RELEASE);
        engine_start(loop->engine);
        flush(loop);
    } else {
        loop->config.started(loop->config.context, &err);
    }
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    return NULL;
}

/* ---- from outside ---- */

static void loop_free(struct loop *loop)
{
    engine_free(loop->engine);
    queue_free(loop->events);
    (void)uv_loop_close(&loop->uv);
    free(loop);
}

static bool init_uv(struct loop *loop)
{
    if (uv_loop_init(&loop->uv) != 0)
        return false;
    loop->wake.data = loop->timer.data = loop->prepare.data = loop;
    return uv_async_init(&loop->uv, &loop->wake, on_wake) == 0 &&
           uv_timer_init(&loop->uv, &loop->timer) == 0 &&
           uv_prepare_init(&loop->uv, &loop->prepare) == 0 &&
           uv_prepare_start(&loop->prepare, on_prepare) == 0;
}

static struct engine_config engine_settings(struct loop *loop)
{
    struct engine_config config = loop->config.engine;
    /* A memory store has all messages at hand: beside it the engine keeps
     * those that just came, no more. */
    if (strcmp(store_name(config.store), "MEMORY") == 0 &&
        config.cache_size > MEMORY_STORE_CACHE)
        config.cache_size = MEMORY_STORE_CACHE;
    config.transport = transport_of(loop);
    config.recovery = &loop->recovery;
    config.stopping = &loop->stop;
    config.context = loop;
    config.post = post;
    config.started = on_started;
    config.admin = loop->config.admin == NULL ? NULL : on_admin;
    return config;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

enum status loop_start(const struct loop_config *config, struct loop **out,
                       struct error *err)
{
    *out = NULL;
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return fail(err, STATUS_NO_MEMORY, "loop: new");
    loop->config = *config;
    loop->start_time = clock_wall(config->engine.clock);
    if (!init_uv(loop)) {
        free(loop);
        return fail(err, STATUS_IO, "loop: libuv");
    }
    const struct engine_config settings = engine_settings(loop);
    enum status status = queue_new(wake, loop, &loop->events, err);
    if (status == STATUS_OK)
        status = engine_new(&settings, &loop->engine, err);
    if (status == STATUS_OK &&
        pthread_create(&loop->thread, NULL, run, loop) != 0)
        status = fail(err, STATUS_IO, "loop: thread");
    if (status != STATUS_OK) {
        uv_walk(&loop->uv, close_handle, NULL);
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
        loop_free(loop);
        return status;
    }
    *out = loop;
    return STATUS_OK;
}

void loop_stop(struct loop *loop)
{
    if (loop == NULL)
        return;
    __atomic_store_n(&loop->stop, true, __ATOMIC_RELEASE);
    (void)uv_async_send(&loop->wake);
    (void)pthread_join(loop->thread, NULL);
    loop_free(loop);
}

/* ---- other settings ---- */

/* On the stack of the thread that asks, which waits in `answered`. */
struct reload_request {
    struct event event;
    const struct engine_settings *settings;
    struct queue *answered;
    struct list answer;
};

static void run_reload(struct engine *engine, struct event *event)
{
    struct reload_request *request =
        list_entry(event, struct reload_request, event);
    engine_reload(engine, request->settings);
    queue_push(request->answered, &request->answer);
}

bool loop_reload(struct loop *loop, const struct engine_settings *settings)
{
    struct reload_request request = {.event.run = run_reload,
                                     .settings = settings};
    struct list answers;
    if (!__atomic_load_n(&loop->open, __ATOMIC_ACQUIRE) ||
        queue_new(NULL, NULL, &request.answered, NULL) != STATUS_OK)
        return false;
    list_init(&answers);
    queue_push(loop->events, &request.event.link);
    (void)queue_wait(request.answered, &answers);
    queue_free(request.answered);
    return true;
}

/* ---- views ---- */

struct view_recovery loop_recovery(const struct loop *loop)
{
    return (struct view_recovery){
        .channels = __atomic_load_n(&loop->recovery.channels, __ATOMIC_RELAXED),
        .messages = __atomic_load_n(&loop->recovery.messages, __ATOMIC_RELAXED),
        .duration = __atomic_load_n(&loop->recovery.duration, __ATOMIC_RELAXED),
    };
}

/* On the stack of the thread that asks, which waits in `answered`. */
struct view_request {
    struct event event;
    const struct view_query *query;
    struct queue *answered;
    struct list answer;
    enum status status;
    struct error *err;
    struct view *view;
};

static void answer_view(struct engine *engine, struct event *event)
{
    struct view_request *request =
        list_entry(event, struct view_request, event);
    request->status =
        engine_view(engine, request->query, &request->view, request->err);
    queue_push(request->answered, &request->answer);
}

static enum status empty_view(const struct loop *loop, struct view **out,
                              struct error *err)
{
    const struct engine_config *config = &loop->config.engine;
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL ||
        view_string_set(&view->cluster_id, bytes_text(config->cluster_id)) !=
            STATUS_OK ||
        view_string_set(&view->server_id, bytes_text(config->server_id)) !=
            STATUS_OK) {
        view_free(view);
        return fail(err, STATUS_NO_MEMORY, "view: new");
    }
    view->state = "STANDALONE";
    view->store = "";
    view->start_time = loop->start_time;
    view->recovery = loop_recovery(loop);
    *out = view;
    return STATUS_OK;
}

/* Asks the engine and waits for it. */
static enum status get_slice(struct loop *loop, const struct view_query *query,
                             struct view **out, struct error *err)
{
    struct view_request request = {
        .event.run = answer_view, .query = query, .err = err};
    struct list answers;
    enum status status = queue_new(NULL, NULL, &request.answered, err);
    if (status != STATUS_OK)
        return status;
    list_init(&answers);
    queue_push(loop->events, &request.event.link);
    (void)queue_wait(request.answered, &answers);
    queue_free(request.answered);
    *out = request.view;
    return request.status;
}

/* The rest of a list, slice by slice: the engine works in between. */
static enum status get_rest(struct loop *loop, const struct view_query *query,
                            struct view *view, struct error *err)
{
    struct view_query rest = *query;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && view->more) {
        struct view *slice = NULL;
        rest.behind = view_last(view);
        rest.limit = query->limit - view->channels_size - view->clients_size;
        status = get_slice(loop, &rest, &slice, err);
        if (status == STATUS_OK)
            status = view_append(view, slice);
    }
    return status;
}

static enum status get_view(void *context, const struct view_query *query,
                            struct view **out, struct error *err)
{
    struct loop *loop = context;
    *out = NULL;
    if (!__atomic_load_n(&loop->open, __ATOMIC_ACQUIRE))
        return empty_view(loop, out, err);
    enum status status = get_slice(loop, query, out, err);
    if (status == STATUS_OK)
        status = get_rest(loop, query, *out, err);
    if (status != STATUS_OK) {
        view_free(*out);
        *out = NULL;
    }
    return status;
}

static unsigned get_health(void *context)
{
    const struct loop *loop = context;
    return __atomic_load_n(&loop->health, __ATOMIC_RELAXED);
}

struct view_source loop_view_source(struct loop *loop)
{
    return (struct view_source){
        .context = loop, .health = get_health, .get = get_view};
}

/* ---- administration ---- */

static const int64_t ADMIN_TIMEOUT = 10 * CLOCK_SECOND;

/* Of the thread that asks and the engine's. Whoever comes last frees it: the
 * engine, if the other one waits no longer. */
struct admin_call {
    struct event event;
    struct admin_request *request;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool answered, abandoned;
};

static struct admin_call *admin_call_new(struct admin_request *request)
{
    pthread_condattr_t attributes;
    struct admin_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->request = request;
    (void)pthread_mutex_init(&call->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&call->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return call;
}

static void admin_call_free(struct admin_call *call)
{
    (void)pthread_cond_destroy(&call->changed);
    (void)pthread_mutex_destroy(&call->lock);
    free(call);
}

static void admin_discard(struct admin_request *request)
{
    admin_request_release(request);
    free(request);
}

static void admin_answered(struct admin_request *request)
{
    struct admin_call *call = request->context;
    (void)pthread_mutex_lock(&call->lock);
    bool abandoned = call->abandoned;
    call->answered = true;
    (void)pthread_cond_signal(&call->changed);
    (void)pthread_mutex_unlock(&call->lock);
    if (abandoned) {
        admin_discard(request);
        admin_call_free(call);
    }
}

static void ask_admin(struct engine *engine, struct event *event)
{
    engine_admin(engine, list_entry(event, struct admin_call, event)->request);
}

/* False if it took too long: then call is the engine's. */
static bool admin_wait_for(struct admin_call *call)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ADMIN_TIMEOUT / CLOCK_SECOND);
    int result = 0;
    (void)pthread_mutex_lock(&call->lock);
    while (!call->answered && result == 0)
        result = pthread_cond_timedwait(&call->changed, &call->lock, &until);
    bool answered = call->answered;
    call->abandoned = !answered;
    (void)pthread_mutex_unlock(&call->lock);
    return answered;
}

static enum status call_admin(void *context, struct admin_request *request,
                              struct admin_request **answered,
                              struct error *err)
{
    struct loop *loop = context;
    struct admin_call *call = NULL;
    *answered = NULL;
    if (!__atomic_load_n(&loop->open, __ATOMIC_ACQUIRE)) {
        admin_discard(request);
        return fail(err, STATUS_UNAVAILABLE, "the server is starting");
    }
    call = admin_call_new(request);
    if (call == NULL) {
        admin_discard(request);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    request->done = admin_answered;
    request->context = call;
    call->event.run = ask_admin;
    queue_push(loop->events, &call->event.link);
    if (!admin_wait_for(call)) {
        return fail(err, STATUS_CLOSED,
                    "no answer in 10 seconds; it may still be done");
    }
    admin_call_free(call);
    *answered = request;
    return STATUS_OK;
}

struct admin_source loop_admin_source(struct loop *loop)
{
    return (struct admin_source){.context = loop, .call = call_admin};
}
