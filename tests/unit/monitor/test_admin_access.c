/* The token of administration: its file, and who is let in. */
#include "monitor/admin_access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char token[] = "a-token-of-the-tests";

struct world {
    char path[64], log_path[64];
    struct log *log;
    struct clock clock;
    int64_t now;
};

static int64_t now_of(void *context)
{
    return ((const struct world *)context)->now;
}

static void write_file(const struct world *world, const char *text, mode_t mode)
{
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(world->path, mode), 0);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct error err;
    assert_non_null(world);
    (void)snprintf(world->path, sizeof world->path, "/tmp/admin-token.XXXXXX");
    (void)snprintf(world->log_path, sizeof world->log_path,
                   "/tmp/admin-log.XXXXXX");
    int file = mkstemp(world->path);
    int log = mkstemp(world->log_path);
    assert_true(file >= 0 && log >= 0);
    (void)close(file);
    (void)close(log);
    const struct log_options options = {.file = world->log_path};
    assert_int_equal(log_new(&options, &world->log, &err), STATUS_OK);
    world->clock =
        (struct clock){.monotonic = now_of, .wall = now_of, .context = world};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    log_free(world->log);
    (void)unlink(world->path);
    (void)unlink(world->log_path);
    free(world);
    return 0;
}

static size_t logged(const struct world *world, const char *text)
{
    static char all[65536];
    FILE *file = fopen(world->log_path, "r");
    assert_non_null(file);
    all[fread(all, 1, sizeof all - 1, file)] = '\0';
    (void)fclose(file);
    size_t count = 0;
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static struct admin_access *open_access(struct world *world)
{
    struct admin_access *access = NULL;
    struct error err = {0};
    assert_int_equal(
        admin_access_new(world->path, world->log, &world->clock, &access, &err),
        STATUS_OK);
    return access;
}

static void only_the_token_is_let_in(void **state)
{
    struct world *world = *state;
    write_file(world, " \n a-token-of-the-tests\t\r\n", 0600);
    struct admin_access *access = open_access(world);
    static const char *const wrong[] = {
        "", "a-token-of-the-test", "a-token-of-the-testss",
        "A-token-of-the-tests", " a-token-of-the-tests"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(
            admin_access_check(access, bytes_text(wrong[i]), "1.2.3.4:5"),
            ADMIN_DENIED);
        assert_int_equal(
            admin_access_check(access, bytes_text(token), "1.2.3.4:5"),
            ADMIN_GRANTED);
    }
    assert_int_equal(logged(world, "Admin \"1.2.3.4:5\": refused: no token"),
                     1);
    assert_int_equal(logged(world, "refused: wrong token"), 4);
    assert_int_equal(logged(world, "a-token"), 0);
    assert_int_equal(logged(world, "read by everybody"), 0);
    admin_access_free(access);
}

static void wrong_ones_make_a_peer_wait(void **state)
{
    struct world *world = *state;
    write_file(world, token, 0600);
    struct admin_access *access = open_access(world);
    struct bytes right = bytes_text(token);
    for (int i = 0; i < ADMIN_FAILURES_MAX; i++) {
        char peer[32]; /* another port each time */
        (void)snprintf(peer, sizeof peer, "1.2.3.4:%d", i);
        assert_int_equal(admin_access_check(access, bytes_text("x"), peer),
                         ADMIN_DENIED);
    }
    assert_int_equal(admin_access_check(access, right, "1.2.3.4:99"),
                     ADMIN_LIMITED);
    assert_int_equal(admin_access_check(access, right, "1.2.3.5:99"),
                     ADMIN_GRANTED);
    assert_int_equal(logged(world, "refused"), ADMIN_FAILURES_MAX);
    world->now += CLOCK_SECOND;
    assert_int_equal(admin_access_check(access, right, "1.2.3.4:99"),
                     ADMIN_GRANTED);
    admin_access_free(access);
}

static void files_that_hold_no_token_are_refused(void **state)
{
    struct world *world = *state;
    char longest[ADMIN_TOKEN_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[ADMIN_TOKEN_MAX + 1] = '\0';
    const char *const texts[] = {"",
                                 "\n",
                                 "fifteen-letters",
                                 "has a white space",
                                 "control\001character",
                                 "uml\xC3\xA4ut-letters-x",
                                 longest};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct admin_access *access = NULL;
        struct error err = {0};
        write_file(world, texts[i], 0600);
        assert_int_equal(admin_access_new(world->path, world->log,
                                          &world->clock, &access, &err),
                         STATUS_INVALID);
        assert_null(access);
        assert_true(texts[i][0] == '\0' ||
                    strstr(err.detail, texts[i]) == NULL);
    }
    longest[ADMIN_TOKEN_MAX] = '\0';
    write_file(world, longest, 0600);
    admin_access_free(open_access(world));
}

static void files_that_cannot_be_read_are_named(void **state)
{
    struct world *world = *state;
    struct admin_access *access = NULL;
    struct error err = {0};
    assert_int_equal(admin_access_new("/nowhere/token", world->log,
                                      &world->clock, &access, &err),
                     STATUS_IO);
    assert_string_equal(err.detail, "admin token file /nowhere/token: No such "
                                    "file or directory");
    assert_int_equal(
        admin_access_new("/tmp", world->log, &world->clock, &access, &err),
        STATUS_INVALID);
    assert_int_equal(
        admin_access_new("/dev/zero", world->log, &world->clock, &access, &err),
        STATUS_INVALID);
}

static void a_reload_takes_the_new_token_or_keeps_the_old(void **state)
{
    struct world *world = *state;
    struct error err = {0};
    write_file(world, token, 0644);
    struct admin_access *access = open_access(world);
    assert_int_equal(logged(world, "read by everybody"), 1);
    write_file(world, "short", 0600);
    assert_int_equal(admin_access_reload(access, &err), STATUS_INVALID);
    assert_int_equal(admin_access_check(access, bytes_text(token), "p"),
                     ADMIN_GRANTED);
    write_file(world, "another-token-of-tests", 0600);
    assert_int_equal(admin_access_reload(access, &err), STATUS_OK);
    assert_int_equal(admin_access_check(access, bytes_text(token), "p"),
                     ADMIN_DENIED);
    assert_int_equal(
        admin_access_check(access, bytes_text("another-token-of-tests"), "p"),
        ADMIN_GRANTED);
    admin_access_free(access);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_token_is_let_in, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(wrong_ones_make_a_peer_wait, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(files_that_hold_no_token_are_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_read_are_named,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_reload_takes_the_new_token_or_keeps_the_old, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
