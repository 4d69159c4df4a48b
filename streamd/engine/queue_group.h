/* queue_group.h - queue groups: members in order, and who gets a message
 * (delivery.md section 10). Engine thread. */
#ifndef STREAMD_ENGINE_QUEUE_GROUP_H
#define STREAMD_ENGINE_QUEUE_GROUP_H

#include "streamd/engine/core.h"
#include "streamd/engine/subscription.h"

/* The group of channel with this name (without durable: empty); *out is NULL
 * if there is none. Errors: STATUS_NO_MEMORY (there may be one). */
MUST_CHECK enum status queue_group_find(const struct channel *channel,
                                        struct bytes durable, struct bytes name,
                                        struct queue_group **out,
                                        struct error *err);

/* Makes one that is empty. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status queue_group_new(struct channel *channel,
                                       struct bytes durable, struct bytes name,
                                       struct queue_group **out,
                                       struct error *err);
/* Frees one without members; its shadow is the caller's affair. */
void queue_group_free(struct queue_group *group);

/* subscription, whose group is this one, is its shadow no more and now a
 * member, the last in order; it was just begun. */
void queue_group_join(struct queue_group *group,
                      struct subscription *subscription);
/* Takes a member out of the list. Call before subscription_end(). */
void queue_group_leave(struct subscription *subscription);

/* The member for the next message (10.2), rotating the list; NULL if there is
 * no member. */
struct subscription *queue_group_choose(struct queue_group *group);

/* True if no member can take a new message. */
static inline bool queue_group_is_stalled(const struct queue_group *group)
{
    return group->stalled_count >= group->member_count;
}

/* A group is on hold as long as a member is. */
void queue_group_update_hold(struct queue_group *group);

/* After an ack through the inbox of another member: the member that has
 * sequence pending, or NULL. */
struct subscription *queue_group_owner(const struct queue_group *group,
                                       uint64_t sequence);

#endif
