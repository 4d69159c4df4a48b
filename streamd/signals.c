#include "streamd/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const struct {
    int number;
    enum signals_event event;
} table[] = {
    {SIGINT, SIGNALS_INTERRUPT},
    {SIGTERM, SIGNALS_TERMINATE},
    {SIGUSR1, SIGNALS_REOPEN},
    {SIGHUP, SIGNALS_RELOAD},
};
enum { TABLE_SIZE = sizeof table / sizeof table[0] };

static int ignore(int number)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    return sigaction(number, &action, NULL);
}

enum status signals_open(int *descriptor, struct error *err)
{
    *descriptor = -1;
    /* The Go runtime swallows SIGUSR2; a peer that left is found by write. */
    if (ignore(SIGPIPE) != 0 || ignore(SIGUSR2) != 0)
        return fail(err, STATUS_IO, "signals: ignore: %s", strerror(errno));
    sigset_t set;
    (void)sigemptyset(&set);
    for (int i = 0; i < TABLE_SIZE; i++)
        (void)sigaddset(&set, table[i].number);
    int code = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (code != 0)
        return fail(err, STATUS_IO, "signals: block: %s", strerror(code));
    *descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (*descriptor < 0)
        return fail(err, STATUS_IO, "signals: signalfd: %s", strerror(errno));
    return STATUS_OK;
}

enum signals_event signals_next(int descriptor)
{
    struct signalfd_siginfo info;
    ssize_t size;
    do {
        size = read(descriptor, &info, sizeof info);
    } while (size < 0 && errno == EINTR);
    if (size != (ssize_t)sizeof info)
        return SIGNALS_NONE;
    for (int i = 0; i < TABLE_SIZE; i++) {
        if ((uint32_t)table[i].number == info.ssi_signo)
            return table[i].event;
    }
    return SIGNALS_NONE;
}
