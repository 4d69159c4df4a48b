/* server.h - one daemon: store, nats-server, engine thread and monitoring put
 * together, from start to end.
 *
 * Main thread only: the nats-server it may start dies with that thread. */
#ifndef STREAMD_SERVER_H
#define STREAMD_SERVER_H

#include "streamd/base/log.h"
#include "streamd/options_file.h"

/* Runs until a signal comes or something fails, and says so in the log.
 * signals is the descriptor of signals_open(). Returns the exit status of the
 * process: 0 after SIGINT, 143 after SIGTERM, 1 after a failure. */
int server_run(const struct configuration *configuration, int signals,
               struct log *log);

#endif
