/* publish.h - a publish request: checked, given its sequence, stored
 * (protocol.md section 9). Engine thread. */
#ifndef STREAMD_ENGINE_PUBLISH_H
#define STREAMD_ENGINE_PUBLISH_H

#include "streamd/engine/core.h"

void publish_message(struct engine *engine,
                     const struct inbound_message *message);

#endif
