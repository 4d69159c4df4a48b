/* history.c - random histories of one channel, on the engine and on the
 * reference at once. SEED repeats the first history of a run that failed. */
#include "tests/model/reference.h"

#include "proto/codec.h"
#include "streamd/base/clock.h"
#include "streamd/engine/channel.h"
#include "streamd/engine/client.h"
#include "streamd/engine/core.h"
#include "streamd/engine/queue_group.h"
#include "streamd/engine/subscription.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORIES = 800, STEPS = 400, PAYLOAD_MOST = 40000 };

static uint64_t below(struct model *model, uint64_t limit)
{
    return random_below(&model->random, limit);
}

static bool one_in(struct model *model, uint64_t chance)
{
    return below(model, chance) == 0;
}

static struct channel *channel_of(const struct model *model)
{
    return channel_find(model->fixture->engine, bytes_text("foo"));
}

/* ---- what clients do ---- */

static void step_publish(struct model *model)
{
    static char payload[PAYLOAD_MOST + 16];
    if (model->published == MESSAGES_MOST || model->asked_count > 40)
        return;
    unsigned number = ++model->published;
    size_t size = one_in(model, 50) ? PAYLOAD_MOST : below(model, 2000);
    int used = snprintf(payload, sizeof payload, "%u ", number);
    memset(payload + used, 'x', size);
    payload[(size_t)used + size - (size > 15 ? 15 : 0)] = '\0';
    const char *reply =
        client_send_publish(model->fixture, "publisher", "foo", payload);
    model_trace(model, "publish %u, %s", number, reply);
    model_ask(model, ASKED_PUBLISH, reply)->number = number;
}

/* The subscriptions of client end. */
static void forget_client(struct model *model, int client)
{
    for (int i = 0; i < CONSUMERS * MEMBERS; i++) {
        struct member *member =
            &model->consumers[i / MEMBERS].members[i % MEMBERS];
        if (member->client != client)
            continue;
        if (member->state == MEMBER_OPEN)
            member->state = MEMBER_NONE;
        if (member->state == MEMBER_ASKED)
            member->state = MEMBER_LEAVING;
    }
}

static void step_connect(struct model *model)
{
    static const char *const heartbeats[CLIENTS] = {"hb.c0", "hb.c1", "hb.c2"};
    int client = (int)below(model, CLIENTS);
    if (model->asked_connect[client] || model->leaving[client])
        return;
    if (model->connected[client] && !one_in(model, 5))
        return;
    model_trace(model, "connect %d", client);
    fixture_run(model->fixture);
    model_observe(model);
    if (model->connected[client]) {
        /* The client is gone without a word, and comes back. */
        fixture_set_dead(model->fixture, heartbeats[client], true);
        model->connected[client] = false;
        forget_client(model, client);
    }
    model->asked_connect[client] = true;
    const char *reply =
        client_send_connect(model->fixture, model_client(client));
    model_ask(model, ASKED_CONNECT, reply)->client = client;
    model->starting = true; /* until the old client is known to be dead */
    fixture_run(model->fixture);
    model_observe(model);
    model->starting = false;
    fixture_set_dead(model->fixture, heartbeats[client], false);
}

static void step_close(struct model *model)
{
    int client = (int)below(model, CLIENTS);
    if (!model->connected[client] || !one_in(model, 4))
        return;
    model->connected[client] = false;
    model->leaving[client] = true;
    model_trace(model, "close %d", client);
    const char *reply = client_send_close(model->fixture, model_client(client));
    model_ask(model, ASKED_CLOSE, reply)->client = client;
    forget_client(model, client);
}

/* Nothing like it is there: it begins at its start position. */
static bool is_fresh(const struct model *model,
                     const struct consumer_model *consumer, const char *durable,
                     const char *group)
{
    const struct channel *channel = channel_of(model);
    if (channel == NULL)
        return true;
    struct queue_group *old_group = NULL;
    struct subscription *old = NULL;
    enum status status = STATUS_OK;
    if (consumer->is_group) {
        status = queue_group_find(channel, bytes_text(durable),
                                  bytes_text(group), &old_group, NULL);
    } else if (consumer->is_durable) {
        status = subscription_find_durable(
            channel, bytes_text(model_client(consumer->fixed_client)),
            bytes_text(durable), &old, NULL);
    }
    if (status != STATUS_OK)
        abort();
    return old_group == NULL && old == NULL;
}

