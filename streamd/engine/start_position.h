/* start_position.h - where a new subscription begins (delivery.md section 4).
 * Engine thread. */
#ifndef STREAMD_ENGINE_START_POSITION_H
#define STREAMD_ENGINE_START_POSITION_H

#include "proto/codec.h"
#include "streamd/engine/core.h"

enum { START_TEXT_MAX = 128 };

/* The sequence before the first to deliver in *last_sent, and the last part of
 * the log line in text. False if that needs a look into the store: the first
 * message at or after *timestamp is to be found; *last_sent is then right if
 * there is none. */
bool start_position_find(const struct channel *channel,
                         const struct subscription_request *request,
                         uint64_t *last_sent, int64_t *timestamp,
                         char text[START_TEXT_MAX]);

#endif
