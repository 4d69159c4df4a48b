/* publish.h - a publish request: checked, given its sequence, stored
 * (protocol.md section 9). Engine thread. */
#ifndef STREAMD_ENGINE_PUBLISH_H
#define STREAMD_ENGINE_PUBLISH_H

#include "proto/codec.h"
#include "streamd/engine/core.h"

void publish_message(struct engine *engine,
                     const struct inbound_message *message);

/* Gives the message of request, which names a valid channel, its sequence and
 * adds it to the batch; the channel is created if need be. Nobody is told: see
 * commit_pub_ack(), commit_wait(). Errors: as channel_get(). */
MUST_CHECK enum status publish_store(struct engine *engine,
                                     const struct pub_msg *request,
                                     uint64_t *sequence, struct error *err);

#endif
