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

static void chunk_free(struct chunk *chunk)
{
    list_remove(&chunk->link);
    free(chunk);
}

void outgoing_init(struct outgoing *outgoing)
{
    list_init(&outgoing->chunks);
    outgoing->size = 0;
}

void outgoing_release(struct outgoing *outgoing)
{
    while (!list_empty(&outgoing->chunks))
        chunk_free(chunk_of(outgoing->chunks.next));
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

/* A chunk that is written goes, or is used again if it is the only one. */
static void finish(struct outgoing *outgoing, struct chunk *chunk)
{
    if (outgoing->chunks.next != outgoing->chunks.prev ||
        chunk->capacity > OUTGOING_CHUNK) {
        chunk_free(chunk);
    } else {
        chunk->start = chunk->end = 0;
    }
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
            finish(outgoing, first);
    }
    return 0;
}
