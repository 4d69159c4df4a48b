#include "streamd/engine/view.h"

#include <stdlib.h>

enum status view_string_set(struct view_string *string, struct bytes bytes)
{
    char *text = bytes_copy(bytes);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    free(string->text);
    *string = (struct view_string){.text = text, .size = bytes.size};
    return STATUS_OK;
}

static void subscriptions_free(struct view_subscription *subscriptions,
                               size_t size)
{
    for (size_t i = 0; i < size; i++) {
        free(subscriptions[i].client_id.text);
        free(subscriptions[i].channel.text);
        free(subscriptions[i].inbox.text);
        free(subscriptions[i].ack_inbox.text);
        free(subscriptions[i].durable_name.text);
        free(subscriptions[i].queue_name.text);
    }
    free(subscriptions);
}

void view_free(struct view *view)
{
    if (view == NULL)
        return;
    for (size_t i = 0; i < view->clients_size; i++) {
        struct view_client *client = &view->clients[i];
        free(client->id.text);
        free(client->heartbeat_inbox.text);
        subscriptions_free(client->subscriptions, client->subscriptions_size);
    }
    for (size_t i = 0; i < view->channels_size; i++) {
        struct view_channel *channel = &view->channels[i];
        free(channel->name.text);
        subscriptions_free(channel->subscriptions, channel->subscriptions_size);
    }
    free(view->clients);
    free(view->channels);
    free(view->cluster_id.text);
    free(view->server_id.text);
    free(view);
}
