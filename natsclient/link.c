#include "natsclient/link.h"

#include "natsclient/info.h"
#include "natsclient/plain.h"
#include "streamd/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define IO_BUFFER_SIZE (1 << 20)
#define ANSWER_TIMEOUT_MS 2000
#define OPEN_TRIES 8
/* A call of nats.c that waits for a server longer than this ends the link. */
#define CALL_WITHIN (5 * CLOCK_SECOND)
#define FINISH_WITHIN (500 * CLOCK_MILLISECOND)
enum { END_WITHIN = 5000 }; /* ms */

void link_reply_free(struct link_reply *reply)
{
    list_remove(&reply->link);
    natsMsg_Destroy(reply->message);
    free(reply);
}

static void link_unref(struct link *link)
{
    if (atomic_fetch_sub(&link->references, 1) != 1)
        return;
    struct list *next = NULL;
    for (struct list *at = link->replies.next; at != &link->replies;
         at = next) {
        next = at->next;
        link_reply_free(list_entry(at, struct link_reply, link));
    }
    plain_free(link->plain);
    urls_release(&link->members);
    if (link->socket >= 0)
        (void)close(link->socket);
    (void)pthread_mutex_destroy(&link->mutex);
    free(link);
}

/* Any thread. */
static void wake(struct link *link)
{
    (void)pthread_mutex_lock(&link->mutex);
    if (link->async != NULL)
        (void)uv_async_send(link->async);
    (void)pthread_mutex_unlock(&link->mutex);
}

/* The call-backs of nats.c's event loop interface run on any thread, with
 * nats.c's lock held: no call into nats.c. "Loop" is the link. */

static natsStatus on_attach(void **user, void *loop, natsConnection *nats,
                            natsSock socket)
{
    (void)nats;
    struct link *link = loop;
    if (link->socket >= 0)
        (void)close(link->socket); /* of a url that failed later on */
    link->socket = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (link->socket < 0)
        return NATS_SYS_ERROR;
    *user = link;
    atomic_store_explicit(&link->alive, true, memory_order_release);
    return NATS_OK;
}

static natsStatus on_read(void *user, bool add)
{
    struct link *link = user;
    if (add || !atomic_exchange(&link->alive, false))
        return NATS_OK;
    wake(link);
    return NATS_OK;
}

static natsStatus on_write(void *user, bool add)
{
    struct link *link = user;
    /* On the loop thread whoever published flushes. */
    if (add && !pthread_equal(pthread_self(), link->loop_thread))
        wake(link);
    return NATS_OK;
}

static natsStatus on_detach(void *user)
{
    natsStatus status = on_read(user, false);
    link_unref(user); /* of the two references in link_open() */
    return status;
}

/* The call-backs below come from nats.c's thread for call-backs, one after the
 * other, without its lock. */

static void on_closed(natsConnection *nats, void *closure)
{
    (void)nats;
    struct link *link = closure;
    if (atomic_exchange(&link->alive, false))
        wake(link);
    link_unref(link); /* of the two references in link_open() */
}

static void on_error(natsConnection *nats, natsSubscription *subscription,
                     natsStatus status, void *closure)
{
    struct link *link = closure;
    const char *subject = natsSubscription_GetSubject(subscription);
    const char *detail = NULL;
    if (natsConnection_GetLastError(nats, &detail) == NATS_OK ||
        detail == NULL || detail[0] == '\0')
        detail = natsStatus_GetText(status);
    (void)pthread_mutex_lock(&link->mutex);
    if (link->error_count < LINK_ERRORS_MAX) {
        (void)snprintf(link->errors[link->error_count++], LINK_ERROR_SIZE,
                       "subject %s: %s", subject != NULL ? subject : "",
                       detail);
    }
    (void)pthread_mutex_unlock(&link->mutex);
    wake(link);
}

/* Of a plain connection nats.c must not send anything by itself. */
static natsStatus set_pings(natsOptions *nats, bool pings)
{
    natsStatus status =
        natsOptions_SetPingInterval(nats, pings ? PLAIN_PING_EVERY_MS : 0);
    if (status == NATS_OK)
        status = natsOptions_SetMaxPingsOut(nats, PLAIN_PINGS_MAX);
    return status;
}

/* For dial(). */
static natsStatus prepare(natsOptions *nats, void *context)
{
    struct link *link = context;
    natsStatus status = set_pings(nats, link->pings);
    if (status == NATS_OK)
        status = natsOptions_SetAllowReconnect(nats, false);
    if (status == NATS_OK)
        status = natsOptions_SetIOBufSize(nats, IO_BUFFER_SIZE);
    /* With an event loop this writes nothing by itself; it only spares the
     * flusher thread, which would wake the loop each millisecond. */
    if (status == NATS_OK)
        status = natsOptions_SetSendAsap(nats, true);
    if (status == NATS_OK)
        status = natsOptions_SetClosedCB(nats, on_closed, link);
    if (status == NATS_OK)
        status = natsOptions_SetErrorHandler(nats, on_error, link);
    if (status == NATS_OK) {
        status = natsOptions_SetEventLoop(nats, link, on_attach, on_read,
                                          on_write, on_detach);
    }
    return status;
}

