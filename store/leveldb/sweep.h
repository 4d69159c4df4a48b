/* sweep.h - deletes what checkpoints put out of sight: pages of the index below
 * a channel's first, deleted channels, segments that nothing needs.
 *
 * Keeper's thread. It only ever deletes what a checkpoint on the disk already
 * gave up; what was not done recovery asks for again. */
#ifndef STORE_LEVELDB_SWEEP_H
#define STORE_LEVELDB_SWEEP_H

#include "store/leveldb/keeper.h"

/* Stops between chunks when the keeper is to end. Errors: STATUS_IO,
 * STATUS_CORRUPT, STATUS_NO_MEMORY. */
MUST_CHECK enum status sweep_run(struct file_store *store,
                                 const struct sweep *sweep, struct error *err);

/* Removes the files of segments without live runs that lie before the last
 * checkpoint. */
MUST_CHECK enum status sweep_segments(struct file_store *store,
                                      struct error *err);

#endif
