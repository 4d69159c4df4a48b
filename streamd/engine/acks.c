#include "streamd/engine/acks.h"

#include "proto/codec.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/redelivery.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>

/* The subscription is found by the subject; the channel that the ack names
 * must be its channel (protocol.md section 11). */
static struct subscription *acked(struct engine *engine,
                                  const struct inbound_message *message,
                                  const struct ack *ack)
{
    struct subscription *subscription =
        subscription_find_ack(engine, message->subject);
    if (subscription != NULL &&
        bytes_equal(text_bytes(&subscription->channel->name), ack->subject))
        return subscription;
    if (channel_find(engine, ack->subject) == NULL) {
        int shown = ack->subject.size < TEXT_QUOTED_MAX ? (int)ack->subject.size
                                                        : TEXT_QUOTED_MAX;
        log_error(engine->log,
                  "Unable to process ack seq=%" PRIu64
                  ", channel %.*s not found",
                  ack->sequence, shown, (const char *)ack->subject.data);
    }
    return NULL;
}

void acks_message(struct engine *engine, const struct inbound_message *message)
{
    struct ack ack;
    if (!ack_decode(message->data, &ack)) {
        if (!is_ctrl_msg(message->data))
            log_error(engine->log, "Undecodable ack on %s", message->subject);
        return;
    }
    struct subscription *subscription = acked(engine, message, &ack);
    if (subscription == NULL)
        return;
    bool counts = subscription_ack(engine, subscription, ack.sequence);
    if (!counts && subscription->group != NULL) {
        /* It may have moved to another member meanwhile. */
        struct subscription *owner =
            queue_group_owner(subscription->group, ack.sequence);
        if (owner != NULL) {
            counts = subscription_ack(engine, owner, ack.sequence);
            redelivery_unstall(engine, owner);
        }
    }
    if (counts)
        engine->counters.acks++;
    redelivery_unstall(engine, subscription);
}
