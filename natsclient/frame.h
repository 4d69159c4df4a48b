/* frame.h - the NATS client protocol, server to client: one frame at a time.
 *
 * Pure functions over bytes that may be anything. A frame is a line, and
 * behind the line of MSG and HMSG a payload:
 *
 *     MSG <subject> <sid> [reply] <size>\r\n<payload>\r\n
 *     HMSG <subject> <sid> [reply] <header size> <size>\r\n<both>\r\n
 *     INFO <JSON>   PING   PONG   +OK   -ERR '<text>'
 */
#ifndef NATSCLIENT_FRAME_H
#define NATSCLIENT_FRAME_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_LINE_MAX 65536 /* max_control_line of a nats-server is 4096 */

enum frame_type {
    FRAME_PARTIAL, /* more bytes are needed */
    FRAME_MESSAGE,
    FRAME_INFO,
    FRAME_PING,
    FRAME_PONG,
    FRAME_OK,
    FRAME_ERROR,
    FRAME_BROKEN, /* this is no NATS server, or one gone mad */
};

/* What it points at lies in the bytes that were read. */
struct frame {
    enum frame_type type;
    /* Bytes it takes; of a partial one how many it is going to take at least,
     * more than there are. */
    size_t size;
    struct bytes text; /* of INFO and ERROR: what stands behind the verb */
    /* Of a message. subject and reply are terminated; subject is NULL if the
     * line has a NUL in it, which no C string can say. */
    uint64_t sid;
    const char *subject;
    const char *reply;  /* NULL if none */
    struct bytes data;  /* without headers */
    bool no_responders; /* status 503: nobody listens on what was asked */
};

/* Reads the frame at the front of data. Payloads above payload_max are broken.
 * Writes terminators into the line of a message that is complete: each byte is
 * to be read once. */
void frame_read(char *data, size_t size, size_t payload_max,
                struct frame *frame);

#endif
