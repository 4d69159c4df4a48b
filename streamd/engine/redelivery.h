/* redelivery.h - messages that were not acked in time (delivery.md 8).
 *
 * Engine thread. A pass takes the due messages of one subscription in order;
 * one that is not in memory is read, and the pass goes on when it is there. */
#ifndef STREAMD_ENGINE_REDELIVERY_H
#define STREAMD_ENGINE_REDELIVERY_H

#include "streamd/engine/core.h"

void redelivery_init(struct subscription *subscription);

/* Starts a pass of this kind; ends a pass that is under way. When a RESUME or
 * STARTUP pass is over the hold of the subscription (and its group) ends and
 * new messages flow. */
void redelivery_start(struct engine *engine, struct subscription *subscription,
                      enum redelivery_kind kind);
/* The turn of redelivery.waiter. */
void redelivery_continue(struct engine *engine,
                         struct subscription *subscription);
/* Ends a pass without more ado. */
void redelivery_stop(struct engine *engine, struct subscription *subscription);

/* Something was sent: the ack timer runs from now on. */
void redelivery_sent(struct engine *engine, struct subscription *subscription);
/* The ack timer is to fire after delay ns, for messages that are due. */
void redelivery_soon(struct engine *engine, struct subscription *subscription,
                     int64_t delay);

/* After pending became less: ends a stall, if there is room again (6, 4). */
void redelivery_unstall(struct engine *engine,
                        struct subscription *subscription);

#endif
