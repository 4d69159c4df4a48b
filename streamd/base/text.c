#include "streamd/base/text.h"

#include <stdio.h>
#include <stdlib.h>

bool text_set(struct text *text, struct bytes bytes)
{
    char *copy = bytes_copy(bytes);
    if (copy == NULL)
        return false;
    free(text->data);
    text->data = copy;
    text->size = bytes.size;
    return true;
}

void text_release(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

/* Writes one byte as Go would inside %q; returns the length. Bytes above
 * 0x7f pass: names are UTF-8 in practice. */
static int quote_byte(uint8_t byte, char out[8])
{
    static const char named[] = "abtnvfr"; /* 0x07.. 0x0d */
    if (byte == '"' || byte == '\\')
        return snprintf(out, 8, "\\%c", byte);
    if (byte == '\b')
        return snprintf(out, 8, "\\b");
    if (byte >= 0x07 && byte <= 0x0d)
        return snprintf(out, 8, "\\%c", named[byte - 0x07]);
    if (byte < 0x20 || byte == 0x7f)
        return snprintf(out, 8, "\\x%02x", byte);
    out[0] = (char)byte;
    return 1;
}

const char *text_quote(struct bytes bytes, char out[TEXT_QUOTED_MAX])
{
    size_t used = 0;
    out[used++] = '"';
    for (size_t i = 0; i < bytes.size; i++) {
        char shown[8];
        size_t length = (size_t)quote_byte(bytes.data[i], shown);
        if (used + length > TEXT_QUOTED_MAX - 6) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(out + used, shown, length);
        used += length;
    }
    out[used++] = '"';
    out[used] = '\0';
    return out;
}

const char *text_friendly(uint64_t bytes, char out[FRIENDLY_MAX])
{
    static const char units[] = "KMGTPE";
    if (bytes < 1024) {
        (void)snprintf(out, FRIENDLY_MAX, "%d B", (int)bytes);
        return out;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1024 && unit + 2 < sizeof units) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(out, FRIENDLY_MAX, "%.2f %cB", value, units[unit]);
    return out;
}
