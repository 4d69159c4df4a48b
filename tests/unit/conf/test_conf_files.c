#include "streamd/conf/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_SIZE = 128 };

static char *in_folder(void **state, const char *name, char out[PATH_SIZE])
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", (const char *)*state, name);
    return out;
}

static void write_file(void **state, const char *name, const char *text)
{
    char path[PATH_SIZE];
    FILE *file = fopen(in_folder(state, name, path), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int folder_make(void **state)
{
    char folder[] = "/tmp/test_conf.XXXXXX";
    *state = mkdtemp(folder) == NULL ? NULL : strdup(folder);
    return *state == NULL;
}

static int folder_remove(void **state)
{
    static const char *const names[] = {"a.conf", "b.conf", "c.conf",
                                        "sub/d.conf", "sub/e.conf"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(in_folder(state, names[i], path));
    (void)rmdir(in_folder(state, "sub", path));
    (void)rmdir((const char *)*state);
    free(*state);
    return 0;
}

static struct conf *loaded(void **state, const char *name)
{
    char path[PATH_SIZE];
    struct conf *conf = NULL;
    struct error err = {0};
    if (conf_load(in_folder(state, name, path), &conf, &err) != STATUS_OK)
        print_message("%s\n", err.detail);
    assert_non_null(conf);
    return conf;
}

static void load_fails(void **state, const char *name, enum status status,
                       const char *part)
{
    char path[PATH_SIZE];
    struct conf *conf = NULL;
    struct error err = {0};
    assert_int_equal(conf_load(in_folder(state, name, path), &conf, &err),
                     status);
    assert_null(conf);
    if (strstr(err.detail, part) == NULL)
        print_message("%s\n", err.detail);
    assert_non_null(strstr(err.detail, part));
}

/* C3 */
static void c3_a_missing_file_is_an_error(void **state)
{
    load_fails(state, "missing.conf", STATUS_IO,
               "error opening config file: open /");
    load_fails(state, "missing.conf", STATUS_IO,
               "missing.conf: no such file or directory");
}

/* C19 */
static void c19_a_directory_is_an_error(void **state)
{
    load_fails(state, ".", STATUS_IO, "is a directory");
}

/* C29 */
static void c29_an_include_merges_into_the_map_around_it(void **state)
{
    char path[PATH_SIZE];
    assert_int_equal(mkdir(in_folder(state, "sub", path), 0700), 0);
    write_file(state, "a.conf",
               "x = 1\nm {\n y = 2\n include 'sub/d.conf'\n w = $z\n}\n"
               "INCLUDE ./b.conf\nq = $p\n");
    write_file(state, "b.conf", "p = 9\nx = 5 # beats the earlier");
    write_file(state, "sub/d.conf", "z = 3\ninclude \"e.conf\" # beside\n");
    write_file(state, "sub/e.conf", "y = 7");
    struct conf *conf = loaded(state, "a.conf");
    const struct conf_value *root = conf_root(conf);
    const struct conf_value *map = conf_find(root, "m");
    assert_int_equal(conf_find(root, "x")->as.integer, 5);
    assert_int_equal(conf_find(root, "q")->as.integer, 9);
    assert_int_equal(conf_find(map, "y")->as.integer, 7);
    assert_int_equal(conf_find(map, "w")->as.integer, 3);
    assert_non_null(strstr(conf_find(map, "y")->file, "sub/e.conf"));
    assert_null(conf_find(root, "z"));
    conf_free(conf);
}

static void an_included_file_does_not_see_the_one_around_it(void **state)
{
    write_file(state, "a.conf", "k = 1\ninclude b.conf\n");
    write_file(state, "b.conf", "l = $k\n");
    load_fails(state, "a.conf", STATUS_INVALID, "error parsing include file");
    load_fails(state, "a.conf", STATUS_INVALID,
               "variable reference for 'k' on line 1 can not be found");
}

/* C29 */
static void c29_an_include_that_fails_is_named(void **state)
{
    write_file(state, "a.conf", "m { include 'b.conf' }");
    write_file(state, "b.conf", "x = .");
    load_fails(state, "a.conf", STATUS_INVALID,
               "b.conf', Parse error on "
               "line 1: 'Floats must start");
    write_file(state, "a.conf", "include missing.conf");
    load_fails(state, "a.conf", STATUS_IO,
               "error parsing include file 'missing.conf', error opening "
               "config file: open ");
    write_file(state, "a.conf", "\ninclude");
    load_fails(state, "a.conf", STATUS_INVALID, "config is invalid (");
}

static void an_include_names_a_file_and_nothing_else(void **state)
{
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"include 1", "start of a number"},
        {"include -1", "start of a number"},
        {"include [a]", "start of an array"},
        {"include {a}", "start of a map"},
        {"include (a", "start of a block"},
        {"include \\a", "escape sequence"},
        {"include \n", "new line"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char want[128];
        (void)snprintf(want, sizeof want,
                       "Parse error on line 1: 'Expected include value but "
                       "found %s'",
                       cases[i].found);
        write_file(state, "a.conf", cases[i].text);
        load_fails(state, "a.conf", STATUS_INVALID, want);
    }
}

static void an_absolute_include_is_found(void **state)
{
    char path[PATH_SIZE];
    char text[PATH_SIZE + 32];
    write_file(state, "b.conf", "x = 1");
    (void)snprintf(text, sizeof text, "include '%s'",
                   in_folder(state, "b.conf", path));
    write_file(state, "a.conf", text);
    conf_free(loaded(state, "a.conf"));
}

static void files_that_include_each_other_come_to_an_end(void **state)
{
    write_file(state, "a.conf", "include b.conf");
    write_file(state, "b.conf", "include a.conf");
    load_fails(state, "a.conf", STATUS_INVALID, "nested too deeply (limit 32)");
}

static void a_file_that_is_too_big_is_refused(void **state)
{
    char path[PATH_SIZE];
    write_file(state, "a.conf", "x = 1\n");
    assert_int_equal(
        truncate(in_folder(state, "a.conf", path), (off_t)CONF_FILE_MAX + 1),
        0);
    load_fails(state, "a.conf", STATUS_TOO_BIG, "more than");
}

static void a_document_that_takes_too_much_memory_is_refused(void **state)
{
    write_file(state, "a.conf", "");
    char path[PATH_SIZE];
    FILE *file = fopen(in_folder(state, "a.conf", path), "w");
    assert_non_null(file);
    assert_true(fputs("a [", file) >= 0);
    for (int i = 0; i < CONF_FILE_MAX / 2 - 16; i++)
        assert_true(fputs("1,", file) >= 0);
    assert_true(fputs("1]", file) >= 0);
    assert_int_equal(fclose(file), 0);
    load_fails(state, "a.conf", STATUS_NO_MEMORY, "configuration: ");
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        TEST(c3_a_missing_file_is_an_error),
        TEST(c19_a_directory_is_an_error),
        TEST(c29_an_include_merges_into_the_map_around_it),
        TEST(an_included_file_does_not_see_the_one_around_it),
        TEST(c29_an_include_that_fails_is_named),
        TEST(an_include_names_a_file_and_nothing_else),
        TEST(an_absolute_include_is_found),
        TEST(files_that_include_each_other_come_to_an_end),
        TEST(a_file_that_is_too_big_is_refused),
        TEST(a_document_that_takes_too_much_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
