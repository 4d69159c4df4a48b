/* heartbeat.h - does the client still live? (delivery.md section 15). Engine
 * thread. */
#ifndef STREAMD_ENGINE_HEARTBEAT_H
#define STREAMD_ENGINE_HEARTBEAT_H

#include "streamd/engine/core.h"

/* The first heartbeat goes out one interval from now. */
void heartbeat_begin(struct engine *engine, struct client *client);

/* The client pinged: one that missed heartbeats is asked at once. */
void heartbeat_ping(struct engine *engine, struct client *client);

#endif
