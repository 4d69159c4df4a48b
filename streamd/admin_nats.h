/* admin_nats.h - administration over NATS: requests to
 * _STAN.admin.<cluster>.<verb>, whose payload is a JSON object with the token
 * and the members of monitor/admin_parse.h. Engine thread. */
#ifndef STREAMD_ADMIN_NATS_H
#define STREAMD_ADMIN_NATS_H

#include "monitor/admin_access.h"
#include "streamd/engine/engine.h"

/* Does what message asks for; the answer goes to its reply subject, now or
 * later: {"ok":true, ...} or {"error": "..."}. One without a reply subject is
 * not done: nobody could be told. */
void admin_nats_message(struct admin_access *access, struct log *log,
                        struct engine *engine,
                        const struct transport *transport,
                        const struct inbound_message *message);

#endif
