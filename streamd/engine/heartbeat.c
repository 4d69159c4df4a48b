#include "streamd/engine/heartbeat.h"

#include "streamd/engine/inquiry.h"
#include "streamd/engine/removal.h"

static void set_timer(struct engine *engine, struct client *client,
                      int64_t delay)
{
    timer_set(&engine->timers, &client->heartbeat_timer, engine->now + delay);
}

/* On the subscriptions it has now (the mark of delivery.md 15). */
static void mark(const struct client *client, bool failed)
{
    for (struct list *at = client->subscriptions.next;
         at != &client->subscriptions; at = at->next) {
        list_entry(at, struct subscription, of_client)->heartbeat_failed =
            failed;
    }
}

static void missed(struct engine *engine, struct client *client)
{
    client->heartbeat_failures++;
    if (client->heartbeat_failures > engine->config.heartbeat_fail_count) {
        engine->counters.heartbeat_closes++;
        log_info(engine->log, "[Client:%s] Timed out on heartbeats",
                 client->id.data);
        if (!removal_close_client(engine, client))
            set_timer(engine, client, engine->config.heartbeat_interval);
        return;
    }
    if (client->heartbeat_failures == 1)
        mark(client, true);
    set_timer(engine, client, engine->config.heartbeat_interval);
}

static void ended(struct inquiry *inquiry, enum inquiry_result result,
                  struct bytes data)
{
    (void)data;
    struct client *client = inquiry->context;
    struct engine *engine = inquiry->engine;
    if (result == INQUIRY_ANSWERED) {
        if (client->heartbeat_failures > 0)
            mark(client, false);
        client->heartbeat_failures = 0;
    } else if (result != INQUIRY_UNKNOWN) {
        missed(engine, client);
        return;
    }
    set_timer(engine, client, engine->config.heartbeat_interval);
}

static void beat(struct timer *timer, int64_t now)
{
    (void)now;
    struct client *client = timer->context;
    struct engine *engine = client->heartbeat.engine;
    inquiry_start(engine, &client->heartbeat,
                  text_string(&client->heartbeat_inbox), bytes_of(NULL, 0),
                  engine->config.heartbeat_timeout);
}

void heartbeat_begin(struct engine *engine, struct client *client)
{
    client->heartbeat =
        (struct inquiry){.engine = engine, .ended = ended, .context = client};
    client->heartbeat_timer = (struct timer){.fire = beat, .context = client};
    client->heartbeat_failures = 0;
    set_timer(engine, client, engine->config.heartbeat_interval);
}

void heartbeat_ping(struct engine *engine, struct client *client)
{
    if (client->heartbeat_failures == 0)
        return;
    if (!inquiry_is_under_way(&client->heartbeat)) {
        set_timer(engine, client, CLOCK_MILLISECOND);
        return;
    }
    /* One is out, sent when the client may not have been there. */
    inquiry_again(engine, &client->heartbeat,
                  text_string(&client->heartbeat_inbox), bytes_of(NULL, 0));
}
