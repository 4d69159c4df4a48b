/* file_store.h - what the files of this folder share: the store itself.
 *
 * Threads: writer (commit.c, journal.c) owns what a commit changes, reader
 * (replay.c) sees what is published under lock, keeper (keeper.c and what it
 * calls) alone writes to the database. Recovery runs in the caller's thread,
 * before any of them has work. */
#ifndef STORE_LEVELDB_FILE_STORE_H
#define STORE_LEVELDB_FILE_STORE_H

#include "store/leveldb/channel.h"
#include "store/leveldb/checkpoint.h"
#include "store/leveldb/database.h"
#include "store/leveldb/journal.h"
#include "store/leveldb/lookup.h"
#include "store/store.h"
#include "streamd/base/queue.h"
#include "streamd/base/table.h"

#include <pthread.h>

struct keeper;

/* A commit waits, or fails if the keeper does, when that many segments are not
 * checkpointed. */
enum { BACKLOG_SEGMENTS = 4 };

struct file_store {
    struct store store;
    const struct limits *limits;
    const struct clock *clock;
    struct log *log;
    bool no_sync;
    int64_t auto_sync; /* ns; 0: never */
    uint64_t segment_bytes;
    int lock_file; /* -1: not locked */
    char *path;    /* of the database and the segments */
    int directory; /* the same; -1: not open yet */
    struct database *database;
    struct keeper *keeper; /* NULL: its thread does not run */
    struct queue *batches, *reads;
    pthread_t writer, reader;
    bool writer_runs, reader_runs, locks_made;

    pthread_mutex_t lock;   /* guards channels and what is visible of each */
    struct table *channels; /* by id; owns them; changed by the writer only */

    /* Guards what follows: held by the writer for each commit, by the keeper
     * for moments. Taken before lock. */
    pthread_mutex_t write_lock;
    uint64_t next_number; /* of the next channel created */
    bool recovered;
    struct journal journal;
    struct dirty dirty;
    pthread_cond_t drained; /* backlog or keeper_failures changed */
    uint64_t backlog;       /* bytes of records in no checkpoint on disk */
    uint64_t keeper_failures;
    struct error keeper_error; /* of its latest failure */

    /* The writer's. */
    struct blob record, key; /* scratch */
    struct lookup writer_lookup;
    struct runs places; /* of the batch under way */
    uint32_t *chain;    /* the next append of the channel, by operation */
    size_t chain_capacity;

    /* The keeper's; recovery's before. */
    struct segments segments;
    struct journal_position durable; /* of the last checkpoint on disk */
    struct checkpoint *checkpoint;   /* not NULL: not on disk yet */
    struct blob payload, value;      /* scratch */
};

#endif
