/* embedded.h - the nats-server of our own: its configuration out of ours, kept
 * running, told of a reload, its ports told in the user's directory.
 *
 * Main thread. */
#ifndef STREAMD_EMBEDDED_H
#define STREAMD_EMBEDDED_H

#include "streamd/base/log.h"
#include "streamd/conf/value.h"
#include "streamd/options.h"

struct embedded;

/* Starts it and waits until it accepts connections. conf is the document of
 * its file or NULL; neither is kept. On STATUS_OK the caller owns *out. Errors:
 * those of nats_config_write() and server_process_start(), and STATUS_IO (the
 * ports file). */
MUST_CHECK enum status embedded_start(const struct options *options,
                                      const struct conf *conf, struct log *log,
                                      struct embedded **out, struct error *err);

/* For our own connection, and its private monitoring; both stay the same. */
const char *embedded_url(const struct embedded *embedded);
const char *embedded_monitor_url(const struct embedded *embedded);

/* To poll: readable when it has ended; -1: nothing to wait for but time. */
int embedded_descriptor(const struct embedded *embedded);
/* In ms for poll(), -1: no time. */
int embedded_wait(const struct embedded *embedded);
/* After either: starts it again, if that is due. False when it is given up. */
bool embedded_turn(struct embedded *embedded);

/* Hands it another configuration; what comes of it it says in the log. Errors:
 * those of nats_config_write(), STATUS_IO. */
MUST_CHECK enum status embedded_reload(struct embedded *embedded,
                                       const struct options *options,
                                       const struct conf *conf,
                                       struct error *err);

/* SIGINT, 5 s, SIGKILL; frees. NULL is allowed. */
void embedded_stop(struct embedded *embedded);

#endif
