#include "natsclient/plain.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define IN_CAPACITY ((size_t)512 * 1024)
/* A payload above both this and the server's own limit is not waited for: a
 * nats-server ends clients that have more than this pending. */
#define PAYLOAD_MAX ((size_t)64 << 20)
#define DIGITS_MAX 20

enum status plain_new(int socket, size_t max_payload, struct plain **out,
                      struct error *err)
{
    *out = NULL;
    struct plain *plain = calloc(1, sizeof *plain);
    if (plain == NULL)
        return fail(err, STATUS_NO_MEMORY, "nats: new connection");
    outgoing_init(&plain->out);
    plain->socket = socket;
    plain->max_payload = max_payload;
    plain->capacity = IN_CAPACITY;
    plain->in = malloc(plain->capacity);
    if (plain->in == NULL) {
        plain_free(plain);
        return fail(err, STATUS_NO_MEMORY, "nats: new connection");
    }
    *out = plain;
    return STATUS_OK;
}

void plain_free(struct plain *plain)
{
    if (plain == NULL)
        return;
    outgoing_release(&plain->out);
    free(plain->in);
    free(plain);
}

void plain_lose(struct plain *plain, const char *reason)
{
    if (plain->lost)
        return;
    plain->lost = true;
    (void)snprintf(plain->reason, sizeof plain->reason, "%s", reason);
}

/* ---- in ---- */

static size_t payload_max(const struct plain *plain)
{
    return plain->max_payload > PAYLOAD_MAX ? plain->max_payload : PAYLOAD_MAX;
}

/* Moves a frame that is not complete to the front, where it has the most room,
 * and makes the buffer as large as it needs, or as small as it may be again.
 * False if there is no memory. */
static bool make_room(struct plain *plain)
{
    size_t left = plain->end - plain->start;
    if (left > 0 && plain->start > 0)
        memmove(plain->in, plain->in + plain->start, left);
    plain->start = 0;
    plain->end = left;
    size_t wanted = IN_CAPACITY;
    if (left > 0) {
        struct frame frame;
        frame_read(plain->in, left, payload_max(plain), &frame);
        if (frame.type == FRAME_PARTIAL && frame.size > wanted)
            wanted = frame.size;
        if (left >= wanted)
            wanted = left + IN_CAPACITY;
    }
    if (wanted == plain->capacity)
        return true;
    char *in = realloc(plain->in, wanted);
    if (in == NULL)
        return wanted < plain->capacity;
    plain->in = in;
    plain->capacity = wanted;
    return true;
}

void plain_read(struct plain *plain)
{
    if (plain->lost)
        return;
    if (!make_room(plain)) {
        plain_lose(plain, "out of memory");
        return;
    }
    ssize_t size = recv(plain->socket, plain->in + plain->end,
                        plain->capacity - plain->end, MSG_DONTWAIT);
    if (size > 0) {
        plain->end += (size_t)size;
        plain->heard = true;
    } else if (size == 0) {
        plain_lose(plain, "Connection Closed");
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        plain_lose(plain, strerror(errno));
    }
}

static void send_line(struct plain *plain, struct bytes line)
{
    char *room = outgoing_reserve(&plain->out, line.size);
    if (room == NULL) {
        plain_lose(plain, "out of memory");
        return;
    }
    memcpy(room, line.data, line.size);
    outgoing_add(&plain->out, line.size);
}

bool plain_next(struct plain *plain, struct frame *frame)
{
    while (plain->start < plain->end) {
        frame_read(plain->in + plain->start, plain->end - plain->start,
                   payload_max(plain), frame);
        if (frame->type == FRAME_PARTIAL)
            return false;
        if (frame->type == FRAME_BROKEN) {
            plain_lose(plain, "protocol error");
            plain->start = plain->end;
            return false;
        }
        plain->start += frame->size;
        if (frame->type == FRAME_PING)
            send_line(plain, bytes_text("PONG\r\n"));
        bool is_message =
            frame->type == FRAME_MESSAGE && frame->subject != NULL;
        if (is_message || frame->type == FRAME_INFO ||
            frame->type == FRAME_ERROR)
            return true;
    }
    return false;
}

/* ---- out ---- */

static char *put(char *at, const void *data, size_t size)
{
    if (size > 0)
        memcpy(at, data, size);
    return at + size;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[DIGITS_MAX];
    int first = DIGITS_MAX;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(at, digits + first, (size_t)(DIGITS_MAX - first));
}

enum status plain_publish(struct plain *plain, struct bytes subject,
                          struct bytes reply, struct bytes data)
{
    if (data.size > plain->max_payload)
        return STATUS_TOO_BIG;
    /* "PUB ", two blanks, the number and two ends of line */
    size_t most = subject.size + reply.size + data.size + 10 + DIGITS_MAX;
    char *start = outgoing_reserve(&plain->out, most);
    if (start == NULL)
        return STATUS_NO_MEMORY;
    char *at = put(start, "PUB ", 4);
    at = put(at, subject.data, subject.size);
    *at++ = ' ';
    if (reply.size > 0) {
        at = put(at, reply.data, reply.size);
        *at++ = ' ';
    }
    at = put_number(at, data.size);
    at = put(at, "\r\n", 2);
    at = put(at, data.data, data.size);
    at = put(at, "\r\n", 2);
    assert((size_t)(at - start) <= most);
    outgoing_add(&plain->out, (size_t)(at - start));
    return STATUS_OK;
}

enum status plain_subscribe(struct plain *plain, uint64_t sid,
                            const char *subject)
{
    size_t size = strlen(subject);
    char *start = outgoing_reserve(&plain->out, size + 7 + DIGITS_MAX);
    if (start == NULL)
        return STATUS_NO_MEMORY;
    char *at = put(start, "SUB ", 4);
    at = put(at, subject, size);
    *at++ = ' ';
    at = put_number(at, sid);
    at = put(at, "\r\n", 2);
    outgoing_add(&plain->out, (size_t)(at - start));
    return STATUS_OK;
}

void plain_unsubscribe(struct plain *plain, uint64_t sid)
{
    char *start = outgoing_reserve(&plain->out, 8 + DIGITS_MAX);
    if (start == NULL)
        return; /* what still comes for it is dropped */
    char *at = put(start, "UNSUB ", 6);
    at = put_number(at, sid);
    at = put(at, "\r\n", 2);
    outgoing_add(&plain->out, (size_t)(at - start));
}

void plain_write(struct plain *plain)
{
    if (plain->lost)
        return;
    int error = outgoing_write(&plain->out, plain->socket);
    if (error != 0)
        plain_lose(plain, strerror(error));
}

void plain_tick(struct plain *plain)
{
    if (plain->heard) {
        plain->heard = false;
        plain->unanswered = 0;
        return;
    }
    if (plain->unanswered == PLAIN_PINGS_MAX) {
        plain_lose(plain, "Stale Connection");
        return;
    }
    plain->unanswered++;
    send_line(plain, bytes_text("PING\r\n"));
}
