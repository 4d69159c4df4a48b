#include "store/leveldb/witness.h"

#include "streamd/base/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 65536, TEXT_MAX = 1 << 20 };

static enum status failed(const char *what, const char *name, struct error *err)
{
    return fail(err, STATUS_IO, "witness: %s %s: %s", what, name,
                strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

/* Appends all of the file, or only its checksum and size if text is NULL. */
static enum status read_file(int directory, const char *name, struct blob *text,
                             uint32_t *crc, uint64_t *size, struct error *err)
{
    uint8_t chunk[CHUNK];
    enum status status = STATUS_OK;
    ssize_t count;
    *crc = 0;
    *size = 0;
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return failed("open", name, err);
    while ((count = read(file, chunk, sizeof chunk)) > 0) {
        *crc = libdeflate_crc32(*crc, chunk, (size_t)count);
        *size += (uint64_t)count;
        if (text == NULL)
            continue;
        if (*size > TEXT_MAX) {
            status = fail(err, STATUS_CORRUPT, "witness: too big");
            break;
        }
        if (!blob_append(text, chunk, (size_t)count)) {
            status = fail(err, STATUS_NO_MEMORY, "witness");
            break;
        }
    }
    if (count < 0)
        status = failed("read", name, err);
    (void)close(file);
    return status;
}

/* ---- check ---- */

/* One line "crc size name". */
static enum status check_line(int directory, char *line, struct error *err)
{
    char *end = NULL, *name = NULL;
    uint32_t crc;
    uint64_t size;
    unsigned long long wanted_crc = strtoull(line, &end, 16);
    unsigned long long wanted_size = strtoull(end, &name, 10);
    if (*name != ' ')
        return fail(err, STATUS_CORRUPT, "witness: damaged");
    name++;
    enum status status = read_file(directory, name, NULL, &crc, &size, err);
    if (status == STATUS_OK && (crc != wanted_crc || size != wanted_size)) {
        status = fail(err, STATUS_CORRUPT,
                      "the file %s has changed since the store was closed; "
                      "copy the directory, then restore a backup, or remove "
                      "the file \"witness\" in it to open it as it is",
                      name);
    }
    return status;
}

/* text is terminated; its last line is the checksum of those before. */
static enum status check_text(int directory, char *text, size_t size,
                              struct error *err)
{
    char *last = size < 2 || text[size - 1] != '\n'
                     ? NULL
                     : memrchr(text, '\n', size - 1);
    last = last == NULL ? text : last + 1;
    uint32_t crc = libdeflate_crc32(0, text, (size_t)(last - text));
    char *end = NULL;
    unsigned long long wanted = strtoull(last, &end, 16);
    if (wanted != crc || strcmp(end, " lines\n") != 0) {
        return fail(err, STATUS_CORRUPT,
                    "the file \"witness\" is damaged; the database may be, "
                    "too: copy the directory before it is removed");
    }
    for (char *line = text; line < last;) {
        char *line_end = strchr(line, '\n');
        if (line_end == NULL)
            break;
        *line_end = '\0';
        enum status status = check_line(directory, line, err);
        if (status != STATUS_OK)
            return status;
        line = line_end + 1;
    }
    return STATUS_OK;
}

static enum status check(int directory, struct error *err)
{
    struct blob text = {0};
    uint32_t crc;
    uint64_t size;
    enum status status =
        read_file(directory, "witness", &text, &crc, &size, err);
    if (status == STATUS_OK && !blob_append(&text, "", 1))
        status = fail(err, STATUS_NO_MEMORY, "witness");
    if (status == STATUS_OK)
        status = check_text(directory, (char *)text.data, text.size - 1, err);
    blob_release(&text);
    /* Before the database is opened: opening changes the files. */
    if (status == STATUS_OK && unlinkat(directory, "witness", 0) != 0)
        status = failed("remove", "witness", err);
    return status;
}

enum status witness_check(const char *path, bool *found, struct error *err)
{
    *found = false;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 && errno == ENOENT)
        return STATUS_OK;
    if (directory < 0)
        return failed("open", path, err);
    enum status status = STATUS_OK;
    *found = faccessat(directory, "witness", F_OK, 0) == 0;
    if (*found)
        status = check(directory, err);
    (void)close(directory);
    return status;
}

/* ---- write ---- */

static bool is_witnessed(const char *name)
{
    const char *dot = strrchr(name, '.');
    return strcmp(name, "CURRENT") == 0 || strncmp(name, "MANIFEST-", 9) == 0 ||
           (dot != NULL && strcmp(dot, ".log") == 0);
}

static enum status add_line(int directory, const char *name, struct blob *text,
                            struct error *err)
{
    char line[64 + 256];
    uint32_t crc;
    uint64_t size;
    enum status status = read_file(directory, name, NULL, &crc, &size, err);
    if (status != STATUS_OK)
        return status;
    int used = snprintf(line, sizeof line, "%08" PRIx32 " %" PRIu64 " %s\n",
                        crc, size, name);
    if (used < 0 || (size_t)used >= sizeof line ||
        !blob_append(text, line, (size_t)used))
        return fail(err, STATUS_NO_MEMORY, "witness");
    return STATUS_OK;
}

static enum status make_text(int directory, DIR *stream, struct blob *text,
                             struct error *err)
{
    const struct dirent *entry;
    enum status status = STATUS_OK;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    while (status == STATUS_OK && (entry = readdir(stream)) != NULL) {
        if (is_witnessed(entry->d_name))
            status = add_line(directory, entry->d_name, text, err);
    }
    char line[32];
    uint32_t crc =
        text->size == 0 ? 0 : libdeflate_crc32(0, text->data, text->size);
    int used = snprintf(line, sizeof line, "%08" PRIx32 " lines\n", crc);
    if (status == STATUS_OK &&
        (used < 0 || !blob_append(text, line, (size_t)used)))
        status = fail(err, STATUS_NO_MEMORY, "witness");
    return status;
}

static enum status write_file(int directory, const struct blob *text,
                              struct error *err)
{
    int file = openat(directory, "witness.tmp",
                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return failed("create", "witness.tmp", err);
    enum status status = STATUS_OK;
    ssize_t written = write(file, text->data, text->size);
    if (written != (ssize_t)text->size || fsync(file) != 0)
        status = failed("write", "witness.tmp", err);
    (void)close(file);
    if (status == STATUS_OK &&
        renameat(directory, "witness.tmp", directory, "witness") != 0)
        status = failed("rename", "witness.tmp", err);
    return status;
}

enum status witness_write(const char *path, struct error *err)
{
    struct blob text = {0};
    enum status status = STATUS_OK;
    DIR *stream = opendir(path);
    if (stream == NULL)
        return failed("open", path, err);
    int directory = dirfd(stream);
    status = make_text(directory, stream, &text, err);
    if (status == STATUS_OK)
        status = write_file(directory, &text, err);
    blob_release(&text);
    (void)closedir(stream);
    return status;
}
