/* subscribe.h - subscribe requests: checks, start positions, resume
 * (protocol.md section 10, delivery.md sections 3, 4, 9 and 10). Engine
 * thread. */
#ifndef STREAMD_ENGINE_SUBSCRIBE_H
#define STREAMD_ENGINE_SUBSCRIBE_H

#include "streamd/engine/core.h"

void subscribe_message(struct engine *engine,
                       const struct inbound_message *message);

/* The debug line of delivery.md section 19; start is its last part. */
void subscribe_log(struct engine *engine,
                   const struct subscription *subscription, const char *action,
                   const char *start);

#endif
