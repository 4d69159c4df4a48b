#include "natsclient/server_files.h"
#include "natsclient/server_log.h"
#include "natsclient/server_process.h"
#include "natsclient/server_spawn.h"
#include "streamd/base/clock.h"
#include "tests/support/nats_server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Stands before libc's. The only global of this program. */
static bool no_files_in_memory;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int memfd_create(const char *name, unsigned flags)
{
    if (no_files_in_memory) {
        errno = ENOSYS;
        return -1;
    }
    return (int)syscall(SYS_memfd_create, name, flags);
}

struct fixture {
    char directory[64]; /* $TMPDIR; what is left in it is a leak */
    char log_path[80];
    struct log *log;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->directory, sizeof f->directory,
                   "/tmp/test_server_process-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->log_path, sizeof f->log_path, "%s.log", f->directory);
    struct log_options options = {.file = f->log_path};
    assert_int_equal(log_new(&options, &f->log, NULL), STATUS_OK);
    assert_int_equal(setenv("TMPDIR", f->directory, 1), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    log_free(f->log);
    (void)unlink(f->log_path);
    assert_int_equal(rmdir(f->directory), 0); /* nothing leaked */
    free(f);
    return 0;
}

static bool directory_is_empty(const struct fixture *f)
{
    DIR *directory = opendir(f->directory);
    assert_non_null(directory);
    int count = 0;
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count == 2; /* . and .. */
}

static bool log_contains(const struct fixture *f, const char *text)
{
    static char content[1 << 16];
    int fd = open(f->log_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t size = read(fd, content, sizeof content - 1);
    (void)close(fd);
    assert_true(size >= 0);
    content[size] = '\0';
    return strstr(content, text) != NULL;
}

static bool port_listens(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool listens =
        connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return listens;
}

static struct server_process *start(const struct fixture *f, int port)
{
    const struct server_process_options options = {
        .host = "127.0.0.1",
        .port = port,
        .log = f->log,
    };
    struct server_process *process = NULL;
    struct error err = {0};
    if (server_process_start(&options, &process, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    return process;
}

static void starts_on_a_free_port_and_leaves_no_files(void **state)
{
    const struct fixture *f = *state;
    struct server_process *process = start(f, -1);
    int port = server_process_port(process);
    char url[64];
    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    assert_string_equal(server_process_url(process), url);
    assert_string_equal(server_process_host(process), "127.0.0.1");
    assert_true(port_listens(port));
    const char *monitor = server_process_monitor_url(process);
    assert_memory_equal(monitor, "http://127.0.0.1:", 17);
    assert_true(port_listens(ports_url_port(monitor)));
    assert_true(directory_is_empty(f)); /* kill -9 from here on is clean */
    assert_false(server_process_ended(process, NULL));
    server_process_stop(process);
    assert_false(port_listens(port));
    assert_true(log_contains(f, "[INF] Server is ready\n"));
    assert_true(log_contains(f, "[INF] Server Exiting..\n"));
    assert_false(log_contains(f, "STREAM"));
    assert_false(log_contains(f, "[ERR]"));
    assert_false(log_contains(f, "[DBG]"));
}

static void without_files_in_memory_one_without_a_name_does(void **state)
{
    const struct fixture *f = *state;
    no_files_in_memory = true;
    struct server_process *process = start(f, -1);
    no_files_in_memory = false;
    assert_true(port_listens(server_process_port(process)));
    assert_true(directory_is_empty(f));
    server_process_stop(process);
}

static void the_first_directory_that_can_be_written_is_taken(void **state)
{
    const struct fixture *f = *state;
    struct server_files files;
    assert_int_equal(setenv("TMPDIR", "/nonexistent/place", 1), 0);
    assert_int_equal(server_files_init(&files, f->directory, NULL), STATUS_OK);
    assert_int_equal(server_files_again(&files, NULL), STATUS_OK);
    assert_memory_equal(files.directory, "/tmp/streamd-nats-", 18);
    struct stat info;
    assert_int_equal(stat(files.directory, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    server_files_release(&files);
    assert_int_not_equal(stat(files.directory, &info), 0);
}

static void any_host_is_reached_by_loopback(void **state)
{
    const struct fixture *f = *state;
    const struct server_process_options options = {
        .port = -1, .config = bytes_text("debug: true\n"), .log = f->log};
    struct server_process *process = NULL;
    assert_int_equal(server_process_start(&options, &process, NULL), STATUS_OK);
    assert_string_equal(server_process_host(process), "0.0.0.0");
    assert_memory_equal(server_process_url(process), "nats://127.0.0.1:", 17);
    assert_true(port_listens(server_process_port(process)));
    server_process_stop(process);
    assert_true(log_contains(f, "[DBG] "));
}

static void a_taken_port_is_an_error_though_it_answers(void **state)
{
    const struct fixture *f = *state;
    struct nats_server other = {0};
    nats_server_start(&other, 0, NULL);
    const struct server_process_options options = {
        .host = "127.0.0.1", .port = other.port, .log = f->log};
    struct server_process *process = NULL;
    struct error err = {0};
    assert_int_equal(server_process_start(&options, &process, &err),
                     STATUS_UNAVAILABLE);
    assert_null(process);
    char text[80];
    (void)snprintf(text, sizeof text,
                   "unable to start a NATS Server on 127.0.0.1:%d", other.port);
    assert_string_equal(err.detail, text);
    assert_true(log_contains(f, "[FTL] Error listening on port"));
    assert_true(directory_is_empty(f));
    nats_server_kill(&other);
}

static void a_missing_program_is_told_with_the_ways_out(void **state)
{
    const struct fixture *f = *state;
    const struct server_process_options options = {
        .binary = "/nonexistent/nats-server", .port = -1, .log = f->log};
    struct server_process *process = NULL;
    struct error err = {0};
    assert_int_equal(server_process_start(&options, &process, &err),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(err.detail, "install nats-server"));
    assert_non_null(strstr(err.detail, "--nats_server_bin"));
    assert_non_null(strstr(err.detail, "-ns"));
    assert_true(directory_is_empty(f));
}

static void a_program_that_is_none_is_unavailable(void **state)
{
    const struct fixture *f = *state;
    const struct server_process_options options = {
        .binary = "/bin/false", .host = "h", .port = 1, .log = f->log};
    struct server_process *process = NULL;
    struct error err = {0};
    assert_int_equal(server_process_start(&options, &process, &err),
                     STATUS_UNAVAILABLE);
    assert_string_equal(err.detail, "unable to start a NATS Server on h:1");
}

static void bad_hosts_and_ports_are_refused(void **state)
{
    const struct fixture *f = *state;
    static char long_host[1000];
    memset(long_host, 'h', sizeof long_host - 1);
    const struct {
        const char *host;
        int port;
    } rows[] = {{"h\nport: 1", 4222},
                {long_host, 4222},
                {"h", 0},
                {"h", -2},
                {"h", 65536}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct server_process_options options = {
            .host = rows[i].host, .port = rows[i].port, .log = f->log};
        struct server_process *process = NULL;
        assert_int_equal(server_process_start(&options, &process, NULL),
                         STATUS_INVALID);
    }
    /* Quoted, so that it is a host that does not exist and nothing else. */
    const struct server_process_options options = {
        .host = "x\" http_port: 1 a: \"\\$HOME", .port = -1, .log = f->log};
    struct server_process *process = NULL;
    assert_int_equal(server_process_start(&options, &process, NULL),
                     STATUS_UNAVAILABLE);
    assert_true(log_contains(f, "http_port: 1 a: \"\\$HOME"));
}

static void an_end_by_itself_is_seen(void **state)
{
    const struct fixture *f = *state;
    struct server_process *process = start(f, -1);
    struct pollfd pollfd = {.fd = server_process_descriptor(process),
                            .events = POLLIN};
    assert_int_equal(poll(&pollfd, 1, 0), 0);
    assert_int_equal(pidfd_send_signal(pollfd.fd, SIGKILL, NULL, 0), 0);
    assert_int_equal(poll(&pollfd, 1, 10000), 1);
    struct error err = {0};
    assert_true(server_process_ended(process, &err));
    assert_string_equal(err.detail, "nats-server was ended by signal 9");
    assert_true(server_process_ended(process, &err)); /* still */
    server_process_stop(process);
}

static void wait_log(const struct fixture *f, const char *text)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    int64_t until = clock_monotonic(&clock_system) + 30 * CLOCK_SECOND;
    while (!log_contains(f, text)) {
        assert_true(clock_monotonic(&clock_system) < until);
        (void)nanosleep(&moment, NULL);
    }
}

static void another_child_takes_the_same_ports(void **state)
{
    const struct fixture *f = *state;
    const struct timespec moment = {.tv_nsec = 5000000};
    struct server_process *process = start(f, -1);
    int port = server_process_port(process);
    char monitor[64];
    (void)snprintf(monitor, sizeof monitor, "%s",
                   server_process_monitor_url(process));
    for (int i = 0; i < 2; i++) {
        server_process_kill(process);
        struct pollfd pollfd = {.fd = server_process_descriptor(process),
                                .events = POLLIN};
        assert_int_equal(poll(&pollfd, 1, 30000), 1);
        assert_true(server_process_ended(process, NULL));
        assert_int_equal(server_process_restart(process, NULL), STATUS_OK);
        while (!server_process_ready(process)) {
            assert_false(server_process_ended(process, NULL));
            (void)nanosleep(&moment, NULL);
        }
        assert_int_equal(server_process_port(process), port);
        assert_string_equal(server_process_monitor_url(process), monitor);
        assert_true(port_listens(port));
        assert_true(port_listens(ports_url_port(monitor)));
        assert_true(directory_is_empty(f));
    }
    server_process_stop(process);
}

static void a_new_configuration_is_taken_over(void **state)
{
    const struct fixture *f = *state;
    struct server_process *process = start(f, -1);
    assert_int_equal(
        server_process_reload(process, bytes_text("debug: true\n"), NULL),
        STATUS_OK);
    wait_log(f, "[INF] Reloaded: debug = true\n");
    assert_int_equal(
        server_process_reload(process, bytes_text("bogus: true\n"), NULL),
        STATUS_OK);
    wait_log(f, "unknown field \"bogus\"");
    assert_false(log_contains(f, "not supported"));
    server_process_stop(process);
}

static void a_frozen_child_is_killed_after_5_s(void **state)
{
    const struct fixture *f = *state;
    struct server_process *process = start(f, -1);
    int port = server_process_port(process);
    int pidfd = server_process_descriptor(process);
    assert_int_equal(pidfd_send_signal(pidfd, SIGSTOP, NULL, 0), 0);
    int64_t begin = clock_monotonic(&clock_system);
    server_process_stop(process);
    assert_true(clock_monotonic(&clock_system) - begin < 8 * CLOCK_SECOND);
    assert_false(port_listens(port));
}

/* The whole life of a streamd that is killed as soon as it is up. */
static void run_parent(const struct fixture *f, int tell)
{
    const struct server_process_options options = {
        .host = "127.0.0.1", .port = -1, .log = f->log};
    struct server_process *process = NULL;
    if (server_process_start(&options, &process, NULL) != STATUS_OK)
        _exit(1);
    int port = server_process_port(process);
    if (write(tell, &port, sizeof port) != sizeof port)
        _exit(1);
    (void)pause();
    _exit(0);
}

static void the_child_does_not_outlive_a_killed_parent(void **state)
{
    const struct fixture *f = *state;
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0)
        run_parent(f, pipes[1]);
    int port = 0;
    assert_int_equal(read(pipes[0], &port, sizeof port), sizeof port);
    assert_true(port_listens(port));
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    /* The orphan is handed to us, the subreaper: it has to end by itself. */
    assert_true(waitpid(-1, NULL, 0) > 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    assert_false(port_listens(port));
    assert_true(directory_is_empty(f));
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

static void the_program_is_found_without_PATH(void **state)
{
    (void)state;
    char path[SERVER_PATH_MAX];
    const char *old = getenv("PATH");
    char *saved = strdup(old != NULL ? old : "/bin");
    assert_non_null(saved);
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    assert_int_equal(server_find(NULL, path, sizeof path, NULL), STATUS_OK);
    assert_non_null(strstr(path, "/nats-server"));
    assert_int_equal(server_find("no-such-program", path, sizeof path, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(server_find("/tmp", path, sizeof path, NULL),
                     STATUS_NOT_FOUND); /* a directory is no program */
    assert_int_equal(setenv("NATS_SERVER_BIN", "/bin/true", 1), 0);
    assert_int_equal(server_find(NULL, path, sizeof path, NULL), STATUS_OK);
    assert_string_equal(path, "/bin/true");
    assert_int_equal(unsetenv("NATS_SERVER_BIN"), 0);
    assert_int_equal(setenv("PATH", saved, 1), 0);
    free(saved);
}

static void the_version_is_asked_of_the_program(void **state)
{
    (void)state;
    char version[64];
    assert_true(server_process_version(NULL, version, sizeof version));
    assert_memory_equal(version, "nats-server: v2.", 16);
    assert_false(server_process_version("/bin/true", version, 64));
    assert_false(server_process_version("/bin/echo", version, 64));
    assert_false(server_process_version("/nonexistent", version, 64));
}

static void a_line_is_cut_to_level_and_text(void **state)
{
    (void)state;
    const struct {
        const char *line;
        enum log_level level;
        const char *text;
    } rows[] = {
        {"[12] [INF] a", LOG_LEVEL_INFO, "a"},
        {"[12] [WRN] a [ERR] b", LOG_LEVEL_WARN, "a [ERR] b"},
        {"[12] [ERR] ", LOG_LEVEL_ERROR, ""},
        {"[1] [FTL] x", LOG_LEVEL_FATAL, "x"},
        {"[1] [DBG] x", LOG_LEVEL_DEBUG, "x"},
        {"[TRC] x", LOG_LEVEL_TRACE, "x"},
        {"panic: x", LOG_LEVEL_ERROR, "panic: x"},
        {"[] [INF] x", LOG_LEVEL_ERROR, "[] [INF] x"},
        {"[1", LOG_LEVEL_ERROR, "[1"},
        {"[1]", LOG_LEVEL_ERROR, "[1]"},
        {"[1] ", LOG_LEVEL_ERROR, "[1] "},
        {"", LOG_LEVEL_ERROR, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *line = rows[i].line;
        size_t size = strlen(line);
        assert_int_equal(server_line_level(&line, &size), rows[i].level);
        assert_int_equal(size, strlen(rows[i].text));
        assert_memory_equal(line, rows[i].text, size);
    }
}

static void a_long_line_is_cut_and_the_last_one_is_not_lost(void **state)
{
    const struct fixture *f = *state;
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    const struct server_log_options options = {
        .log = f->log,
        .descriptor = pipes[0],
        .hidden = "hide\nignore",
        .name = "nats.conf",
        .instead = "/proc/self/fd/3",
    };
    struct server_log *server_log = NULL;
    assert_int_equal(server_log_new(&options, &server_log, NULL), STATUS_OK);
    FILE *file = fdopen(pipes[1], "w");
    assert_non_null(file);
    (void)fprintf(file, "[1] [INF] %s", "long");
    for (int i = 0; i < 3 * SERVER_LINE_MAX; i++)
        (void)fputc(i > 2 * SERVER_LINE_MAX ? 'Y' : 'X', file);
    (void)fputs("\n[1] [ERR] hide me\n[1] [INF] ignore\n"
                "in /proc/self/fd/3:7: no\n[1] [WRN] last",
                file);
    assert_int_equal(fflush(file), 0);
    server_log_free(server_log); /* while the other end is open */
    (void)fclose(file);
    assert_true(log_contains(f, "[INF] longXXX"));
    assert_false(log_contains(f, "XY"));
    assert_false(log_contains(f, "hide"));
    assert_false(log_contains(f, "ignore"));
    assert_true(log_contains(f, "[ERR] in nats.conf:7: no\n"));
    assert_true(log_contains(f, "[WRN] last\n"));
}

static void a_ports_file_gives_the_first_client_port(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int port;
    } rows[] = {
        {"{\"nats\":[\"nats://127.0.0.1:4222\",\"nats://[::1]:1\"]}", 4222},
        {"{\n\t\"nats\": [\n\t\t\"tls://[::1]:65535\"\n\t]\n}", 65535},
        {"{\"nats\":[\"nats://127.0.0.1:4222\"", 0}, /* half written */
        {"{\"nats\":[\"nats://127.0.0.1:42", 0},
        {"{\"nats\":[\"nats://127.0.0.1:99999\"]}", 0},
        {"{\"nats\":[\"nats://127.0.0.1:\"]}", 0},
        {"{\"nats\":[\"nats://1\"]}", 0},
        {"{\"nats\":[]}", 0},
        {"{}", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(ports_text_port(rows[i].text), rows[i].port);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(starts_on_a_free_port_and_leaves_no_files),
        CASE(without_files_in_memory_one_without_a_name_does),
        CASE(the_first_directory_that_can_be_written_is_taken),
        CASE(any_host_is_reached_by_loopback),
        CASE(a_taken_port_is_an_error_though_it_answers),
        CASE(a_missing_program_is_told_with_the_ways_out),
        CASE(a_program_that_is_none_is_unavailable),
        CASE(bad_hosts_and_ports_are_refused),
        CASE(an_end_by_itself_is_seen),
        CASE(another_child_takes_the_same_ports),
        CASE(a_new_configuration_is_taken_over),
        CASE(a_frozen_child_is_killed_after_5_s),
        CASE(the_child_does_not_outlive_a_killed_parent),
        CASE(the_program_is_found_without_PATH),
        CASE(the_version_is_asked_of_the_program),
        CASE(a_line_is_cut_to_level_and_text),
        CASE(a_long_line_is_cut_and_the_last_one_is_not_lost),
        CASE(a_ports_file_gives_the_first_client_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
