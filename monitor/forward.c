#include "monitor/forward.h"

#include "streamd/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, HEAD_MAX = 16 * 1024 };

/* ---- the socket: never waits past the deadline ---- */

struct link {
    int socket;
    int64_t deadline; /* monotonic */
    const char *base;
    struct error *err;
};

static enum status link_wait(const struct link *link, short events)
{
    struct pollfd watched = {.fd = link->socket, .events = events};
    for (;;) {
        int64_t left = link->deadline - clock_monotonic(&clock_system);
        int64_t ms = left <= 0 ? 0 : left / CLOCK_MILLISECOND + 1;
        int ready = poll(&watched, 1, (int)ms);
        if (ready > 0)
            return STATUS_OK;
        if (ready == 0) {
            return fail(link->err, STATUS_UNAVAILABLE, "no answer from %s",
                        link->base);
        }
        if (errno != EINTR)
            return fail(link->err, STATUS_IO, "poll: %s", strerror(errno));
    }
}

static bool address_parse(const char *base, struct sockaddr_in *address)
{
    static const char scheme[] = "http://";
    char host[INET_ADDRSTRLEN];
    if (strncmp(base, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *from = base + sizeof scheme - 1;
    size_t size = strcspn(from, ":");
    if (from[size] != ':' || size >= sizeof host)
        return false;
    memcpy(host, from, size);
    host[size] = '\0';
    char *end = NULL;
    long port = strtol(from + size + 1, &end, 10);
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port)};
    return port > 0 && port <= UINT16_MAX && *end == '\0' &&
           inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

static enum status link_failed(const struct link *link, int reason)
{
    return fail(link->err, STATUS_IO, "%s: %s", link->base, strerror(reason));
}

static enum status link_open(struct link *link)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
    } address;
    if (!address_parse(link->base, &address.v4))
        return fail(link->err, STATUS_INVALID, "no URL: %s", link->base);
    link->socket =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->socket < 0)
        return link_failed(link, errno);
    if (connect(link->socket, &address.any, sizeof address.v4) == 0)
        return STATUS_OK;
    if (errno != EINPROGRESS)
        return link_failed(link, errno);
    enum status status = link_wait(link, POLLOUT);
    int reason = 0;
    socklen_t size = sizeof reason;
    if (status == STATUS_OK &&
        (getsockopt(link->socket, SOL_SOCKET, SO_ERROR, &reason, &size) != 0 ||
         reason != 0))
        status = link_failed(link, reason);
    return status;
}

static enum status link_send(const struct link *link, const struct blob *text)
{
    for (size_t sent = 0; sent < text->size;) {
        ssize_t more = send(link->socket, text->data + sent, text->size - sent,
                            MSG_NOSIGNAL);
        if (more >= 0) {
            sent += (size_t)more;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return link_failed(link, errno);
        enum status status = link_wait(link, POLLOUT);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* All until the other side closes. */
static enum status link_receive(const struct link *link, struct blob *answer)
{
    for (;;) {
        if (answer->size > FORWARD_BYTES_MAX) {
            return fail(link->err, STATUS_TOO_BIG, "answer of %s is too long",
                        link->base);
        }
        if (!blob_reserve(answer, READ_BYTES))
            return fail(link->err, STATUS_NO_MEMORY, "out of memory");
        ssize_t more =
            recv(link->socket, answer->data + answer->size, READ_BYTES, 0);
        if (more == 0)
            return STATUS_OK;
        if (more > 0) {
            answer->size += (size_t)more;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return link_failed(link, errno);
        enum status status = link_wait(link, POLLIN);
        if (status != STATUS_OK)
            return status;
    }
}

/* ---- HTTP ---- */

/* Nothing in it may end the request line. */
static bool target_valid(const char *target)
{
    if (target[0] != '/')
        return false;
    for (; *target != '\0'; target++) {
        if ((unsigned char)*target <= ' ' || *target == 0x7F)
            return false;
    }
    return true;
}

static enum status request_make(const char *target, struct blob *out,
                                struct error *err)
{
    static const char tail[] = " HTTP/1.0\r\nHost: localhost\r\n\r\n";
    if (!target_valid(target))
        return fail(err, STATUS_INVALID, "no target for a request");
    if (!blob_append(out, "GET ", 4) ||
        !blob_append(out, target, strlen(target)) ||
        !blob_append(out, tail, sizeof tail - 1))
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    return STATUS_OK;
}

/* The headers that say what the body is and who may have it. */
static bool header_keep(struct reply *reply, char *line)
{
    static const char *const kept[] = {"Content-Type",
                                       "Access-Control-Allow-Origin",
                                       "X-Content-Type-Options", "Location"};
    char *colon = strchr(line, ':');
    if (colon == NULL)
        return true;
    *colon = '\0';
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (strcasecmp(line, kept[i]) == 0)
            return http_add_header(reply, kept[i], value);
    }
    return true;
}

/* The status of "HTTP/1.x 200 OK"; 0 if it is none. */
static int status_parse(const char *line)
{
    if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12 || line[8] != ' ')
        return 0;
    long status = strtol(line + 9, NULL, 10);
    return status >= 200 && status <= 599 ? (int)status : 0;
}

static enum status answer_parse(struct blob *answer, const char *base,
                                struct reply *reply, struct error *err)
{
    size_t most = answer->size < HEAD_MAX ? answer->size : HEAD_MAX;
    const uint8_t *end =
        most == 0 ? NULL : memmem(answer->data, most, "\r\n\r\n", 4);
    size_t head = end == NULL ? 0 : (size_t)(end - answer->data);
    if (head == 0 || memchr(answer->data, '\0', head) != NULL)
        return fail(err, STATUS_IO, "%s does not speak HTTP", base);
    answer->data[head] = '\0';
    char *rest = NULL;
    char *line = strtok_r((char *)answer->data, "\r\n", &rest);
    reply->status = line == NULL ? 0 : status_parse(line);
    if (reply->status == 0)
        return fail(err, STATUS_IO, "%s does not speak HTTP", base);
    bool complete = true;
    while (complete && (line = strtok_r(NULL, "\r\n", &rest)) != NULL)
        complete = header_keep(reply, line);
    complete = complete && blob_append(&reply->body, answer->data + head + 4,
                                       answer->size - head - 4);
    return complete ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

enum status forward_get(const char *base, const char *target, int64_t timeout,
                        struct reply *reply, struct error *err)
{
    struct link link = {.socket = -1,
                        .deadline = clock_monotonic(&clock_system) + timeout,
                        .base = base,
                        .err = err};
    struct blob request = {0};
    struct blob answer = {0};
    *reply = (struct reply){0};
    enum status status = request_make(target, &request, err);
    if (status == STATUS_OK)
        status = link_open(&link);
    if (status == STATUS_OK)
        status = link_send(&link, &request);
    if (status == STATUS_OK)
        status = link_receive(&link, &answer);
    if (status == STATUS_OK)
        status = answer_parse(&answer, base, reply, err);
    if (link.socket >= 0)
        (void)close(link.socket);
    blob_release(&request);
    blob_release(&answer);
    return status;
}
