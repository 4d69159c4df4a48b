/* http_client.h - one request over a plain socket, the answer as it came. */
#ifndef TESTS_UNIT_MONITOR_HTTP_CLIENT_H
#define TESTS_UNIT_MONITOR_HTTP_CLIENT_H

#include <stddef.h>

/* A connection to the loopback port; fails the test if there is none. */
int http_connect(int port);

/* Sends size bytes and reads until the server closes. The caller frees the
 * answer, which is terminated; "" if the server closed without a word. */
char *http_exchange(int port, const char *request, size_t size);

/* The same with "<method> <target> HTTP/1.1" and Connection: close. */
char *http_request(int port, const char *method, const char *target);

/* The body of an answer; NULL if its headers do not end. */
const char *http_body(const char *answer);

#endif
