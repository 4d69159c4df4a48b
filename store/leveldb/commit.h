/* commit.h - makes one batch durable, or leaves everything as it was. */
#ifndef STORE_LEVELDB_COMMIT_H
#define STORE_LEVELDB_COMMIT_H

#include "store/leveldb/file_store.h"

/* Writer thread. Fills status, error and states of batch, except done. */
void commit_run(struct file_store *store, struct batch *batch);

#endif
