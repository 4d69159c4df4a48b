/* The file of -ports_file_dir. */
#include "streamd/ports_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void it_is_named_after_us_and_hides_the_private_monitoring(void **state)
{
    (void)state;
    static const struct {
        const char *text, *kept;
    } cases[] = {
        {"{\"nats\":[\"nats://127.0.0.1:1\"],\"monitoring\":[\"http://x:2\"]}",
         "{\"nats\":[\"nats://127.0.0.1:1\"]}"},
        {"{\"nats\":[\"a\"],\"monitoring\":[\"b\"],\"cluster\":[\"c\"]}",
         "{\"nats\":[\"a\"],\"cluster\":[\"c\"]}"},
        {"{\"nats\":[\"a\"]}", "{\"nats\":[\"a\"]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char directory[] = "/tmp/test_ports_file.XXXXXX";
        char expected[128];
        char got[256] = "";
        char *path = NULL;
        assert_non_null(mkdtemp(directory));
        assert_int_equal(
            ports_file_write(directory, cases[i].text, &path, NULL), 0);
        (void)snprintf(expected, sizeof expected, "%s/%s_%ld.ports", directory,
                       program_invocation_short_name, (long)getpid());
        assert_string_equal(path, expected);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_true(fread(got, 1, sizeof got - 1, file) > 0);
        (void)fclose(file);
        assert_string_equal(got, cases[i].kept);
        ports_file_remove(path);
        assert_int_equal(rmdir(directory), 0); /* nothing is left in it */
    }
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct error err = {0};
    char *path = NULL;
    assert_int_equal(ports_file_write("/nonexistent", "{}", &path, &err),
                     STATUS_IO);
    assert_null(path);
    assert_non_null(strstr(err.detail, "Error writing ports file to "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_named_after_us_and_hides_the_private_monitoring),
        cmocka_unit_test(a_directory_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
