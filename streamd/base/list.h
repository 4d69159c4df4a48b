/* list.h - intrusive doubly linked list: the link lives in the element.
 *
 * A link that is in no list points at itself, so list_remove() may be called
 * on it again and list_linked() tells which it is. */
#ifndef STREAMD_BASE_LIST_H
#define STREAMD_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

#define list_entry(link, type, member)                                         \
    ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->prev = list->next = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline bool list_linked(const struct list *link)
{
    return link->next != link;
}

static inline void list_append(struct list *list, struct list *link)
{
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Takes the first element out and returns its link; list must not be empty. */
static inline struct list *list_pop(struct list *list)
{
    struct list *first = list->next;
    list->next = first->next;
    list->next->prev = list;
    list_init(first);
    return first;
}

/* Moves all of from, in order, to the end of list; from is empty then. */
static inline void list_append_all(struct list *list, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = list->prev;
    list->prev->next = from->next;
    from->prev->next = list;
    list->prev = from->prev;
    list_init(from);
}

#endif
