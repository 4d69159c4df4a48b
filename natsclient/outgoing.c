#include "natsclient/outgoing.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

struct chunk {
    struct list link;
    size_t start, end, capacity; /* start..end is not yet written */
    char data[];
};

static struct chunk *chunk_of(struct list *link)
{
    return list_entry(link, struct chunk, link);
}

void outgoing_init(struct outgoing *outgoing)
{
    list_init(&outgoing->chunks);
    outgoing->size = 0;
}

void outgoing_release(struct outgoing *outgoing)
{
    while (!list_empty(&outgoing->chunks))
        free(chunk_of(list_pop(&outgoing->chunks)));
    outgoing->size = 0;
}

char *outgoing_reserve(struct outgoing *outgoing, size_t size)
{
    if (!list_empty(&outgoing->chunks)) {
        struct chunk *last = chunk_of(outgoing->chunks.prev);
        if (last->capacity - last->end >= size)
            return last->data + last->end;
    }
    size_t capacity = size > OUTGOING_CHUNK ? size : OUTGOING_CHUNK;
    struct chunk *chunk = malloc(sizeof *chunk + capacity);
    if (chunk == NULL)
        return NULL;
    chunk->start = chunk->end = 0;
    chunk->capacity = capacity;
    list_append(&outgoing->chunks, &chunk->link);
    return chunk->data;
}

void outgoing_add(struct outgoing *outgoing, size_t size)
{
    struct chunk *last = chunk_of(outgoing->chunks.prev);
    assert(size <= last->capacity - last->end);
    last->end += size;
    outgoing->size += size;
}

/* The first chunk, all written, goes, or is used again if it is the only one.
 */
static void finish_first(struct outgoing *outgoing)
{
    struct chunk *first = chunk_of(list_pop(&outgoing->chunks));
    if (!list_empty(&outgoing->chunks) || first->capacity > OUTGOING_CHUNK) {
        free(first);
        return;
    }
    first->start = first->end = 0;
    list_append(&outgoing->chunks, &first->link);
}

int outgoing_write(struct outgoing *outgoing, int socket)
{
    while (outgoing->size > 0) {
        struct chunk *first = chunk_of(outgoing->chunks.next);
        size_t left = first->end - first->start;
        ssize_t written = left == 0 ? 0
                                    : send(socket, first->data + first->start,
                                           left, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
        }
        first->start += (size_t)written;
        outgoing->size -= (size_t)written;
        if (first->start == first->end)
            finish_first(outgoing);
    }
    return 0;
}
