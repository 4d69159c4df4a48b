/* json.h - views as the JSON texts of monitoring.md 5 to 8.
 *
 * Every function appends one document to *out and touches nothing else. Errors:
 * STATUS_NO_MEMORY, and what was appended by then is to be dropped. */
#ifndef MONITOR_JSON_H
#define MONITOR_JSON_H

#include "store/limits.h"
#include "streamd/base/buffer.h"
#include "streamd/base/status.h"
#include "streamd/engine/view.h"

#include <stdint.h>

/* What serverz tells beyond the view. */
struct json_server {
    const char *version, *streamd_version;
    int64_t open_descriptors; /* left out if 0, and so below */
    int64_t max_descriptors;  /* -1: no limit */
};

MUST_CHECK enum status json_serverz(const struct view *view, int64_t now,
                                    const struct json_server *server,
                                    struct blob *out);
MUST_CHECK enum status json_storez(const struct view *view, int64_t now,
                                   const struct limits *limits,
                                   struct blob *out);

/* Lists: offset and limit of the query are shown as they were used. */
MUST_CHECK enum status json_clientsz(const struct view *view, int64_t now,
                                     const struct view_query *query,
                                     struct blob *out);
MUST_CHECK enum status json_channelsz(const struct view *view, int64_t now,
                                      const struct view_query *query,
                                      struct blob *out);

/* One alone; its subscriptions are shown if it has any. */
MUST_CHECK enum status json_client(const struct view_client *client,
                                   struct blob *out);
MUST_CHECK enum status json_channel(const struct view_channel *channel,
                                    struct blob *out);

#endif
