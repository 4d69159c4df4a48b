/* checkpoint.h - brings the database to where the journal is.
 *
 * Commits only append to the journal and change memory; what the database does
 * not hold yet is dirty. A checkpoint takes all that is dirty and the position
 * of the journal, at one moment, and writes it as one batch. So the database
 * always is what the journal up to the position in it says, exactly, and
 * recovery applies what is behind. A checkpoint that could not be written is
 * tried again; all of it is in the journal. */
#ifndef STORE_LEVELDB_CHECKPOINT_H
#define STORE_LEVELDB_CHECKPOINT_H

#include "store/leveldb/channel.h"
#include "store/leveldb/database.h"
#include "store/leveldb/journal.h"
#include "streamd/base/list.h"
#include "streamd/base/table.h"

struct file_store;

/* A key of the database that changed. */
struct dirty_record {
    struct list link; /* of whoever holds it until it is in the table */
    size_t key_size, size;
    bool is_delete;
    uint8_t data[]; /* key, then payload */
};

/* Under the write lock. */
struct dirty {
    struct table *records; /* of dirty_record, by key; owns them */
    struct list channels;  /* struct channel: state or runs changed */
    struct blob discarded; /* numbers of deleted channels, 8 bytes each */
    bool dropped;          /* messages or channels went: there is to sweep */
};

MUST_CHECK bool dirty_init(struct dirty *dirty);
void dirty_release(struct dirty *dirty);

/* payload NULL: the key is deleted. NULL when out of memory. */
struct dirty_record *dirty_record_new(struct bytes key,
                                      const struct bytes *payload);
/* Takes record over; false when out of memory. */
MUST_CHECK bool dirty_put(struct dirty *dirty, struct dirty_record *record);
void dirty_channel(struct dirty *dirty, struct channel *channel);

struct frozen_channel {
    uint64_t id, number;
    uint64_t first, swept;
    struct blob record; /* sealed */
    struct runs runs;
};

struct checkpoint {
    struct journal_position position;
    uint64_t backlog; /* bytes of records in it */
    struct table *records;
    struct frozen_channel *channels;
    size_t count;
    struct blob discarded;
    struct blob sealed;            /* segments, see journal.h */
    leveldb_writebatch_t *changes; /* once it was built */
};

/* Takes what is dirty; store->checkpoint is NULL before. Takes the locks.
 * Errors: STATUS_NO_MEMORY; nothing is taken then. */
MUST_CHECK enum status checkpoint_take(struct file_store *store,
                                       struct error *err);
/* Writes store->checkpoint, opening the database again if it has to. May be
 * called again after a failure. Errors: STATUS_IO, STATUS_CORRUPT,
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status checkpoint_write(struct file_store *store,
                                        struct error *err);
/* It is on the disk: what memory held for it goes. The caller ends it with
 * checkpoint_free() when it is done with what is in it. */
struct checkpoint *checkpoint_finish(struct file_store *store);
void checkpoint_free(struct checkpoint *checkpoint); /* NULL is allowed */

/* Puts the record of a segment into changes; false when out of memory. */
MUST_CHECK bool checkpoint_put_segment(struct file_store *store,
                                       leveldb_writebatch_t *changes,
                                       const struct segment *segment);
/* The same for a position. */
MUST_CHECK bool
checkpoint_put_position(struct file_store *store, leveldb_writebatch_t *changes,
                        const struct journal_position *position);
/* And for places, 1 to PAGE_PLACES. */
MUST_CHECK bool checkpoint_put_page(struct file_store *store,
                                    leveldb_writebatch_t *changes,
                                    uint64_t number, const struct place *places,
                                    size_t count);
MUST_CHECK bool position_decode(struct bytes payload,
                                struct journal_position *out);

#endif
