/* The n-th allocation of the engine fails, for every n, alone or with all that
 * follow, while it does everything it can do: nobody is told that something is
 * done that is not, nothing that was acked or sent is forgotten, and once
 * there is memory again all goes on.
 *
 * Only what the engine allocates fails: its entries are wrapped at link time,
 * and the transport and the store it is given are wrapped by ours. */
#include "streamd/engine/core.h"
#include "tests/unit/base/allocation.h"
#include "tests/unit/engine/engine_test.h"

#include <stdio.h>

enum { FIRST = START_POSITION_FIRST, ALLOCATIONS_MAX = 5000 };

/* ---- the border ---- */

static struct transport outer;
static struct store *outer_store;

static enum status publish(void *context, const char *subject,
                           const char *reply, struct bytes data)
{
    allocation_suspend();
    enum status status = outer.publish(context, subject, reply, data);
    allocation_resume();
    return status;
}

static enum status subscribe(void *context, enum inbound kind,
                             const char *subject, struct error *err)
{
    allocation_suspend();
    enum status status = outer.subscribe(context, kind, subject, err);
    allocation_resume();
    return status;
}

static const struct store_visitor *inner;

static enum status on_server(void *context, struct bytes record,
                             struct error *err)
{
    allocation_resume();
    enum status status = inner->server(context, record, err);
    allocation_suspend();
    return status;
}

static enum status on_client(void *context, struct bytes id,
                             struct bytes record, struct error *err)
{
    allocation_resume();
    enum status status = inner->client(context, id, record, err);
    allocation_suspend();
    return status;
}

static enum status on_channel(void *context, const struct channel_state *state,
                              struct bytes name, struct error *err)
{
    allocation_resume();
    enum status status = inner->channel(context, state, name, err);
    allocation_suspend();
    return status;
}

static enum status on_subscription(void *context, uint64_t channel, uint64_t id,
                                   struct bytes record, struct bytes progress,
                                   struct error *err)
{
    allocation_resume();
    enum status status =
        inner->subscription(context, channel, id, record, progress, err);
    allocation_suspend();
    return status;
}

static enum status recover(struct store *store,
                           const struct store_visitor *visitor,
                           struct error *err)
{
    (void)store;
    const struct store_visitor border = {.context = visitor->context,
                                         .server = on_server,
                                         .client = on_client,
                                         .channel = on_channel,
                                         .subscription = on_subscription};
    inner = visitor;
    allocation_suspend();
    enum status status = store_recover(outer_store, &border, err);
    allocation_resume();
    return status;
}

static void commit(struct store *store, struct batch *batch)
{
    (void)store;
    allocation_suspend();
    store_commit(outer_store, batch);
    allocation_resume();
}

static void read_run(struct store *store, struct read *read)
{
    (void)store;
    allocation_suspend();
    store_read(outer_store, read);
    allocation_resume();
}

static const struct store_operations border_operations = {
    .name = "BORDER", .recover = recover, .commit = commit, .read = read_run};
static struct store border_store = {.operations = &border_operations};

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the
 * names are the linker's */
enum status __real_engine_new(const struct engine_config *config,
                              struct engine **out, struct error *err);
enum status __wrap_engine_new(const struct engine_config *config,
                              struct engine **out, struct error *err);
enum status __wrap_engine_new(const struct engine_config *config,
                              struct engine **out, struct error *err)
{
    struct engine_config ours = *config;
    outer = config->transport;
    outer_store = config->store;
    ours.transport.publish = publish;
    ours.transport.subscribe = subscribe;
    ours.store = &border_store;
    return __real_engine_new(&ours, out, err);
}

enum status __real_engine_recover(struct engine *engine, struct error *err);
enum status __wrap_engine_recover(struct engine *engine, struct error *err);
enum status __wrap_engine_recover(struct engine *engine, struct error *err)
{
    allocation_resume();
    enum status status = __real_engine_recover(engine, err);
    allocation_suspend();
    return status;
}

void __real_engine_message(struct engine *engine,
                           const struct inbound_message *message);
void __wrap_engine_message(struct engine *engine,
                           const struct inbound_message *message);
void __wrap_engine_message(struct engine *engine,
                           const struct inbound_message *message)
{
    allocation_resume();
    __real_engine_message(engine, message);
    allocation_suspend();
}

void __real_engine_event(struct engine *engine, struct event *event);
void __wrap_engine_event(struct engine *engine, struct event *event);
void __wrap_engine_event(struct engine *engine, struct event *event)
{
    allocation_resume();
    __real_engine_event(engine, event);
    allocation_suspend();
}

