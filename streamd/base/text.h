/* text.h - an owned byte string, and how names from outside are shown. */
#ifndef STREAMD_BASE_TEXT_H
#define STREAMD_BASE_TEXT_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>

/* Zero-initialise; terminated, but may hold inner NULs: size counts. */
struct text {
    char *data; /* NULL while empty and never set */
    size_t size;
};

/* Replaces the content by a copy; false, and nothing changed, when out of
 * memory. */
MUST_CHECK bool text_set(struct text *text, struct bytes bytes);
void text_release(struct text *text);

static inline struct bytes text_bytes(const struct text *text)
{
    return bytes_of(text->data, text->size);
}

/* The C string; "" when never set. */
static inline const char *text_string(const struct text *text)
{
    return text->data == NULL ? "" : text->data;
}

/* Room for a shown name: long ones are cut. */
enum { TEXT_QUOTED_MAX = 160 };

/* Go's %q: double quotes, escapes for what is not printable, so that a name
 * from outside can stand in a log line or an error text. Returns out. */
const char *text_quote(struct bytes bytes, char out[TEXT_QUOTED_MAX]);

/* Bytes for people (cli-config.md 9.3): "976.56 MB", "12 B". Returns out. */
enum { FRIENDLY_MAX = 32 };
const char *text_friendly(uint64_t bytes, char out[FRIENDLY_MAX]);

#endif
