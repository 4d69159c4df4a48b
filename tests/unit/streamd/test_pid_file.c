#include "streamd/pid_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void it_holds_our_id_and_nothing_else(void **state)
{
    (void)state;
    char directory[] = "/tmp/test_pid_file_XXXXXX";
    char path[64];
    char text[64] = "";
    char expected[32];
    struct stat stat_of_file;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/pid", directory);
    (void)snprintf(expected, sizeof expected, "%ld", (long)getpid());
    mode_t mask = umask(0);
    enum status status = pid_file_write(path, NULL);
    (void)umask(mask);
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(stat(path, &stat_of_file), 0);
    assert_int_equal(stat_of_file.st_mode & 07777, 0660);
    /* and so again over what an earlier process left */
    int fd = open(path, O_RDWR | O_APPEND);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "1234567890", 10), 10);
    assert_int_equal(pid_file_write(path, NULL), STATUS_OK);
    assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, expected);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void what_cannot_be_written_is_named(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(pid_file_write("/nonexistent/pid", &err), STATUS_IO);
    assert_string_equal(err.detail,
                        "Could not write pidfile: open /nonexistent/pid: No "
                        "such file or directory");
    assert_int_equal(pid_file_write("/dev/full", &err), STATUS_IO);
    assert_string_equal(err.detail,
                        "Could not write pidfile: write /dev/full: No space "
                        "left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_our_id_and_nothing_else),
        cmocka_unit_test(what_cannot_be_written_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
