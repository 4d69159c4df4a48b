#include "tests/fault/disk.h"

#include "tests/store_suite/rig.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAME_SIZE = 64, FILES_MAX = 512, CHANGES_MAX = 4096, PAGE = 4096 };
enum { GROWTH_MAX = 64 };

/* The file was that big when it first grew behind so many changes of names. */
struct growth {
    size_t changes;
    uint64_t size;
};

/* One file, whatever it is called. */
struct node {
    struct node *next; /* of all there ever were */
    uint64_t id;
    uint64_t synced;  /* bytes; what is behind may be lost */
    uint64_t kept;    /* of what power_on() left, was synced before */
    bool in_grave;    /* its data is in the grave, called by id */
    bool sync_failed; /* what was not synced by then never will be */
    int writer;       /* the file descriptor that wrote last */
    bool tell_writer; /* another one heard of the failure; it will, too */
    struct growth growth[GROWTH_MAX];
    size_t growths;
};

struct entry {
    char name[NAME_SIZE];
    struct node *node;
};

struct names {
    struct entry entries[FILES_MAX];
    size_t count;
};

/* A change of names: node NULL takes the name away. */
struct change {
    char name[NAME_SIZE], from[NAME_SIZE]; /* from: of a rename, or empty */
    struct node *node;
};

/* The only global of the programs that link this. */
static struct disk {
    pthread_mutex_t lock;
    bool watching, off, parent_synced;
    char root[PATH_MAX], grave[PATH_MAX], parent[PATH_MAX];
    struct names now, durable;
    struct node *nodes;
    struct change changes[CHANGES_MAX];
    size_t change_count;
    uint64_t next_id, count, cut_at, fail_at, fail_times;
    int fail_number;
    enum disk_call failed;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .failed = DISK_CALLS};

/* ---- names ---- */

static struct entry *names_find(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->entries[i].name, name) == 0)
            return &names->entries[i];
    }
    return NULL;
}

static void names_drop(struct names *names, const char *name)
{
    struct entry *entry = names_find(names, name);
    if (entry != NULL)
        *entry = names->entries[--names->count];
}

