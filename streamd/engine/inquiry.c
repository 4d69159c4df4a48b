#include "streamd/engine/inquiry.h"

#include <assert.h>
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

/* Whether the request, or its answer, may have been lost on our side. */
static bool is_unknown(const struct inquiry *inquiry)
{
    const struct engine *engine = inquiry->engine;
    const struct transport *transport = &engine->config.transport;
    return !inquiry->sent || inquiry->connected != engine->connected ||
           !transport->is_up(transport->context);
}

static void time_is_up(struct timer *timer, int64_t now)
{
    (void)now;
    struct inquiry *inquiry = timer->context;
    end(inquiry, is_unknown(inquiry) ? INQUIRY_UNKNOWN : INQUIRY_TIMEOUT,
        bytes_of(NULL, 0));
}

static void nobody(struct timer *timer, int64_t now)
{
    (void)now;
    end(timer->context, INQUIRY_NOBODY, bytes_of(NULL, 0));
}

static enum status send(struct engine *engine, const struct inquiry *inquiry,
                        const char *subject, struct bytes data)
{
    char reply[128];
    int length = snprintf(reply, sizeof reply, "%s.%" PRIx64,
                          text_string(&engine->reply_prefix), inquiry->id);
    if (length < 0 || (size_t)length >= sizeof reply)
        return STATUS_INVALID;
    const struct transport *transport = &engine->config.transport;
    return transport->publish(transport->context, subject, reply, data);
}

void inquiry_start(struct engine *engine, struct inquiry *inquiry,
                   const char *subject, struct bytes data, int64_t timeout)
{
    inquiry_cancel(inquiry);
    inquiry->engine = engine;
    inquiry->id = ++engine->last_inquiry;
    inquiry->connected = engine->connected;
    inquiry->again = false;
    inquiry->timer.context = inquiry;
    enum status status = STATUS_NO_MEMORY;
    if (table_put(engine->inquiries, &inquiry->id, sizeof inquiry->id, inquiry))
        status = send(engine, inquiry, subject, data);
    inquiry->sent = status == STATUS_OK;
    bool impossible = status == STATUS_INVALID;
    inquiry->timer.fire = impossible ? nobody : time_is_up;
    timer_set(&engine->timers, &inquiry->timer,
              engine->now + (impossible ? 0 : timeout));
}

void inquiry_again(struct engine *engine, struct inquiry *inquiry,
                   const char *subject, struct bytes data)
{
    assert(inquiry_is_under_way(inquiry));
    if (inquiry->again)
        return;
    inquiry->again = true;
    (void)send(engine, inquiry, subject, data);
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