static struct link *link_new(const struct link_options *options)
{
    struct link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    if (pthread_mutex_init(&link->mutex, NULL) != 0) {
        free(link);
        return NULL;
    }
    link->references = 1;
    list_init(&link->replies);
    link->socket = -1;
    link->loop_thread = options->loop_thread;
    link->async = options->async;
    return link;
}

/* Waits for events on the link's socket, no longer than until. */
static bool socket_wait(const struct link *link, short events, int64_t until)
{
    int64_t left = until - clock_monotonic(&clock_system);
    struct pollfd pollfd = {.fd = link->socket, .events = events};
    if (left <= 0)
        return false;
    int rc = poll(&pollfd, 1, (int)(left / CLOCK_MILLISECOND) + 1);
    return rc > 0 || (rc < 0 && errno == EINTR);
}

/* nats.c does not tell whether it went over to TLS, as it does when the server
 * demands it. The first byte that comes afterwards does: each frame begins
 * with a letter or a sign, each TLS record with a control character. A ping
 * makes the server send one; nobody reads yet, so waiting for the answer is
 * bound to time out. */
static enum status look_for_tls(struct link *link, bool *tls)
{
    int64_t until =
        clock_monotonic(&clock_system) + ANSWER_TIMEOUT_MS * CLOCK_MILLISECOND;
    (void)natsConnection_FlushTimeout(link->nats, 1);
    ERR_clear_error();
    natsConnection_ProcessWriteEvent(link->nats);
    while (socket_wait(link, POLLIN, until)) {
        char first = 0;
        ssize_t size = recv(link->socket, &first, 1, MSG_PEEK | MSG_DONTWAIT);
        if (size == 1) {
            *tls = first < ' ';
            return STATUS_OK;
        }
        if (size == 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return STATUS_UNAVAILABLE;
}

static enum status connect_link(const struct link_options *options,
                                struct link *link, struct error *err)
{
    const struct dial_options dial_options = {
        .urls = options->urls,
        .discovered = options->discovered,
        .security = options->security,
        .name = options->name,
        .prepare = prepare,
        .context = link,
    };
    /* What was connected ends, on whatever thread, with one on_closed() and one
     * on_detach(), in any order: each gives back a reference. */
    atomic_fetch_add(&link->references, 2);
    enum status status = dial(&dial_options, &link->nats, link->url, err);
    if (status != STATUS_OK)
        atomic_fetch_sub(&link->references, 2);
    return status;
}

size_t link_max_payload(const struct link *link)
{
    if (link->plain != NULL)
        return link->plain->max_payload;
    int64_t most = natsConnection_GetMaxPayload(link->nats);
    return most > 0 ? (size_t)most : 0;
}

/* pings: those of nats.c are wanted, as TLS is expected. */
static enum status open_once(const struct link_options *options, bool pings,
                             struct link **out, bool *tls, struct error *err)
{
    struct link *link = link_new(options);
    if (link == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats: new link");
    link->pings = pings;
    enum status status = connect_link(options, link, err);
    if (status != STATUS_OK) {
        link_unref(link);
        return status;
    }
    status = look_for_tls(link, tls);
    if (status != STATUS_OK)
        (void)fail(err, status, "nats: %s: Connection Closed", link->url);
    if (status == STATUS_OK && !*tls) {
        status =
            plain_new(link->socket, link_max_payload(link), &link->plain, err);
    }
    if (status != STATUS_OK) {
        link_close(link);
        return status;
    }
    *out = link;
    return STATUS_OK;
}

enum status link_open(const struct link_options *options, struct link **out,
                      struct error *err)
{
    *out = NULL;
    bool pings = security_wants_tls(options->security);
    for (int tries = 0; tries < OPEN_TRIES; tries++) {
        bool tls = false;
        enum status status = open_once(options, pings, out, &tls, err);
        if (status != STATUS_OK || tls == pings)
            return status;
        /* Not as expected: once more, with the other pings. */
        link_close(*out);
        *out = NULL;
        pings = tls;
    }
    return fail(err, STATUS_UNAVAILABLE,
                "nats: servers with and without TLS are mixed");
}

void link_enter(struct link *link)
{
    /* Without one it works, too, as long as the server does. */
    if (link->plain == NULL)
        (void)!deadline_init(&link->deadline, link->socket, NULL);
}

void link_listen(struct link *link, uv_async_t *async)
{
    (void)pthread_mutex_lock(&link->mutex);
    link->async = async;
    (void)pthread_mutex_unlock(&link->mutex);
    if (!link_is_alive(link)) /* lost before anybody listened */
        wake(link);
}

void link_close(struct link *link)
{
    if (link == NULL)
        return;
    (void)pthread_mutex_lock(&link->mutex);
    link->async = NULL;
    (void)pthread_mutex_unlock(&link->mutex);
    deadline_arm(&link->deadline, CALL_WITHIN);
    natsConnection_Destroy(link->nats);
    deadline_release(&link->deadline);
    link->nats = NULL;
    link_unref(link);
}

bool link_end_all(void)
{
    natsStatus status = nats_CloseAndWait(END_WITHIN);
    return status == NATS_OK || status == NATS_NOT_INITIALIZED;
}

void link_reason(const struct link *link, char *out, size_t capacity)
{
    const char *text = link->plain != NULL ? link->plain->reason : NULL;
    if (link->plain != NULL) {
        (void)snprintf(out, capacity, "%s", text);
        return;
    }
    if (natsConnection_GetLastError(link->nats, &text) == NATS_OK ||
        text == NULL)
        text = "";
    (void)snprintf(out, capacity, "%s", text);
}

int link_take_errors(struct link *link,
                     char out[LINK_ERRORS_MAX][LINK_ERROR_SIZE])
{
    (void)pthread_mutex_lock(&link->mutex);
    int count = link->error_count;
    memcpy(out, link->errors, (size_t)count * LINK_ERROR_SIZE);
    link->error_count = 0;
    (void)pthread_mutex_unlock(&link->mutex);
    return count;
}

/* On a thread of nats.c that the subscription has for itself. */
static void on_reply(natsConnection *nats, natsSubscription *subscription,
                     natsMsg *message, void *closure)
{
    (void)nats;
    struct link *link = closure;
    struct link_reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL) { /* as if lost on the way: the request times out */
        natsMsg_Destroy(message);
        return;
    }
    reply->subscription = subscription;
    reply->message = message;
    (void)pthread_mutex_lock(&link->mutex);
    list_append(&link->replies, &reply->link);
    (void)pthread_mutex_unlock(&link->mutex);
    wake(link);
}

static void on_replies_ended(void *closure)
{
    link_unref(closure);
}

natsStatus link_subscribe_replies(struct link *link, const char *subject,
                                  natsSubscription **out)
{
    natsStatus status =
        natsConnection_Subscribe(out, link->nats, subject, on_reply, link);
    if (status != NATS_OK)
        return status;
    atomic_fetch_add(&link->references, 1);
    status = natsSubscription_SetOnCompleteCB(*out, on_replies_ended, link);
    if (status != NATS_OK)
        atomic_fetch_sub(&link->references, 1);
    return status;
}

void link_take_replies(struct link *link, struct list *out)
{
    (void)pthread_mutex_lock(&link->mutex);
    list_append_all(out, &link->replies);
    (void)pthread_mutex_unlock(&link->mutex);
}

/* What there is no room for is no loss. */
void link_discovered(const struct link *link, struct urls *urls)
{
    char **servers = NULL;
    int count = 0;
    bool taking = true;
    for (int i = 0; i < link->members.count && taking; i++)
        taking = urls_add(urls, link->members.items[i], NULL) == STATUS_OK;
    if (natsConnection_GetDiscoveredServers(link->nats, &servers, &count) !=
        NATS_OK)
        return;
    for (int i = 0; i < count; i++) {
        taking = taking && urls_add(urls, servers[i], NULL) == STATUS_OK;
        free(servers[i]);
    }
    free((void *)servers);
}

/* ---- data ---- */

/* Both ends of a plain link are ours: nobody else sees that it is lost. */
static void note_loss(struct link *link)
{
    if (link->plain->lost)
        atomic_store_explicit(&link->alive, false, memory_order_release);
}

/* libnats never clears OpenSSL's queue of errors, which belongs to the thread:
 * what an earlier link left there would fail reads of this one. */

void link_read(struct link *link)
{
    if (link->plain != NULL) {
        plain_read(link->plain);
        note_loss(link);
        return;
    }
    ERR_clear_error();
    deadline_arm(&link->deadline, CALL_WITHIN);
    natsConnection_ProcessReadEvent(link->nats);
    deadline_disarm(&link->deadline);
}

void link_write(struct link *link)
{
    if (link->plain != NULL) {
        plain_write(link->plain);
        note_loss(link);
        return;
    }
    ERR_clear_error();
    deadline_arm(&link->deadline, CALL_WITHIN);
    natsConnection_ProcessWriteEvent(link->nats);
    deadline_disarm(&link->deadline);
}

void link_tick(struct link *link)
{
    if (link->plain == NULL)
        return;
    plain_tick(link->plain);
    note_loss(link);
}

/* A server that says one of these goes on; after anything else it does not. */
static bool is_transient(const char *text)
{
    static const char *const TEXTS[] = {
        "permissions violation", "maximum subscriptions exceeded",
        "invalid subject", "invalid publish subject"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        if (strncasecmp(text, TEXTS[i], strlen(TEXTS[i])) == 0)
            return true;
    }
    return false;
}

/* The subject is the part of the text that stands in double quotes. */
static void note_error(struct link *link, const char *text)
{
    const char *open = strchr(text, '"');
    const char *close = open != NULL ? strchr(open + 1, '"') : NULL;
    int size = close != NULL ? (int)(close - open - 1) : 0;
    (void)pthread_mutex_lock(&link->mutex);
    if (link->error_count < LINK_ERRORS_MAX) {
        (void)snprintf(link->errors[link->error_count++], LINK_ERROR_SIZE,
                       "subject %.*s: %s", size, size > 0 ? open + 1 : "",
                       text);
    }
    (void)pthread_mutex_unlock(&link->mutex);
}

/* text is as the server sent it: blanks and single quotes around. */
static void on_plain_error(struct link *link, struct bytes text)
{
    char copy[sizeof link->plain->reason];
    while (text.size > 0 && strchr(" '", text.data[0]) != NULL)
        text = bytes_of(text.data + 1, text.size - 1);
    while (text.size > 0 && strchr(" '", text.data[text.size - 1]) != NULL)
        text.size--;
    size_t size = 0;
    for (; size < text.size && size + 1 < sizeof copy; size++) {
        uint8_t byte = text.data[size];
        copy[size] = (char)(byte < ' ' || byte == 0x7f ? '?' : byte);
    }
    copy[size] = '\0';
    if (is_transient(copy)) {
        note_error(link, copy);
    } else {
        plain_lose(link->plain, copy);
    }
}

static void on_plain_info(struct link *link, struct bytes json)
{
    struct info info;
    if (info_read(json, &info, &link->members, NULL) == STATUS_OK &&
        info.max_payload > 0)
        link->plain->max_payload = info.max_payload;
}

bool link_next(struct link *link, struct frame *frame)
{
    while (plain_next(link->plain, frame)) {
        if (frame->type == FRAME_MESSAGE)
            return true;
        if (frame->type == FRAME_INFO) {
            on_plain_info(link, frame->text);
        } else {
            on_plain_error(link, frame->text);
        }
    }
    note_loss(link);
    return false;
}

enum status link_publish(struct link *link, struct bytes subject,
                         struct bytes reply, struct bytes data)
{
    if (link->plain != NULL)
        return plain_publish(link->plain, subject, reply, data);
    if (data.size > INT_MAX)
        return STATUS_TOO_BIG;
    const char *to = (const char *)subject.data;
    natsStatus status =
        reply.size == 0
            ? natsConnection_Publish(link->nats, to, data.data, (int)data.size)
            : natsConnection_PublishRequest(link->nats, to,
                                            (const char *)reply.data, data.data,
                                            (int)data.size);
    return link_status(status);
}

enum status link_status(natsStatus status)
{
    if (status == NATS_OK)
        return STATUS_OK;
    if (status == NATS_NO_MEMORY)
        return STATUS_NO_MEMORY;
    if (status == NATS_MAX_PAYLOAD)
        return STATUS_TOO_BIG;
    if (status == NATS_INVALID_ARG || status == NATS_INVALID_SUBJECT)
        return STATUS_INVALID;
    return STATUS_UNAVAILABLE;
}

size_t link_queued(const struct link *link)
{
    if (!link_is_alive(link))
        return 0;
    if (link->plain != NULL)
        return link->plain->out.size;
    int buffered = natsConnection_Buffered(link->nats);
    return buffered > 0 ? (size_t)buffered : 0;
}

void link_finish(struct link *link)
{
    int64_t until = clock_monotonic(&clock_system) + FINISH_WITHIN;
    while (link_queued(link) > 0) {
        link_write(link);
        if (link_queued(link) > 0 && !socket_wait(link, POLLOUT, until))
            return;
    }
    if (!link_is_alive(link) || shutdown(link->socket, SHUT_WR) != 0)
        return;
    char waste[4096];
    while (socket_wait(link, POLLIN, until)) {
        ssize_t size = recv(link->socket, waste, sizeof waste, MSG_DONTWAIT);
        if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR)))
            continue;
        /* nats.c is to see the end, too, if it carries the data: else its
         * close would flush, and wait half a second for an answer. */
        if (link->plain == NULL)
            natsConnection_ProcessReadEvent(link->nats);
        return;
    }
}