#define WRAP_ENTRY(name)                                                       \
    void __real_##name(struct engine *engine);                                 \
    void __wrap_##name(struct engine *engine);                                 \
    void __wrap_##name(struct engine *engine)                                  \
    {                                                                          \
        allocation_resume();                                                   \
        __real_##name(engine);                                                 \
        allocation_suspend();                                                  \
    }
WRAP_ENTRY(engine_start)
WRAP_ENTRY(engine_burst_end)
WRAP_ENTRY(engine_timers)
WRAP_ENTRY(engine_reconnected)
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* ---- the world ---- */

enum { PLAIN = 1, DURABLE = 2, GROUP = 4, ALL = 7 };
enum { STANDING = 3 }; /* messages that are out, not acked */

struct world {
    struct fixture *f;
    const char *plain, *durable, *a, *b, *theirs; /* ack inboxes */
    const char *answer;                           /* reply subject of the act */
    const char *first;                            /* and of one before */
    uint64_t acked;   /* on the durable, by the act; 0: none */
    unsigned lasting; /* who of PLAIN, DURABLE, GROUP is to miss nothing */
};

/* "me" has a plain subscription, a durable, a group member; "you" a member of
 * the same durable group and a durable. All wait a second for acks. */
static void begin(struct world *world)
{
    struct fixture_options options = fixture_defaults;
    options.cache_size = 1; /* redeliveries read the store */
    options.limits.global.max_age = 3600 * CLOCK_SECOND;
    struct fixture *f = engine_test_begin(&options);
    *world = (struct world){.f = f, .lasting = ALL};
    OK(client_connect(f, "you"));
    SUBSCRIBE(f, &world->plain, .inbox = "p", .ack_wait = 1);
    SUBSCRIBE(f, &world->durable, .inbox = "d", .durable = "dur",
              .ack_wait = 1);
    SUBSCRIBE(f, &world->a, .inbox = "a", .group = "g", .durable = "q",
              .ack_wait = 1);
    SUBSCRIBE(f, &world->b, .client = "you", .inbox = "b", .group = "g",
              .durable = "q", .ack_wait = 1);
    SUBSCRIBE(f, &world->theirs, .client = "you", .inbox = "t",
              .durable = "theirs", .ack_wait = 1);
    publish_many(f, STANDING);
}

static bool stored(const struct fixture *f, const char *text)
{
    const struct stored_channel *channel =
        engine_store_channel(f->store, "foo");
    for (size_t i = 0; i < channel->count; i++) {
        struct bytes message =
            slice_bytes(channel->messages[channel->start + i].bytes);
        if (bytes_equal(field_of(message, FIELD_MESSAGE_DATA),
                        bytes_text(text)))
            return true;
    }
    return false;
}

/* Each of 1..last but `except` came to one of the two since the last clear. */
static void assert_came(struct fixture *f, const char *one, const char *other,
                        uint64_t last, uint64_t except)
{
    for (uint64_t sequence = 1; sequence <= last; sequence++) {
        bool found = sequence == except;
        for (size_t i = 0; i < f->sent_count && !found; i++) {
            const struct sent *sent = &f->sent[i];
            found =
                (strcmp(sent->subject, one) == 0 ||
                 strcmp(sent->subject, other) == 0) &&
                field_number_of(sent->data, FIELD_MESSAGE_SEQUENCE) == sequence;
        }
        if (!found)
            fail_msg("%s did not get %llu", one, (unsigned long long)sequence);
    }
}

/* Whoever has not acked gets all again, sooner or later. */
static void assert_nobody_misses(struct world *world)
{
    struct fixture *f = world->f;
    uint64_t last = engine_store_channel(f->store, "foo")->state.last;
    fixture_clear(f);
    fixture_advance_ms(f, 4000);
    if ((world->lasting & PLAIN) != 0)
        assert_came(f, "p", "p", last, 0);
    if ((world->lasting & DURABLE) != 0)
        assert_came(f, "d", "d", last, world->acked);
    if ((world->lasting & GROUP) != 0)
        assert_came(f, "a", "b", last, 0);
}