/* Where a plain subscription begins; others always at the first. */
static void choose_start(struct model *model, struct subscribe_request *request,
                         struct asked *asked, bool any)
{
    const struct channel *channel = channel_of(model);
    uint64_t last = channel == NULL ? 0 : channel->last;
    uint64_t first = channel == NULL ? 0 : channel->first;
    request->position = START_POSITION_FIRST;
    asked->start = first > 0 ? first - 1 : 0;
    if (!any || one_in(model, 2))
        return;
    if (one_in(model, 2)) {
        request->position = START_POSITION_NEW_ONLY;
        asked->start = last;
    } else {
        request->position = START_POSITION_LAST_RECEIVED;
        asked->start = last > 0 ? last - 1 : 0;
    }
}

static void subscribe(struct model *model, int at, int place)
{
    struct consumer_model *consumer = &model->consumers[at];
    struct member *member = &consumer->members[place];
    const char *durable = consumer->is_durable ? at == 2 ? "d2" : "d3" : "";
    const char *group = consumer->is_group ? "group" : "";
    int client = consumer->is_durable && !consumer->is_group
                     ? consumer->fixed_client
                     : (int)below(model, CLIENTS);
    if (member->state != MEMBER_NONE || !model->connected[client])
        return;
    struct asked asked = {.fresh = is_fresh(model, consumer, durable, group)};
    *member = (struct member){
        .state = MEMBER_ASKED,
        .generation = ++model->generation,
        .client = client,
        .max_in_flight = 1 + (int)below(model, one_in(model, 2) ? 3 : 50),
        .ack_wait = 1 + (int)below(model, ACK_WAIT_MOST)};
    (void)snprintf(member->inbox, sizeof member->inbox, "in.%d.%d.%u", at,
                   place, member->generation);
    struct subscribe_request request = {.client = model_client(client),
                                        .inbox = member->inbox,
                                        .group = group,
                                        .durable = durable,
                                        .max_in_flight = member->max_in_flight,
                                        .ack_wait = member->ack_wait};
    choose_start(model, &request, &asked,
                 !consumer->is_durable && !consumer->is_group);
    struct asked *made =
        model_ask(model, ASKED_SUBSCRIBE,
                  client_send_subscribe(model->fixture, &request));
    model_trace(model, "subscribe %s, client %d, fresh %d, %s", member->inbox,
                client, asked.fresh, made->reply);
    made->consumer = at;
    made->member = place;
    made->generation = member->generation;
    made->fresh = asked.fresh;
    made->start = asked.start;
}

static void step_subscribe(struct model *model)
{
    int at = (int)below(model, CONSUMERS);
    int place = model->consumers[at].is_group ? (int)below(model, MEMBERS) : 0;
    if (model->asked_count < 40)
        subscribe(model, at, place);
}

static void step_leave(struct model *model)
{
    int at = (int)below(model, CONSUMERS);
    int place = (int)below(model, MEMBERS);
    struct consumer_model *consumer = &model->consumers[at];
    struct member *member = &consumer->members[place];
    if (member->state != MEMBER_OPEN || model->asked_count > 40)
        return;
    member->state = MEMBER_LEAVING;
    consumer->disturbed = model->fixture->monotonic;
    const char *reply = client_send_unsubscribe(
        model->fixture,
        one_in(model, 3) ? INBOUND_UNSUBSCRIBE : INBOUND_SUB_CLOSE,
        model_client(member->client), "foo", member->ack_inbox);
    model_trace(model, "leave %s, %s", member->inbox, reply);
    struct asked *asked = model_ask(model, ASKED_LEAVE, reply);
    asked->consumer = at;
    asked->member = place;
    asked->generation = member->generation;
}

/* Any open member may send the ack of a message of its group. */
static bool ack_some(struct model *model, int at, uint64_t most)
{
    uint64_t left = most;
    struct consumer_model *consumer = &model->consumers[at];
    const struct member *member = &consumer->members[below(model, MEMBERS)];
    for (int i = 0; i < MEMBERS && member->state != MEMBER_OPEN; i++)
        member = &consumer->members[i];
    if (member->state != MEMBER_OPEN)
        return false;
    for (uint64_t s = 1; s <= model->stored && left > 0; s++) {
        if (!consumer->known[s].pending || (most < 1000 && one_in(model, 3)))
            continue;
        model_trace(model, "ack %" PRIu64 " by %s", s, member->inbox);
        client_send_ack(model->fixture, member->ack_inbox, "foo", s);
        model_acked(consumer, s);
        left--;
    }
    return left < most;
}

