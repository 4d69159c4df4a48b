/* start.h - from a recovered engine to one that serves (protocol.md section
 * 14). Engine thread. */
#ifndef STREAMD_ENGINE_START_H
#define STREAMD_ENGINE_START_H

#include "streamd/engine/core.h"

/* The subjects of a server that was never started before. */
MUST_CHECK enum status start_default_subjects(struct engine *engine,
                                              struct error *err);

/* Ends with a call of config.started. */
void start_begin(struct engine *engine);

#endif
