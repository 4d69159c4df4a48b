/* recovery.h - the state out of the store (delivery.md section 13). Engine
 * thread. */
#ifndef STREAMD_ENGINE_RECOVERY_H
#define STREAMD_ENGINE_RECOVERY_H

#include "streamd/engine/core.h"

/* Fills an engine that is empty. Errors: engine.h says which. */
MUST_CHECK enum status recovery_run(struct engine *engine, struct error *err);

/* What follows when requests are taken: redelivery, deliveries, heartbeats,
 * periods of inactivity. */
void recovery_resume(struct engine *engine);

#endif
