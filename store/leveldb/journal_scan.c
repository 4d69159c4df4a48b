#include "store/leveldb/journal_scan.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

void segment_files_release(struct segment_files *files)
{
    free(files->all);
    *files = (struct segment_files){0};
}

static enum status failed(const char *what, struct error *err)
{
    return fail(err, STATUS_IO, "%s: %s", what,
                strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

static enum status add_file(int directory, const char *name, uint64_t number,
                            struct segment_files *files, struct error *err)
{
    struct stat info;
    uint8_t header[SEGMENT_HEADER];
    if (fstatat(directory, name, &info, 0) != 0)
        return failed(name, err);
    struct segment_file file = {.number = number,
                                .size = (uint64_t)info.st_size};
    if (file.size >= SEGMENT_HEADER) {
        enum status status =
            segment_read(directory, number, 0, header, sizeof header, err);
        if (status != STATUS_OK)
            return status;
        bool good = segment_decode(header, &file.header) &&
                    file.header.number == number;
        file.is_journal = good && file.header.kind == SEGMENT_JOURNAL;
        file.is_copy = good && file.header.kind == SEGMENT_COPY;
    }
    if (files->count == files->capacity) {
        size_t capacity = files->capacity == 0 ? 16 : 2 * files->capacity;
        struct segment_file *all =
            reallocarray(files->all, capacity, sizeof *all);
        if (all == NULL)
            return fail(err, STATUS_NO_MEMORY, "segments");
        files->all = all;
        files->capacity = capacity;
    }
    files->all[files->count++] = file;
    return STATUS_OK;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = ((const struct segment_file *)a)->number;
    uint64_t y = ((const struct segment_file *)b)->number;
    return x < y ? -1 : x > y;
}

enum status segment_files_list(const char *path, int directory,
                               struct segment_files *out, struct error *err)
{
    DIR *stream = opendir(path);
    if (stream == NULL)
        return failed(path, err);
    const struct dirent *entry;
    uint64_t number;
    enum status status = STATUS_OK;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    while (status == STATUS_OK && (entry = readdir(stream)) != NULL) {
        if (segment_parse_name(entry->d_name, &number))
            status = add_file(directory, entry->d_name, number, out, err);
    }
    (void)closedir(stream);
    if (out->count > 0)
        qsort(out->all, out->count, sizeof *out->all, by_number);
    return status;
}

/* ---- one record ---- */

enum condition { WHOLE, MESSAGES_DAMAGED, NOT_WHOLE, NOTHING };

struct scan {
    int directory;
    const struct segment_files *files;
    struct journal_visitor *visitor;
    struct log *log;
    const struct segment_file *file;
    uint64_t start;      /* offset in the file of what follows */
    struct bytes bytes;  /* its end, from `start` */
    uint64_t limit;      /* the record a later segment begins with */
    uint64_t later_sync; /* what that segment knows to be on the disk */
    uint64_t unsure;     /* offset of the first record not known to be so */
};

/* Each message of a run against its checksum; *damaged: one that is not. */
static bool messages_are_whole(const struct record_operation *run,
                               uint64_t *damaged)
{
    struct bytes bytes = run->messages;
    uint32_t seed = message_seed(run->number);
    struct message message;
    *damaged = run->place.first;
    while (bytes.size > 0) {
        if (!message_next(&bytes, seed, &message) || !message.is_whole)
            return false;
        *damaged = message.sequence + 1;
    }
    return true;
}

static enum condition examine(const struct scan *scan, size_t at,
                              uint64_t number, uint64_t *synced,
                              struct bytes *payload)
{
    struct record_header header;
    size_t left = scan->bytes.size - at;
    if (left == 0)
        return NOTHING;
    if (left < RECORD_HEADER ||
        !record_decode(scan->bytes.data + at, scan->file->header.salt,
                       &header) ||
        header.number != number || header.size > left - RECORD_HEADER)
        return NOT_WHOLE;
    *payload = bytes_of(scan->bytes.data + at + RECORD_HEADER, header.size);
    *synced = header.synced;
    struct record_reader reader;
    struct record_operation operation;
    enum condition condition = WHOLE;
    bool good;
    record_reader_init(&reader, *payload);
    while (record_next(&reader, &operation, &good)) {
        uint64_t damaged;
        if (operation.kind == RECORD_RUN &&
            !messages_are_whole(&operation, &damaged))
            condition = MESSAGES_DAMAGED;
    }
    return good && reader.crc == header.crc ? condition : NOT_WHOLE;
}

/* Something later tells that the record was on the disk. */
static bool was_synced(const struct scan *scan, size_t at, uint64_t number)
{
    static const uint64_t far = UINT64_C(1) << 32;
    if (scan->later_sync >= number)
        return true;
    for (at += 8; at + RECORD_HEADER <= scan->bytes.size; at += 8) {
        struct record_header header;
        const uint8_t *bytes = scan->bytes.data + at;
        if (bytes[0] != 0 || bytes[1] != 0 || bytes[8] != 0 || bytes[9] != 0)
            continue; /* most of what is no record */
        if (record_decode(bytes, scan->file->header.salt, &header) &&
            header.number > number && header.number - number < far &&
            header.synced >= number)
            return true;
    }
    return false;
}

static void name_damaged_messages(const struct scan *scan, struct bytes payload)
{
    struct record_reader reader;
    struct record_operation operation;
    bool good;
    record_reader_init(&reader, payload);
    while (record_next(&reader, &operation, &good)) {
        uint64_t damaged;
        if (operation.kind != RECORD_RUN ||
            messages_are_whole(&operation, &damaged))
            continue;
        log_error(scan->log,
                  "Of channel number %" PRIu64 " message %" PRIu64
                  " (of %" PRIu64 " to %" PRIu64 ") is damaged",
                  operation.number, damaged, operation.place.first,
                  operation.place.last);
    }
}

/* ---- one segment ---- */

static enum status damaged(const struct scan *scan, uint64_t offset,
                           struct error *err)
{
    char name[SEGMENT_NAME];
    segment_name(scan->file->number, name);
    return fail(err, STATUS_CORRUPT,
                "the file %s is damaged behind byte %" PRIu64
                ", with whole records after that; nothing was changed: copy "
                "the directory, then restore a backup",
                name, offset);
}

static void report_end(const struct scan *scan, uint64_t offset)
{
    char name[SEGMENT_NAME];
    segment_name(scan->file->number, name);
    log_warn(scan->log,
             "The file %s ends in garbage, as after a power cut: what is "
             "behind byte %" PRIu64 " is not used",
             name, offset);
}

/* Visits the records from position->record on, up to the limit or the end. */
static enum status scan_records(struct scan *scan,
                                struct journal_position *position,
                                struct error *err)
{
    size_t at = (size_t)(position->offset - scan->start);
    while (position->record < scan->limit) {
        struct bytes payload;
        uint64_t synced = 0;
        enum condition condition =
            examine(scan, at, position->record, &synced, &payload);
        bool lost =
            condition != WHOLE && !was_synced(scan, at, position->record);
        if (lost && condition != NOTHING)
            report_end(scan, position->offset);
        if (lost)
            return STATUS_OK;
        if (condition == NOT_WHOLE || condition == NOTHING)
            return damaged(scan, position->offset, err);
        if (condition == MESSAGES_DAMAGED)
            name_damaged_messages(scan, payload);
        enum status status = scan->visitor->record(
            scan->visitor->context, position->record, payload,
            position->segment << 32 | (position->offset + RECORD_HEADER), err);
        if (status != STATUS_OK)
            return status;
        if (synced + 1 >= position->record)
            scan->unsure = position->offset;
        at += RECORD_HEADER + payload.size;
        position->offset += RECORD_HEADER + payload.size;
        position->record++;
    }
    return STATUS_OK;
}

/* Its sync may have failed in an earlier process: then it is in the kernel's
 * cache only, and a sync that goes well now means nothing. So it is written
 * once more where it stands. */
static enum status write_again(const struct scan *scan, uint64_t end,
                               struct error *err)
{
    char name[SEGMENT_NAME];
    segment_name(scan->file->number, name);
    int file = openat(scan->directory, name, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return failed(name, err);
    enum status status =
        lseek(file, (off_t)scan->unsure, SEEK_SET) < 0
            ? failed("seek in a segment", err)
            : journal_write_all(file,
                                scan->bytes.data + (scan->unsure - scan->start),
                                end - scan->unsure, err);
    if (status == STATUS_OK && fdatasync(file) != 0)
        status = failed("sync a segment", err);
    (void)close(file);
    return status;
}

static enum status scan_file(struct scan *scan,
                             struct journal_position *position,
                             struct error *err)
{
    size_t size = (size_t)(scan->file->size - position->offset);
    uint8_t *data = size == 0 ? NULL : malloc(size);
    if (size > 0 && data == NULL)
        return fail(err, STATUS_NO_MEMORY, "journal");
    enum status status = STATUS_OK;
    if (size > 0) {
        status = segment_read(scan->directory, scan->file->number,
                              position->offset, data, size, err);
    }
    scan->bytes = bytes_of(data, size);
    scan->start = scan->unsure = position->offset;
    if (status == STATUS_OK)
        status = scan_records(scan, position, err);
    if (status == STATUS_OK && scan->unsure < position->offset &&
        scan->later_sync + 1 < position->record)
        status = write_again(scan, position->offset, err);
    free(data);
    return status;
}

/* ---- all of them ---- */

/* What comes behind file i: which record it begins with, what it knows. */
static void look_ahead(struct scan *scan, size_t i)
{
    scan->limit = UINT64_MAX;
    scan->later_sync = 0;
    for (size_t j = i + 1; j < scan->files->count; j++) {
        const struct segment_file *later = &scan->files->all[j];
        if (!later->is_journal || later->header.first_record > scan->limit)
            continue;
        if (later->header.first_record < scan->limit)
            scan->later_sync = 0;
        scan->limit = later->header.first_record;
        if (later->header.synced > scan->later_sync)
            scan->later_sync = later->header.synced;
    }
}

/* Before the records of a segment: those that should be before it were. *ended:
 * what comes is not to be used. */
static enum status bridge(const struct scan *scan,
                          struct journal_position *position, bool *ended,
                          struct error *err)
{
    const struct segment_header *header = &scan->file->header;
    if (header->first_record <= position->record)
        return STATUS_OK;
    if (header->synced >= position->record) {
        return fail(err, STATUS_CORRUPT,
                    "records %" PRIu64 " to %" PRIu64
                    " are missing in the segments; nothing was changed: copy "
                    "the directory, then restore a backup",
                    position->record, header->first_record - 1);
    }
    if (!header->is_gap) {
        log_warn(scan->log,
                 "Commits from %" PRIu64 " on are lost: they were not synced",
                 position->record);
        *ended = true;
        return STATUS_OK;
    }
    log_warn(scan->log,
             "Commits %" PRIu64 " to %" PRIu64
             " are lost: they were not synced",
             position->record, header->first_record - 1);
    position->record = header->first_record;
    return STATUS_OK;
}

/* A header is on the disk before the first record is written. */
static enum status check_header(const struct segment_file *file,
                                struct error *err)
{
    char name[SEGMENT_NAME];
    segment_name(file->number, name);
    if (file->is_journal || file->is_copy || file->size <= SEGMENT_HEADER)
        return STATUS_OK;
    return fail(err, STATUS_CORRUPT,
                "the file %s has a damaged header; nothing was changed: copy "
                "the directory, then restore a backup",
                name);
}

enum status journal_scan(int directory, const struct segment_files *files,
                         struct journal_position *position,
                         struct journal_visitor *visitor, struct log *log,
                         struct error *err)
{
    struct scan scan = {
        .directory = directory, .files = files, .visitor = visitor, .log = log};
    const uint64_t begin = position->segment;
    enum status status = STATUS_OK;
    bool ended = false;
    for (size_t i = 0; i < files->count && status == STATUS_OK && !ended; i++) {
        scan.file = &files->all[i];
        if (scan.file->number < begin)
            continue;
        bool first = scan.file->number == begin;
        if (!(first && scan.file->size <= position->offset))
            status = check_header(scan.file, err);
        if (status != STATUS_OK || !scan.file->is_journal)
            continue;
        look_ahead(&scan, i);
        if (!first) {
            if (scan.limit <= scan.file->header.first_record)
                continue; /* void: begun again by a later one */
            status = bridge(&scan, position, &ended, err);
            if (status != STATUS_OK || ended ||
                scan.file->header.first_record < position->record)
                continue;
            position->segment = scan.file->number;
            position->offset = SEGMENT_HEADER;
        }
        if (scan.file->size >= position->offset)
            status = scan_file(&scan, position, err);
    }
    return status;
}