static void names_put(struct names *names, const char *name, struct node *node)
{
    names_drop(names, name);
    if (names->count == FILES_MAX)
        abort();
    struct entry *entry = &names->entries[names->count++];
    (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->node = node;
}

static void apply(struct names *names, const struct change *change)
{
    if (change->from[0] != '\0')
        names_drop(names, change->from);
    if (change->node == NULL) {
        names_drop(names, change->name);
    } else {
        names_put(names, change->name, change->node);
    }
}

static void note(const char *from, const char *name, struct node *node)
{
    if (disk.change_count == CHANGES_MAX)
        abort();
    struct change *change = &disk.changes[disk.change_count++];
    *change = (struct change){.node = node};
    (void)snprintf(change->name, sizeof change->name, "%s", name);
    (void)snprintf(change->from, sizeof change->from, "%s", from);
    apply(&disk.now, change);
}

static void names_synced(void)
{
    for (size_t i = 0; i < disk.change_count; i++)
        apply(&disk.durable, &disk.changes[i]);
    disk.change_count = 0;
    for (struct node *node = disk.nodes; node != NULL; node = node->next)
        node->growths = 0;
}

/* ---- paths ---- */

/* dirfd and path as one absolute path; false if that is not to be had. */
static bool resolve(int directory, const char *path, char out[PATH_MAX])
{
    char link[64];
    if (path[0] == '/')
        return snprintf(out, PATH_MAX, "%s", path) < PATH_MAX;
    if (directory == AT_FDCWD)
        return false; /* the store is always given an absolute path */
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t size = readlink(link, out, PATH_MAX - 1);
    if (size < 0)
        return false;
    out[size] = '\0';
    size_t room = PATH_MAX - (size_t)size;
    if (path[0] == '\0')
        return true;
    return (size_t)snprintf(out + size, room, "/%s", path) < room;
}

/* The name of a watched file; NULL: none of ours. */
static const char *watched(int directory, const char *path, char full[PATH_MAX])
{
    size_t size = strlen(disk.root);
    if (!disk.watching || !resolve(directory, path, full) ||
        strncmp(full, disk.root, size) != 0 || full[size] != '/' ||
        strchr(full + size + 1, '/') != NULL ||
        strlen(full + size + 1) >= NAME_SIZE)
        return NULL;
    return full + size + 1;
}

static void path_in(const char *directory, const char *name, char out[PATH_MAX])
{
    if (snprintf(out, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
        abort();
}

static void grave_of(const struct node *node, char out[PATH_MAX])
{
    char name[32];
    (void)snprintf(name, sizeof name, "%llu", (unsigned long long)node->id);
    path_in(disk.grave, name, out);
}

static void real_rename(const char *from, const char *to)
{
    if (syscall(SYS_rename, from, to) != 0)
        abort();
}

/* The data of what is called name now is kept: the name may yet come back. */
static void bury(const char *name)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct entry *entry = names_find(&disk.now, name);
    if (entry == NULL)
        return;
    path_in(disk.root, name, from);
    grave_of(entry->node, to);
    real_rename(from, to);
    entry->node->in_grave = true;
}

/* ---- the gate ---- */

enum verdict { GO, HALF, REFUSE };

/* The caller holds the lock. */
static enum verdict gate(enum disk_call call)
{
    uint64_t number = disk.count++;
    if (number == disk.cut_at)
        disk.off = true;
    if (disk.off) {
        errno = EIO;
        return REFUSE;
    }
    if (number < disk.fail_at || number - disk.fail_at >= disk.fail_times)
        return GO;
    if (disk.failed == DISK_CALLS)
        disk.failed = call;
    if (disk.fail_number == 0 && number == disk.fail_at && call == DISK_WRITE)
        return HALF;
    errno = disk.fail_number == 0 ? ENOSPC : disk.fail_number;
    return REFUSE;
}

/* ---- instead of libc ---- */

static struct node *node_new(void)
{
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL)
        abort();
    node->id = disk.next_id++;
    node->next = disk.nodes;
    disk.nodes = node;
    return node;
}

/* The number is given out again: whoever wrote by it is gone. */
static void forget_writer(int file)
{
    for (struct node *node = disk.nodes; node != NULL; node = node->next) {
        if (node->writer == file)
            node->writer = -1;
    }
}

static int open_old(int directory, const char *path, int flags)
{
    if ((flags & O_ACCMODE) == O_RDONLY) /* a sanitizer's, among others */
        return (int)syscall(SYS_openat, directory, path, flags, 0);
    (void)pthread_mutex_lock(&disk.lock);
    int file = (int)syscall(SYS_openat, directory, path, flags, 0);
    if (file >= 0)
        forget_writer(file);
    (void)pthread_mutex_unlock(&disk.lock);
    return file;
}

static int do_open(int directory, const char *path, int flags, mode_t mode)
{
    char full[PATH_MAX];
    if ((flags & O_CREAT) == 0)
        return open_old(directory, path, flags);
    (void)pthread_mutex_lock(&disk.lock);
    const char *name = watched(directory, path, full);
    int file = -1;
    bool fresh = name != NULL && ((flags & O_TRUNC) != 0 ||
                                  names_find(&disk.now, name) == NULL);
    if (!fresh || gate(DISK_CREATE) == GO) {
        if (fresh)
            bury(name);
        file = (int)syscall(SYS_openat, directory, path, flags, mode);
        if (file >= 0)
            forget_writer(file);
        if (fresh && file >= 0)
            note("", name, node_new());
    }
    (void)pthread_mutex_unlock(&disk.lock);
    return file;
}

#define MODE_OF(flags, mode)                                                   \
    do {                                                                       \
        va_list arguments;                                                     \
        va_start(arguments, flags);                                            \
        if (((flags)&O_CREAT) != 0)                                            \
            (mode) = va_arg(arguments, mode_t);                                \
        va_end(arguments);                                                     \
    } while (false)

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,
 * clang-analyzer-valist.Uninitialized): libc's names; a false alarm of 14 */

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return do_open(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return do_open(directory, path, flags, mode);
}

