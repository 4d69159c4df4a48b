/* journal.h - appends records to segment files and makes them durable.
 *
 * The writer's; whoever else looks holds the store's write lock. After a failed
 * write or sync nobody knows what the end of the file holds: it is left alone,
 * and the next record, of the same number, begins a new segment, which voids
 * what failed (segment.h). A sync that went well behind one that failed proves
 * nothing: then records that were not synced before count as lost. */
#ifndef STORE_LEVELDB_JOURNAL_H
#define STORE_LEVELDB_JOURNAL_H

#include "store/leveldb/segment.h"
#include "store/leveldb/segments.h"
#include "streamd/base/buffer.h"

/* Where the next record goes, unless a new segment begins with it. */
struct journal_position {
    uint64_t segment, offset, record;
};

/* A segment that is full, or was given up. */
struct sealed_segment {
    uint64_t number, end;
};

struct journal {
    int directory;
    struct segments *segments; /* gives numbers */
    uint64_t segment_bytes;    /* a new one begins behind this */
    bool no_sync;
    int file;           /* -1: none yet */
    bool broken;        /* a write or sync of it failed */
    bool is_distrusted; /* a sync did */
    uint64_t salt;
    struct journal_position position;
    uint64_t synced;        /* the last record that is on the disk */
    uint64_t synced_offset; /* its end, if it is in the segment at hand */
    int64_t sync_time;      /* ns, of the last append's syncs; 0: none */
    struct blob sealed; /* struct sealed_segment each, not checkpointed yet */
};

/* Goes on behind position, all before which is on the disk. */
void journal_init(struct journal *journal, int directory,
                  struct segments *segments, uint64_t segment_bytes,
                  bool no_sync, const struct journal_position *position);
void journal_release(struct journal *journal);

/* record: RECORD_HEADER bytes of room, then the operations, padded; crc is
 * theirs. sync: not before it is on the disk. *base is the position of the
 * record's first byte (place.position). Errors: STATUS_IO, STATUS_TOO_BIG,
 * STATUS_NO_MEMORY; nothing is stored then. */
MUST_CHECK enum status journal_append(struct journal *journal,
                                      struct blob *record, uint32_t crc,
                                      bool sync, uint64_t *base,
                                      struct error *err);

/* A new segment file with its header, both it and its name on the disk. The
 * caller closes *file. Errors: STATUS_IO; then there is none. */
MUST_CHECK enum status journal_create(int directory,
                                      const struct segment_header *header,
                                      int *file, struct error *err);

/* All of data. Errors: STATUS_IO. */
MUST_CHECK enum status journal_write_all(int file, const void *data,
                                         size_t size, struct error *err);

/* All of what is in sealed (struct sealed_segment each). Errors: STATUS_IO. */
MUST_CHECK enum status journal_sync_sealed(int directory,
                                           const struct blob *sealed,
                                           struct error *err);

/* All of a segment that is no longer, or still, written to. Errors: STATUS_IO.
 */
MUST_CHECK enum status journal_sync_segment(int directory, uint64_t number,
                                            struct error *err);

/* A salt nobody can guess. Errors: STATUS_IO. */
MUST_CHECK enum status journal_salt(uint64_t *salt, struct error *err);

#endif
