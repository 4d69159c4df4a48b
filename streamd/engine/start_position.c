#include "streamd/engine/start_position.h"

#include <inttypes.h>
#include <stdio.h>

/* now - delta, which may be any number. */
static int64_t start_time(int64_t now, int64_t delta)
{
    int64_t time = 0;
    if (__builtin_sub_overflow(now, delta, &time))
        return delta < 0 ? INT64_MAX : INT64_MIN;
    return time;
}

/* Messages that are in a batch still count: they came before the request. */
static bool find_by_time(const struct channel *channel, int64_t time,
                         uint64_t *last_sent)
{
    uint64_t first = channel->first == 0 ? 1 : channel->first;
    *last_sent = channel->last;
    if (channel->last == 0 || first > channel->last ||
        time > channel->last_timestamp)
        return true;
    if (channel->first_timestamp != 0 && time <= channel->first_timestamp) {
        *last_sent = first - 1;
        return true;
    }
    *last_sent = channel->durable;
    return false;
}

static uint64_t find_by_sequence(const struct channel *channel, uint64_t asked)
{
    if (asked < channel->first)
        return channel->first - 1;
    if (asked > channel->last)
        return channel->last;
    return asked > 0 ? asked - 1 : 0;
}

bool start_position_find(const struct channel *channel,
                         const struct subscription_request *request,
                         uint64_t *last_sent, int64_t *timestamp,
                         char text[START_TEXT_MAX])
{
    uint64_t last = channel->last;
    const char *what = "";
    switch (request->start_position) {
    case START_POSITION_LAST_RECEIVED:
        *last_sent = last > 0 ? last - 1 : 0;
        what = "last message";
        break;
    case START_POSITION_TIME_DELTA:
        *timestamp =
            start_time(channel->engine->wall, request->start_time_delta);
        if (!find_by_time(channel, *timestamp, last_sent))
            return false;
        (void)snprintf(text, START_TEXT_MAX,
                       ", sending from time time='%" PRId64 "' seq=%" PRIu64,
                       *timestamp, *last_sent + 1);
        return true;
    case START_POSITION_SEQUENCE:
        *last_sent = find_by_sequence(channel, request->start_sequence);
        (void)snprintf(text, START_TEXT_MAX,
                       ", sending from sequence, asked_seq=%" PRIu64
                       " actual_seq=%" PRIu64,
                       request->start_sequence, *last_sent + 1);
        return true;
    case START_POSITION_FIRST:
        *last_sent = channel->first > 0 ? channel->first - 1 : 0;
        what = "from beginning";
        break;
    default:
        *last_sent = last;
        what = "new-only";
        break;
    }
    (void)snprintf(text, START_TEXT_MAX, ", sending %s, seq=%" PRIu64, what,
                   *last_sent + 1);
    return true;
}