/* The durable of "you" is as it was, whether "you" is still there or not. */
static void assert_theirs_is_whole(struct world *world)
{
    struct fixture *f = world->f;
    fixture_set_dead(f, "hb.you", true);
    fixture_set_dead(f, "hb.new", true); /* who took its id, if one did */
    f->no_responders = true;
    OK(client_connect(f, "you"));
    fixture_clear(f);
    SUBSCRIBE(f, NULL, .client = "you", .inbox = "t2", .durable = "theirs",
              .ack_wait = 1);
    fixture_advance_ms(f, 2000);
    assert_came(f, "t2", "t2",
                engine_store_channel(f->store, "foo")->state.last, 0);
}

static void end(struct world *world)
{
    struct fixture *f = world->f;
    allocation_repair();
    fixture_advance_ms(f, 2000);
    OK(client_publish(f, "me", "foo", "afterwards"));
    assert_nobody_misses(world);
    fixture_crash(f, 0);
    assert_true(f->started);
    assert_nobody_misses(world);
    OK(client_publish(f, "me", "foo", "at last"));
    assert_theirs_is_whole(world);
    engine_test_end(f);
}

/* ---- acts ---- */

static void connect_one(struct world *world)
{
    world->answer = client_send_connect(world->f, "third");
}

static void check_connect(struct world *world)
{
    struct fixture *f = world->f;
    const char *error = client_error(f, world->answer, FIELD_CONNECTED_ERROR);
    if (error == NULL) /* it may or may not be there, and asks again */
        return;
    const char *pinged = client_ping(f, "conn.third");
    assert_int_equal(strcmp(error, "") == 0, strcmp(pinged, "") == 0);
    if (strcmp(error, "") != 0)
        OK(client_connect(f, "third"));
}

static void publish_one(struct world *world)
{
    world->answer = client_send_publish(world->f, "me", "foo", "the one");
}

static void check_publish(struct world *world)
{
    const char *error =
        client_error(world->f, world->answer, FIELD_PUB_ACK_ERROR);
    if (error != NULL)
        assert_int_equal(strcmp(error, "") == 0, stored(world->f, "the one"));
}

static void publish_new(struct world *world)
{
    world->answer = client_send_publish(world->f, "me", "fresh", "the one");
}

static void check_new(struct world *world)
{
    struct fixture *f = world->f;
    const char *error = client_error(f, world->answer, FIELD_PUB_ACK_ERROR);
    OK(client_publish(f, "me", "fresh", "and another"));
    uint64_t last = engine_store_channel(f->store, "fresh")->state.last;
    if (error != NULL)
        assert_int_equal(last, strcmp(error, "") == 0 ? 2 : 1);
}

static void subscribe_to(struct world *world, const char *group,
                         const char *durable, int position)
{
    world->answer = client_send_subscribe(
        world->f, &(struct subscribe_request){.inbox = "new",
                                              .group = group,
                                              .durable = durable,
                                              .position = position,
                                              .delta = CLOCK_SECOND / 1000,
                                              .ack_wait = 1});
}

static void subscribe_plain(struct world *world)
{
    subscribe_to(world, NULL, NULL, FIRST);
}

static void subscribe_by_time(struct world *world)
{
    subscribe_to(world, NULL, NULL, START_POSITION_TIME_DELTA);
}

static void subscribe_durable(struct world *world)
{
    subscribe_to(world, NULL, "newdur", 0);
}

static void subscribe_group(struct world *world)
{
    subscribe_to(world, "newgroup", NULL, 0);
}

static void subscribe_durable_group(struct world *world)
{
    subscribe_to(world, "newgroup", "newdur", 0);
}

/* An answer says what is: it gets the next message, or there is nothing. */
static void check_subscribe(struct world *world)
{
    struct fixture *f = world->f;
    const char *error = client_error(f, world->answer, FIELD_SUBSCRIBED_ERROR);
    fixture_advance_ms(f, 2000);
    fixture_clear(f);
    OK(client_publish(f, "me", "foo", "the next"));
    fixture_advance_ms(f, 2000);
    if (error != NULL) {
        assert_int_equal(strcmp(error, "") == 0, fixture_count(f, "new") > 0);
    }
}

static void join_group(struct world *world)
{
    subscribe_to(world, "g", "q", 0);
}

/* What came to the new member is with the group. */
static void check_join(struct world *world)
{
    struct fixture *f = world->f;
    (void)client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", "new");
    fixture_run(f);
}

static void suspend_durable(struct world *world)
{
    OK(client_sub_close(world->f, "me", "foo", world->durable));
}

static void resume_durable(struct world *world)
{
    subscribe_to(world, NULL, "dur", 0);
}

