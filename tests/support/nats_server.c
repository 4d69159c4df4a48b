#include "tests/support/nats_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_SECONDS 20

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
}

static int free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    int rc = bind(fd, (struct sockaddr *)&address, sizeof address);
    assert(rc == 0);
    rc = getsockname(fd, (struct sockaddr *)&address, &size);
    assert(rc == 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

/* True if something on the port greets as a nats-server does. */
static bool greets(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    char text[5] = "";
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    bool greeted =
        connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        poll(&pollfd, 1, 1000) == 1 && read(fd, text, 4) == 4 &&
        strcmp(text, "INFO") == 0;
    (void)close(fd);
    return greeted;
}

/* option and value may both be NULL. */
static void run_server(int port, const char *option, const char *value)
{
    char port_text[16];
    (void)snprintf(port_text, sizeof port_text, "%d", port);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char *path = getenv("NATS_SERVER_BIN");
    const char *paths[] = {path != NULL ? path : "nats-server",
                           "/usr/sbin/nats-server"};
    for (int i = 0; i < 2; i++) {
        (void)execlp(paths[i], "nats-server", "-a", "127.0.0.1", "-p",
                     port_text, option, value, (char *)NULL);
    }
    _exit(127);
}

static void start(struct nats_server *server, int port, const char *option,
                  const char *value)
{
    server->port = port != 0 ? port : free_port();
    (void)snprintf(server->url, sizeof server->url, "nats://127.0.0.1:%d",
                   server->port);
    server->pid = fork();
    assert(server->pid >= 0);
    if (server->pid == 0)
        run_server(server->port, option, value);
    time_t until = time(NULL) + START_SECONDS;
    while (!greets(server->port)) {
        assert(time(NULL) < until);
        pid_t ended = waitpid(server->pid, NULL, WNOHANG);
        assert(ended == 0);
        (void)poll(NULL, 0, 5);
    }
}

void nats_server_start(struct nats_server *server, int port, const char *token)
{
    start(server, port, token != NULL ? "--auth" : NULL, token);
}

void nats_server_start_file(struct nats_server *server, int port,
                            const char *path)
{
    start(server, port, "-c", path);
}

void nats_server_signal(const struct nats_server *server, int number)
{
    assert(server->pid > 0);
    int rc = kill(server->pid, number);
    assert(rc == 0);
}

void nats_server_kill(struct nats_server *server)
{
    if (server->pid <= 0)
        return;
    nats_server_signal(server, SIGKILL);
    while (waitpid(server->pid, NULL, 0) < 0)
        assert(errno == EINTR);
    server->pid = 0;
}
