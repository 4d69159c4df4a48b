#include "tests/bench/link.h"

#include "streamd/base/clock.h"
#include "tests/bench/numbers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* What one read may bring: small enough to stay in the processor's cache. */
enum { READ_MAX = 256 << 10 };

static void fail_link(struct link *link, const char *trouble)
{
    if (link->trouble == NULL)
        link->trouble = trouble;
}

/* ---- out ---- */

uint8_t *link_frame(struct link *link, size_t size)
{
    if (link->trouble != NULL)
        return NULL;
    if (!blob_reserve(&link->out, size)) {
        fail_link(link, "out of memory");
        return NULL;
    }
    uint8_t *frame = link->out.data + link->out.size;
    link->out.size += size;
    return frame;
}

static uint8_t *put_bytes(uint8_t *out, struct bytes bytes)
{
    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    return out + bytes.size;
}

static void put_text(struct link *link, const char *text)
{
    struct bytes bytes = bytes_text(text);
    uint8_t *frame = link_frame(link, bytes.size);
    if (frame != NULL)
        (void)put_bytes(frame, bytes);
}

void link_subscribe(struct link *link, const char *subject, uint64_t sid)
{
    char line[512];
    int size = snprintf(line, sizeof line, "SUB %s %llu\r\n", subject,
                        (unsigned long long)sid);
    if (size < 0 || (size_t)size >= sizeof line) {
        fail_link(link, "subject too long");
    } else {
        put_text(link, line);
    }
}

size_t link_head_size(struct bytes subject, struct bytes reply)
{
    return strlen("PUB   \r\n") + subject.size + reply.size +
           NUMBERS_DECIMAL_MAX;
}

uint8_t *link_put_head(uint8_t *out, struct bytes subject, struct bytes reply,
                       size_t payload_size)
{
    out = put_bytes(out, bytes_of("PUB ", 4));
    out = put_bytes(out, subject);
    *out++ = ' ';
    if (reply.size > 0) {
        out = put_bytes(out, reply);
        *out++ = ' ';
    }
    out = number_put_decimal(out, payload_size);
    return put_bytes(out, bytes_of("\r\n", 2));
}

void link_publish(struct link *link, struct bytes subject, struct bytes reply,
                  struct bytes payload)
{
    size_t most = link_head_size(subject, reply) + payload.size + 2;
    uint8_t *frame = link_frame(link, most);
    if (frame == NULL)
        return;
    uint8_t *end = link_put_head(frame, subject, reply, payload.size);
    end = put_bytes(end, payload);
    end = put_bytes(end, bytes_of("\r\n", 2));
    link->out.size -= most - (size_t)(end - frame);
}

/* So that a link that is never idle does not grow without end. */
static void drop_sent(struct link *link)
{
    if (link->out_at < LINK_OUTPUT_MAX)
        return;
    memmove(link->out.data, link->out.data + link->out_at, link_unsent(link));
    link->out.size = link_unsent(link);
    link->out_at = 0;
}

bool link_flush(struct link *link)
{
    while (link->trouble == NULL && link_unsent(link) > 0) {
        ssize_t sent = send(link->fd, link->out.data + link->out_at,
                            link_unsent(link), MSG_NOSIGNAL);
        if (sent >= 0) {
            link->out_at += (size_t)sent;
        } else if (errno == EAGAIN) {
            drop_sent(link);
            return true;
        } else if (errno != EINTR) {
            fail_link(link, "connection lost while sending");
        }
    }
    link->out.size = link->out_at = 0;
    return false;
}

/* ---- in ---- */

/* Splits line at spaces; the number of words, or most + 1 if there are more. */
static size_t split(struct bytes line, struct bytes *words, size_t most)
{
    const uint8_t *at = line.data;
    const uint8_t *end = line.data + line.size;
    size_t count = 0;
    while (at < end) {
        const uint8_t *space = memchr(at, ' ', (size_t)(end - at));
        const uint8_t *stop = space == NULL ? end : space;
        if (count == most)
            return most + 1;
        words[count++] = bytes_of(at, (size_t)(stop - at));
        at = space == NULL ? end : space + 1;
    }
    return count;
}

/* "MSG subject sid [reply] size"; false if it is not that. */
static bool read_head(struct bytes line, struct link_message *message,
                      uint64_t *size)
{
    struct bytes words[5];
    size_t count = split(line, words, 5);
    if (count != 4 && count != 5)
        return false;
    *message = (struct link_message){.subject = words[1]};
    if (count == 5)
        message->reply = words[3];
    return number_read_decimal(words[2], &message->sid) &&
           number_read_decimal(words[count - 1], size) &&
           *size <= LINK_PAYLOAD_MAX;
}

