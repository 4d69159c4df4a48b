#include "monitor/metrics_channels.h"

#include <stdlib.h>
#include <string.h>

/* Subscriptions with the same labels, as one. */
struct row {
    const struct view_channel *channel;
    struct bytes client_id, inbox, durable_name, queue_name;
    bool is_durable, is_offline, is_stalled;
    uint64_t last_sent, pending, max_in_flight, redeliveries, members;
    int64_t oldest_pending;
};

struct rows {
    struct row *items;
    size_t size;
    size_t dropped; /* subscriptions beyond what may be shown */
};

static struct bytes text_of(const struct view_string *string)
{
    return bytes_of(string->text, string->size);
}

/* ---- rows ---- */

/* "durable:group" is taken apart at the first ':', as the exporter does. */
static void names_set(struct row *row,
                      const struct view_subscription *subscription)
{
    row->durable_name = text_of(&subscription->durable_name);
    row->queue_name = text_of(&subscription->queue_name);
    const uint8_t *colon =
        !subscription->is_durable || row->queue_name.size == 0
            ? NULL
            : memchr(row->queue_name.data, ':', row->queue_name.size);
    if (colon == NULL)
        return;
    size_t before = (size_t)(colon - row->queue_name.data);
    row->durable_name = bytes_of(row->queue_name.data, before);
    row->queue_name = bytes_of(colon + 1, row->queue_name.size - before - 1);
}

static struct row row_of(const struct view_channel *channel,
                         const struct view_subscription *subscription,
                         bool inbox)
{
    struct row row = {
        .channel = channel,
        .client_id = text_of(&subscription->client_id),
        .is_durable = subscription->is_durable,
        .is_offline = subscription->is_offline,
        .is_stalled = subscription->is_stalled,
        .last_sent = subscription->last_sent,
        .pending = subscription->pending_count,
        .max_in_flight = (uint64_t)(subscription->max_in_flight > 0
                                        ? subscription->max_in_flight
                                        : 0),
        .redeliveries = subscription->redeliveries,
        .members = subscription->is_offline ? 0 : 1,
        .oldest_pending = subscription->oldest_pending,
    };
    if (inbox)
        row.inbox = text_of(&subscription->inbox);
    names_set(&row, subscription);
    return row;
}

static int compare_bytes(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* By all that becomes a label; channels stay in their order. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;
    int order =
        (left->channel > right->channel) - (left->channel < right->channel);
    if (order == 0)
        order = compare_bytes(left->queue_name, right->queue_name);
    if (order == 0)
        order = compare_bytes(left->durable_name, right->durable_name);
    if (order == 0)
        order = compare_bytes(left->client_id, right->client_id);
    if (order == 0)
        order = compare_bytes(left->inbox, right->inbox);
    if (order == 0)
        order = left->is_durable - right->is_durable;
    return order != 0 ? order : left->is_offline - right->is_offline;
}

static void row_add(struct row *to, const struct row *from)
{
    if (to->last_sent < from->last_sent)
        to->last_sent = from->last_sent;
    if (to->oldest_pending < from->oldest_pending)
        to->oldest_pending = from->oldest_pending;
    to->pending += from->pending;
    to->max_in_flight += from->max_in_flight;
    to->redeliveries += from->redeliveries;
    to->members += from->members;
    to->is_stalled = to->is_stalled && from->is_stalled;
}

static void rows_merge(struct rows *rows)
{
    size_t kept = 0;
    if (rows->size > 0)
        qsort(rows->items, rows->size, sizeof *rows->items, compare_rows);
    for (size_t i = 0; i < rows->size; i++) {
        if (kept > 0 &&
            compare_rows(&rows->items[kept - 1], &rows->items[i]) == 0) {
            row_add(&rows->items[kept - 1], &rows->items[i]);
        } else {
            rows->items[kept++] = rows->items[i];
        }
    }
    rows->size = kept;
}

static bool rows_make(const struct view *view,
                      const struct metrics_channels *settings,
                      struct rows *rows)
{
    size_t count = 0;
    *rows = (struct rows){0};
    for (size_t i = 0; i < view->channels_size; i++)
        count += view->channels[i].subscriptions_size;
    rows->items = calloc(count + 1, sizeof *rows->items);
    if (rows->items == NULL)
        return false;
    for (size_t i = 0; i < view->channels_size; i++) {
        const struct view_channel *channel = &view->channels[i];
        for (size_t k = 0; k < channel->subscriptions_size; k++) {
            if (rows->size == settings->most) {
                rows->dropped++;
            } else {
                rows->items[rows->size++] = row_of(
                    channel, &channel->subscriptions[k], settings->inbox);
            }
        }
    }
    rows_merge(rows);
    return true;
}

