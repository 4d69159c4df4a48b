#include "tests/support/engine_fixture.h"

#include "streamd/base/clock.h"
#include "tests/support/engine_transport.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

const struct fixture_options fixture_defaults = {
    .limits = {.max_channels = 100,
               .global = {.max_subscriptions = 1000,
                          .max_messages = 1000000,
                          .max_bytes = 1024000000}},
    .heartbeat_interval = 30 * CLOCK_SECOND,
    .heartbeat_timeout = 10 * CLOCK_SECOND,
    .heartbeat_fail_count = 10,
    .cache_size = 16 << 20,
    .log = true,
};

static void *need(void *allocated)
{
    if (allocated == NULL)
        abort();
    return allocated;
}

/* ---- clocks ---- */

static int64_t get_monotonic(void *context)
{
    return ((const struct fixture *)context)->monotonic;
}

static int64_t get_wall(void *context)
{
    return ((const struct fixture *)context)->wall;
}

/* ---- the loop ---- */

static void post(void *context, struct event *event)
{
    struct fixture *fixture = context;
    list_append(&fixture->events, &event->link);
}

static void started(void *context, const struct error *failure)
{
    struct fixture *fixture = context;
    fixture->started = failure == NULL;
    if (failure != NULL)
        fixture->failure = *failure;
}

void fixture_inject(struct fixture *fixture, enum inbound kind,
                    const char *subject, const char *reply, struct bytes data)
{
    const struct inbound_message message = {
        .kind = kind, .subject = subject, .reply = reply, .data = data};
    engine_message(fixture->engine, &message);
    fixture->in_burst = true;
}

static bool run_event(struct fixture *fixture)
{
    if (list_empty(&fixture->events))
        return false;
    engine_event(fixture->engine,
                 list_entry(list_pop(&fixture->events), struct event, link));
    return true;
}

static bool run_timers(struct fixture *fixture)
{
    int64_t due = 0;
    if (!engine_next_timer(fixture->engine, &due) || due > fixture->monotonic)
        return false;
    engine_timers(fixture->engine);
    return true;
}

void fixture_run(struct fixture *fixture)
{
    if (fixture->in_burst) {
        fixture->in_burst = false;
        engine_burst_end(fixture->engine);
    }
    int most = 1000000; /* an engine that is busy for ever is a bug */
    while (run_event(fixture) || transport_echo(fixture) ||
           run_timers(fixture)) {
        if (--most == 0)
            abort();
    }
}

void fixture_advance(struct fixture *fixture, int64_t ns)
{
    int64_t end = fixture->monotonic + ns;
    fixture_run(fixture);
    while (fixture->monotonic < end) {
        int64_t next = end;
        int64_t due = 0;
        if (engine_next_timer(fixture->engine, &due) && due < end)
            next = due;
        fixture->wall += next - fixture->monotonic;
        fixture->monotonic = next;
        fixture_run(fixture);
    }
}

void fixture_advance_ms(struct fixture *fixture, int64_t milliseconds)
{
    fixture_advance(fixture, milliseconds * CLOCK_MILLISECOND);
}

/* ---- life ---- */

static void start_engine(struct fixture *fixture)
{
    struct error err = {0};
    const struct fixture_options *options = &fixture->options;
    const struct engine_config config = {
        .cluster_id = "test-cluster",
        .server_id = "server",
        .discover_prefix = "_STAN.discover",
        .limits = &options->limits,
        .heartbeat_interval = options->heartbeat_interval,
        .heartbeat_timeout = options->heartbeat_timeout,
        .heartbeat_fail_count = options->heartbeat_fail_count,
        .cache_size = options->cache_size,
        .replace_durable = options->replace_durable,
        .alone = options->alone,
        .store = &fixture->store->store,
        .transport = transport_of(fixture),
        .clock = &fixture->clock,
        .log = fixture->log,
        .context = fixture,
        .post = post,
        .started = started,
    };
    fixture->started = fixture->paused = false;
    fixture->failure = (struct error){0};
    if (engine_new(&config, &fixture->engine, &err) != STATUS_OK)
        abort();
    if (engine_recover(fixture->engine, &err) == STATUS_OK) {
        engine_start(fixture->engine);
        fixture_run(fixture);
    } else {
        fixture->failure = err;
    }
}

static void end_engine(struct fixture *fixture)
{
    engine_free(fixture->engine);
    fixture->engine = NULL;
    assert(list_empty(&fixture->events));
    transport_forget_echoes(fixture);
    table_free(fixture->subscribed);
    fixture->subscribed = need(table_new());
}

void fixture_restart(struct fixture *fixture)
{
    fixture_run(fixture);
    engine_store_release(fixture->store);
    while (!engine_stop(fixture->engine)) {
        if (!run_event(fixture))
            abort();
    }
    end_engine(fixture);
    start_engine(fixture);
}

/* What the dying engine says is not heard. */
static void kill_engine(struct fixture *fixture, size_t kept)
{
    bool cut = fixture->cut;
    fixture->cut = true;
    fixture->in_burst = false;
    engine_store_kill(fixture->store, kept);
    while (run_event(fixture))
        continue;
    end_engine(fixture);
    engine_store_revive(fixture->store);
    fixture->cut = cut;
}

void fixture_crash(struct fixture *fixture, size_t kept)
{
    kill_engine(fixture, kept);
    start_engine(fixture);
}

static void open_log(struct fixture *fixture)
{
    char path[64];
    struct error err = {0};
    fixture->log_file = memfd_create("log", MFD_CLOEXEC);
    if (fixture->log_file < 0)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fixture->log_file);
    const struct log_options options = {.file = path, .debug = true};
    if (log_new(&options, &fixture->log, &err) != STATUS_OK)
        abort();
}

struct fixture *fixture_new(const struct fixture_options *options)
{
    struct fixture *fixture = need(calloc(1, sizeof *fixture));
    fixture->options = options == NULL ? fixture_defaults : *options;
    fixture->monotonic = 5 * CLOCK_SECOND;
    fixture->wall = 1700000000 * CLOCK_SECOND;
    fixture->clock = (struct clock){
        .monotonic = get_monotonic, .wall = get_wall, .context = fixture};
    fixture->dead = need(table_new());
    fixture->subscribed = need(table_new());
    list_init(&fixture->events);
    list_init(&fixture->echoes);
    list_init(&fixture->texts);
    fixture->log_file = -1;
    if (fixture->options.log)
        open_log(fixture);
    fixture->store =
        engine_store_new(&fixture->options.limits, &fixture->clock);
    start_engine(fixture);
    return fixture;
}

void fixture_free(struct fixture *fixture)
{
    kill_engine(fixture, 0);
    transport_release(fixture);
    engine_store_free(fixture->store);
    table_free(fixture->dead);
    table_free(fixture->subscribed);
    log_free(fixture->log);
    if (fixture->log_file >= 0)
        (void)close(fixture->log_file);
    free(fixture);
}
