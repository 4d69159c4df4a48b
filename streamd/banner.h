/* banner.h - the limits printed at start-up (cli-config.md 9.3). */
#ifndef STREAMD_BANNER_H
#define STREAMD_BANNER_H

#include "store/limits.h"
#include "streamd/base/log.h"

/* One info line each, with a star after what is the built-in default. */
void banner_limits(struct log *log, const struct limits *limits);

#endif
