/* reopen.h - back to a trusted database after a failed write.
 *
 * The end of LevelDB's log may hold the failed batch whole, in part or not at
 * all, and only reading it again tells. So: note what the batch's keys held
 * before it (the old handle still knows), open again, write that back, and
 * compare with what the store believes. */
#ifndef STORE_LEVELDB_REOPEN_H
#define STORE_LEVELDB_REOPEN_H

#include "store/leveldb/file_store.h"

/* Writer thread, all of them. store->changes was not written: it will be
 * undone. */
void reopen_undo_later(struct file_store *store);

bool reopen_needed(struct file_store *store);

/* On STATUS_OK the store may commit again; on failure call it again later.
 * Errors: the cause, STATUS_IO or STATUS_CORRUPT. */
MUST_CHECK enum status reopen_run(struct file_store *store, struct error *err);

#endif
