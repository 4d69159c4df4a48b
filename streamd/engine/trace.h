/* trace.h - the protocol, line by line, for -SV: who asks for what, what is
 * answered and delivered. No payloads, no connection ids. Engine thread.
 *
 * The callers have tested the level: nothing is done for it otherwise. */
#ifndef STREAMD_ENGINE_TRACE_H
#define STREAMD_ENGINE_TRACE_H

#include "streamd/engine/core.h"

static inline bool trace_enabled(const struct engine *engine)
{
    return log_enabled(engine->log, LOG_LEVEL_TRACE);
}

void trace_message(struct engine *engine,
                   const struct inbound_message *message);
void trace_delivery(const struct engine *engine,
                    const struct subscription *subscription, uint64_t sequence,
                    uint32_t redelivery);
void trace_pub_ack(const struct engine *engine, struct bytes guid,
                   const char *failure); /* NULL: stored */

#endif
