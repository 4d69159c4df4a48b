/* Sockets to listen on: a Unix socket is nobody else's, and takes no file's
 * place. TCP is tested with the server, by test_monitor. */
#include "monitor/listener.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#undef fail /* cmocka's: status.h has one, too */

struct place {
    char folder[64], path[80];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    (void)snprintf(place->folder, sizeof place->folder,
                   "/tmp/test_listener.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof place->path, "%s/admin", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    int result = rmdir(place->folder); /* all is removed by then */
    free(place);
    return result;
}

static mode_t mode_of(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0 ? stat.st_mode : 0;
}

static int connect_to(const char *path)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
    } address = {.local = {.sun_family = AF_UNIX}};
    (void)snprintf(address.local.sun_path, sizeof address.local.sun_path, "%s",
                   path);
    int number = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(number >= 0);
    int result = connect(number, &address.any, sizeof address.local);
    assert_int_equal(close(number), 0);
    return result;
}

static void only_the_user_may_connect_whatever_the_umask(void **state)
{
    const struct place *place = *state;
    struct listener listener;
    mode_t before = umask(0);
    assert_int_equal(listener_unix(place->path, &listener, NULL), STATUS_OK);
    (void)umask(before);
    assert_int_equal(mode_of(place->path), S_IFSOCK | S_IRUSR | S_IWUSR);
    assert_int_equal(connect_to(place->path), 0);
    assert_int_equal(listener.port, 0);
    listener_release(&listener);
    assert_int_equal(mode_of(place->path), 0);
}

static void a_socket_left_over_is_replaced(void **state)
{
    const struct place *place = *state;
    struct listener listener;
    assert_int_equal(listener_unix(place->path, &listener, NULL), STATUS_OK);
    assert_int_equal(close(listener.socket), 0); /* as kill -9 does */
    free(listener.path);
    assert_int_equal(connect_to(place->path), -1);
    assert_int_equal(listener_unix(place->path, &listener, NULL), STATUS_OK);
    assert_int_equal(connect_to(place->path), 0);
    listener_release(&listener);
}

static void a_socket_in_use_is_left_alone(void **state)
{
    const struct place *place = *state;
    struct listener first;
    struct listener second;
    struct error err = {0};
    assert_int_equal(listener_unix(place->path, &first, NULL), STATUS_OK);
    assert_int_equal(listener_unix(place->path, &second, &err), STATUS_IO);
    assert_non_null(strstr(err.detail, "Address already in use"));
    assert_int_equal(connect_to(place->path), 0);
    listener_release(&second); /* as after any error: nothing to do */
    assert_int_equal(connect_to(place->path), 0);
    listener_release(&first);
}

static void a_file_is_left_alone(void **state)
{
    const struct place *place = *state;
    struct listener listener;
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(listener_unix(place->path, &listener, NULL), STATUS_IO);
    assert_true(S_ISREG(mode_of(place->path)));
    assert_int_equal(unlink(place->path), 0);
}

static void what_took_the_place_of_the_socket_is_left_alone(void **state)
{
    const struct place *place = *state;
    struct listener first;
    struct listener second;
    assert_int_equal(listener_unix(place->path, &first, NULL), STATUS_OK);
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(listener_unix(place->path, &second, NULL), STATUS_OK);
    listener_release(&first);
    assert_int_equal(connect_to(place->path), 0);
    listener_release(&second);
}

static void a_bad_path_is_reported(void **state)
{
    const struct place *place = *state;
    struct listener listener;
    struct error err = {0};
    char path[200];
    (void)snprintf(path, sizeof path, "%s/none/admin", place->folder);
    assert_int_equal(listener_unix(path, &listener, &err), STATUS_IO);
    assert_non_null(strstr(err.detail, strerror(ENOENT)));
    assert_non_null(strstr(err.detail, path));
    (void)snprintf(path, sizeof path, "%s/%0110d", place->folder, 0);
    assert_int_equal(listener_unix(path, &listener, &err), STATUS_INVALID);
    assert_non_null(strstr(err.detail, "longer than 107"));
    assert_int_equal(listener.socket, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            only_the_user_may_connect_whatever_the_umask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_socket_left_over_is_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_socket_in_use_is_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_took_the_place_of_the_socket_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_path_is_reported, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
