#include "streamd/supervisor.h"

#include "streamd/base/clock.h"
#include "streamd/base/duration.h"

enum { FAILURES_MAX = 10, LOOK_MS = 20 };
#define DELAY_FIRST (250 * CLOCK_MILLISECOND)
#define DELAY_MOST (5 * CLOCK_SECOND)
#define READY_WITHIN (10 * CLOCK_SECOND)
#define STEADY_AFTER (5 * CLOCK_SECOND) /* what comes then is not in a row */

void supervisor_init(struct supervisor *supervisor,
                     const struct supervised *process, struct log *log,
                     int64_t now)
{
    *supervisor =
        (struct supervisor){.process = *process, .log = log, .since = now};
}

static int64_t delay_after(int failures)
{
    int64_t delay = DELAY_FIRST;
    for (int i = 1; i < failures && delay < DELAY_MOST; i++)
        delay *= 2;
    return delay < DELAY_MOST ? delay : DELAY_MOST;
}

/* The process does not run, for this reason. */
static bool failed(struct supervisor *supervisor, const char *reason,
                   int64_t now)
{
    char text[DURATION_TEXT_MAX];
    supervisor->failures++;
    if (supervisor->failures >= FAILURES_MAX) {
        log_fatal(supervisor->log,
                  "The embedded NATS server has ended %d times in a row: %s",
                  supervisor->failures, reason);
        return false;
    }
    int64_t delay = delay_after(supervisor->failures);
    duration_format(delay, text);
    log_error(supervisor->log,
              "The embedded NATS server has ended: %s; starting it again in "
              "%s",
              reason, text);
    supervisor->state = SUPERVISOR_WAITING;
    supervisor->due = now + delay;
    return true;
}

static bool restart(struct supervisor *supervisor, int64_t now)
{
    struct error err = {0};
    const struct supervised *process = &supervisor->process;
    if (now < supervisor->due)
        return true;
    if (process->restart(process->context, &err) != STATUS_OK)
        return failed(supervisor, err.detail, now);
    supervisor->state = SUPERVISOR_STARTING;
    supervisor->since = now;
    return true;
}

static void look(struct supervisor *supervisor, int64_t now)
{
    const struct supervised *process = &supervisor->process;
    if (process->ready(process->context)) {
        log_info(supervisor->log, "The embedded NATS server runs again");
        supervisor->state = SUPERVISOR_RUNNING;
        supervisor->since = now;
    } else if (now - supervisor->since > READY_WITHIN) {
        process->kill(process->context); /* its end is the next thing seen */
    }
}

bool supervisor_turn(struct supervisor *supervisor, int64_t now)
{
    struct error err = {0};
    const struct supervised *process = &supervisor->process;
    if (supervisor->state == SUPERVISOR_WAITING)
        return restart(supervisor, now);
    if (process->ended(process->context, &err)) {
        if (supervisor->state == SUPERVISOR_RUNNING &&
            now - supervisor->since >= STEADY_AFTER)
            supervisor->failures = 0;
        return failed(supervisor, err.detail, now);
    }
    if (supervisor->state == SUPERVISOR_STARTING)
        look(supervisor, now);
    return true;
}

int supervisor_wait(const struct supervisor *supervisor, int64_t now)
{
    if (supervisor->state == SUPERVISOR_RUNNING)
        return -1;
    if (supervisor->state == SUPERVISOR_STARTING)
        return LOOK_MS;
    int64_t left = supervisor->due - now;
    return left <= 0 ? 0 : (int)(left / CLOCK_MILLISECOND) + 1;
}
