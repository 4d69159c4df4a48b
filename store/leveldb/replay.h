/* replay.h - answers one read. */
#ifndef STORE_LEVELDB_REPLAY_H
#define STORE_LEVELDB_REPLAY_H

#include "store/leveldb/file_store.h"

/* What is collected before its size is known; reused from read to read. */
struct replay {
    struct blob places;
    struct blob bytes;
};

/* Reader thread. Fills status, error and run of read, except done. */
void replay_run(struct file_store *store, struct replay *replay,
                struct read *read);
void replay_release(struct replay *replay);

#endif
