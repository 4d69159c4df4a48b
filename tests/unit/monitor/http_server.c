#include "http_server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_server {
    int listener;
    char url[64];
    char request[4096];
    const char *answer;
    size_t size;
    pthread_t thread;
};

static void serve(struct http_server *server, int connection)
{
    size_t used = 0;
    ssize_t more;
    while (strstr(server->request, "\r\n\r\n") == NULL &&
           (more = recv(connection, server->request + used,
                        sizeof server->request - 1 - used, 0)) > 0) {
        used += (size_t)more;
        server->request[used] = '\0';
    }
    if (server->answer != NULL) {
        for (size_t sent = 0; sent < server->size;) {
            more = send(connection, server->answer + sent, server->size - sent,
                        MSG_NOSIGNAL);
            if (more <= 0)
                break;
            sent += (size_t)more;
        }
    } else { /* until the other side has enough */
        char byte;
        (void)!recv(connection, &byte, 1, 0);
    }
    (void)close(connection);
}

static void *run(void *argument)
{
    struct http_server *server = argument;
    int connection;
    while ((connection = accept(server->listener, NULL, NULL)) >= 0) {
        server->request[0] = '\0';
        serve(server, connection);
    }
    return NULL;
}

struct http_server *http_server_start(const char *answer, size_t size)
{
    struct http_server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    if (server == NULL)
        abort();
    server->answer = answer;
    server->size = size;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, length) != 0 ||
        listen(server->listener, 16) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) !=
            0)
        abort();
    (void)snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d",
                   ntohs(address.sin_port));
    if (pthread_create(&server->thread, NULL, run, server) != 0)
        abort();
    return server;
}

const char *http_server_url(const struct http_server *server)
{
    return server->url;
}

const char *http_server_request(const struct http_server *server)
{
    return server->request;
}

void http_server_stop(struct http_server *server)
{
    (void)shutdown(server->listener, SHUT_RDWR); /* wakes accept() */
    (void)pthread_join(server->thread, NULL);
    (void)close(server->listener);
    free(server);
}
