/* link.h - one lean connection to a nats-server on the loopback interface.
 *
 * For measuring: messages are parsed where they were received, and everything
 * published meanwhile leaves in one write. One thread; the owner polls fd and
 * calls link_read() and link_flush(). No TLS, no authentication, no
 * reconnect: what goes wrong stays in `trouble`, and the link is then dead. */
#ifndef TESTS_BENCH_LINK_H
#define TESTS_BENCH_LINK_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LINK_PAYLOAD_MAX = 8 << 20,
    LINK_LINE_MAX = 32 << 10, /* INFO is the longest */
    /* Above it more would only wait: link_full(). */
    LINK_OUTPUT_MAX = 256 << 10,
};

/* Valid during the call only. */
struct link_message {
    uint64_t sid;
    struct bytes subject, reply, payload;
};

typedef void link_handler(void *context, const struct link_message *message);

struct link {
    int fd; /* -1: none */
    struct blob in;
    size_t in_at; /* what is before is parsed */
    struct blob out;
    size_t out_at;       /* what is before is sent */
    const char *trouble; /* NULL: none */
    uint64_t pongs;
    link_handler *handler;
    void *context;
};

/* Connects, and says hello with CONNECT. False: see trouble. Release it in
 * both cases. */
MUST_CHECK bool link_open(struct link *link, uint16_t port,
                          link_handler *handler, void *context);
void link_release(struct link *link);

/* These queue; without memory the link is dead. */
void link_subscribe(struct link *link, const char *subject, uint64_t sid);
void link_publish(struct link *link, struct bytes subject, struct bytes reply,
                  struct bytes payload);
/* Room for a frame that the caller writes himself: NULL if the link is dead,
 * else size bytes. */
uint8_t *link_frame(struct link *link, size_t size);
/* "PUB subject reply size\r\n" into out, which has room for
 * link_head_size(). The frame ends with "\r\n" behind the payload. */
size_t link_head_size(struct bytes subject, struct bytes reply);
uint8_t *link_put_head(uint8_t *out, struct bytes subject, struct bytes reply,
                       size_t payload_size);

/* Sends what the socket takes; true if something is left. */
bool link_flush(struct link *link);
/* Reads once, and hands every whole message to the handler. */
void link_read(struct link *link);
/* Sends and reads until `pongs` grows or timeout (ns) is over. False then. */
MUST_CHECK bool link_round_trip(struct link *link, int64_t timeout);
/* Sends, waits at most timeout (ns) for something to read, and reads it. */
void link_serve(struct link *link, int64_t timeout);

static inline size_t link_unsent(const struct link *link)
{
    return link->out.size - link->out_at;
}

static inline bool link_full(const struct link *link)
{
    return link->trouble != NULL || link_unsent(link) >= LINK_OUTPUT_MAX;
}

#endif
