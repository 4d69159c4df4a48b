#include "natsclient/connection.h"

#include "natsclient/connector.h"
#include "natsclient/link.h"
#include "natsclient/plain.h"
#include "natsclient/subjects.h"
#include "natsclient/subscriptions.h"
#include "natsclient/urls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define MIB ((size_t)1 << 20)
#define CONGESTED_ABOVE (8 * MIB)
#define DRAINED_BELOW MIB
/* Replies are not held back by congestion; beyond this they fail, as if the
 * connection were gone, so that a server that stands still cannot fill us. */
#define QUEUED_MAX (256 * MIB)
/* Written without waiting for the end of the burst: the server can start. */
#define WRITE_EARLY (256 * (size_t)1024)
/* What the protocol adds to a message, about. */
#define PUBLISH_OVERHEAD 16

/*        lost              linked again
 *  UP ────────▶ DOWN     DOWN ────────▶ UP
 * UP has a link and a poll handle, DOWN has neither and the connector tries.
 * A link may be dead (link_is_alive) while UP: that is noticed on the way
 * through the loop, so that no event comes from within a call. */
enum connection_state { CONNECTION_STATE_UP, CONNECTION_STATE_DOWN };

/* A subject that is known to be publishable. */
#define CHECKED_COUNT 64
struct checked {
    size_t size; /* 0: none */
    char subject[120];
};

struct connection {
    struct connection_events events;
    struct log *log;
    char *name;
    struct urls urls;
    struct urls discovered;
    struct security security; /* a copy */
    pthread_t thread;         /* the loop's */
    uv_loop_t *loop;
    uv_async_t async;
    enum connection_state state;
    struct link *link;
    struct connector *connector;
    uv_poll_t *poll;
    int armed; /* what poll waits for */
    struct subscriptions subscriptions;
    size_t queued; /* bytes in nats.c's buffer, about; exact after a flush */
    size_t early;  /* of these, since the last write */
    bool congested;
    bool paused;
    uv_timer_t *tick; /* for link_tick() */
    struct checked checked[CHECKED_COUNT];
};

static bool is_loop_thread(const struct connection *connection)
{
    return pthread_equal(pthread_self(), connection->thread) != 0;
}

static void set_state(struct connection *connection,
                      enum connection_state state)
{
    assert(connection->state != state);
    assert((state == CONNECTION_STATE_UP) == (connection->link != NULL));
    connection->state = state;
}

bool connection_is_up(const struct connection *connection)
{
    return connection->state == CONNECTION_STATE_UP &&
           link_is_alive(connection->link);
}

/* ---- the poll handle ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static enum status poll_open(struct connection *connection, struct error *err)
{
    uv_poll_t *poll = calloc(1, sizeof *poll);
    if (poll == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats: poll handle");
    int rc = uv_poll_init(connection->loop, poll, connection->link->socket);
    if (rc != 0) {
        free(poll);
        return fail(err, STATUS_UNAVAILABLE, "nats: poll: %s", uv_strerror(rc));
    }
    link_enter(connection->link);
    poll->data = connection;
    connection->poll = poll;
    connection->armed = 0;
    return STATUS_OK;
}

static void poll_close(struct connection *connection)
{
    if (connection->poll == NULL)
        return;
    uv_close((uv_handle_t *)connection->poll, free_handle);
    connection->poll = NULL;
    connection->armed = 0;
}

static void poll_arm(struct connection *connection)
{
    if (connection->poll == NULL)
        return;
    int wanted = (connection->paused ? 0 : UV_READABLE) |
                 (connection->queued > 0 ? UV_WRITABLE : 0);
    if (wanted == connection->armed)
        return;
    connection->armed = wanted;
    if (wanted == 0) {
        (void)uv_poll_stop(connection->poll);
    } else {
        (void)uv_poll_start(connection->poll, wanted, on_poll);
    }
}

/* ---- out ---- */

/* Never calls an event. nats.c takes a write of nothing for a lost
 * connection, hence the look before. */
static void write_queued(struct connection *connection)
{
    struct link *link = connection->link;
    if (link == NULL)
        return;
    size_t buffered = link_queued(link);
    if (buffered > 0) {
        link_write(link);
        buffered = link_queued(link);
    }
    connection->queued = buffered;
    connection->early = 0;
    poll_arm(connection);
}

void connection_flush(struct connection *connection)
{
    assert(is_loop_thread(connection));
    write_queued(connection);
    if (connection->congested && connection->queued < DRAINED_BELOW)
        (void)uv_async_send(&connection->async); /* `drained` comes later */
}

/* Inboxes are published to again and again, and differ at their end. */
static struct checked *checked_place(struct connection *connection,
                                     struct bytes subject)
{
    size_t hash = subject.size;
    for (size_t i = subject.size > 4 ? subject.size - 4 : 0; i < subject.size;
         i++)
        hash = hash * 31 + subject.data[i];
    return &connection->checked[hash % CHECKED_COUNT];
}