/* Members of a group become one: who does the work is a matter of chance. */
static void rows_to_consumers(struct rows *rows)
{
    for (size_t i = 0; i < rows->size; i++) {
        struct row *row = &rows->items[i];
        if (row->queue_name.size > 0) {
            row->client_id = row->inbox = bytes_of(NULL, 0);
            row->is_offline = false;
        }
    }
    rows_merge(rows);
}

/* ---- channels ---- */

static void each_channel(struct metrics *metrics, const struct view *view,
                         const struct label *common, size_t common_size,
                         uint64_t (*value)(const struct view_channel *channel))
{
    struct label labels[3];
    for (size_t i = 0; i < common_size; i++)
        labels[i] = common[i];
    for (size_t i = 0; i < view->channels_size; i++) {
        const struct view_channel *channel = &view->channels[i];
        labels[common_size] =
            (struct label){"channel", text_of(&channel->name)};
        metrics_count(metrics, labels, common_size + 1, value(channel));
    }
}

static uint64_t messages(const struct view_channel *channel)
{
    return channel->messages;
}

static uint64_t stored_bytes(const struct view_channel *channel)
{
    return channel->bytes;
}

static uint64_t first(const struct view_channel *channel)
{
    return channel->first;
}

static uint64_t last(const struct view_channel *channel)
{
    return channel->last;
}

static uint64_t subscriptions(const struct view_channel *channel)
{
    return channel->subscription_count;
}

static void write_channels(struct metrics *metrics,
                           const struct metrics_channels *settings,
                           const struct view *view)
{
    static const struct {
        const char *name, *help;
        uint64_t (*value)(const struct view_channel *channel);
        bool is_nss; /* has the exporter's labels */
    } families[] = {
        {"nss_chan_bytes_total", "Bytes stored in the channel", stored_bytes,
         true},
        {"nss_chan_msgs_total", "Messages stored in the channel", messages,
         true},
        {"nss_chan_last_seq", "Last sequence of the channel", last, true},
        {"streamd_channel_first_sequence", "First sequence of the channel",
         first, false},
        {"streamd_channel_subscriptions",
         "Subscriptions of the channel, offline durables too", subscriptions,
         false},
    };
    const struct label labels[] = {
        {"server_id", bytes_text(settings->server_id)},
        {"server_role", bytes_text(settings->role)},
    };
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        metrics_family(metrics, families[i].name, METRIC_GAUGE,
                       families[i].help);
        each_channel(metrics, view, labels, families[i].is_nss ? 2 : 0,
                     families[i].value);
    }
}

/* ---- subscriptions, as the exporter shows them ---- */

enum { SUBSCRIPTION_LABELS = 9 };

/* One number of each row. */
struct family {
    const char *name;
    enum metric_type type;
    const char *help;
    uint64_t (*value)(const struct row *row);
};

static void family_begin(struct metrics *metrics, const struct family *family)
{
    metrics_family(metrics, family->name, family->type, family->help);
}

static void each_subscription(struct metrics *metrics,
                              const struct metrics_channels *settings,
                              const struct rows *rows,
                              uint64_t (*value)(const struct row *row))
{
    for (size_t i = 0; i < rows->size; i++) {
        const struct row *row = &rows->items[i];
        const struct label labels[SUBSCRIPTION_LABELS] = {
            {"server_id", bytes_text(settings->server_id)},
            {"server_role", bytes_text(settings->role)},
            {"channel", text_of(&row->channel->name)},
            {"client_id", row->client_id},
            {"queue_name", row->queue_name},
            {"is_durable", bytes_text(row->is_durable ? "true" : "false")},
            {"is_offline", bytes_text(row->is_offline ? "true" : "false")},
            {"durable_name", row->durable_name},
            {"inbox", row->inbox},
        };
        metrics_count(metrics, labels,
                      SUBSCRIPTION_LABELS - (settings->inbox ? 0 : 1),
                      value(row));
    }
}

static uint64_t last_sent(const struct row *row)
{
    return row->last_sent;
}

static uint64_t pending(const struct row *row)
{
    return row->pending;
}

static uint64_t max_in_flight(const struct row *row)
{
    return row->max_in_flight;
}