/* What file is; NULL: not watched. The caller holds the lock. */
static struct node *node_of(int file)
{
    char full[PATH_MAX];
    if (!disk.watching)
        return NULL;
    const char *name = watched(file, "", full);
    struct entry *entry = name == NULL ? NULL : names_find(&disk.now, name);
    if (entry != NULL)
        return entry->node;
    size_t size = strlen(disk.grave);
    if (strncmp(full, disk.grave, size) != 0)
        return NULL;
    static struct node lost; /* written to without a name: it is gone anyway */
    return &lost;
}

static void grow(struct node *node, uint64_t size)
{
    if (node->growths > 0 &&
        node->growth[node->growths - 1].changes == disk.change_count)
        return;
    if (node->growths == GROWTH_MAX)
        abort();
    node->growth[node->growths++] =
        (struct growth){.changes = disk.change_count, .size = size};
}

/* Pages that are written again are dirty again. */
static void wrote(struct node *node, int file, enum verdict verdict)
{
    off_t offset = lseek(file, 0, SEEK_CUR);
    if (verdict == GO && offset >= 0 && (uint64_t)offset <= node->synced)
        node->sync_failed = false;
    if (node->writer != file)
        node->tell_writer = false; /* this one was opened later */
    node->writer = file;
}

ssize_t write(int file, const void *data, size_t size)
{
    enum verdict verdict = GO;
    struct stat info;
    if (disk.watching && fstat(file, &info) == 0 && S_ISREG(info.st_mode)) {
        (void)pthread_mutex_lock(&disk.lock);
        struct node *node = node_of(file);
        if (node != NULL) {
            verdict = gate(DISK_WRITE);
            wrote(node, file, verdict);
            grow(node, (uint64_t)info.st_size);
        }
        (void)pthread_mutex_unlock(&disk.lock);
    }
    if (verdict == REFUSE)
        return -1;
    if (verdict == HALF)
        size = (size + 1) / 2;
    return syscall(SYS_write, file, data, size);
}

static int sync_directory(int file)
{
    char full[PATH_MAX];
    char real[PATH_MAX];
    if (!resolve(file, "", full))
        return 0;
    bool is_root = strcmp(full, disk.root) == 0;
    bool is_parent =
        realpath(disk.parent, real) != NULL && strcmp(full, real) == 0;
    if (!is_root && !is_parent)
        return 0;
    if (gate(DISK_SYNC) != GO)
        return -1;
    if (is_root)
        names_synced();
    if (is_parent)
        disk.parent_synced = true;
    return 0;
}

/* As the kernel does it: pages that could not be written count as written from
 * then on, and each descriptor hears of it once. */
static int sync_node(struct node *node, int file, uint64_t size)
{
    bool is_writer = file == node->writer;
    bool was_told = is_writer && node->tell_writer;
    if (gate(DISK_SYNC) != GO) {
        node->sync_failed = true;
        node->tell_writer = !is_writer;
        return -1;
    }
    node->tell_writer = node->tell_writer && !is_writer;
    if (was_told) {
        errno = EIO;
        return -1;
    }
    if (!node->sync_failed)
        node->synced = size;
    return 0;
}

/* The real call would only make the tests slow. */
int fdatasync(int file)
{
    struct stat info;
    struct node *node = NULL;
    (void)pthread_mutex_lock(&disk.lock);
    /* Under the lock: of two syncs the later one must not know less. */
    int result = fstat(file, &info);
    if (result == 0 && S_ISREG(info.st_mode))
        node = node_of(file);
    if (result == 0 && disk.watching && S_ISDIR(info.st_mode)) {
        result = sync_directory(file);
    } else if (node != NULL) {
        result = sync_node(node, file, (uint64_t)info.st_size);
    }
    (void)pthread_mutex_unlock(&disk.lock);
    return result;
}

int fsync(int file)
{
    return fdatasync(file);
}

