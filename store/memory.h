/* memory.h - the store that keeps everything in memory and nothing over a
 * restart (stores.md section 7): recover hands over nothing. */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include "store/store.h"

/* On STATUS_OK the caller owns *out, ends it with store_close(). */
MUST_CHECK enum status memory_store_open(const struct store_config *config,
                                         struct store **out, struct error *err);

#endif
