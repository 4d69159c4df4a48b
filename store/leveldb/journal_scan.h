/* journal_scan.h - the journal's segment files, read record by record. */
#ifndef STORE_LEVELDB_JOURNAL_SCAN_H
#define STORE_LEVELDB_JOURNAL_SCAN_H

#include "store/leveldb/journal.h"
#include "streamd/base/log.h"

/* A file that is there. */
struct segment_file {
    uint64_t number, size;
    bool is_journal, is_copy; /* as its header says, if that is whole */
    struct segment_header header;
};

struct segment_files {
    struct segment_file *all; /* ascending by number */
    size_t count, capacity;
};

/* Errors: STATUS_IO, STATUS_CORRUPT, STATUS_NO_MEMORY. */
MUST_CHECK enum status segment_files_list(const char *path, int directory,
                                          struct segment_files *out,
                                          struct error *err);
void segment_files_release(struct segment_files *files);

/* Is called for each whole record: its operations, and the position of their
 * first byte. */
struct journal_visitor {
    void *context;
    enum status (*record)(void *context, uint64_t number, struct bytes payload,
                          uint64_t position, struct error *err);
};

/* From position on, which moves to the end. Errors: STATUS_CORRUPT (see
 * restore.h), STATUS_IO, STATUS_NO_MEMORY, those of the visitor. */
MUST_CHECK enum status journal_scan(int directory,
                                    const struct segment_files *files,
                                    struct journal_position *position,
                                    struct journal_visitor *visitor,
                                    struct log *log, struct error *err);

#endif