int renameat(int from_directory, const char *from, int to_directory,
             const char *to)
{
    char from_full[PATH_MAX], to_full[PATH_MAX];
    int result = -1;
    (void)pthread_mutex_lock(&disk.lock);
    const char *from_name = watched(from_directory, from, from_full);
    const char *to_name = watched(to_directory, to, to_full);
    if (from_name == NULL || to_name == NULL) {
        result =
            (int)syscall(SYS_renameat, from_directory, from, to_directory, to);
    } else if (names_find(&disk.now, from_name) == NULL) {
        errno = ENOENT;
    } else if (gate(DISK_RENAME) == GO) {
        bury(to_name);
        real_rename(from_full, to_full);
        struct entry *moved = names_find(&disk.now, from_name);
        assert(moved != NULL);
        note(from_name, to_name, moved->node);
        result = 0;
    }
    (void)pthread_mutex_unlock(&disk.lock);
    return result;
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int directory, const char *path, int flags)
{
    char full[PATH_MAX];
    int result = -1;
    (void)pthread_mutex_lock(&disk.lock);
    const char *name = watched(directory, path, full);
    if (name == NULL) {
        result = (int)syscall(SYS_unlinkat, directory, path, flags);
    } else if (names_find(&disk.now, name) == NULL) {
        errno = ENOENT;
    } else if (gate(DISK_UNLINK) == GO) {
        bury(name);
        note("", name, NULL);
        result = 0;
    }
    (void)pthread_mutex_unlock(&disk.lock);
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name,
 * clang-analyzer-valist.Uninitialized) */

/* ---- what a power cut leaves ---- */

static void overwrite(int file, uint64_t from, uint64_t to, uint64_t *seed)
{
    uint8_t bytes[PAGE] = {0};
    while (from < to) {
        uint64_t size = PAGE - from % PAGE;
        if (size > to - from)
            size = to - from;
        for (size_t i = 0; seed != NULL && i < size; i++)
            bytes[i] = (uint8_t)random_next(seed);
        if (syscall(SYS_pwrite64, file, bytes, size, from) != (ssize_t)size)
            abort();
        from += size;
    }
}

/* What is behind `synced` is lost, torn or reordered. */
static void tear(const char *path, uint64_t synced, uint64_t most,
                 uint64_t *seed)
{
    struct stat info;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0)
        abort();
    uint64_t size = (uint64_t)info.st_size;
    if (most < synced)
        most = synced;
    if (most < size) {
        size = most;
        if (ftruncate(file, (off_t)size) != 0)
            abort();
    }
    if (synced < size) {
        uint64_t prefix = synced + random_next(seed) % (size - synced + 1);
        uint64_t end = prefix + random_next(seed) % (size - prefix + 1);
        switch (random_next(seed) % 6) {
        case 0:
            end = synced;
            break;
        case 1:
            end = prefix;
            break;
        case 2:
            overwrite(file, prefix, end, NULL);
            break;
        case 3:
            overwrite(file, prefix, end, seed);
            break;
        case 4: /* pages came in any order, some not at all */
            end = size;
            for (uint64_t at = synced; at < end; at += PAGE - at % PAGE) {
                uint64_t next = at + PAGE - at % PAGE;
                if (random_next(seed) % 2 == 0)
                    overwrite(file, at, next < end ? next : end, NULL);
            }
            break;
        default: /* all of it was there by chance */
            end = size;
            break;
        }
        if (ftruncate(file, (off_t)end) != 0)
            abort();
    }
    (void)close(file);
}

static void remove_files(const char *directory)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL)
        (void)syscall(SYS_unlinkat, dirfd(stream), entry->d_name, 0);
    if (stream != NULL)
        (void)closedir(stream);
}

static uint64_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

/* How big the file can be if no more than `kept` changes of names are. */
static uint64_t size_with(const struct node *node, size_t kept)
{
    for (size_t i = 0; i < node->growths; i++) {
        if (node->growth[i].changes > kept)
            return node->growth[i].size;
    }
    return UINT64_MAX;
}

/* Some of the changes of names, the first ones; how many. */
static size_t settle_names(uint64_t *seed)
{
    size_t kept = random_next(seed) % (disk.change_count + 1);
    for (size_t i = 0; i < kept; i++)
        apply(&disk.durable, &disk.changes[i]);
    disk.change_count = 0;
    if (!disk.parent_synced && random_next(seed) % 2 == 0)
        disk.durable.count = 0; /* the directory itself had no name yet */
    disk.parent_synced = disk.parent_synced || disk.durable.count > 0;
    return kept;
}