static void check_resume(struct world *world)
{
    struct fixture *f = world->f;
    (void)client_send_unsubscribe(f, INBOUND_SUB_CLOSE, "me", "foo", "new");
    fixture_run(f);
    SUBSCRIBE(f, NULL, .inbox = "d", .durable = "dur", .ack_wait = 1);
}

static void suspend_group(struct world *world)
{
    OK(client_sub_close(world->f, "me", "foo", world->a));
    OK(client_sub_close(world->f, "you", "foo", world->b));
}

static void check_group_resume(struct world *world)
{
    check_join(world);
    SUBSCRIBE(world->f, NULL, .inbox = "a", .group = "g", .durable = "q",
              .ack_wait = 1);
}

static void unsubscribe_plain(struct world *world)
{
    world->lasting = DURABLE | GROUP;
    world->answer = client_send_unsubscribe(world->f, INBOUND_UNSUBSCRIBE, "me",
                                            "foo", world->plain);
}

static void leave_group(struct world *world)
{
    world->answer = client_send_unsubscribe(world->f, INBOUND_SUB_CLOSE, "you",
                                            "foo", world->b);
}

static void close_durable(struct world *world)
{
    world->answer = client_send_unsubscribe(world->f, INBOUND_SUB_CLOSE, "me",
                                            "foo", world->durable);
}

/* After an error it is as it was, and can be closed again. */
static void check_close(struct world *world)
{
    struct fixture *f = world->f;
    const char *error = client_error(f, world->answer, FIELD_SUBSCRIBED_ERROR);
    const char *again = client_sub_close(f, "me", "foo", world->durable);
    if (error != NULL) {
        assert_string_equal(
            again, error[0] != '\0' ? "" : "stan: invalid subscription");
    }
    SUBSCRIBE(f, NULL, .inbox = "d", .durable = "dur", .ack_wait = 1);
}

static void close_client(struct world *world)
{
    world->answer = client_send_close(world->f, "you");
}

static void lose_client(struct world *world)
{
    fixture_set_dead(world->f, "hb.you", true);
    world->answer = client_send_connect_as(world->f, "you", "hb.new", "conn.n");
    fixture_run(world->f);
    fixture_advance_ms(world->f, 600);
}

static void ack_one(struct world *world)
{
    world->acked = 2;
    client_send_ack(world->f, world->durable, "foo", 2);
}

static void redeliver(struct world *world)
{
    fixture_advance_ms(world->f, 1500);
}

static void beat(struct world *world)
{
    fixture_advance_ms(world->f, 45000);
}

static void reconnect(struct world *world)
{
    fixture_cut(world->f);
    fixture_advance_ms(world->f, 1500);
    fixture_reconnect(world->f);
}

/* Everything at once, in two batches, and the store fails. */
static void fail_batch(struct world *world)
{
    struct fixture *f = world->f;
    f->store->hold_commits = true;
    leave_group(world);
    ack_one(world);
    publish_new(world);
    world->first = world->answer;
    fixture_run(f);
    (void)client_send_connect(f, "third");
    world->answer = client_send_publish(f, "me", "foo", "the one");
    (void)client_send_subscribe(
        f, &(struct subscribe_request){.durable = "newdur", .inbox = "new"});
    fixture_run(f);
    f->store->fail_commits = 2;
    engine_store_release(f->store);
    fixture_run(f);
    f->store->fail_commits = 0;
}

static void check_fail_batch(struct world *world)
{
    struct fixture *f = world->f;
    fixture_advance_ms(f, 3000);
    check_publish(world);
    world->answer = world->first;
    check_new(world);
}

static void restart(struct world *world)
{
    fixture_crash(world->f, 0);
    fixture_advance_ms(world->f, 11000); /* it may have to ask twice */
}

/* It serves, now that there is memory; or it did not start, and said so. */
static void check_restart(struct world *world)
{
    struct fixture *f = world->f;
    fixture_advance_ms(f, 11000);
    assert_true(f->started || f->failure.detail[0] != '\0');
    fixture_crash(f, 0);
    assert_true(f->started);
}

struct act {
    const char *name;
    void (*before)(struct world *world); /* may be NULL */
    void (*act)(struct world *world);
    void (*check)(struct world *world); /* may be NULL */
};

