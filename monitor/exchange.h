/* exchange.h - one HTTP exchange: libmicrohttpd's call-backs around a router.
 *
 * On the threads of libmicrohttpd. The context of exchange_handle() is a
 * const struct router, which must outlive the daemon. */
#ifndef MONITOR_EXCHANGE_H
#define MONITOR_EXCHANGE_H

#include <microhttpd.h>

/* MHD_OPTION_URI_LOG_CALLBACK: called first of all for a request, and the only
 * place to see its raw target. */
void *exchange_new(void *context, const char *target,
                   struct MHD_Connection *connection);

/* MHD_OPTION_NOTIFY_COMPLETED */
void exchange_end(void *context, struct MHD_Connection *connection,
                  void **request, enum MHD_RequestTerminationCode code);

/* The access handler: called once with the headers, then for each piece of a
 * body, then once more with none: the time to answer. */
enum MHD_Result exchange_handle(void *context,
                                struct MHD_Connection *connection,
                                const char *url, const char *method,
                                const char *version, const char *upload,
                                size_t *upload_size, void **request);

#endif
