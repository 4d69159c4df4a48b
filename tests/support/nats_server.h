/* nats_server.h - a nats-server for a test: started, stopped, killed, frozen
 * and started again on the same port. Asserts on what goes wrong. */
#ifndef TESTS_SUPPORT_NATS_SERVER_H
#define TESTS_SUPPORT_NATS_SERVER_H

#include <sys/types.h>

struct nats_server {
    pid_t pid; /* 0: none runs */
    int port;
    char url[64];
};

/* Starts one on loopback and waits until it greets. port 0: a free one; keep
 * the struct and call again with its port to restart. token NULL: anybody may
 * connect. It ends with the calling thread at the latest. */
void nats_server_start(struct nats_server *server, int port, const char *token);

/* The same with a configuration file, which must not set the address. */
void nats_server_start_file(struct nats_server *server, int port,
                            const char *path);

/* Sends a signal; the server must be running. */
void nats_server_signal(const struct nats_server *server, int number);

/* kill -9, and waits for the end; nothing if none runs. */
void nats_server_kill(struct nats_server *server);

#endif
