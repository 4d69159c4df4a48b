/* keeper.h - the thread that keeps house behind the commits: checkpoints, the
 * index of what was dropped, segments that are not needed any more.
 *
 * It alone writes to the database. It may be stopped, or killed, at any point:
 * each of its steps is one batch that leaves the database as it should be. */
#ifndef STORE_LEVELDB_KEEPER_H
#define STORE_LEVELDB_KEEPER_H

#include "store/leveldb/file_store.h"

/* Starts the thread. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status keeper_start(struct file_store *store,
                                    struct error *err);
/* Ends it and, if it is safe, brings all to the database (*in_order). */
void keeper_stop(struct file_store *store, bool *in_order);

/* Any thread; NULL is allowed. A checkpoint now; one in some seconds; a sync of
 * the journal after the interval for it. At the end of recovery: one now if
 * there is something to sweep. */
void keeper_wake(struct keeper *keeper);
void keeper_wake_to_sweep(struct keeper *keeper);
void keeper_wake_later(struct keeper *keeper);
void keeper_wake_to_sync(struct keeper *keeper);

/* What is left to delete of a channel: pages below `to`, or all. */
struct sweep {
    uint64_t id, number, from, to;
    bool whole;
};

/* Before the thread has work, or by itself. Errors: STATUS_NO_MEMORY. */
MUST_CHECK enum status keeper_sweep(struct file_store *store,
                                    const struct sweep *sweep,
                                    struct error *err);

/* The keeper's thread, or instead of it before and after it: writes changes,
 * opening the database again if that has to be, until it is done. Fails only
 * when the keeper is to end; then nobody knows if they are written. */
MUST_CHECK enum status keeper_write(struct file_store *store,
                                    leveldb_writebatch_t *changes,
                                    struct error *err);
bool keeper_stopping(struct keeper *keeper); /* NULL is allowed */

#endif
