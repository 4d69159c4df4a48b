#include "streamd/engine/queue_group.h"

#include "streamd/engine/delivery.h"

#include <assert.h>
#include <stdlib.h>

/* Length in front, and a mark for durable ones: "<durable>:<group>" may also
 * be the literal name of a group without durable. */
static bool group_key(struct bytes durable, struct bytes name, struct blob *out)
{
    uint64_t size = durable.size;
    return blob_append(out, &size, sizeof size) &&
           blob_append(out, durable.data, durable.size) &&
           blob_append(out, name.data, name.size);
}

enum status queue_group_find(const struct channel *channel,
                             struct bytes durable, struct bytes name,
                             struct queue_group **out, struct error *err)
{
    struct blob key = {0};
    bool done = group_key(durable, name, &key);
    *out = done ? table_get(channel->groups, key.data, key.size) : NULL;
    blob_release(&key);
    return done ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "out of memory");
}

static void group_release(struct queue_group *group)
{
    text_release(&group->name);
    text_release(&group->key);
    free(group);
}

static bool set_names(struct queue_group *group, struct bytes durable,
                      struct bytes name)
{
    struct blob shown = {0};
    struct blob key = {0};
    bool done = group_key(durable, name, &key) &&
                text_set(&group->key, blob_bytes(&key)) &&
                (durable.size == 0 ||
                 (blob_append(&shown, durable.data, durable.size) &&
                  blob_append(&shown, ":", 1))) &&
                blob_append(&shown, name.data, name.size) &&
                text_set(&group->name, blob_bytes(&shown));
    blob_release(&shown);
    blob_release(&key);
    return done;
}

enum status queue_group_new(struct channel *channel, struct bytes durable,
                            struct bytes name, struct queue_group **out,
                            struct error *err)
{
    *out = NULL;
    struct queue_group *group = calloc(1, sizeof *group);
    if (group == NULL)
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    group->channel = channel;
    group->is_durable = durable.size > 0;
    list_init(&group->members);
    delivery_init(&group->consumer, NULL, group);
    if (!set_names(group, durable, name) ||
        !table_put(channel->groups, group->key.data, group->key.size, group)) {
        group_release(group);
        return fail(err, STATUS_NO_MEMORY, "out of memory");
    }
    *out = group;
    return STATUS_OK;
}

void queue_group_free(struct queue_group *group)
{
    assert(list_empty(&group->members));
    delivery_forget(&group->consumer);
    (void)table_remove(group->channel->groups, group->key.data,
                       group->key.size);
    group_release(group);
}

void queue_group_join(struct queue_group *group,
                      struct subscription *subscription)
{
    assert(subscription->group == group && subscription_is_live(subscription));
    if (group->shadow == subscription)
        group->shadow = NULL;
    list_append(&group->members, &subscription->of_channel);
    group->member_count++;
    if (subscription->stalled)
        group->stalled_count++;
}

void queue_group_leave(struct subscription *subscription)
{
    struct queue_group *group = subscription->group;
    assert(list_linked(&subscription->of_channel));
    list_remove(&subscription->of_channel);
    group->member_count--;
    if (subscription->stalled)
        group->stalled_count--;
}

static bool is_better(const struct subscription *candidate,
                      const struct subscription *best)
{
    return best == NULL ||
           pending_count(&candidate->pending) < pending_count(&best->pending);
}

struct subscription *queue_group_choose(struct queue_group *group)
{
    if (list_empty(&group->members))
        return NULL;
    struct subscription *head =
        list_entry(group->members.next, struct subscription, of_channel);
    struct subscription *best = NULL;
    for (struct list *at = group->members.next; at != &group->members;
         at = at->next) {
        struct subscription *member =
            list_entry(at, struct subscription, of_channel);
        if (member->state == SUBSCRIPTION_ACTIVE && !member->stalled &&
            !member->heartbeat_failed && member->inbox_usable &&
            is_better(member, best))
            best = member;
    }
    if (best == NULL)
        best = head;
    if (best == head && group->member_count >= 2) {
        list_remove(&head->of_channel);
        list_append(&group->members, &head->of_channel);
    }
    return best;
}

void queue_group_update_hold(struct queue_group *group)
{
    group->hold = false;
    for (struct list *at = group->members.next; at != &group->members;
         at = at->next) {
        if (list_entry(at, struct subscription, of_channel)->hold)
            group->hold = true;
    }
}

struct subscription *queue_group_owner(const struct queue_group *group,
                                       uint64_t sequence)
{
    for (struct list *at = group->members.next; at != &group->members;
         at = at->next) {
        struct subscription *member =
            list_entry(at, struct subscription, of_channel);
        if (pending_find(&member->pending, sequence) != NULL)
            return member;
    }
    return NULL;
}
