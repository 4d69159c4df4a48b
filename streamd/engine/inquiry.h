/* inquiry.h - requests of the engine itself: heartbeats, probes.
 *
 * The answer comes to an inbox of ours; the wait blocks nothing. Engine
 * thread. */
#ifndef STREAMD_ENGINE_INQUIRY_H
#define STREAMD_ENGINE_INQUIRY_H

#include "streamd/engine/core.h"

/* Sends data to subject and waits for timeout ns. inquiry->ended is called
 * once, never from inside this call; set ended and context before. */
void inquiry_start(struct engine *engine, struct inquiry *inquiry,
                   const char *subject, struct bytes data, int64_t timeout);

/* Sends it a second time, to the same wait: any answer ends that. Not a third
 * time. */
void inquiry_again(struct engine *engine, struct inquiry *inquiry,
                   const char *subject, struct bytes data);

/* Ends the wait without a call of ended. Nothing under way is fine. */
void inquiry_cancel(struct inquiry *inquiry);

static inline bool inquiry_is_under_way(const struct inquiry *inquiry)
{
    return inquiry->id != 0;
}

/* A message came to an inbox of ours. */
void inquiry_answer(struct engine *engine,
                    const struct inbound_message *message);

#endif