static void step_ack(struct model *model)
{
    (void)ack_some(model, (int)below(model, CONSUMERS), 1 + below(model, 20));
}

/* ---- what happens to the server ---- */

/* What came back from the dead is ended; what was promised must be there. */
static void reconcile(struct model *model)
{
    struct fixture *fixture = model->fixture;
    for (int i = 0; i < CLIENTS; i++) {
        bool there =
            client_find(fixture->engine, bytes_text(model_client(i))) != NULL;
        MODEL_REQUIRE(model, there || !model->connected[i],
                      "%s is not registered any more", model_client(i));
        model->leaving[i] = model->asked_connect[i] = false;
        if (there && !model->connected[i])
            (void)client_close(fixture, model_client(i));
    }
    for (int i = 0; i < CONSUMERS * MEMBERS; i++) {
        struct member *member =
            &model->consumers[i / MEMBERS].members[i % MEMBERS];
        if (member->state != MEMBER_OPEN)
            member->state = MEMBER_NONE;
    }
    const struct channel *channel = channel_of(model);
    struct slot *at =
        channel == NULL ? NULL : table_first(channel->subscriptions);
    size_t promised = 0;
    size_t found = 0;
    for (int i = 0; i < CONSUMERS * MEMBERS; i++) {
        promised += model->consumers[i / MEMBERS].members[i % MEMBERS].state ==
                    MEMBER_OPEN;
    }
    while (at != NULL) {
        const struct subscription *subscription = table_value(at);
        at = table_next(at);
        if (subscription->state == SUBSCRIPTION_OFFLINE)
            continue;
        const char *inbox = subscription->inbox.data;
        const struct member *member =
            &model->consumers[inbox[3] - '0'].members[inbox[5] - '0'];
        if (member->state == MEMBER_OPEN && strcmp(member->inbox, inbox) == 0) {
            found++;
        } else {
            (void)client_send_unsubscribe(fixture, INBOUND_SUB_CLOSE,
                                          subscription->client->id.data, "foo",
                                          inbox);
        }
    }
    MODEL_REQUIRE(model, promised == found, "of %zu subscriptions %zu are left",
                  promised, found);
    fixture_run(fixture);
}

static void step_crash(struct model *model)
{
    struct fixture *fixture = model->fixture;
    if (fixture->cut || !one_in(model, 3))
        return;
    fixture->congested = false;
    model->starting = true;
    model_observe(model);
    model_trace(model, "crash");
    model_forget(model);
    fixture_crash(fixture, below(model, 3));
    model_restarted(model);
    model_observe(model);
    reconcile(model);
    model_observe(model);
    model->starting = false;
}

static void step_restart(struct model *model)
{
    struct fixture *fixture = model->fixture;
    if (fixture->cut || !one_in(model, 3))
        return;
    fixture->congested = false;
    engine_drained(fixture->engine);
    fixture->store->fail_commits = fixture->store->fail_reads = 0;
    engine_store_release(fixture->store);
    fixture_advance_ms(fixture, 1100); /* what failed is stored by now */
    model_observe(model);
    MODEL_REQUIRE(model, model->asked_count == 0, "%s was not answered",
                  model->asked[0].reply);
    model_trace(model, "restart");
    model_restarted(model);
    fixture_restart(fixture);
    model_observe(model);
    model->starting = true;
    reconcile(model);
    model_observe(model);
    model->starting = false;
}

static void disturb_all(struct model *model)
{
    for (int i = 0; i < CONSUMERS; i++)
        model->consumers[i].disturbed = model->fixture->monotonic;
}

static void step_store(struct model *model)
{
    disturb_all(model);
    struct engine_store *store = model->fixture->store;
    uint64_t choice = below(model, 8);
    model_trace(model, "store %" PRIu64, choice);
    switch (choice) {
    case 0:
        store->fail_commits = 1 + (unsigned)below(model, 3);
        break;
    case 1:
        store->fail_reads = 1 + (unsigned)below(model, 2);
        break;
    case 2:
        store->hold_commits = true;
        break;
    case 3:
        store->hold_reads = true;
        break;
    case 4:
        (void)engine_store_release_commit(store);
        break;
    case 5:
        (void)engine_store_release_read(store);
        break;
    default:
        engine_store_release(store);
        break;
    }
}

