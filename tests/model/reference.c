#include "tests/model/reference.h"

#include "streamd/base/clock.h"
#include "tests/support/engine_messages.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void model_broken(const struct model *model, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "SEED=%" PRIu64 " step %d: ", model->seed,
                  model->step);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    abort();
}

void model_trace(const struct model *model, const char *format, ...)
{
    va_list arguments;
    if (!model->trace)
        return;
    va_start(arguments, format);
    (void)fprintf(stderr, "%d: ", model->step);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
}

const char *model_client(int client)
{
    static const char *const names[CLIENTS] = {"c0", "c1", "c2"};
    return names[client];
}

void model_init(struct model *model)
{
    model->trace = getenv("TRACE") != NULL;
    static const struct {
        bool is_durable, is_group;
        int client;
    } kinds[CONSUMERS] = {{false, false, 0}, {false, false, 0},
                          {true, false, 0},  {true, false, 1},
                          {false, true, 0},  {true, true, 0}};
    for (int i = 0; i < CONSUMERS; i++) {
        struct consumer_model *consumer = &model->consumers[i];
        consumer->is_durable = kinds[i].is_durable;
        consumer->is_group = kinds[i].is_group;
        consumer->fixed_client = kinds[i].client;
    }
}

struct asked *model_ask(struct model *model, enum asked_kind kind,
                        const char *reply)
{
    if (model->asked_count == ASKED_MOST)
        abort();
    struct asked *asked = &model->asked[model->asked_count++];
    *asked = (struct asked){.kind = kind, .reply = reply};
    return asked;
}

void model_begin(struct consumer_model *consumer, uint64_t start)
{
    memset(consumer->known, 0, sizeof consumer->known);
    consumer->start = consumer->floor = start;
    consumer->last_new = start;
}

void model_acked(struct consumer_model *consumer, uint64_t sequence)
{
    struct knowledge *known = &consumer->known[sequence];
    known->acked = true;
    known->pending = known->forgotten = false;
}

/* What was sent may come as new again, and what was acked too. */
static void forget(const struct model *model, struct consumer_model *consumer)
{
    consumer->last_new = consumer->floor;
    for (uint64_t s = 0; s <= model->stored; s++) {
        struct knowledge *known = &consumer->known[s];
        known->is_new = known->pending = false;
        known->forgotten = true;
    }
}

/* Who knows whether it began anew above start, or is what it was before. */
static void doubt(const struct model *model, struct consumer_model *consumer,
                  uint64_t start)
{
    consumer->floor = 0;
    forget(model, consumer);
    if (consumer->start < start)
        consumer->start = start;
    for (uint64_t s = 0; s <= model->stored; s++)
        consumer->known[s].redeliveries = 0;
}

void model_forget(struct model *model)
{
    for (int i = 0; i < CONSUMERS; i++)
        forget(model, &model->consumers[i]);
    for (size_t i = 0; i < model->asked_count; i++) {
        const struct asked *asked = &model->asked[i];
        if (asked->kind == ASKED_SUBSCRIBE && asked->fresh)
            doubt(model, &model->consumers[asked->consumer], asked->start);
    }
    model->asked_count = 0;
}

void model_restarted(struct model *model)
{
    int64_t now = model->fixture->monotonic;
    for (int i = 0; i < CONSUMERS; i++) {
        struct consumer_model *consumer = &model->consumers[i];
        consumer->disturbed = now;
        for (uint64_t s = 0; s <= model->stored; s++) {
            /* Counts are in memory; waits begin with the timestamp. */
            consumer->known[s].redeliveries = 0;
            consumer->known[s].due = now + ACK_WAIT_MOST * CLOCK_SECOND;
        }
    }
}

/* ---- the store ---- */

static unsigned number_in(struct bytes message)
{
    struct bytes data = field_of(message, FIELD_MESSAGE_DATA);
    char text[16] = {0};
    memcpy(text, data.data,
           data.size < sizeof text ? data.size : sizeof text - 1);
    return (unsigned)strtoul(text, NULL, 10);
}

/* Messages have come: without a gap, each once, in the order published. */
static void observe_store(struct model *model)
{
    const struct stored_channel *channel =
        engine_store_channel(model->fixture->store, "foo");
    if (channel == NULL)
        return;
    MODEL_REQUIRE(model, channel->state.last >= model->stored,
                  "stored messages are gone");
    while (model->stored < channel->state.last) {
        uint64_t next = model->stored + 1;
        const struct stored_message *message =
            engine_store_message(channel, next);
        unsigned before = model->number_at[model->stored];
        if (message == NULL) { /* a limit took it at once */
            MODEL_REQUIRE(model, next < channel->state.first, "gap at %" PRIu64,
                          next);
            model->number_at[next] = before;
        } else {
            unsigned number = number_in(slice_bytes(message->bytes));
            MODEL_REQUIRE(model, number > before, "%u stored behind %u", number,
                          before);
            model->number_at[next] = number;
            model->sequence_of[number] = next;
        }
        model->stored = next;
    }
}

