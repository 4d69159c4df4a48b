/* commit.h - batches on their way to the store, and what waits for them.
 *
 * One batch is under way (flying) while the next one fills: group commit
 * without a timer. What clients may rely on waits for its batch. Engine
 * thread. */
#ifndef STREAMD_ENGINE_COMMIT_H
#define STREAMD_ENGINE_COMMIT_H

#include "streamd/engine/core.h"

/* Something to do when a batch is durable, or has failed (failure says why).
 * Part of its owner's struct; finish is called once. After a failure nothing
 * of the batch is stored, and what stands in memory but not in the store (the
 * deletions, and the records of what still exists) is tried again by the next
 * batch: finish only takes back what the client is told has failed. */
struct effect {
    struct list link;
    void (*finish)(struct engine *engine, struct effect *effect,
                   const struct error *failure);
};

MUST_CHECK enum status commit_init(struct engine *engine, struct error *err);
/* Tells whoever still waits that it will not be: before the rest is freed. */
void commit_abandon(struct engine *engine);
void commit_release(struct engine *engine);

/* The batch that fills, to add operations to. */
struct batch *commit_batch(struct engine *engine);

/* effect waits for what is in the batch now; the batch is made durable against
 * power cuts. */
void commit_wait(struct engine *engine, struct effect *effect);

/* A success PubAck to reply for guid (or, if the batch fails, one with the
 * error) once the batch is durable. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status commit_pub_ack(struct engine *engine, const char *reply,
                                      struct bytes guid, struct error *err);

/* Hands the batch to the store if there is something in it and none is under
 * way. */
void commit_submit(struct engine *engine);

/* The same within a burst, if enough wait for acks and a commit takes time:
 * else publishers with a window would all wait for one sync, and then it for
 * all of them. So half of their messages are on the way while the other half
 * is made durable. */
void commit_submit_early(struct engine *engine);

/* Bytes of messages in batches not yet durable. */
int64_t commit_uncommitted(const struct engine *engine);

/* True when nothing is under way and nothing waits. */
bool commit_is_idle(const struct engine *engine);

#endif
