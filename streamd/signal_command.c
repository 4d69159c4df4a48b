#include "streamd/signal_command.h"

#include "streamd/base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PID_TEXT_MAX = 4096, /* a path, or what the file there holds */
    PROCESSES_MAX = 1024,
    LIMIT_DIGITS = 10, /* of a process id */
};

static const struct {
    const char *command;
    int number;
} commands[] = {
    {"stop", SIGKILL},   {"quit", SIGINT},   {"term", SIGTERM},
    {"reopen", SIGUSR1}, {"reload", SIGHUP}, {"ldm", SIGUSR2},
};

/* The signal, or 0. */
static int command_number(const char *command, size_t size)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strlen(commands[i].command) == size &&
            memcmp(commands[i].command, command, size) == 0)
            return commands[i].number;
    }
    return 0;
}

/* ---- a process id that was given ---- */

/* The content of the file of that name, or else the text itself; blanks at
 * the end are nothing. */
static void read_pid_text(const char *given, char out[PID_TEXT_MAX])
{
    ssize_t size = -1;
    int fd = open(given, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        size = read(fd, out, PID_TEXT_MAX - 1);
        (void)close(fd);
    }
    if (size < 0)
        size = snprintf(out, PID_TEXT_MAX, "%s", given);
    if (size >= PID_TEXT_MAX)
        size = PID_TEXT_MAX - 1;
    while (size > 0 && isspace((unsigned char)out[size - 1]))
        size--;
    out[size] = '\0';
}

/* 0 if text is no process id: 0 and negative ones would be whole groups. */
static pid_t pid_parse(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > LIMIT_DIGITS || strspn(text, "0123456789") != size)
        return 0;
    long value = strtol(text, NULL, 10);
    return value <= INT_MAX ? (pid_t)value : 0;
}

static pid_t pid_given(const char *given, FILE *err)
{
    char text[PID_TEXT_MAX];
    read_pid_text(given, text);
    pid_t pid = pid_parse(text);
    if (pid != 0)
        return pid;
    (void)fputs("invalid pid: ", err);
    for (const char *at = text; *at != '\0'; at++)
        (void)fputc(iscntrl((unsigned char)*at) ? '?' : *at, err);
    (void)fputc('\n', err);
    return 0;
}

/* ---- or is to be found ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool same_executable(const char *process, const struct stat *ours)
{
    char path[64];
    struct stat other;
    (void)snprintf(path, sizeof path, "/proc/%.20s/exe", process);
    return stat(path, &other) == 0 && other.st_dev == ours->st_dev &&
           other.st_ino == ours->st_ino;
}

/* Holds for a server of another user, and after its file was replaced. */
static bool same_name(const char *process, const char *name)
{
    char path[64];
    char command[PATH_MAX];
    (void)snprintf(path, sizeof path, "/proc/%.20s/cmdline", process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, command, sizeof command - 1);
    (void)close(fd);
    if (size <= 0)
        return false;
    command[size] = '\0';
    return strcmp(base_name(command), name) == 0;
}

struct found {
    pid_t pids[PROCESSES_MAX];
    int count;
};

static bool search(const char *name, struct found *found)
{
    struct stat ours;
    DIR *processes = opendir("/proc");
    found->count = 0;
    if (processes == NULL)
        return false;
    bool done = stat("/proc/self/exe", &ours) == 0;
    const struct dirent *entry;
    while (done && found->count < PROCESSES_MAX &&
           /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread yet */
           (entry = readdir(processes)) != NULL) {
        pid_t pid = pid_parse(entry->d_name);
        if (pid != 0 && pid != getpid() &&
            (same_executable(entry->d_name, &ours) ||
             same_name(entry->d_name, name)))
            found->pids[found->count++] = pid;
    }
    (void)closedir(processes);
    return done;
}

static pid_t pid_found(const char *program, FILE *err)
{
    struct found found;
    if (!search(base_name(program), &found)) {
        (void)fputs("unable to resolve pid, try providing one\n", err);
        return 0;
    }
    if (found.count == 1)
        return found.pids[0];
    if (found.count == 0) {
        (void)fputs("no nats-streaming-server processes running\n", err);
        return 0;
    }
    (void)fputs("multiple nats-streaming-server processes running:\n", err);
    for (int i = 0; i < found.count; i++)
        (void)fprintf(err, "%ld\n", (long)found.pids[i]);
    return 0;
}

/* ---- */

/* "[b c]" of "b=c", as Go prints a list. */
static int refuse_rest(const char *rest, FILE *err)
{
    (void)fputs("invalid signal parameters: [", err);
    for (; *rest != '\0'; rest++)
        (void)fputc(*rest == '=' ? ' ' : *rest, err);
    (void)fputs("]\n", err);
    return 1;
}

/* Go's texts of system errors begin with a small letter. */
static int refuse_kill(int code, FILE *err)
{
    char reason[128];
    const char *text = strerror_r(code, reason, sizeof reason);
    (void)fprintf(err, "%c%s\n", tolower((unsigned char)text[0]), text + 1);
    return 1;
}

int signal_command(const char *parameter, const char *program, FILE *err)
{
    size_t size = strcspn(parameter, "=");
    const char *given = parameter[size] == '=' ? parameter + size + 1 : NULL;
    const char *rest = given == NULL ? NULL : strchr(given, '=');
    if (rest != NULL)
        return refuse_rest(rest + 1, err);
    int number = command_number(parameter, size);
    if (number == 0) {
        char quoted[TEXT_QUOTED_MAX];
        (void)fprintf(err, "unknown signal %s\n",
                      text_quote(bytes_of(parameter, size), quoted));
        return 1;
    }
    pid_t pid = given == NULL ? pid_found(program, err) : pid_given(given, err);
    if (pid == 0)
        return 1;
    return kill(pid, number) == 0 ? 0 : refuse_kill(errno, err);
}