/* One that was published to of late is not looked at again. */
static bool check_subject(struct connection *connection, struct bytes subject)
{
    if (subject.size == 0 || subject.size > SUBJECTS_MAX)
        return false;
    struct checked *checked = checked_place(connection, subject);
    if (bytes_equal(subject, bytes_of(checked->subject, checked->size)))
        return true;
    if (!subject_is_publishable(subject))
        return false;
    if (subject.size <= sizeof checked->subject) {
        memcpy(checked->subject, subject.data, subject.size);
        checked->size = subject.size;
    }
    return true;
}

size_t connection_max_payload(const struct connection *connection)
{
    if (!connection_is_up(connection))
        return 0;
    return link_max_payload(connection->link);
}

enum status connection_publish(struct connection *connection,
                               const char *subject, const char *reply,
                               struct bytes data)
{
    struct bytes to = bytes_text(subject);
    struct bytes back = reply != NULL ? bytes_text(reply) : bytes_of(NULL, 0);
    if (!check_subject(connection, to) ||
        (reply != NULL &&
         (to.size + back.size > SUBJECTS_MAX || !subject_is_publishable(back))))
        return STATUS_INVALID;
    if (!connection_is_up(connection) || connection->queued > QUEUED_MAX)
        return STATUS_UNAVAILABLE;
    enum status status = link_publish(connection->link, to, back, data);
    if (status != STATUS_OK)
        return status;
    size_t size = to.size + back.size + data.size + PUBLISH_OVERHEAD;
    connection->queued += size;
    connection->early += size;
    if (connection->queued > CONGESTED_ABOVE)
        connection->congested = true;
    if (connection->early > WRITE_EARLY &&
        (connection->armed & UV_WRITABLE) == 0)
        write_queued(connection);
    return STATUS_OK;
}

bool connection_congested(const struct connection *connection)
{
    return connection->congested;
}

/* ---- in ---- */

enum status connection_subscribe(struct connection *connection,
                                 enum inbound kind, const char *subject,
                                 struct error *err)
{
    assert(is_loop_thread(connection));
    enum status status = subscriptions_add(&connection->subscriptions, kind,
                                           subject, connection->link, err);
    if (status == STATUS_OK)
        connection_flush(connection);
    return status;
}

void connection_unsubscribe(struct connection *connection, enum inbound kind,
                            const char *subject)
{
    assert(is_loop_thread(connection));
    subscriptions_remove(&connection->subscriptions, kind, subject,
                         connection->link);
    connection_flush(connection);
}

void connection_pause(struct connection *connection, bool pause)
{
    assert(is_loop_thread(connection));
    connection->paused = pause;
    poll_arm(connection);
}

/* ---- lost and found ---- */

/* Drops the link and lets the connector make another. */
static void drop_link(struct connection *connection)
{
    poll_close(connection);
    subscriptions_suspend(&connection->subscriptions);
    link_discovered(connection->link, &connection->discovered);
    link_close(connection->link);
    connection->link = NULL;
    connection->queued = 0;
    connection->early = 0;
    connector_start(connection->connector);
}

static void lose(struct connection *connection)
{
    char reason[256];
    link_reason(connection->link, reason, sizeof reason);
    if (reason[0] != '\0') {
        log_error(connection->log,
                  "connection \"%s\" has been disconnected: %s",
                  connection->name, reason);
    }
    drop_link(connection);
    set_state(connection, CONNECTION_STATE_DOWN);
    connection->events.disconnected(connection->events.context);
}

static void log_reconnected(const struct connection *connection)
{
    log_info(connection->log,
             "connection \"%s\" reconnected to NATS Server at \"%s\"",
             connection->name, connection->link->url);
}

/* Takes over the connector's new link, which may be lost already. */
static void adopt(struct connection *connection, struct link *link)
{
    connection->link = link;
    if (!link_is_alive(link) || poll_open(connection, NULL) != STATUS_OK ||
        subscriptions_resume(&connection->subscriptions, link) != STATUS_OK) {
        drop_link(connection);
        return;
    }
    set_state(connection, CONNECTION_STATE_UP);
    log_reconnected(connection);
    write_queued(connection);
    connection->events.reconnected(connection->events.context);
}

static void log_errors(const struct connection *connection)
{
    char errors[LINK_ERRORS_MAX][LINK_ERROR_SIZE];
    int count = link_take_errors(connection->link, errors);
    for (int i = 0; i < count; i++) {
        log_error(connection->log, "Asynchronous error on connection %s, %s",
                  connection->name, errors[i]);
    }
}

/* Whatever has changed since the last look; all events but messages come from
 * here. */
static void attend(struct connection *connection)
{
    if (connection->state == CONNECTION_STATE_UP) {
        subscriptions_hand_over(&connection->subscriptions, connection->link,
                                &connection->events);
        write_queued(connection);
        log_errors(connection);
        if (!link_is_alive(connection->link))
            lose(connection);
    } else {
        struct link *link = connector_take(connection->connector);
        if (link != NULL)
            adopt(connection, link);
    }
    if (connection->congested && connection_is_up(connection) &&
        connection->queued < DRAINED_BELOW) {
        connection->congested = false;
        connection->events.drained(connection->events.context);
        write_queued(connection);
    }
}