/* ---- deliveries ---- */

static struct member *member_at(struct model *model, const char *inbox,
                                struct consumer_model **consumer)
{
    int place = 0;
    int member = 0;
    char *rest = NULL;
    place = (int)strtol(inbox + 3, &rest, 10);
    member = (int)strtol(rest + 1, NULL, 10);
    *consumer = &model->consumers[place];
    return &(*consumer)->members[member];
}

static void check_content(const struct model *model, const struct sent *sent,
                          uint64_t sequence)
{
    const struct stored_channel *channel =
        engine_store_channel(model->fixture->store, "foo");
    MODEL_REQUIRE(model, sequence <= model->stored,
                  "%" PRIu64 " delivered before it was stored", sequence);
    const struct stored_message *stored =
        engine_store_message(channel, sequence);
    if (stored == NULL)
        return;
    struct bytes whole = slice_bytes(stored->bytes);
    MODEL_REQUIRE(model,
                  sent->data.size >= whole.size &&
                      memcmp(sent->data.data, whole.data, whole.size) == 0,
                  "%" PRIu64 " is not what is stored", sequence);
}

/* Those that a limit took count as acked. */
static size_t count_pending(const struct model *model,
                            const struct consumer_model *consumer)
{
    size_t count = 0;
    const struct stored_channel *channel =
        engine_store_channel(model->fixture->store, "foo");
    for (uint64_t s = channel->state.first; s <= model->stored; s++)
        count += consumer->known[s].pending;
    return count;
}

static void observe_new(const struct model *model,
                        struct consumer_model *consumer,
                        const struct member *member, uint64_t sequence)
{
    struct knowledge *known = &consumer->known[sequence];
    MODEL_REQUIRE(model, sequence > consumer->last_new,
                  "%s: new %" PRIu64 " after %" PRIu64, member->inbox, sequence,
                  consumer->last_new);
    MODEL_REQUIRE(model, !known->is_new, "%s: %" PRIu64 " is new twice",
                  member->inbox, sequence);
    MODEL_REQUIRE(model,
                  consumer->is_group || model->starting ||
                      count_pending(model, consumer) <
                          (size_t)member->max_in_flight,
                  "%s: new %" PRIu64 " above max in flight %d", member->inbox,
                  sequence, member->max_in_flight);
    consumer->last_new = sequence;
    known->is_new = true;
    known->redeliveries = 0;
}

static void observe_again(const struct model *model,
                          const struct consumer_model *consumer,
                          const struct member *member, uint64_t sequence,
                          uint64_t count)
{
    const struct knowledge *known = &consumer->known[sequence];
    MODEL_REQUIRE(model, known->delivered,
                  "%s: %" PRIu64 " redelivered, but never sent", member->inbox,
                  sequence);
    MODEL_REQUIRE(model, !known->acked || known->forgotten,
                  "%s: %" PRIu64 " redelivered after its ack", member->inbox,
                  sequence);
    MODEL_REQUIRE(model, count == known->redeliveries + 1U,
                  "%s: %" PRIu64 " has redelivery count %" PRIu64 " after %u",
                  member->inbox, sequence, count, known->redeliveries);
}

static void observe_delivery(struct model *model, const struct sent *sent)
{
    struct consumer_model *consumer = NULL;
    struct member *member = member_at(model, sent->subject, &consumer);
    bool old = strcmp(member->inbox, sent->subject) != 0;
    MODEL_REQUIRE(model,
                  model->starting || (!old && member->state == MEMBER_OPEN),
                  "%s: a message, but it is not open (state %d)", sent->subject,
                  (int)member->state);
    uint64_t sequence = field_number_of(sent->data, FIELD_MESSAGE_SEQUENCE);
    uint64_t count =
        field_number_of(sent->data, FIELD_MESSAGE_REDELIVERY_COUNT);
    check_content(model, sent, sequence);
    struct knowledge *known = &consumer->known[sequence];
    if ((old || member->state != MEMBER_OPEN) && !consumer->is_durable &&
        !consumer->is_group)
        return; /* came back from the dead, is ended soon */
    if (count == 0) {
        observe_new(model, consumer, member, sequence);
    } else {
        observe_again(model, consumer, member, sequence, count);
        known->redeliveries = (uint32_t)count;
    }
    known->delivered = known->pending = true;
    /* The wait is counted from the one before, not from now (trap 1). */
    int64_t now = model->fixture->monotonic;
    int wait = consumer->is_group ? ACK_WAIT_MOST : member->ack_wait;
    if (known->due < now)
        known->due = now;
    known->due += wait * CLOCK_SECOND;
}

