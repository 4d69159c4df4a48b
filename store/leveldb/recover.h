/* recover.h - what is stored, read back and checked. */
#ifndef STORE_LEVELDB_RECOVER_H
#define STORE_LEVELDB_RECOVER_H

#include "store/leveldb/file_store.h"

/* The format record: written into a new database, checked in an old one.
 * Errors: STATUS_INVALID (a format this program does not know),
 * STATUS_CORRUPT, STATUS_IO. */
MUST_CHECK enum status recover_format(struct file_store *store,
                                      struct error *err);

/* store_recover(). */
MUST_CHECK enum status recover_run(struct store *store,
                                   const struct store_visitor *visitor,
                                   struct error *err);

#endif
