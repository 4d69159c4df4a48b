/* buffer.h - bytes: borrowed (bytes), shared (buffer, slice), growing (blob).
 *
 * A buffer is filled by one owner from front to back; what is below `used`
 * never changes again, so slices of it may be read by any thread that got them
 * through a queue. The count of references is atomic. */
#ifndef STREAMD_BASE_BUFFER_H
#define STREAMD_BASE_BUFFER_H

#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes; not terminated. data may be NULL when size is 0. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){.data = data, .size = size};
}

static inline struct bytes bytes_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* A new terminated copy (an inner NUL stays inside), NULL if out of memory. */
char *bytes_copy(struct bytes bytes);

struct buffer {
    size_t references; /* changed by the calls below only */
    size_t capacity;
    size_t used; /* owner only */
    uint8_t data[];
};

/* The capacity of a buffer that with its head is one huge page of the machine:
 * where the kernel has those, filling it costs one page fault, not 512. */
#define BUFFER_HUGE (((size_t)2 << 20) - sizeof(struct buffer))

/* One reference, used 0. NULL when out of memory. */
struct buffer *buffer_new(size_t capacity);
struct buffer *buffer_ref(struct buffer *buffer);
void buffer_ref_many(struct buffer *buffer, size_t count);
void buffer_unref(struct buffer *buffer); /* NULL is allowed */
/* Nobody else holds a reference, and what others wrote is seen. */
bool buffer_is_sole(const struct buffer *buffer);
/* Gives back count (> 0) of the references that are held. */
void buffer_unref_many(struct buffer *buffer, size_t count);

/* Part of a buffer. Whoever keeps a slice keeps a reference to its buffer. */
struct slice {
    struct buffer *buffer;
    uint32_t offset;
    uint32_t size;
};

static inline struct bytes slice_bytes(struct slice slice)
{
    return bytes_of(slice.buffer->data + slice.offset, slice.size);
}

/* A byte string that grows; zero-initialise, end with blob_release(). After a
 * failed call it is as before. */
struct blob {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

MUST_CHECK bool blob_reserve(struct blob *blob, size_t more);
MUST_CHECK bool blob_append(struct blob *blob, const void *data, size_t size);
void blob_release(struct blob *blob);

static inline struct bytes blob_bytes(const struct blob *blob)
{
    return bytes_of(blob->data, blob->size);
}

#endif
