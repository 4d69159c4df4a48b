/* Bytes choose what happens to an engine: requests of any content, well-formed
 * and not, time, a store and a network that fail, restarts. It must not crash,
 * leak, be busy for ever, or ask its store for nonsense. */
#include "streamd/base/clock.h"
#include "streamd/engine/core.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/engine_client.h"
#include "tests/support/engine_messages.h"

enum { STEPS_MOST = 300 };

struct input {
    const uint8_t *at, *end;
    size_t unanswered; /* requests of administration */
};

struct asked {
    struct event event;
    struct admin_request request;
    size_t *unanswered;
};

static unsigned next(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

/* Up to 255 bytes of the input, as they are. */
static struct bytes next_bytes(struct input *input)
{
    size_t size = next(input);
    size_t left = (size_t)(input->end - input->at);
    if (size > left)
        size = left;
    struct bytes bytes = bytes_of(input->at, size);
    input->at += size;
    return bytes;
}

static const char *next_client(struct input *input)
{
    static const char *const ids[] = {"a", "b", "c", "nobody"};
    return ids[next(input) % 4];
}

static const char *next_channel(struct input *input)
{
    static const char *const names[] = {"foo", "bar", "Foo", "bad..name"};
    return names[next(input) % 4];
}

/* That of some live subscription. */
static const char *next_ack_inbox(struct input *input,
                                  const struct fixture *fixture)
{
    unsigned left = next(input) % 8;
    for (struct slot *at = table_first(fixture->engine->acks); at != NULL;
         at = table_next(at)) {
        const struct subscription *subscription = table_value(at);
        if (left-- == 0 || table_next(at) == NULL)
            return text_string(&subscription->ack_inbox);
    }
    return "_INBOX.unknown";
}

static void answered(struct admin_request *request)
{
    struct asked *asked = request->context;
    fuzz_require((request->status == STATUS_OK) ==
                 (request->error.detail[0] == '\0'));
    --*asked->unanswered;
    admin_request_release(request);
    free(asked);
}

static void ask(struct engine *engine, struct event *event)
{
    engine_admin(engine, &list_entry(event, struct asked, event)->request);
}

static void administer(struct input *input, struct fixture *fixture)
{
    static const char *const groups[] = {"", "g", "dur:g", "dur:dur:g"};
    struct asked *asked = calloc(1, sizeof *asked);
    fuzz_require(asked != NULL);
    struct admin_request *request = &asked->request;
    asked->event.run = ask;
    asked->unanswered = &input->unanswered;
    request->verb = next(input) % ADMIN_VERBS;
    request->subscription = next(input) % 8;
    request->sequence = next(input) % 32;
    request->by_time = next(input) % 4 == 0;
    request->time = fixture->wall - (int64_t)next(input) * CLOCK_SECOND;
    request->limit = 1 + next(input) % 20;
    request->offset = next(input) % 4;
    request->force = next(input) % 2 == 0;
    request->done = answered;
    request->context = asked;
    fuzz_require(
        text_set(&request->channel, bytes_text(next_channel(input))) &&
        text_set(&request->client_id, bytes_text(next_client(input))) &&
        text_set(&request->queue_group, bytes_text(groups[next(input) % 4])) &&
        text_set(&request->data, bytes_text("data")));
    input->unanswered++;
    list_append(&fixture->events, &asked->event.link);
}

static void raw(struct input *input, struct fixture *fixture)
{
    enum inbound kind = next(input) % INBOUND_KINDS;
    if (kind == INBOUND_ADMIN) {
        administer(input, fixture);
        return;
    }
    const char *subject = kind == INBOUND_ACK ? next_ack_inbox(input, fixture)
                                              : "_STAN.any.subject";
    const char *reply = next(input) % 2 == 0 ? "reply" : NULL;
    char *copy = kind == INBOUND_ACK ? strdup(subject) : NULL;
    if (kind == INBOUND_REPLY)
        subject = text_string(&fixture->engine->reply_prefix);
    fixture_inject(fixture, kind, copy == NULL ? subject : copy, reply,
                   next_bytes(input));
    free(copy);
}

static void subscribe(struct input *input, struct fixture *fixture)
{
    static const char *const durables[] = {NULL, "dur", "other", "a:b"};
    static const char *const groups[] = {NULL, NULL, "g", "dur:g"};
    static const char *const inboxes[] = {"in.a", "in.b", "bad inbox", ".."};
    const struct subscribe_request request = {
        .client = next_client(input),
        .channel = next_channel(input),
        .inbox = inboxes[next(input) % 4],
        .durable = durables[next(input) % 4],
        .group = groups[next(input) % 4],
        .max_in_flight = (int)(next(input) % 4),
        .ack_wait = next(input) % 8 == 0 ? INT32_MAX : 1,
        .position = (int)(next(input) % 6),
        .sequence = next(input),
        .delta = (int64_t)next(input) * CLOCK_SECOND - 10 * CLOCK_SECOND};
    (void)client_send_subscribe(fixture, &request);
}

static void leave(struct input *input, struct fixture *fixture)
{
    char *inbox = strdup(next_ack_inbox(input, fixture));
    fuzz_require(inbox != NULL);
    (void)client_send_unsubscribe(
        fixture, next(input) % 2 == 0 ? INBOUND_UNSUBSCRIBE : INBOUND_SUB_CLOSE,
        next_client(input), next_channel(input), inbox);
    free(inbox);
}

static void ack(struct input *input, struct fixture *fixture)
{
    char *inbox = strdup(next_ack_inbox(input, fixture));
    fuzz_require(inbox != NULL);
    client_send_ack(fixture, inbox, next_channel(input), next(input) % 32);
    free(inbox);
}

static void disturb_store(struct input *input, struct engine_store *store)
{
    switch (next(input) % 6) {
    case 0:
        store->hold_commits = true;
        break;
    case 1:
        store->hold_reads = true;
        break;
    case 2:
        store->fail_commits = next(input) % 4;
        break;
    case 3:
        store->fail_reads = next(input) % 4;
        break;
    case 4:
        (void)engine_store_release_commit(store);
        break;
    default:
        engine_store_release(store);
        break;
    }
}

static void disturb_server(struct input *input, struct fixture *fixture)
{
    fixture_run(fixture);
    switch (next(input) % 6) {
    case 0:
        fixture_cut(fixture);
        break;
    case 1:
        fixture->congested = !fixture->congested;
        break;
    case 2:
        fixture_set_dead(fixture, "hb.a", next(input) % 2 == 0);
        break;
    case 3:
        fixture_reconnect(fixture);
        fixture->congested = false;
        fixture->store->fail_commits = 0;
        fixture_restart(fixture);
        break;
    case 4:
        fixture_reconnect(fixture);
        fixture->congested = false;
        fixture_crash(fixture, next(input) % 3);
        break;
    default:
        fixture_reconnect(fixture);
        break;
    }
}

static void step(struct input *input, struct fixture *fixture)
{
    switch (next(input) % 12) {
    case 0:
        raw(input, fixture);
        break;
    case 1:
        (void)client_send_connect(fixture, next_client(input));
        break;
    case 2:
        (void)client_send_publish(fixture, next_client(input),
                                  next_channel(input), "payload");
        break;
    case 3:
    case 4:
        subscribe(input, fixture);
        break;
    case 5:
        leave(input, fixture);
        break;
    case 6:
        ack(input, fixture);
        break;
    case 7:
        (void)client_send_close(fixture, next_client(input));
        break;
    case 8:
        fixture_advance_ms(fixture, (int64_t)next(input) * 20);
        break;
    case 9:
        disturb_store(input, fixture->store);
        break;
    case 10:
        disturb_server(input, fixture);
        break;
    default:
        fixture_run(fixture);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.at = data, .end = data + size};
    struct fixture_options options = fixture_defaults;
    options.log = false;
    options.cache_size = next(&input) % 2 == 0 ? 1 : 1 << 20;
    options.replace_durable = next(&input) % 2 == 0;
    options.limits.max_channels = 2;
    options.limits.global.max_messages = next(&input) % 16;
    options.limits.global.max_age = next(&input) % 4 * CLOCK_SECOND;
    options.limits.global.max_inactivity = next(&input) % 4 * CLOCK_SECOND;
    struct fixture *fixture = fixture_new(&options);
    fuzz_require(fixture->started);
    for (int i = 0; i < STEPS_MOST && input.at < input.end; i++)
        step(&input, fixture);
    fixture_run(fixture);
    fuzz_require(fixture->store->refusals == 0);
    fixture_free(fixture);
    fuzz_require(input.unanswered == 0);
    return 0;
}
