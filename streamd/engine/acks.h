/* acks.h - an ack from a subscriber (delivery.md section 6). Engine thread. */
#ifndef STREAMD_ENGINE_ACKS_H
#define STREAMD_ENGINE_ACKS_H

#include "streamd/engine/core.h"

void acks_message(struct engine *engine, const struct inbound_message *message);

#endif
