/* commit.h - makes one batch durable, or leaves everything as it was. */
#ifndef STORE_LEVELDB_COMMIT_H
#define STORE_LEVELDB_COMMIT_H

#include "store/leveldb/file_store.h"

/* Writer thread. Fills status, error and states of batch, except done. */
void commit_run(struct file_store *store, struct batch *batch);

/* At the end: the records that are behind, and a sync of everything. */
MUST_CHECK enum status commit_last(struct file_store *store, struct error *err);

#endif
