/* exchange.h - one HTTP exchange: libmicrohttpd's call-backs around a router.
 *
 * On the thread of libmicrohttpd; handlers that may wait or take long run on
 * workers meanwhile, so that a slow request holds no other. The context of all
 * is a struct exchange_server. */
#ifndef MONITOR_EXCHANGE_H
#define MONITOR_EXCHANGE_H

#include "monitor/connections.h"
#include "monitor/router.h"
#include "monitor/workers.h"

#include <microhttpd.h>

/* Must outlive the daemon. */
struct exchange_server {
    struct router router;
    struct connections *connections;
    struct workers *quick; /* for ROUTE_WAITS */
    struct workers *bulk;  /* for ROUTE_BULK */
    bool trusted;          /* all who come: the listener lets nobody else in */
    bool stopping;         /* atomic: what was not begun is answered 503 */
    size_t reply_bytes;    /* atomic: of bodies on their way */
};

/* MHD_OPTION_NOTIFY_CONNECTION */
void exchange_connection(void *context, struct MHD_Connection *connection,
                         void **kept, enum MHD_ConnectionNotificationCode code);

/* MHD_OPTION_URI_LOG_CALLBACK: called first of all for a request, and the only
 * place to see its raw target. */
void *exchange_new(void *context, const char *target,
                   struct MHD_Connection *connection);

/* MHD_OPTION_NOTIFY_COMPLETED */
void exchange_end(void *context, struct MHD_Connection *connection,
                  void **request, enum MHD_RequestTerminationCode code);

/* The access handler: called once with the headers, then for each piece of a
 * body, then once more with none: the time to answer; and again when a worker
 * has the answer. */
enum MHD_Result exchange_handle(void *context,
                                struct MHD_Connection *connection,
                                const char *url, const char *method,
                                const char *version, const char *upload,
                                size_t *upload_size, void **request);

#endif
