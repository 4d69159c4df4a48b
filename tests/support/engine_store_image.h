/* engine_store_image.h - what an engine_store holds, and how a batch changes
 * it.
 *
 * For engine_store.c only; tests use engine_store.h. */
#ifndef TESTS_SUPPORT_ENGINE_STORE_IMAGE_H
#define TESTS_SUPPORT_ENGINE_STORE_IMAGE_H

#include "tests/support/engine_store.h"

/* All of batch, and its states, or nothing of it: STATUS_EXISTS,
 * STATUS_NOT_FOUND. */
MUST_CHECK enum status engine_store_apply(struct engine_store *store,
                                          struct batch *batch);

/* Index from channel->start of the first message that is not before what read
 * asks for. */
size_t engine_store_search(const struct stored_channel *channel,
                           const struct read *read);

void engine_store_trim(const struct engine_store *store,
                       struct stored_channel *channel);
void engine_store_expire(struct stored_channel *channel, int64_t timestamp);

void engine_store_free_channel(struct stored_channel *channel);
void engine_store_free_client(struct stored_client *client); /* NULL: fine */

#endif
