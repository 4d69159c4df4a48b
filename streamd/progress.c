#include "streamd/progress.h"

#include "streamd/base/clock.h"

#include <inttypes.h>
#include <stdio.h>

static const int64_t tell_every = CLOCK_SECOND / 2;
static const int64_t log_every = 10 * CLOCK_SECOND;

enum { TEXT_MAX = 128 };

void progress_init(struct progress *progress, const struct notify *notify,
                   struct log *log, int64_t now)
{
    *progress = (struct progress){.notify = notify,
                                  .log = log,
                                  .tell_at = now,
                                  .log_at = now + log_every};
    notify_starting(notify, "STARTING: recovering the state");
}

int progress_step(struct progress *progress, uint64_t channels,
                  uint64_t messages, int64_t now)
{
    char text[TEXT_MAX];
    bool news =
        channels != progress->channels || messages != progress->messages;
    if (now >= progress->tell_at) {
        progress->tell_at = now + tell_every;
        if (news) {
            (void)snprintf(text, sizeof text,
                           "STARTING: recovering the state, %" PRIu64
                           " channels with %" PRIu64 " messages so far",
                           channels, messages);
            notify_starting(progress->notify, text);
        }
        progress->channels = channels;
        progress->messages = messages;
    }
    if (now >= progress->log_at) {
        progress->log_at = now + log_every;
        log_info(progress->log,
                 "Recovering the state: %" PRIu64 " channels with %" PRIu64
                 " messages so far",
                 channels, messages);
    }
    return (int)((progress->tell_at - now) / CLOCK_MILLISECOND) + 1;
}
