/* pack.h - numbers in few bytes: seven bits a byte, the lowest first. */
#ifndef STORE_LEVELDB_PACK_H
#define STORE_LEVELDB_PACK_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Append to out; false when out of memory. Signed ones as zigzag. */
MUST_CHECK bool pack_number(struct blob *out, uint64_t value);
MUST_CHECK bool pack_signed(struct blob *out, int64_t value);
MUST_CHECK bool pack_bytes(struct blob *out, struct bytes bytes); /* size too */

/* Takes from the front of what is left. failed stays once a value was not
 * whole; what is given then is 0 or empty. */
struct unpack {
    struct bytes left;
    bool failed;
};

uint64_t unpack_number(struct unpack *unpack);
int64_t unpack_signed(struct unpack *unpack);
struct bytes unpack_bytes(struct unpack *unpack);
struct bytes unpack_raw(struct unpack *unpack, uint64_t size);

#endif
