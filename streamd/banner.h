/* banner.h - what is printed at start-up: the limits (cli-config.md 9.3), and
 * what an ack is worth. */
#ifndef STREAMD_BANNER_H
#define STREAMD_BANNER_H

#include "store/limits.h"
#include "store/store.h"
#include "streamd/base/log.h"

/* One info line each, with a star after what is the built-in default. */
void banner_limits(struct log *log, const struct limits *limits);

/* A warning if an ack does not mean that the message is on the disk. */
void banner_sync(struct log *log, const struct store_config *config);

#endif