static const struct act acts[] = {
    {"connect", NULL, connect_one, check_connect},
    {"publish", NULL, publish_one, check_publish},
    {"publish to a new channel", NULL, publish_new, check_new},
    {"subscribe", NULL, subscribe_plain, check_subscribe},
    {"subscribe by time", NULL, subscribe_by_time, check_subscribe},
    {"subscribe durable", NULL, subscribe_durable, check_subscribe},
    {"subscribe group", NULL, subscribe_group, check_subscribe},
    {"subscribe durable group", NULL, subscribe_durable_group, check_subscribe},
    {"join a group", NULL, join_group, check_join},
    {"resume a durable", suspend_durable, resume_durable, check_resume},
    {"rejoin a group", suspend_group, join_group, check_group_resume},
    {"unsubscribe", NULL, unsubscribe_plain, NULL},
    {"leave a group", NULL, leave_group, NULL},
    {"close a durable", NULL, close_durable, check_close},
    {"close a client", NULL, close_client, NULL},
    {"replace a client", NULL, lose_client, NULL},
    {"ack", NULL, ack_one, NULL},
    {"redeliver", NULL, redeliver, NULL},
    {"heartbeats", NULL, beat, NULL},
    {"reconnect", NULL, reconnect, NULL},
    {"a batch that fails", NULL, fail_batch, check_fail_batch},
    {"restart", NULL, restart, check_restart},
};

/* False when no allocation failed: there are no more than n. */
static bool attempt(const struct act *act, int n, void (*break_at)(int good))
{
    struct world world;
    begin(&world);
    if (act->before != NULL)
        act->before(&world);
    break_at(n);
    act->act(&world);
    fixture_run(world.f);
    bool failed = allocation_failed();
    allocation_repair();
    if (act->check != NULL)
        act->check(&world);
    end(&world);
    return failed;
}

static void whichever_allocation_fails_nothing_is_lost(void **state)
{
    (void)state;
    allocation_suspend(); /* but for the engine */
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        int n = 0;
        print_message("%s\n", acts[i].name);
        while (attempt(&acts[i], n, allocation_break_once) |
               attempt(&acts[i], n, allocation_break))
            assert_true(++n < ALLOCATIONS_MAX);
        assert_true(n > 0 || acts[i].act == ack_one);
    }
    allocation_resume();
}

/* E134: a message that cannot be noted as pending is not sent, which is said;
 * its publisher has its ack, and it goes out by itself a little later. */
static void what_cannot_be_noted_as_pending_is_acked_and_said(void **state)
{
    (void)state;
    bool said = false;
    allocation_suspend();
    for (int n = 0; n < 100 && !said; n++) {
        struct fixture *f = engine_test_begin(NULL);
        SUBSCRIBE(f, NULL, .inbox = "in");
        f->store->hold_commits = true;
        const char *reply = client_send_publish(f, "me", "foo", "hello");
        fixture_run(f);
        allocation_break_once(n);
        engine_store_release(f->store);
        fixture_run(f);
        allocation_repair();
        said = fixture_log_has(f, "Unable to add pending message to subid=1, "
                                  "subject=\"foo\", seq=1");
        OK(client_error(f, reply, FIELD_PUB_ACK_ERROR));
        if (said)
            RECEIVED(f, "in", "");
        fixture_advance_ms(f, 1000);
        assert_int_equal(fixture_count(f, "in"), 1);
        engine_test_end(f);
    }
    allocation_resume();
    assert_true(said);
}

/* E189: without memory for what it had with those who stay, a member does not
 * leave: nothing is lost, and it may try again. */
static void a_member_that_cannot_hand_over_its_messages_stays(void **state)
{
    (void)state;
    bool said = false;
    allocation_suspend();
    for (int n = 0; n < 100 && !said; n++) {
        struct fixture *f = engine_test_begin(NULL);
        const char *ack = NULL;
        SUBSCRIBE(f, &ack, .inbox = "a", .group = "g", .ack_wait = 60);
        publish_many(f, 20);
        SUBSCRIBE(f, NULL, .inbox = "b", .group = "g", .ack_wait = 60);
        allocation_break_once(n);
        const char *error = client_sub_close(f, "me", "foo", ack);
        allocation_repair();
        said = fixture_log_has(f, "Unable to transfer messages of subid=1");
        if (said)
            assert_string_equal(error, "out of memory");
        if (error == NULL || error[0] != '\0')
            (void)client_sub_close(f, "me", "foo", ack);
        fixture_advance_ms(f, 1000);
        assert_int_equal(fixture_count(f, "b"), 20);
        engine_test_end(f);
    }
    allocation_resume();
    assert_true(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_allocation_fails_nothing_is_lost),
        cmocka_unit_test(what_cannot_be_noted_as_pending_is_acked_and_said),
        cmocka_unit_test(a_member_that_cannot_hand_over_its_messages_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
