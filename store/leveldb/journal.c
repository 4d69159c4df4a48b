#include "store/leveldb/journal.h"

#include "streamd/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

void journal_init(struct journal *journal, int directory,
                  struct segments *segments, uint64_t segment_bytes,
                  bool no_sync, const struct journal_position *position)
{
    *journal = (struct journal){
        .directory = directory,
        .segments = segments,
        .segment_bytes = segment_bytes,
        .no_sync = no_sync,
        .file = -1,
        .position = *position,
        .synced = position->record - 1,
    };
}

void journal_release(struct journal *journal)
{
    if (journal->file >= 0)
        (void)close(journal->file);
    journal->file = -1;
    blob_release(&journal->sealed);
}

static enum status failed(const char *what, struct error *err)
{
    return fail(err, STATUS_IO, "%s: %s", what,
                strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

enum status journal_salt(uint64_t *salt, struct error *err)
{
    if (getrandom(salt, sizeof *salt, 0) == (ssize_t)sizeof *salt)
        return STATUS_OK;
    return failed("random numbers", err);
}

enum status journal_write_all(int file, const void *data, size_t size,
                              struct error *err)
{
    while (size > 0) {
        ssize_t count = write(file, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failed("write to a segment", err);
        data = (const uint8_t *)data + count;
        size -= (size_t)count;
    }
    return STATUS_OK;
}

enum status journal_create(int directory, const struct segment_header *header,
                           int *file, struct error *err)
{
    char name[SEGMENT_NAME];
    uint8_t bytes[SEGMENT_HEADER];
    segment_name(header->number, name);
    segment_encode(header, bytes);
    *file =
        openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (*file < 0)
        return failed("create a segment", err);
    enum status status = journal_write_all(*file, bytes, sizeof bytes, err);
    if (status == STATUS_OK && fdatasync(*file) != 0)
        status = failed("sync a new segment", err);
    if (status == STATUS_OK && fsync(directory) != 0)
        status = failed("sync the directory", err);
    if (status == STATUS_OK)
        return status;
    (void)close(*file);
    *file = -1;
    (void)unlinkat(directory, name, 0);
    return status;
}

/* Full, or given up. One that holds no record goes at once: on a full disk
 * every try would leave one. */
static enum status seal(struct journal *journal, struct error *err)
{
    const struct sealed_segment sealed = {
        .number = journal->position.segment,
        .end = journal->is_distrusted ? journal->synced_offset
                                      : journal->position.offset,
    };
    if (journal->file < 0)
        return STATUS_OK;
    if (journal->position.offset == SEGMENT_HEADER) {
        char name[SEGMENT_NAME];
        segment_name(sealed.number, name);
        (void)unlinkat(journal->directory, name, 0);
    } else if (!blob_append(&journal->sealed, &sealed, sizeof sealed)) {
        return fail(err, STATUS_NO_MEMORY, "segment");
    }
    (void)close(journal->file);
    journal->file = -1;
    return STATUS_OK;
}

/* Up to `position`, which is behind the last record that is whole. */
static enum status sync_file(struct journal *journal,
                             const struct journal_position *position,
                             struct error *err)
{
    int64_t start = clock_monotonic(&clock_system);
    bool is_synced = fdatasync(journal->file) == 0;
    int64_t took = clock_monotonic(&clock_system) - start;
    journal->sync_time += took > 0 ? took : 1; /* 0 is none */
    if (!is_synced) {
        journal->broken = journal->is_distrusted = true;
        return failed("sync a segment", err);
    }
    journal->synced = position->record - 1;
    journal->synced_offset = position->offset;
    return STATUS_OK;
}

/* A new segment, if the one at hand is full or not to be trusted. */
static enum status make_ready(struct journal *journal, struct error *err)
{
    struct journal_position *position = &journal->position;
    enum status status = STATUS_OK;
    if (journal->file >= 0 && !journal->broken &&
        position->offset < journal->segment_bytes)
        return STATUS_OK;
    bool is_synced = journal->synced + 1 == position->record;
    if (journal->file >= 0 && !is_synced && !journal->no_sync &&
        !journal->is_distrusted)
        status = sync_file(journal, position, err);
    if (status == STATUS_OK)
        status = seal(journal, err);
    struct segment_header header = {
        .kind = SEGMENT_JOURNAL,
        .first_record = position->record,
        .synced = journal->synced,
        .is_gap = journal->is_distrusted && !is_synced,
    };
    if (status == STATUS_OK)
        status = journal_salt(&header.salt, err);
    if (status != STATUS_OK)
        return status;
    header.number = segments_next(journal->segments);
    status = journal_create(journal->directory, &header, &journal->file, err);
    if (status != STATUS_OK)
        return status;
    journal->salt = header.salt;
    journal->broken = journal->is_distrusted = false;
    journal->synced_offset = SEGMENT_HEADER;
    position->segment = header.number;
    position->offset = SEGMENT_HEADER;
    return STATUS_OK;
}

enum status journal_append(struct journal *journal, struct blob *record,
                           uint32_t crc, bool sync, uint64_t *base,
                           struct error *err)
{
    struct journal_position *position = &journal->position;
    journal->sync_time = 0;
    assert(record->size >= RECORD_HEADER && record->size % 8 == 0);
    if (record->size - RECORD_HEADER > record_max)
        return fail(err, STATUS_TOO_BIG, "the batch is too big");
    enum status status = make_ready(journal, err);
    if (status != STATUS_OK)
        return status;
    const struct record_header header = {
        .number = position->record,
        .synced = journal->synced,
        .size = (uint32_t)(record->size - RECORD_HEADER),
        .crc = crc,
    };
    record_encode(&header, journal->salt, record->data);
    const struct journal_position behind = {
        .segment = position->segment,
        .offset = position->offset + record->size,
        .record = position->record + 1,
    };
    status = journal_write_all(journal->file, record->data, record->size, err);
    if (status == STATUS_OK && sync && !journal->no_sync)
        status = sync_file(journal, &behind, err);
    if (status != STATUS_OK) {
        journal->broken = true;
        return status;
    }
    *base = position->segment << 32 | position->offset;
    *position = behind;
    return STATUS_OK;
}

enum status journal_sync_segment(int directory, uint64_t number,
                                 struct error *err)
{
    char name[SEGMENT_NAME];
    segment_name(number, name);
    int file = openat(directory, name, O_WRONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return STATUS_OK; /* was said at the start, or by who reads it */
    if (file < 0)
        return failed("open a segment", err);
    enum status status =
        fdatasync(file) == 0 ? STATUS_OK : failed("sync a segment", err);
    (void)close(file);
    return status;
}

enum status journal_sync_sealed(int directory, const struct blob *sealed,
                                struct error *err)
{
    enum status status = STATUS_OK;
    struct sealed_segment segment;
    for (size_t at = 0; status == STATUS_OK && at < sealed->size;
         at += sizeof segment) {
        memcpy(&segment, sealed->data + at, sizeof segment);
        status = journal_sync_segment(directory, segment.number, err);
    }
    return status;
}
