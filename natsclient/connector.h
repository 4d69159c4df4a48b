/* connector.h - a thread that makes a new link when the last one was lost.
 *
 * It tries every 250 ms, for ever, and wakes the loop when it has one. Why it
 * cannot yet is logged once, as long as that does not change. All
 * functions are for the loop thread. */
#ifndef NATSCLIENT_CONNECTOR_H
#define NATSCLIENT_CONNECTOR_H

#include "natsclient/link.h"
#include "streamd/base/log.h"
#include "streamd/base/status.h"

#define CONNECTOR_WAIT_MS 250

struct connector;

/* options is copied; what it points at is borrowed. urls may change only
 * while the connector is idle. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status connector_new(const struct link_options *options,
                                     struct log *log, struct connector **out,
                                     struct error *err);
/* Waits for the attempt in progress, at most 2 s a url; NULL is allowed. */
void connector_free(struct connector *connector);

/* Begins to try. Only when idle: at first, and after connector_take(). */
void connector_start(struct connector *connector);

/* The new link, now the caller's, or NULL if there is none yet. */
struct link *connector_take(struct connector *connector);

#endif
