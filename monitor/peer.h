/* peer.h - who is at the other end of a connection. */
#ifndef MONITOR_PEER_H
#define MONITOR_PEER_H

#include <microhttpd.h>

enum { PEER_MAX = 64 };

/* "127.0.0.1:1234", "[::1]:1234", "user 1000, process 4321"; "" if it is not
 * known. */
void peer_text(struct MHD_Connection *connection, char out[PEER_MAX]);

#endif
