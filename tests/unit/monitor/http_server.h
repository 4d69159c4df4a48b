/* http_server.h - a server on a loopback port that answers one request with
 * given bytes. */
#ifndef TESTS_UNIT_MONITOR_HTTP_SERVER_H
#define TESTS_UNIT_MONITOR_HTTP_SERVER_H

#include <stddef.h>

struct http_server;

/* Answers each connection with size bytes of answer, after a whole request;
 * NULL: not at all, but keeps the connection. */
struct http_server *http_server_start(const char *answer, size_t size);
/* "http://127.0.0.1:<port>" */
const char *http_server_url(const struct http_server *server);
/* The last request, terminated. */
const char *http_server_request(const struct http_server *server);
void http_server_stop(struct http_server *server);

#endif
