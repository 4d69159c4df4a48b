#include "monitor/base64.h"

#include <openssl/evp.h>

enum { SIZE_MOST = 1 << 30 }; /* OpenSSL counts with int */

bool base64_write(struct bytes data, struct blob *out)
{
    if (data.size > SIZE_MOST ||
        !blob_reserve(out, (data.size + 2) / 3 * 4 + 1))
        return false;
    if (data.size > 0) {
        out->size += (size_t)EVP_EncodeBlock(out->data + out->size, data.data,
                                             (int)data.size);
    }
    return true;
}

static bool is_base64(struct bytes text, size_t padding)
{
    for (size_t i = 0; i < text.size - padding; i++) {
        uint8_t c = text.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '+' && c != '/')
            return false;
    }
    return true;
}

enum status base64_read(struct bytes text, struct text *out)
{
    size_t padding = 0;
    struct blob decoded = {0};
    if (text.size % 4 != 0 || text.size > SIZE_MOST)
        return STATUS_INVALID;
    while (padding < 2 && padding < text.size &&
           text.data[text.size - 1 - padding] == '=')
        padding++;
    if (!is_base64(text, padding))
        return STATUS_INVALID;
    if (!blob_reserve(&decoded, text.size / 4 * 3 + 1))
        return STATUS_NO_MEMORY;
    int size = text.size == 0
                   ? 0
                   : EVP_DecodeBlock(decoded.data, text.data, (int)text.size);
    enum status status = size < 0 ? STATUS_INVALID : STATUS_OK;
    if (status == STATUS_OK &&
        !text_set(out, bytes_of(decoded.data, (size_t)size - padding)))
        status = STATUS_NO_MEMORY;
    blob_release(&decoded);
    return status;
}
