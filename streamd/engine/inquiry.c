#include "streamd/engine/inquiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends it with result; the owner may start it anew from ended. */
static void end(struct inquiry *inquiry, enum inquiry_result result,
                struct bytes data)
{
    inquiry_cancel(inquiry);
    inquiry->ended(inquiry, result, data);
}

static void time_is_up(struct timer *timer, int64_t now)
{
    (void)now;
    end(timer->context, INQUIRY_TIMEOUT, bytes_of(NULL, 0));
}

static void nobody(struct timer *timer, int64_t now)
{
    (void)now;
    end(timer->context, INQUIRY_NOBODY, bytes_of(NULL, 0));
}

static bool send(struct engine *engine, const struct inquiry *inquiry,
                 const char *subject, struct bytes data)
{
    char reply[128];
    int length = snprintf(reply, sizeof reply, "%s.%" PRIx64,
                          text_string(&engine->reply_prefix), inquiry->id);
    if (length < 0 || (size_t)length >= sizeof reply)
        return false;
    const struct transport *transport = &engine->config.transport;
    return transport->publish(transport->context, subject, reply, data) ==
           STATUS_OK;
}

void inquiry_start(struct engine *engine, struct inquiry *inquiry,
                   const char *subject, struct bytes data, int64_t timeout)
{
    inquiry_cancel(inquiry);
    inquiry->engine = engine;
    inquiry->id = ++engine->last_inquiry;
    inquiry->timer.context = inquiry;
    bool sent = table_put(engine->inquiries, &inquiry->id, sizeof inquiry->id,
                          inquiry) &&
                send(engine, inquiry, subject, data);
    inquiry->timer.fire = sent ? time_is_up : nobody;
    if (timer_set(&engine->timers, &inquiry->timer,
                  engine->now + (sent ? timeout : 0), NULL) != STATUS_OK)
        abort(); /* without its timer the owner would wait for ever */
}

void inquiry_cancel(struct inquiry *inquiry)
{
    if (inquiry->id == 0)
        return;
    timer_clear(&inquiry->engine->timers, &inquiry->timer);
    (void)table_remove(inquiry->engine->inquiries, &inquiry->id,
                       sizeof inquiry->id);
    inquiry->id = 0;
}

void inquiry_answer(struct engine *engine,
                    const struct inbound_message *message)
{
    size_t prefix = engine->reply_prefix.size;
    if (strlen(message->subject) <= prefix + 1)
        return;
    const char *suffix = message->subject + prefix + 1;
    char *stop = NULL;
    uint64_t id = strtoull(suffix, &stop, 16);
    if (*stop != '\0')
        return;
    struct inquiry *inquiry = table_get(engine->inquiries, &id, sizeof id);
    if (inquiry != NULL) { /* else it came too late */
        end(inquiry, message->no_responders ? INQUIRY_NOBODY : INQUIRY_ANSWERED,
            message->data);
    }
}
