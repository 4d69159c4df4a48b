/* delivery.h - messages go to subscribers (delivery.md section 5).
 *
 * A consumer is what takes messages from a channel: a plain subscription, a
 * queue group, or a redelivery that goes on. Ready ones take turns, so that a
 * long replay holds up nobody. Engine thread. */
#ifndef STREAMD_ENGINE_DELIVERY_H
#define STREAMD_ENGINE_DELIVERY_H

#include "streamd/engine/core.h"

/* Exactly one of subscription and group is not NULL. */
void delivery_init(struct consumer *consumer, struct subscription *subscription,
                   struct queue_group *group);
/* Takes it off every list. */
void delivery_forget(struct consumer *consumer);

/* There may be something to do for it: it gets a turn. */
void delivery_ready(struct engine *engine, struct consumer *consumer);
/* The same for whatever takes new messages for subscription. */
void delivery_ready_for(struct engine *engine,
                        struct subscription *subscription);
/* The same for all of a channel that can take new messages. */
void delivery_channel_grew(struct engine *engine, struct channel *channel);

/* One turn for each that is ready. Some may be ready again afterwards. */
void delivery_run(struct engine *engine);

/* The channel goes: nobody waits for its reads any more. */
void delivery_forget_channel(struct channel *channel);

enum fetch {
    FETCH_FOUND,  /* *found >= sequence, the first there is */
    FETCH_GONE,   /* nothing from sequence up to *found; ask above it */
    FETCH_END,    /* nothing durable at or after sequence */
    FETCH_WAIT,   /* being read: consumer gets a turn when it is there */
    FETCH_FAILED, /* could not be read, said in the log; try later */
};

/* The first message at or after sequence; its bytes are valid until the next
 * call into the cache. */
enum fetch delivery_fetch(struct engine *engine, struct channel *channel,
                          struct consumer *consumer, uint64_t sequence,
                          uint64_t *found, struct bytes *message);

enum delivery {
    DELIVERY_SENT,
    DELIVERY_REFUSED,    /* it takes none now: its next change is a trigger */
    DELIVERY_LATER,      /* no NATS, or no memory: nothing is a trigger */
    DELIVERY_IMPOSSIBLE, /* too big for NATS, said in the log, or no inbox */
};

/* Tries to send (5.4). redelivery is the count to be put into the message, 0
 * for a first delivery. */
enum delivery delivery_send(struct engine *engine,
                            struct subscription *subscription,
                            uint64_t sequence, struct bytes message,
                            uint32_t redelivery);

#endif
