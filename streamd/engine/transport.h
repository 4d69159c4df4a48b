/* transport.h - what the engine needs of a connection to NATS, as a value, so
 * that a test passes its own. Engine thread only. natsclient/connection.h says
 * what each does. */
#ifndef STREAMD_ENGINE_TRANSPORT_H
#define STREAMD_ENGINE_TRANSPORT_H

#include "natsclient/connection.h"
#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>

struct transport {
    void *context;
    enum status (*publish)(void *context, const char *subject,
                           const char *reply, struct bytes data);
    enum status (*subscribe)(void *context, enum inbound kind,
                             const char *subject, struct error *err);
    void (*unsubscribe)(void *context, enum inbound kind, const char *subject);
    bool (*congested)(void *context);
    void (*pause)(void *context, bool pause);
    bool (*is_up)(void *context);
    size_t (*max_payload)(void *context); /* 0: not known now */
};

#endif
