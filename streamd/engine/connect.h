/* connect.h - connect and ping requests (protocol.md sections 7 and 8).
 * Engine thread. */
#ifndef STREAMD_ENGINE_CONNECT_H
#define STREAMD_ENGINE_CONNECT_H

#include "streamd/engine/core.h"

void connect_message(struct engine *engine,
                     const struct inbound_message *message);
void connect_ping(struct engine *engine, const struct inbound_message *message);

/* Whoever waited to see whether a client still lives, now that it is gone:
 * takes over and frees rival. NULL is allowed. */
void connect_rival(struct engine *engine, struct rival *rival);
/* Frees it without more ado. */
void connect_rival_free(struct rival *rival);

#endif
