/* compact.h - copies what is still needed of segments that are mostly garbage
 * into a new one, so that the disk holds not much more than the limits say.
 *
 * Keeper's thread. The copies are on the disk before one batch moves the index
 * to them; then the old files go. A copy that no index knows is removed at the
 * next start. */
#ifndef STORE_LEVELDB_COMPACT_H
#define STORE_LEVELDB_COMPACT_H

#include "store/leveldb/file_store.h"

/* As often as it is worth it. Damage in a segment leaves that one as it is.
 * Errors: STATUS_IO, STATUS_CORRUPT (the index), STATUS_NO_MEMORY. */
MUST_CHECK enum status compact_run(struct file_store *store, struct error *err);

#endif
