/* leveldb_store.h - the store in one LevelDB database below a directory. */
#ifndef STORE_LEVELDB_LEVELDB_STORE_H
#define STORE_LEVELDB_LEVELDB_STORE_H

#include "store/store.h"

/* Opens or creates directory (parents too) and locks it against a second
 * process. On STATUS_OK the caller owns *out, ends it with store_close().
 * Errors: STATUS_INVALID (no directory given: the text of cli-config.md),
 * STATUS_UNAVAILABLE (locked by another process), STATUS_IO, STATUS_CORRUPT,
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status leveldb_store_open(const char *directory,
                                          const struct store_config *config,
                                          struct store **out,
                                          struct error *err);

#endif