/* ---- answers ---- */

static void answer_publish(const struct model *model, const struct asked *asked,
                           struct bytes answer)
{
    bool good = field_of(answer, FIELD_PUB_ACK_ERROR).size == 0;
    bool is_stored = model->sequence_of[asked->number] != 0;
    MODEL_REQUIRE(
        model,
        good == is_stored || model->number_at[model->stored] > asked->number,
        "publish %u: acked %d, stored %d", asked->number, good, is_stored);
    MODEL_REQUIRE(model, good || !is_stored, "refused %u is stored",
                  asked->number);
}

static void answer_subscribe(struct model *model, const struct asked *asked,
                             struct bytes answer)
{
    struct consumer_model *consumer = &model->consumers[asked->consumer];
    struct member *member = &consumer->members[asked->member];
    struct bytes error = field_of(answer, FIELD_SUBSCRIBED_ERROR);
    struct bytes ack_inbox = field_of(answer, FIELD_SUBSCRIBED_ACK_INBOX);
    if (member->generation != asked->generation)
        return;
    consumer->disturbed = model->fixture->monotonic;
    bool leaving = member->state == MEMBER_LEAVING;
    if (error.size > 0) {
        MODEL_REQUIRE(
            model, bytes_equal(error, bytes_text("disk is on fire")) || leaving,
            "subscribe: %.*s", (int)error.size, (const char *)error.data);
        member->state = MEMBER_NONE;
        if (leaving && asked->fresh) /* a durable may be made, and closed */
            doubt(model, consumer, asked->start);
        return;
    }
    MODEL_REQUIRE(model, !leaving, "%s opened after its client left",
                  member->inbox);
    member->state = MEMBER_OPEN;
    (void)snprintf(member->ack_inbox, sizeof member->ack_inbox, "%.*s",
                   (int)ack_inbox.size, (const char *)ack_inbox.data);
    if (asked->fresh)
        model_begin(consumer, asked->start);
}

static void answer_connect(struct model *model, const struct asked *asked,
                           struct bytes answer)
{
    struct bytes error = field_of(answer, FIELD_CONNECTED_ERROR);
    MODEL_REQUIRE(model,
                  error.size == 0 ||
                      bytes_equal(error, bytes_text("disk is on fire")),
                  "connect: %.*s", (int)error.size, (const char *)error.data);
    model->connected[asked->client] = error.size == 0;
    model->asked_connect[asked->client] = false;
}

static void observe_answer(struct model *model, const struct asked *asked,
                           struct bytes answer)
{
    struct member *member =
        &model->consumers[asked->consumer].members[asked->member];
    switch (asked->kind) {
    case ASKED_PUBLISH:
        answer_publish(model, asked, answer);
        break;
    case ASKED_SUBSCRIBE:
        answer_subscribe(model, asked, answer);
        break;
    case ASKED_LEAVE: /* it is gone from memory in any case */
        if (member->generation == asked->generation)
            member->state = MEMBER_NONE;
        break;
    case ASKED_CONNECT:
        answer_connect(model, asked, answer);
        break;
    case ASKED_CLOSE:
        model->leaving[asked->client] = false;
        break;
    }
}

static void observe_reply(struct model *model, const struct sent *sent)
{
    for (size_t i = 0; i < model->asked_count; i++) {
        if (strcmp(model->asked[i].reply, sent->subject) != 0)
            continue;
        struct asked asked = model->asked[i];
        memmove(&model->asked[i], &model->asked[i + 1],
                (--model->asked_count - i) * sizeof *model->asked);
        observe_answer(model, &asked, sent->data);
        return;
    }
    MODEL_REQUIRE(model, model->starting, "%s: an answer nobody waits for",
                  sent->subject);
}

void model_observe(struct model *model)
{
    observe_store(model);
    for (size_t i = 0; i < model->fixture->sent_count; i++) {
        const struct sent *sent = &model->fixture->sent[i];
        model_trace(model, "  %s %" PRIu64 " (%zu bytes)", sent->subject,
                    field_number_of(sent->data, 1), sent->data.size);
        if (strncmp(sent->subject, "in.", 3) == 0) {
            observe_delivery(model, sent);
        } else if (strncmp(sent->subject, "reply.", 6) == 0) {
            observe_reply(model, sent);
        }
    }
    fixture_clear(model->fixture);
}