static void write_subscriptions(struct metrics *metrics,
                                const struct metrics_channels *settings,
                                const struct rows *rows)
{
    static const struct family families[] = {
        {"nss_chan_subs_last_sent", METRIC_GAUGE,
         "Last sequence sent to the subscription", last_sent},
        {"nss_chan_subs_pending_count", METRIC_GAUGE,
         "Messages sent to the subscription and not acked", pending},
        {"nss_chan_subs_max_inflight", METRIC_GAUGE,
         "Messages that may be sent without an ack", max_in_flight},
    };
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        family_begin(metrics, &families[i]);
        each_subscription(metrics, settings, rows, families[i].value);
    }
}

/* ---- consumers: plain subscriptions and groups ---- */

enum { CONSUMER_LABELS = 5 };

static size_t consumer_labels(const struct row *row, bool inbox,
                              struct label labels[CONSUMER_LABELS])
{
    labels[0] = (struct label){"channel", text_of(&row->channel->name)};
    labels[1] = (struct label){"client_id", row->client_id};
    labels[2] = (struct label){"durable_name", row->durable_name};
    labels[3] = (struct label){"queue_name", row->queue_name};
    labels[4] = (struct label){"inbox", row->inbox};
    return inbox ? CONSUMER_LABELS : CONSUMER_LABELS - 1;
}

static void each_consumer(struct metrics *metrics,
                          const struct metrics_channels *settings,
                          const struct rows *rows,
                          uint64_t (*value)(const struct row *row))
{
    struct label labels[CONSUMER_LABELS];
    for (size_t i = 0; i < rows->size; i++) {
        size_t size = consumer_labels(&rows->items[i], settings->inbox, labels);
        metrics_count(metrics, labels, size, value(&rows->items[i]));
    }
}

static uint64_t lag(const struct row *row)
{
    uint64_t newest = row->channel->last;
    return newest > row->last_sent ? newest - row->last_sent : 0;
}

static uint64_t stalled(const struct row *row)
{
    return row->is_stalled ? 1 : 0;
}

static uint64_t members(const struct row *row)
{
    return row->members;
}

static uint64_t redeliveries(const struct row *row)
{
    return row->redeliveries;
}

static void write_consumers(struct metrics *metrics,
                            const struct metrics_channels *settings,
                            const struct rows *rows)
{
    static const struct family families[] = {
        {"streamd_consumer_lag_messages", METRIC_GAUGE,
         "Sequences between the last one sent and the channel's last", lag},
        {"streamd_consumer_pending_messages", METRIC_GAUGE,
         "Messages sent and not acked", pending},
        {"streamd_consumer_stalled", METRIC_GAUGE,
         "1 if nothing is sent until something is acked", stalled},
        {"streamd_consumer_members", METRIC_GAUGE,
         "Members that are there; 0 for a durable that is offline", members},
        {"streamd_consumer_redeliveries", METRIC_COUNTER, "Messages sent again",
         redeliveries},
    };
    struct label labels[CONSUMER_LABELS];
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        family_begin(metrics, &families[i]);
        each_consumer(metrics, settings, rows, families[i].value);
    }
    metrics_family(metrics, "streamd_consumer_oldest_pending_seconds",
                   METRIC_GAUGE,
                   "Time since the pending message with the lowest sequence "
                   "was first sent");
    for (size_t i = 0; i < rows->size; i++) {
        size_t size = consumer_labels(&rows->items[i], settings->inbox, labels);
        metrics_seconds(metrics, labels, size, rows->items[i].oldest_pending);
    }
}

void metrics_channels_write(struct metrics *metrics,
                            const struct metrics_channels *settings,
                            const struct view *view)
{
    struct rows rows;
    if (!rows_make(view, settings, &rows)) {
        metrics->failed = true;
        return;
    }
    metrics_family(metrics, "streamd_metrics_omitted_channels", METRIC_GAUGE,
                   "Channels not shown one by one here");
    metrics_count(metrics, NULL, 0,
                  view->channels_total > view->channels_size
                      ? view->channels_total - view->channels_size
                      : 0);
    metrics_family(metrics, "streamd_metrics_omitted_subscriptions",
                   METRIC_GAUGE,
                   "Subscriptions of channels shown that are not shown here");
    metrics_count(metrics, NULL, 0, rows.dropped);
    write_channels(metrics, settings, view);
    write_subscriptions(metrics, settings, &rows);
    rows_to_consumers(&rows);
    write_consumers(metrics, settings, &rows);
    free(rows.items);
}
