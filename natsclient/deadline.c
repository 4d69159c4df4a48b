#include "natsclient/deadline.h"

#include "streamd/base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AGAIN_AFTER (50 * CLOCK_MILLISECOND)

/* shutdown() may be called by a handler of signals. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    int error = errno;
    if (info->si_code == SI_TIMER && info->si_value.sival_int >= 0)
        (void)shutdown(info->si_value.sival_int, SHUT_RDWR);
    errno = error;
}

enum status deadline_init(struct deadline *deadline, int socket,
                          struct error *err)
{
    *deadline = (struct deadline){0};
    /* Without SA_RESTART, so that a read is broken off. */
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO};
    if (sigaction(DEADLINE_SIGNAL, &action, NULL) != 0)
        return fail(err, STATUS_IO, "deadline: signal: %s", strerror(errno));
    struct sigevent event = {
        .sigev_value = {.sival_int = socket},
        .sigev_signo = DEADLINE_SIGNAL,
        .sigev_notify = SIGEV_THREAD_ID,
    };
    event._sigev_un._tid = gettid();
    if (timer_create(CLOCK_MONOTONIC, &event, &deadline->timer) != 0)
        return fail(err, STATUS_IO, "deadline: timer: %s", strerror(errno));
    deadline->made = true;
    return STATUS_OK;
}

void deadline_release(struct deadline *deadline)
{
    if (deadline->made)
        (void)timer_delete(deadline->timer);
    deadline->made = false;
}

static struct timespec time_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / CLOCK_SECOND,
                             .tv_nsec = ns % CLOCK_SECOND};
}

void deadline_arm(const struct deadline *deadline, int64_t wait)
{
    const struct itimerspec when = {.it_value = time_of(wait),
                                    .it_interval = time_of(AGAIN_AFTER)};
    if (deadline->made)
        (void)timer_settime(deadline->timer, 0, &when, NULL);
}

void deadline_disarm(const struct deadline *deadline)
{
    const struct itimerspec never = {0};
    if (deadline->made)
        (void)timer_settime(deadline->timer, 0, &never, NULL);
}
