/* Runs a fuzz target over every file of the folder given: the corpus as a
 * test, without libFuzzer. */
#include "streamd/base/buffer.h"
#include "tests/fuzz/fuzz_target.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MOST = 1 << 20 };

/* Exactly as large as the file, so that a sanitizer sees a read behind it. */
static bool run_file(int folder, const char *name)
{
    static uint8_t data[FILE_MOST];
    int fd = openat(folder, name, O_RDONLY);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, data, sizeof data);
    (void)close(fd);
    if (size < 0 || size == FILE_MOST)
        return false;
    uint8_t *copy = (uint8_t *)bytes_copy(bytes_of(data, (size_t)size));
    if (copy == NULL)
        return false;
    uint8_t *exact = realloc(copy, size == 0 ? 1 : (size_t)size);
    (void)LLVMFuzzerTestOneInput(exact == NULL ? copy : exact, (size_t)size);
    free(exact == NULL ? copy : exact);
    return true;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        (void)fprintf(stderr, "usage: %s corpus-folder\n", argv[0]);
        return EXIT_FAILURE;
    }
    int files = 0;
    int failed = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        files++;
        if (!run_file(dirfd(folder), entry->d_name)) {
            (void)fprintf(stderr, "cannot read %s\n", entry->d_name);
            failed++;
        }
    }
    (void)closedir(folder);
    (void)printf("%d files\n", files);
    return files > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
