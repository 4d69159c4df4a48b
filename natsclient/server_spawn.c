#include "natsclient/server_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char DISTRIBUTION_PATH[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static bool is_program(const char *path)
{
    struct stat stat_;
    return stat(path, &stat_) == 0 && S_ISREG(stat_.st_mode) &&
           access(path, X_OK) == 0;
}

/* Looks for name in a list of directories; an empty one is the current. */
static bool find_in(const char *path, const char *name, char *out,
                    size_t capacity)
{
    for (const char *start = path; start != NULL;) {
        size_t size = strcspn(start, ":");
        int wrote =
            snprintf(out, capacity, "%.*s/%s", size == 0 ? 1 : (int)size,
                     size == 0 ? "." : start, name);
        if (wrote > 0 && (size_t)wrote < capacity && is_program(out))
            return true;
        start = start[size] == ':' ? start + size + 1 : NULL;
    }
    return false;
}

enum status server_find(const char *binary, char *out, size_t capacity,
                        struct error *err)
{
    if (binary == NULL || binary[0] == '\0')
        binary = getenv("NATS_SERVER_BIN");
    if (binary == NULL || binary[0] == '\0')
        binary = "nats-server";
    bool found = false;
    if (strchr(binary, '/') != NULL) {
        int wrote = snprintf(out, capacity, "%s", binary);
        found = wrote > 0 && (size_t)wrote < capacity && is_program(out);
    } else {
        const char *path = getenv("PATH");
        found = (path != NULL && find_in(path, binary, out, capacity)) ||
                find_in(DISTRIBUTION_PATH, binary, out, capacity);
    }
    if (found)
        return STATUS_OK;
    return fail(err, STATUS_NOT_FOUND,
                "no program %.60s found: install nats-server (2.9 or later), "
                "or give its path with --nats_server_bin, or attach to a "
                "running one with -ns",
                binary);
}

enum { CONFIG_FILENO = STDERR_FILENO + 1 }; /* see SERVER_CONFIG_PATH */

/* fd as number, open over exec. */
static bool give(int fd, int number)
{
    if (fd == number)
        return fcntl(fd, F_SETFD, 0) == 0;
    return dup2(fd, number) >= 0;
}

/* The child, between fork and exec: only calls that are safe in a handler of
 * signals, as another thread may have held any lock. */
_Noreturn static void run_child(char *const argv[], pid_t parent,
                                const int fds[3], int config)
{
    static const char TEXT[] = "[ERR] nats-server cannot be executed\n";
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* what is ignored stays so over exec */
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0); /* Ctrl-C is for streamd alone */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(1); /* the parent ended before it was asked to tell */
    if (dup2(fds[0], STDIN_FILENO) < 0 || dup2(fds[2], STDOUT_FILENO) < 0 ||
        dup2(fds[2], STDERR_FILENO) < 0 ||
        (config >= 0 && !give(config, CONFIG_FILENO)))
        _exit(1);
    /* Not every library marks its sockets close-on-exec. */
    (void)close_range(config >= 0 ? CONFIG_FILENO + 1 : CONFIG_FILENO, UINT_MAX,
                      0);
    (void)execv(argv[0], argv);
    (void)!write(STDERR_FILENO, TEXT, sizeof TEXT - 1);
    _exit(127);
}

/* A duplicate that is none of 0, 1 and 2, which dup2() will overwrite. */
static int above_standard(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return high;
}

static void close_all(int fds[3])
{
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
}

/* fds: /dev/null, the pipe's read end, its write end. */
static bool open_all(int fds[3])
{
    int pipes[2];
    fds[0] = fds[1] = fds[2] = -1;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0)
        return false;
    fds[0] = above_standard(null);
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    fds[1] = above_standard(pipes[0]);
    fds[2] = above_standard(pipes[1]);
    return fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0;
}

static enum status spawn_failed(const char *path, struct error *err)
{
    char reason[128];
    return fail(err, STATUS_IO, "start %s: %s", path,
                strerror_r(errno, reason, sizeof reason));
}

enum status server_spawn(char *const argv[], int config, pid_t *pid, int *pidfd,
                         int *output, struct error *err)
{
    int fds[3];
    pid_t child = -1;
    pid_t parent = getpid();
    if (open_all(fds))
        child = fork();
    if (child == 0)
        run_child(argv, parent, fds, config);
    int watch = child > 0 ? pidfd_open(child, 0) : -1;
    if (watch < 0) {
        enum status status = spawn_failed(argv[0], err);
        if (child > 0)
            (void)kill(child, SIGKILL);
        if (child > 0)
            (void)waitpid(child, NULL, 0);
        close_all(fds);
        return status;
    }
    (void)close(fds[0]);
    (void)close(fds[2]);
    *pid = child;
    *pidfd = watch;
    *output = fds[1];
    return STATUS_OK;
}
