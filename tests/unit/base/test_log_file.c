/* Size limit, rotation, re-open: cli-config.md 10.4 and 10.5. */
#include "streamd/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20, NAME_SIZE = 512 };

/* A directory of its own for each test; the log is the file "log" in it. */
struct fixture {
    char directory[64];
    char file[128];
    char text[TEXT_MAX]; /* of the last file read */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    (void)snprintf(f->directory, sizeof f->directory,
                   "/tmp/test_log_file_XXXXXX");
    if (mkdtemp(f->directory) == NULL) {
        free(f);
        return -1;
    }
    (void)snprintf(f->file, sizeof f->file, "%s/log", f->directory);
    *state = f;
    return 0;
}

/* Calls visit with each file's path; returns how many there are. */
static int each_file(struct fixture *f,
                     void (*visit)(struct fixture *f, const char *path,
                                   void *context),
                     void *context)
{
    int count = 0;
    DIR *directory = opendir(f->directory);
    assert_non_null(directory);
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char path[NAME_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", f->directory, entry->d_name);
        if (visit != NULL)
            visit(f, path, context);
        count++;
    }
    assert_int_equal(closedir(directory), 0);
    return count;
}

static void remove_one(struct fixture *f, const char *path, void *context)
{
    (void)f, (void)context;
    (void)unlink(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    (void)chmod(f->directory, 0700);
    (void)each_file(f, remove_one, NULL);
    (void)rmdir(f->directory);
    free(f);
    return 0;
}

static struct log *open_log(struct fixture *f, int64_t limit)
{
    const struct log_options options = {.file = f->file, .size_limit = limit};
    struct log *log = NULL;
    assert_int_equal(log_new(&options, &log, NULL), STATUS_OK);
    return log;
}

static const char *read_file(struct fixture *f, const char *path)
{
    size_t used = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    while ((got = read(fd, f->text + used, TEXT_MAX - 1 - used)) > 0)
        used += (size_t)got;
    assert_int_equal(close(fd), 0);
    assert_true(used < TEXT_MAX - 1);
    f->text[used] = '\0';
    return f->text;
}

/* The file's first line is level and text, the pid apart. */
static void assert_first_line(const char *text, const char *expected)
{
    const char *space = strchr(text, ' ');
    assert_non_null(space);
    assert_memory_equal(space + 1, expected, strlen(expected));
}

static void count_numbers(struct fixture *f, const char *path, void *context)
{
    int *seen = context;
    const char *at = read_file(f, path);
    while ((at = strstr(at, "line ")) != NULL) {
        at += strlen("line ");
        seen[strtol(at, NULL, 10)]++;
    }
}

/* C38 */
static void at_its_limit_the_file_is_put_away_and_no_line_is_lost(void **state)
{
    struct fixture *f = *state;
    int seen[100] = {0};
    struct log *log = open_log(f, 1000);
    for (int i = 0; i < 100; i++)
        log_info(log, "line %d, of some length at least", i);
    log_free(log);
    assert_true(each_file(f, count_numbers, seen) > 4);
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "[INF] Rotated log, backup saved as \"%s.", f->file);
    const char *text = read_file(f, f->file);
    assert_first_line(text, expected);
    /* the name it says is that of a file: .YYYY.MM.DD.hh.mm.ss.nnnnnnnnn */
    const char *backup = strchr(text, '"') + 1;
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(backup, "\""),
                   backup);
    assert_int_equal(strlen(name),
                     strlen(f->file) +
                         strlen(".2000.01.01.00.00.00.000000000"));
    struct stat stat_of_backup;
    assert_int_equal(stat(name, &stat_of_backup), 0);
    assert_in_range(stat_of_backup.st_size, 1001, 1200);
}