static void take_line(struct link *link, struct bytes line)
{
    if (line.size >= 4 && memcmp(line.data, "PING", 4) == 0) {
        put_text(link, "PONG\r\n");
    } else if (line.size >= 4 && memcmp(line.data, "PONG", 4) == 0) {
        link->pongs++;
    } else if (line.size >= 1 && line.data[0] == '-') {
        fail_link(link, "the nats-server sent -ERR");
    }
}

/* Takes one line, with its payload if it has one, from the size bytes at
 * data; their number, 0 if it is not all there. */
static size_t take_one(struct link *link, const uint8_t *data, size_t size)
{
    const uint8_t *newline = memchr(data, '\n', size);
    if (newline == NULL) {
        if (size > LINK_LINE_MAX)
            fail_link(link, "line too long");
        return 0;
    }
    size_t line_size = (size_t)(newline - data) + 1;
    struct bytes line = bytes_of(data, line_size - 1);
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    if (line.size < 4 || memcmp(line.data, "MSG ", 4) != 0) {
        take_line(link, line);
        return line_size;
    }
    struct link_message message;
    uint64_t payload_size;
    if (!read_head(line, &message, &payload_size)) {
        fail_link(link, "damaged MSG line");
        return 0;
    }
    if (size - line_size < payload_size + 2)
        return 0;
    message.payload = bytes_of(newline + 1, payload_size);
    link->handler(link->context, &message);
    return line_size + payload_size + 2;
}

static void parse(struct link *link)
{
    while (link->trouble == NULL && link->in_at < link->in.size) {
        size_t taken = take_one(link, link->in.data + link->in_at,
                                link->in.size - link->in_at);
        if (taken == 0)
            break;
        link->in_at += taken;
    }
    size_t left = link->in.size - link->in_at;
    if (left > 0 && link->in_at > 0)
        memmove(link->in.data, link->in.data + link->in_at, left);
    link->in.size = left;
    link->in_at = 0;
}

void link_read(struct link *link)
{
    if (link->trouble != NULL)
        return;
    if (!blob_reserve(&link->in, READ_MAX)) {
        fail_link(link, "out of memory");
        return;
    }
    ssize_t got =
        recv(link->fd, link->in.data + link->in.size, READ_MAX, MSG_DONTWAIT);
    if (got > 0) {
        link->in.size += (size_t)got;
        parse(link);
    } else if (got == 0) {
        fail_link(link, "the nats-server closed the connection");
    } else if (errno != EAGAIN && errno != EINTR) {
        fail_link(link, "connection lost while reading");
    }
}

/* ---- both ---- */

void link_serve(struct link *link, int64_t timeout)
{
    bool left = link_flush(link);
    struct pollfd wanted = {.fd = link->fd,
                            .events = (short)(POLLIN | (left ? POLLOUT : 0))};
    const struct timespec most = {.tv_sec = timeout / CLOCK_SECOND,
                                  .tv_nsec = timeout % CLOCK_SECOND};
    if (link->trouble == NULL && ppoll(&wanted, 1, &most, NULL) > 0)
        link_read(link);
}

bool link_round_trip(struct link *link, int64_t timeout)
{
    int64_t end = clock_monotonic(&clock_system) + timeout;
    uint64_t before = link->pongs;
    put_text(link, "PING\r\n");
    while (link->trouble == NULL && link->pongs == before) {
        int64_t left = end - clock_monotonic(&clock_system);
        if (left <= 0)
            return false;
        link_serve(link, left);
    }
    return link->trouble == NULL;
}

static bool dial(struct link *link, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return false;
    int on = 1;
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connect(link->fd, (const struct sockaddr *)&address,
                   sizeof address) == 0 &&
           fcntl(link->fd, F_SETFL, O_NONBLOCK) == 0;
}

bool link_open(struct link *link, uint16_t port, link_handler *handler,
               void *context)
{
    *link = (struct link){.fd = -1, .handler = handler, .context = context};
    if (!dial(link, port)) {
        fail_link(link, "cannot connect");
        return false;
    }
    put_text(link, "CONNECT {\"verbose\":false,\"pedantic\":false,"
                   "\"echo\":true,\"headers\":false,\"no_responders\":false,"
                   "\"protocol\":1,\"lang\":\"c\",\"version\":\"0\","
                   "\"name\":\"bench\"}\r\n");
    if (link_round_trip(link, 10 * CLOCK_SECOND))
        return true;
    fail_link(link, "no answer from the nats-server");
    return false;
}

void link_release(struct link *link)
{
    if (link->fd >= 0)
        (void)close(link->fd);
    link->fd = -1;
    blob_release(&link->in);
    blob_release(&link->out);
}
