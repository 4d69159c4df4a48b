/* replay.h - answers one read. */
#ifndef STORE_LEVELDB_REPLAY_H
#define STORE_LEVELDB_REPLAY_H

#include "store/leveldb/file_store.h"

/* Scratch, kept from read to read; zero-initialise. */
struct replay {
    struct lookup lookup;
    struct blob entries; /* struct run_entry each */
};

/* Reader thread. Fills status, error and run of read, except done. */
void replay_run(struct file_store *store, struct replay *replay,
                struct read *read);
void replay_release(struct replay *replay);

#endif