static void a_file_too_long_from_the_start_is_put_away_at_once(void **state)
{
    struct fixture *f = *state;
    struct log *log = open_log(f, 0);
    for (int i = 0; i < 20; i++)
        log_info(log, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    log_free(log);
    assert_int_equal(each_file(f, NULL, NULL), 1); /* no limit, no rotation */
    log = open_log(f, 1000);
    log_free(log);
    assert_int_equal(each_file(f, NULL, NULL), 2);
    char *backup = strdup(strchr(read_file(f, f->file), '"') + 1);
    assert_non_null(backup);
    backup[strcspn(backup, "\"")] = '\0';
    assert_non_null(
        strstr(read_file(f, backup), "[INF] Rotating logfile...\n"));
    free(backup);
}

/* C33 and C38 */
static void reopened_it_goes_on_in_a_new_file_with_the_limit(void **state)
{
    struct fixture *f = *state;
    char away[160];
    (void)snprintf(away, sizeof away, "%s.away", f->file);
    struct log *log = open_log(f, 2000);
    for (int turn = 0; turn < 2; turn++) { /* it works twice */
        log_info(log, "before");
        assert_int_equal(rename(f->file, away), 0);
        log_info(log, "still the old one");
        log_reopen(log);
        log_info(log, "the new one");
        assert_non_null(strstr(read_file(f, away), "still the old one\n"));
        const char *text = read_file(f, f->file);
        assert_first_line(text, "[INF] STREAM: File log re-opened\n");
        assert_non_null(strstr(text, "the new one\n"));
        assert_null(strstr(text, "still"));
    }
    for (int i = 0; i < 100; i++)
        log_info(log, "line %d, of some length at least", i);
    assert_true(each_file(f, NULL, NULL) > 2);
    log_free(log);
}

static void when_it_cannot_be_reopened_the_old_file_goes_on(void **state)
{
    struct fixture *f = *state;
    char away[160];
    (void)snprintf(away, sizeof away, "%s.away", f->file);
    struct log *log = open_log(f, 0);
    assert_int_equal(rename(f->file, away), 0);
    assert_int_equal(mkdir(f->file, 0700), 0);
    log_reopen(log);
    log_info(log, "here");
    log_free(log);
    const char *text = read_file(f, away);
    assert_non_null(strstr(
        text, "[ERR] STREAM: Unable to re-open the log file: log: open"));
    assert_non_null(strstr(text, "here\n"));
    assert_int_equal(rmdir(f->file), 0);
}

static void when_it_cannot_be_rotated_the_limit_doubles(void **state)
{
    struct fixture *f = *state;
    char away[160];
    (void)snprintf(away, sizeof away, "%s/kept", f->directory);
    struct log *log = open_log(f, 1000);
    assert_int_equal(rename(f->file, away), 0);
    for (int i = 0; i < 100; i++)
        log_info(log, "line %d, of some length at least", i);
    log_free(log);
    const char *text = read_file(f, away);
    static const int limits[] = {2000, 4000, 8000};
    for (int i = 0; i < 3; i++) {
        char expected[160];
        (void)snprintf(expected, sizeof expected,
                       "[ERR] Unable to rotate logfile (No such file or "
                       "directory), will attempt next rotation at size %d\n",
                       limits[i]);
        assert_non_null(strstr(text, expected));
    }
    assert_non_null(strstr(text, "line 99,"));
}

static void without_a_file_reopening_is_refused(void **state)
{
    (void)state;
    char text[256];
    int ends[2];
    struct log *log = NULL;
    const struct log_options options = {0};
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    enum status status = log_new(&options, &log, NULL);
    log_reopen(log);
    log_free(log);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(status, STATUS_OK);
    ssize_t size = read(ends[0], text, sizeof text - 1);
    assert_true(size > 0);
    text[size] = '\0';
    assert_first_line(
        text, "[INF] STREAM: File log re-open ignored, not a file logger\n");
    assert_int_equal(close(saved), 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void
a_fifo_without_reader_is_refused_and_a_full_one_waited_for(void **state)
{
    struct fixture *f = *state;
    const struct log_options options = {.file = f->file, .size_limit = 10};
    struct log *log = NULL;
    assert_int_equal(mkfifo(f->file, 0600), 0);
    assert_int_equal(log_new(&options, &log, NULL), STATUS_IO);
    int reader = open(f->file, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_int_equal(log_new(&options, &log, NULL), STATUS_OK);
    for (int i = 0; i < 3000; i++) /* more than a pipe holds */
        log_info(log, "line %d, of some length at least", i);
    ssize_t got = read(reader, f->text, 1000);
    assert_int_equal(got, 1000);
    assert_int_equal(each_file(f, NULL, NULL), 1); /* never rotated */
    log_free(log);
    assert_int_equal(close(reader), 0);
}

enum { WRITERS = 4, LINES = 300 };

struct writer {
    struct log *log;
    int first;
};

static void *write_lines(void *context)
{
    const struct writer *writer = context;
    for (int i = 0; i < LINES; i++) {
        log_info(writer->log, "line %d, of some length at least",
                 writer->first + i);
    }
    return NULL;
}

static void threads_lose_no_line_over_rotations_and_reopening(void **state)
{
    struct fixture *f = *state;
    static int seen[WRITERS * LINES];
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    struct log *log = open_log(f, 4000);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.log = log, .first = i * LINES};
        assert_int_equal(
            pthread_create(&threads[i], NULL, write_lines, &writers[i]), 0);
    }
    for (int i = 0; i < 20; i++)
        log_reopen(log);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    log_free(log);
    memset(seen, 0, sizeof seen);
    assert_true(each_file(f, count_numbers, seen) > 3);
    for (int i = 0; i < WRITERS * LINES; i++)
        assert_int_equal(seen[i], 1);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(at_its_limit_the_file_is_put_away_and_no_line_is_lost),
        WITH_FILE(a_file_too_long_from_the_start_is_put_away_at_once),
        WITH_FILE(reopened_it_goes_on_in_a_new_file_with_the_limit),
        WITH_FILE(when_it_cannot_be_reopened_the_old_file_goes_on),
        WITH_FILE(when_it_cannot_be_rotated_the_limit_doubles),
        cmocka_unit_test(without_a_file_reopening_is_refused),
        WITH_FILE(a_fifo_without_reader_is_refused_and_a_full_one_waited_for),
        WITH_FILE(threads_lose_no_line_over_rotations_and_reopening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
