/* channel.h - the channels: by name, by id, and what each holds. Engine
 * thread. */
#ifndef STREAMD_ENGINE_CHANNEL_H
#define STREAMD_ENGINE_CHANNEL_H

#include "streamd/engine/core.h"

/* NULL if there is none. */
struct channel *channel_find(struct engine *engine, struct bytes name);
struct channel *channel_find_id(const struct engine *engine, uint64_t id);

/* Finds or creates (and adds the creation to the batch). name must be valid.
 * Errors, with the text that the client gets: STATUS_LIMIT (too many
 * channels), STATUS_EXISTS (differs only in case), STATUS_UNAVAILABLE (being
 * deleted), STATUS_CORRUPT (damaged in the store), STATUS_NO_MEMORY. */
MUST_CHECK enum status channel_get(struct engine *engine, struct bytes name,
                                   struct channel **out, struct error *err);

/* Adds one that was recovered, with its state. */
MUST_CHECK enum status channel_restore(struct engine *engine, struct bytes name,
                                       const struct channel_state *state,
                                       struct error *err);

/* One that the store found damaged: its name and id are not used again. */
MUST_CHECK enum status channel_block(struct engine *engine, struct bytes name,
                                     uint64_t id, struct error *err);

/* Takes it out of the engine and frees it and its subscriptions. */
void channel_remove(struct engine *engine, struct channel *channel);

/* What the store told after a commit. */
void channel_update(struct channel *channel, const struct channel_state *state);

/* Forgets messages that were given sequences but never stored. */
void channel_roll_back(struct channel *channel);

#endif