static void on_async(uv_async_t *async)
{
    attend(async->data);
}

/* While paused what the server says is not read: its silence means nothing. */
static void on_tick(uv_timer_t *tick)
{
    struct connection *connection = tick->data;
    if (connection->state != CONNECTION_STATE_UP || connection->paused)
        return;
    link_tick(connection->link);
    attend(connection);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    if (status < 0) { /* libuv has stopped it; reading tells what is wrong */
        connection->armed = 0;
        (void)uv_poll_stop(poll);
    }
    if (status < 0 || (events & UV_READABLE) != 0)
        link_read(connection->link);
    attend(connection);
}

/* ---- from open to close ---- */

static void connection_free(struct connection *connection)
{
    subscriptions_release(&connection->subscriptions);
    connector_free(connection->connector);
    link_close(connection->link);
    urls_release(&connection->urls);
    urls_release(&connection->discovered);
    security_release(&connection->security);
    free(connection->name);
    free(connection);
}

static void on_async_closed(uv_handle_t *handle)
{
    connection_free(handle->data);
}

static enum status connect_first(struct connection *connection,
                                 struct error *err)
{
    struct link_options options = {
        .name = connection->name,
        .urls = &connection->urls,
        .discovered = &connection->discovered,
        .security = &connection->security,
        .loop_thread = connection->thread,
    };
    enum status status = link_open(&options, &connection->link, err);
    if (status != STATUS_OK)
        return status;
    options.async = &connection->async;
    return connector_new(&options, connection->log, &connection->connector,
                         err);
}

static enum status init(struct connection *connection, uv_loop_t *loop,
                        const struct connection_options *options,
                        const struct connection_events *events,
                        struct error *err)
{
    connection->loop = loop;
    connection->thread = pthread_self();
    connection->events = *events;
    connection->log = options->log;
    subscriptions_init(&connection->subscriptions);
    connection->name = strdup(options->name);
    if (connection->name == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats: new connection");
    enum status status = urls_parse(options->urls, &connection->urls, err);
    if (status == STATUS_OK)
        status = security_check(&options->security, err);
    if (status == STATUS_OK) {
        status = security_copy(&options->security, &connection->security, err);
    }
    if (status != STATUS_OK)
        return status;
    return connect_first(connection, err);
}

static enum status tick_open(struct connection *connection, struct error *err)
{
    uv_timer_t *tick = calloc(1, sizeof *tick);
    if (tick == NULL || uv_timer_init(connection->loop, tick) != 0) {
        free(tick);
        return fail(err, STATUS_NO_MEMORY, "nats: timer");
    }
    tick->data = connection;
    connection->tick = tick;
    (void)uv_timer_start(tick, on_tick, PLAIN_PING_EVERY_MS,
                         PLAIN_PING_EVERY_MS);
    return STATUS_OK;
}

static void tick_close(struct connection *connection)
{
    if (connection->tick != NULL)
        uv_close((uv_handle_t *)connection->tick, free_handle);
    connection->tick = NULL;
}

/* The loop's handles last: with them it can only end through the loop. */
static enum status enter_loop(struct connection *connection, struct error *err)
{
    int rc = uv_async_init(connection->loop, &connection->async, on_async);
    if (rc != 0) {
        connection_free(connection);
        return fail(err, STATUS_NO_MEMORY, "nats: %s", uv_strerror(rc));
    }
    connection->async.data = connection;
    enum status status = poll_open(connection, err);
    if (status == STATUS_OK)
        status = tick_open(connection, err);
    if (status != STATUS_OK) {
        poll_close(connection);
        uv_close((uv_handle_t *)&connection->async, on_async_closed);
        return status;
    }
    link_listen(connection->link, &connection->async);
    poll_arm(connection);
    return STATUS_OK;
}

enum status connection_open(struct uv_loop_s *loop,
                            const struct connection_options *options,
                            const struct connection_events *events,
                            struct connection **out, struct error *err)
{
    *out = NULL;
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats: new connection");
    enum status status = init(connection, loop, options, events, err);
    if (status != STATUS_OK) {
        connection_free(connection);
        return status;
    }
    status = enter_loop(connection, err);
    if (status == STATUS_OK)
        *out = connection;
    return status;
}

void connection_close(struct connection *connection)
{
    if (connection == NULL)
        return;
    assert(is_loop_thread(connection));
    assert(!connection->subscriptions.handing_over);
    poll_close(connection);
    tick_close(connection);
    connector_free(connection->connector);
    connection->connector = NULL;
    if (connection->link != NULL) {
        link_finish(connection->link);
        subscriptions_suspend(&connection->subscriptions);
        link_close(connection->link);
        connection->link = NULL;
    }
    log_debug(connection->log, "connection \"%s\" has been closed",
              connection->name);
    nats_ReleaseThreadMemory();
    uv_close((uv_handle_t *)&connection->async, on_async_closed);
}

bool connection_end_all(void)
{
    return link_end_all();
}
