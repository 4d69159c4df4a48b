/* LevelDB's log format: blocks of 32 KB hold fragments
 *
 *   masked crc-32c 4 | size 2 | kind 1 | data     (little-endian)
 *
 * and zeros where fewer than 7 bytes are left. A record is one FULL fragment,
 * or a FIRST, MIDDLEs and a LAST. */
#include "store/leveldb/torn.h"

#include "streamd/base/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 32768, HEADER = 7, NAME_SIZE = 256 };

enum kind { FULL = 1, FIRST = 2, MIDDLE = 3, LAST = 4 };

struct scan {
    int directory;
    uint32_t table[256]; /* of the crc */
    uint64_t good;       /* end of the last whole record before the damage */
    bool is_damaged, goes_on; /* goes_on: a whole record is behind it */
};

static enum status failed(const char *what, const char *name, struct error *err)
{
    return fail(err, STATUS_IO, "%s %s: %s", what, name,
                strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

/* ---- one block ---- */

static void make_table(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ UINT32_C(0x82f63b78) : crc >> 1;
        table[i] = crc;
    }
}

static uint32_t masked_crc(const struct scan *scan, const uint8_t *data,
                           size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++)
        crc = scan->table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    crc = ~crc;
    return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}

/* The fragment at data is whole; its size with the header in *size. */
static bool fragment(const struct scan *scan, const uint8_t *data, size_t left,
                     size_t *size)
{
    uint32_t crc = (uint32_t)data[0] | (uint32_t)data[1] << 8 |
                   (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
    size_t content = (size_t)data[4] | (size_t)data[5] << 8;
    *size = HEADER + content;
    return data[6] >= FULL && data[6] <= LAST && *size <= left &&
           crc == masked_crc(scan, data + 6, content + 1);
}

static void whole_record(struct scan *scan, uint64_t end)
{
    if (scan->is_damaged) {
        scan->goes_on = true;
    } else {
        scan->good = end;
    }
}

/* *inside: a record has begun, all of it was whole so far. */
static void scan_block(struct scan *scan, const uint8_t *block, size_t size,
                       uint64_t offset, bool *inside)
{
    size_t at = 0;
    while (size - at >= HEADER) {
        size_t length;
        if (!fragment(scan, block + at, size - at, &length)) {
            scan->is_damaged = true;
            *inside = false;
            return; /* the next block is read by itself */
        }
        enum kind kind = (enum kind)block[at + 6];
        bool ends = kind == FULL || (kind == LAST && *inside);
        at += length;
        if (ends)
            whole_record(scan, offset + at);
        *inside = kind == FIRST || (kind == MIDDLE && *inside);
    }
}

/* ---- one file ---- */

static enum status scan_file(struct scan *scan, int file, const char *name,
                             struct error *err)
{
    uint8_t *block = malloc(BLOCK);
    if (block == NULL)
        return fail(err, STATUS_NO_MEMORY, "log");
    uint64_t offset = 0;
    bool inside = false;
    ssize_t count;
    scan->good = 0;
    scan->is_damaged = scan->goes_on = false;
    while ((count = pread(file, block, BLOCK, (off_t)offset)) > 0) {
        scan_block(scan, block, (size_t)count, offset, &inside);
        offset += (uint64_t)count;
    }
    free(block);
    return count < 0 ? failed("read", name, err) : STATUS_OK;
}

/* What is behind scan->good, beside the file. */
static enum status keep_end(const struct scan *scan, int file, const char *name,
                            struct error *err)
{
    char kept[NAME_SIZE + 8], chunk[4096];
    (void)snprintf(kept, sizeof kept, "%s.torn", name);
    int out = openat(scan->directory, kept,
                     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out < 0)
        return failed("create", kept, err);
    enum status status = STATUS_OK;
    off_t at = (off_t)scan->good;
    ssize_t count;
    while (status == STATUS_OK &&
           (count = pread(file, chunk, sizeof chunk, at)) != 0) {
        if (count < 0 || write(out, chunk, (size_t)count) != count)
            status = failed("write", kept, err);
        at += count;
    }
    if (status == STATUS_OK && fsync(out) != 0)
        status = failed("sync", kept, err);
    (void)close(out);
    return status;
}

static enum status cut_end(const struct scan *scan, int file, const char *name,
                           struct log *log, struct error *err)
{
    enum status status = keep_end(scan, file, name, err);
    if (status != STATUS_OK)
        return status;
    if (ftruncate(file, (off_t)scan->good) != 0 || fsync(file) != 0)
        return failed("cut", name, err);
    log_warn(log,
             "The file %s ends in garbage, as after a power cut: cut off at "
             "byte %" PRIu64 ", kept in %s.torn",
             name, scan->good, name);
    return STATUS_OK;
}

static enum status mend_file(struct scan *scan, const char *name,
                             struct log *log, bool *mended, struct error *err)
{
    int file = openat(scan->directory, name, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return failed("open", name, err);
    enum status status = scan_file(scan, file, name, err);
    if (status == STATUS_OK && scan->is_damaged && scan->goes_on) {
        status = fail(err, STATUS_CORRUPT,
                      "the file %s is damaged behind byte %" PRIu64
                      ", with whole records after that; nothing was changed: "
                      "copy the directory, then restore a backup",
                      name, scan->good);
    } else if (status == STATUS_OK && scan->is_damaged) {
        status = cut_end(scan, file, name, log, err);
        *mended = status == STATUS_OK;
    }
    (void)close(file);
    return status;
}

/* ---- all of them ---- */

static bool is_log(const char *name)
{
    size_t size = strlen(name);
    return size > 4 && size < NAME_SIZE && strcmp(name + size - 4, ".log") == 0;
}

/* The name in CURRENT; empty if that cannot be read. */
static void manifest_name(int directory, char name[NAME_SIZE])
{
    name[0] = '\0';
    int file = openat(directory, "CURRENT", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ssize_t size = read(file, name, NAME_SIZE - 1);
    (void)close(file);
    name[size < 0 ? 0 : size] = '\0';
    name[strcspn(name, "\n/")] = '\0';
}

enum status torn_mend(const char *directory, struct log *log, bool *mended,
                      struct error *err)
{
    struct scan scan = {0};
    char manifest[NAME_SIZE];
    *mended = false;
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return failed("open", directory, err);
    scan.directory = dirfd(stream);
    make_table(scan.table);
    enum status status = STATUS_OK;
    manifest_name(scan.directory, manifest);
    if (strncmp(manifest, "MANIFEST-", 9) == 0)
        status = mend_file(&scan, manifest, log, mended, err);
    const struct dirent *entry;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    while (status == STATUS_OK && (entry = readdir(stream)) != NULL) {
        if (is_log(entry->d_name))
            status = mend_file(&scan, entry->d_name, log, mended, err);
    }
    (void)closedir(stream);
    return status;
}
