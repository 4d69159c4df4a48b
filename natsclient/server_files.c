#include "natsclient/server_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status io_failed(const char *what, const char *path,
                             struct error *err)
{
    char reason[128];
    return fail(err, STATUS_IO, "%s %s: %s", what, path,
                strerror_r(errno, reason, sizeof reason));
}

/* Writes text as a string of the NATS configuration grammar. */
static void put_string(FILE *file, const char *key, const char *text)
{
    (void)fprintf(file, "%s: \"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)fputc('\\', file);
        (void)fputc(*text, file);
    }
    (void)fputs("\"\n", file);
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    }
    return false;
}

/* A stream of its own on the descriptor, at its beginning. */
static FILE *config_open(int config)
{
    int fd = fcntl(config, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    FILE *file = lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0
                     ? fdopen(fd, "w")
                     : NULL;
    if (file == NULL)
        (void)close(fd);
    return file;
}

enum status server_files_write(struct server_files *files,
                               const struct server_settings *settings,
                               struct error *err)
{
    if (has_control(settings->host))
        return fail(err, STATUS_INVALID, "control character in the host");
    FILE *file = config_open(files->config);
    if (file == NULL)
        return io_failed("write", "nats-server configuration", err);
    if (settings->config.size > 0)
        (void)fwrite(settings->config.data, 1, settings->config.size, file);
    put_string(file, "host", settings->host);
    (void)fprintf(file, "port: %d\nlogtime: false\n", settings->port);
    (void)fprintf(file, "http: \"127.0.0.1:%d\"\n", settings->monitor_port);
    if (files->directory[0] != '\0')
        put_string(file, "ports_file_dir", files->directory);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return io_failed("write", "nats-server configuration", err);
    return STATUS_OK;
}

/* ---- places ---- */

enum { PLACES = 4 };

/* Where files of ours may go, the best first; NULL: none. */
static const char *place(const struct server_files *files, int index)
{
    /* A container may be read-only but for /dev/shm, or for the store. */
    const char *const places[PLACES] = {getenv("TMPDIR"), "/tmp", "/dev/shm",
                                        files->spare};
    return places[index] == NULL || places[index][0] == '\0' ? NULL
                                                             : places[index];
}

static enum status directory_make(const char *base, char out[SERVER_PATH_MAX],
                                  struct error *err)
{
    int size = snprintf(out, SERVER_PATH_MAX, "%s/streamd-nats-XXXXXX", base);
    if (has_control(base) || size < 0 || size >= SERVER_PATH_MAX) {
        out[0] = '\0';
        return fail(err, STATUS_INVALID, "a directory has no usable path");
    }
    if (mkdtemp(out) == NULL)
        return io_failed("directory", out, err);
    return STATUS_OK;
}

enum status server_files_again(struct server_files *files, struct error *err)
{
    struct error first = {0};
    for (int i = 0; i < PLACES && !files->there; i++) {
        const char *base = place(files, i);
        struct error *cause = first.status == STATUS_OK ? &first : NULL;
        files->there = base != NULL && directory_make(base, files->directory,
                                                      cause) == STATUS_OK;
    }
    return files->there ? STATUS_OK
                        : fail(err, first.status, "%s", first.detail);
}

/* A file without a name, on a disk if need be; -1: none. */
static int config_make(const struct server_files *files)
{
    int config = memfd_create("nats.conf", MFD_CLOEXEC);
    for (int i = 0; i < PLACES && config < 0; i++) {
        char path[SERVER_PATH_MAX];
        const char *base = place(files, i);
        int size = base == NULL ? -1
                                : snprintf(path, sizeof path,
                                           "%s/streamd-nats-XXXXXX", base);
        if (size < 0 || (size_t)size >= sizeof path)
            continue;
        config = mkostemp(path, O_CLOEXEC);
        if (config >= 0)
            (void)unlink(path);
    }
    return config;
}

enum status server_files_init(struct server_files *files, const char *spare,
                              struct error *err)
{
    *files = (struct server_files){.spare = spare};
    files->config = config_make(files);
    if (files->config < 0)
        return io_failed("make", "nats-server configuration", err);
    return STATUS_OK;
}

/* ---- the ports file ---- */

/* The next ports file in an open directory, NULL if none. */
static const char *next_ports(DIR *directory)
{
    for (;;) {
        const struct dirent *entry = readdir(directory);
        if (entry == NULL)
            return NULL;
        size_t size = strlen(entry->d_name);
        if (size > 6 && strcmp(entry->d_name + size - 6, ".ports") == 0)
            return entry->d_name;
    }
}

void server_files_remove(struct server_files *files)
{
    if (!files->there)
        return;
    DIR *directory = opendir(files->directory);
    if (directory != NULL) {
        for (const char *name = next_ports(directory); name != NULL;
             name = next_ports(directory))
            (void)unlinkat(dirfd(directory), name, 0);
        (void)closedir(directory);
    }
    (void)rmdir(files->directory);
    files->there = false;
}

void server_files_release(struct server_files *files)
{
    server_files_remove(files);
    if (files->config >= 0)
        (void)close(files->config);
    files->config = -1;
}

bool ports_text_url(const char *text, const char *name, char *url,
                    size_t capacity)
{
    char quoted[32];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *key = strstr(text, quoted);
    if (key == NULL || strrchr(text, '}') == NULL) /* half written */
        return false;
    const char *start = strchr(key + strlen(quoted), '"');
    const char *end = start == NULL ? NULL : strchr(start + 1, '"');
    if (end == NULL || (size_t)(end - start) > capacity)
        return false;
    memcpy(url, start + 1, (size_t)(end - start - 1));
    url[end - start - 1] = '\0';
    return strstr(url, "://") != NULL;
}

int ports_url_port(const char *url)
{
    const char *colon = strrchr(url, ':');
    size_t digits = colon == NULL ? 0 : strspn(colon + 1, "0123456789");
    if (digits == 0 || colon[1 + digits] != '\0')
        return 0;
    unsigned long port = strtoul(colon + 1, NULL, 10);
    return port > 65535 ? 0 : (int)port;
}

int ports_text_port(const char *text)
{
    char url[SERVER_URL_MAX];
    return ports_text_url(text, "nats", url, sizeof url) ? ports_url_port(url)
                                                         : 0;
}

static bool read_text(int directory, const char *name, char *text)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, SERVER_PORTS_MAX - 1);
    (void)close(fd);
    if (size > 0)
        text[size] = '\0';
    return size > 0;
}

bool server_files_ports(const struct server_files *files, char *text)
{
    DIR *directory = opendir(files->directory);
    if (directory == NULL)
        return false;
    const char *name = next_ports(directory);
    bool there = name != NULL && read_text(dirfd(directory), name, text) &&
                 ports_text_port(text) != 0;
    (void)closedir(directory);
    return there;
}
