#include "streamd/base/buffer.h"

#include <stdlib.h>
#include <sys/mman.h>

char *bytes_copy(struct bytes bytes)
{
    char *copy = malloc(bytes.size + 1);
    if (copy == NULL)
        return NULL;
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return copy;
}

/* Advice only: without huge pages it is memory like any other. */
static void *huge_new(void)
{
    size_t size = sizeof(struct buffer) + BUFFER_HUGE;
    void *memory = aligned_alloc(size, size);
    if (memory != NULL)
        (void)madvise(memory, size, MADV_HUGEPAGE);
    return memory;
}

struct buffer *buffer_new(size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(struct buffer))
        return NULL;
    struct buffer *buffer = capacity == BUFFER_HUGE
                                ? huge_new()
                                : malloc(sizeof *buffer + capacity);
    if (buffer == NULL)
        return NULL;
    buffer->references = 1;
    buffer->capacity = capacity;
    buffer->used = 0;
    return buffer;
}

struct buffer *buffer_ref(struct buffer *buffer)
{
    buffer_ref_many(buffer, 1);
    return buffer;
}

void buffer_ref_many(struct buffer *buffer, size_t count)
{
    (void)__atomic_add_fetch(&buffer->references, count, __ATOMIC_RELAXED);
}

bool buffer_is_sole(const struct buffer *buffer)
{
    return __atomic_load_n(&buffer->references, __ATOMIC_ACQUIRE) == 1;
}

void buffer_unref_many(struct buffer *buffer, size_t count)
{
    if (__atomic_sub_fetch(&buffer->references, count, __ATOMIC_ACQ_REL) == 0)
        free(buffer);
}

void buffer_unref(struct buffer *buffer)
{
    if (buffer != NULL)
        buffer_unref_many(buffer, 1);
}

bool blob_reserve(struct blob *blob, size_t more)
{
    if (more <= blob->capacity - blob->size)
        return true;
    if (more > SIZE_MAX / 2 - blob->size)
        return false;
    size_t capacity = blob->capacity < 64 ? 64 : blob->capacity;
    while (capacity - blob->size < more)
        capacity *= 2;
    uint8_t *data = realloc(blob->data, capacity);
    if (data == NULL)
        return false;
    blob->data = data;
    blob->capacity = capacity;
    return true;
}

bool blob_append(struct blob *blob, const void *data, size_t size)
{
    if (!blob_reserve(blob, size))
        return false;
    if (size > 0)
        memcpy(blob->data + blob->size, data, size);
    blob->size += size;
    return true;
}

void blob_release(struct blob *blob)
{
    free(blob->data);
    *blob = (struct blob){0};
}
