/* client.h - the registered clients, by id and by connID. Engine thread. */
#ifndef STREAMD_ENGINE_CLIENT_H
#define STREAMD_ENGINE_CLIENT_H

#include "proto/records.h"
#include "streamd/engine/core.h"

/* Registers record, which must not be registered yet. The engine owns *out.
 * A connID that another client has is left with that one: this client is then
 * known by its id alone. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status client_add(struct engine *engine,
                                  const struct client_record *record,
                                  struct client **out, struct error *err);

/* Unregisters and frees; its subscriptions must be gone. */
void client_remove(struct engine *engine, struct client *client);

/* NULL if there is none. */
struct client *client_find(const struct engine *engine, struct bytes id);
struct client *client_find_connection(const struct engine *engine,
                                      struct bytes conn_id);

/* The rule of protocol.md section 9, 4: by connID if there is one, else by
 * id. */
bool client_may_publish(struct engine *engine, struct bytes id,
                        struct bytes conn_id);

struct client_record client_record(const struct client *client);

#endif
