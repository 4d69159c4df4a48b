/* file_store.h - what the files of this folder share: the store itself.
 *
 * Threads: writer (commit.c, reopen.c) owns what a commit changes; reader
 * (replay.c) and sweeper (sweep.c) see what is published under lock. Recovery
 * runs in the caller's thread, before any of them has work. */
#ifndef STORE_LEVELDB_FILE_STORE_H
#define STORE_LEVELDB_FILE_STORE_H

#include "store/leveldb/channel.h"
#include "store/leveldb/database.h"
#include "store/leveldb/sweep.h"
#include "store/store.h"
#include "streamd/base/queue.h"
#include "streamd/base/table.h"

#include <pthread.h>

struct file_store {
    struct store store;
    const struct limits *limits;
    const struct clock *clock;
    struct log *log;
    int lock_file; /* -1: not locked */
    char *path;    /* of the database */
    struct database *database;
    struct sweeper *sweeper;
    struct queue *batches, *reads;
    pthread_t writer, reader;
    bool writer_runs, reader_runs, lock_made;

    pthread_mutex_t lock;   /* guards channels and what is visible of each */
    struct table *channels; /* by id; owns them; changed by the writer only */

    /* The writer's. */
    uint64_t next_number; /* of the next channel created */
    bool recovered;
    bool server_known;             /* the server record is stored */
    leveldb_writebatch_t *changes; /* of the batch under way */
    leveldb_writebatch_t *failed;  /* not NULL: to be undone, then forgotten */
    leveldb_writebatch_t *undo;    /* not NULL: what undoes it */
    struct blob key, payload, value; /* scratch */
};

#endif
