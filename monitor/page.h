/* page.h - /streaming/ui: the files of page/, built into the binary. */
#ifndef MONITOR_PAGE_H
#define MONITOR_PAGE_H

#include "monitor/router.h"

/* The routes, for a router; they need no context. */
struct route_set page_routes(void);

/* True if an If-None-Match header (NULL: there is none) has etag or "*". */
bool page_etag_matches(const char *if_none_match, const char *etag);

#endif