static void step_network(struct model *model)
{
    disturb_all(model);
    struct fixture *fixture = model->fixture;
    model_trace(model, "network, was cut %d, congested %d", fixture->cut,
                fixture->congested);
    if (fixture->cut) {
        fixture_reconnect(fixture);
    } else if (fixture->congested) {
        fixture->congested = false;
        engine_drained(fixture->engine);
    } else if (one_in(model, 2)) {
        fixture->congested = true;
    } else if (model->asked_count == 0) { /* else answers would be lost */
        fixture_cut(fixture);
    }
}

static void step_time(struct model *model)
{
    int64_t most = one_in(model, 3) ? 3000 : 100;
    fixture_advance_ms(model->fixture, (int64_t)below(model, (uint64_t)most));
}

/* ---- a history ---- */

static void step(struct model *model)
{
    uint64_t choice = below(model, 100);
    bool cut = model->fixture->cut;
    if (choice < 30) {
        for (uint64_t i = below(model, 4); !cut && i > 0; i--)
            step_publish(model);
    } else if (choice < 50 && !cut) {
        step_ack(model);
    } else if (choice < 62 && !cut) {
        step_subscribe(model);
    } else if (choice < 66 && !cut) {
        step_leave(model);
    } else if (choice < 70 && !cut) {
        step_connect(model);
    } else if (choice < 72 && !cut) {
        step_close(model);
    } else if (choice < 74) {
        step_network(model);
    } else if (choice < 82) {
        step_store(model);
    } else if (choice < 83) {
        step_restart(model);
    } else if (choice < 84) {
        step_crash(model);
    } else {
        step_time(model);
    }
}

static void connect_all(struct model *model)
{
    for (int at = 0; at < CLIENTS; at++) {
        if (model->connected[at] || model->asked_connect[at])
            continue;
        const char *reply =
            client_send_connect(model->fixture, model_client(at));
        model->asked_connect[at] = true;
        model_ask(model, ASKED_CONNECT, reply)->client = at;
    }
    fixture_run(model->fixture);
    model_observe(model);
}

/* Nothing fails any more, everybody is there and acks all there is. */
static void quiet(struct model *model)
{
    struct fixture *fixture = model->fixture;
    fixture->store->fail_commits = fixture->store->fail_reads = 0;
    engine_store_release(fixture->store);
    fixture_reconnect(fixture);
    fixture->congested = false;
    engine_drained(fixture->engine);
    for (int i = 0; i < 3 * ACK_WAIT_MOST; i++) {
        fixture_advance_ms(fixture, 1100);
        model_observe(model);
        connect_all(model);
        for (int at = 0; at < CONSUMERS; at++) {
            do {
                subscribe(model, at, 0);
                fixture_run(fixture);
                model_observe(model);
            } while (ack_some(model, at, UINT64_MAX));
        }
        model_check(model);
    }
}

static void run_history(struct model *model, uint64_t seed)
{
    struct fixture_options options = fixture_defaults;
    *model = (struct model){.seed = seed, .random = {.state = seed}};
    options.log = false;
    options.cache_size = one_in(model, 2) ? 300 << 10 : 64 << 10;
    options.limits.global.max_messages = one_in(model, 4) ? 30 : 0;
    options.limits.global.max_bytes = 0;
    model->fixture = fixture_new(&options);
    model->fixture->no_responders = true;
    model_init(model);
    (void)client_connect(model->fixture, "publisher");
    fixture_clear(model->fixture);
    for (; model->step < STEPS; model->step++) {
        step(model);
        model_observe(model);
        if (one_in(model, 4))
            continue; /* what comes next is of the same burst */
        fixture_run(model->fixture);
        model_observe(model);
        model_check(model);
    }
    quiet(model);
    model_check_complete(model);
    fixture_free(model->fixture);
}

int main(void)
{
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL)
        return EXIT_FAILURE;
    struct random seeds;
    random_init(&seeds);
    for (int i = 0; i < HISTORIES; i++) {
        uint64_t seed = i == 0 ? seeds.state : random_next(&seeds);
        run_history(model, seed);
    }
    (void)printf("%d steps\n", HISTORIES * STEPS);
    free(model);
    return EXIT_SUCCESS;
}
