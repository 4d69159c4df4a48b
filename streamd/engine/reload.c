#include "streamd/engine/engine.h"

#include "streamd/engine/commit.h"
#include "streamd/engine/expiry.h"

/* Its timers run by what it may hold now. */
static void adopt(struct channel *channel, const struct limits *limits)
{
    channel->limits = limits_channel(limits, text_bytes(&channel->name));
    channel->limit_warned = false;
    expiry_limits_changed(channel);
}

void engine_reload(struct engine *engine,
                   const struct engine_settings *settings)
{
    struct engine_config *config = &engine->config;
    config->limits = settings->limits;
    config->heartbeat_interval = settings->heartbeat_interval;
    config->heartbeat_timeout = settings->heartbeat_timeout;
    config->heartbeat_fail_count = settings->heartbeat_fail_count;
    commit_batch(engine)->limits = settings->limits;
    for (struct slot *slot = table_first(engine->channels); slot != NULL;
         slot = table_next(slot))
        adopt(table_value(slot), settings->limits);
}
