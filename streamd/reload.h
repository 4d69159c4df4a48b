/* reload.h - SIGHUP: the configuration is read again, and what can change while
 * the server runs is taken over.
 *
 * Main thread. That is what the table of options says: limits, levels and
 * times of the log, heartbeats; and the file of a nats-server of our own, which
 * says itself what it took over. What else is new is named in the log. */
#ifndef STREAMD_RELOAD_H
#define STREAMD_RELOAD_H

#include "monitor/monitor.h"
#include "streamd/embedded.h"
#include "streamd/loop.h"
#include "streamd/options_file.h"

struct reload {
    const struct configuration *started; /* what it all began with */
    struct options current;              /* its limits are the latest ones */
    char *log_file;                      /* of current, if not of started */
    struct old_limits *limits;           /* every one, as a store may use it */
};

enum { RELOAD_MONITORS = 2 };

/* What takes part; monitors and nats may be NULL. */
struct reload_parts {
    struct log *log;
    struct loop *loop;
    struct monitor *monitors[RELOAD_MONITORS];
    struct embedded *nats;
};

void reload_init(struct reload *reload,
                 const struct configuration *configuration);
/* When nobody uses limits any more. */
void reload_release(struct reload *reload);

/* What comes of it is in the log. */
void reload_run(struct reload *reload, const struct reload_parts *parts);

#endif
