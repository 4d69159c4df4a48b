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

/* More room behind count entries of size bytes; NULL if out of memory. */
static void *grow(void *entries, size_t count, size_t more, size_t size)
{
    return realloc(entries, (count + more) * size);
}

static bool clients_append(struct view *view, struct view *slice)
{
    size_t size = sizeof *view->clients;
    if (slice->clients_size == 0)
        return true;
    struct view_client *grown =
        grow(view->clients, view->clients_size, slice->clients_size, size);
    if (grown == NULL)
        return false;
    view->clients = grown;
    memcpy(grown + view->clients_size, slice->clients,
           slice->clients_size * size);
    view->clients_size += slice->clients_size;
    slice->clients_size = 0;
    return true;
}

static bool channels_append(struct view *view, struct view *slice)
{
    size_t size = sizeof *view->channels;
    if (slice->channels_size == 0)
        return true;
    struct view_channel *grown =
        grow(view->channels, view->channels_size, slice->channels_size, size);
    if (grown == NULL)
        return false;
    view->channels = grown;
    memcpy(grown + view->channels_size, slice->channels,
           slice->channels_size * size);
    view->channels_size += slice->channels_size;
    slice->channels_size = 0;
    return true;
}

enum status view_append(struct view *view, struct view *slice)
{
    bool appended = clients_append(view, slice) && channels_append(view, slice);
    view->more = slice->more;
    view_free(slice);
    return appended ? STATUS_OK : STATUS_NO_MEMORY;
}

const struct view_string *view_last(const struct view *view)
{
    if (view->channels_size > 0)
        return &view->channels[view->channels_size - 1].name;
    if (view->clients_size > 0)
        return &view->clients[view->clients_size - 1].id;
    return NULL;
}