void disk_power_on(uint64_t *seed)
{
    char from[PATH_MAX], to[PATH_MAX];
    (void)pthread_mutex_lock(&disk.lock);
    while (disk.now.count > 0) {
        bury(disk.now.entries[0].name);
        names_drop(&disk.now, disk.now.entries[0].name);
    }
    remove_files(disk.root);
    size_t kept = settle_names(seed);
    if (disk.durable.count == 0)
        (void)rmdir(disk.root);
    for (size_t i = 0; i < disk.durable.count; i++) {
        struct entry *entry = &disk.durable.entries[i];
        grave_of(entry->node, from);
        path_in(disk.root, entry->name, to);
        tear(from, entry->node->synced, size_with(entry->node, kept), seed);
        real_rename(from, to);
        entry->node->in_grave = false;
        entry->node->kept = entry->node->synced;
        entry->node->synced = size_of(to);
        entry->node->growths = 0;
        entry->node->sync_failed = entry->node->tell_writer = false;
    }
    remove_files(disk.grave);
    disk.now = disk.durable;
    disk.off = false;
    disk.cut_at = UINT64_MAX;
    (void)pthread_mutex_unlock(&disk.lock);
}

/* ---- the test's side ---- */

void disk_forget(void)
{
    (void)pthread_mutex_lock(&disk.lock);
    if (disk.watching) {
        remove_files(disk.grave);
        (void)rmdir(disk.grave);
    }
    disk.watching = false;
    disk.off = false;
    while (disk.nodes != NULL) {
        struct node *node = disk.nodes;
        disk.nodes = node->next;
        free(node);
    }
    disk.now.count = disk.durable.count = disk.change_count = 0;
    disk.fail_times = 0;
    (void)pthread_mutex_unlock(&disk.lock);
}

void disk_watch(const char *directory)
{
    disk_forget();
    (void)pthread_mutex_lock(&disk.lock);
    (void)snprintf(disk.root, sizeof disk.root, "%s", directory);
    (void)snprintf(disk.parent, sizeof disk.parent, "%s", directory);
    *strrchr(disk.parent, '/') = '\0';
    if ((size_t)snprintf(disk.grave, sizeof disk.grave, "%s.lost", directory) >=
            sizeof disk.grave ||
        mkdir(disk.grave, 0700) != 0)
        abort();
    disk.parent_synced = false;
    disk.cut_at = UINT64_MAX;
    disk.watching = true;
    (void)pthread_mutex_unlock(&disk.lock);
}

uint64_t disk_count(void)
{
    (void)pthread_mutex_lock(&disk.lock);
    uint64_t count = disk.count;
    (void)pthread_mutex_unlock(&disk.lock);
    return count;
}

void disk_cut_after(uint64_t calls)
{
    (void)pthread_mutex_lock(&disk.lock);
    disk.cut_at = disk.count + calls;
    (void)pthread_mutex_unlock(&disk.lock);
}

bool disk_is_off(void)
{
    (void)pthread_mutex_lock(&disk.lock);
    bool off = disk.off;
    (void)pthread_mutex_unlock(&disk.lock);
    return off;
}

uint64_t disk_kept(const char *name)
{
    (void)pthread_mutex_lock(&disk.lock);
    const struct entry *entry = names_find(&disk.now, name);
    uint64_t kept = entry == NULL ? 0 : entry->node->kept;
    (void)pthread_mutex_unlock(&disk.lock);
    return kept;
}

void disk_fail_after(uint64_t calls, int number, uint64_t times)
{
    (void)pthread_mutex_lock(&disk.lock);
    disk.fail_at = disk.count + calls;
    disk.fail_number = number;
    disk.fail_times = times;
    disk.failed = DISK_CALLS;
    (void)pthread_mutex_unlock(&disk.lock);
}

enum disk_call disk_failed(void)
{
    (void)pthread_mutex_lock(&disk.lock);
    enum disk_call failed = disk.failed;
    (void)pthread_mutex_unlock(&disk.lock);
    return failed;
}

void disk_heal(void)
{
    disk_fail_after(0, 0, 0);
}
