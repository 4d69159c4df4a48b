/* restore.h - what the journal holds behind the last checkpoint, brought to the
 * database when the store is opened.
 *
 * A record that is not whole ends the journal if nothing tells that it was on
 * the disk: it is what a power cut leaves, and nothing reported as synced can
 * be behind it. If a later record or segment knows better, it is damage: of a
 * message, then that is noted and left to whoever reads it; of anything else,
 * then the start is refused. */
#ifndef STORE_LEVELDB_RESTORE_H
#define STORE_LEVELDB_RESTORE_H

#include "store/leveldb/file_store.h"

/* The database is open and its format was checked. After it store->journal is
 * ready to go on, and the database knows all. Errors: STATUS_CORRUPT names file
 * and offset, STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status restore_run(struct file_store *store, struct error *err);

#endif
