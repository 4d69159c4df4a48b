#include "natsclient/dial_error.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROBE_TIMEOUT_MS 500

/* nats.c puts "(file:line): " in front. */
static const char *last_error(void)
{
    const char *text = nats_GetLastError(NULL);
    if (text == NULL)
        return "";
    const char *end = text[0] == '(' ? strstr(text, "): ") : NULL;
    return end != NULL ? end + 3 : text;
}

/* 0 or the errno of a connect. */
static int probe_address(const struct addrinfo *address)
{
    int fd = socket(address->ai_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int error = 0;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
        error = errno;
    struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof error;
    if (error == EINPROGRESS) {
        if (poll(&pollfd, 1, PROBE_TIMEOUT_MS) != 1) {
            error = ETIMEDOUT;
        } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
            error = errno;
        }
    }
    (void)close(fd);
    return error;
}

static void unreachable(const struct url *url, char *out, size_t capacity)
{
    char port[16];
    (void)snprintf(port, sizeof port, "%d", url->port);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(url->host, port, &hints, &found);
    if (rc != 0) {
        (void)snprintf(out, capacity, "no server available for connection: %s",
                       gai_strerror(rc));
        return;
    }
    int error = probe_address(found);
    freeaddrinfo(found);
    char buffer[128];
    (void)snprintf(out, capacity, "no server available for connection: %s",
                   error == 0 ? "it does not greet as a NATS server"
                              : strerror_r(error, buffer, sizeof buffer));
}

static void tls_failed(const struct security *security, const char *detail,
                       char *out, size_t capacity)
{
    static const char HANDSHAKE[] = "SSL handshake error: ";
    size_t front = strlen(HANDSHAKE);
    if (strncmp(detail, HANDSHAKE, front) != 0) {
        (void)snprintf(out, capacity, "TLS: %s", detail);
        return;
    }
    detail += front;
    /* Of a certificate: "<number>:<reason>:depth=...". */
    size_t digits = strspn(detail, "0123456789");
    bool of_certificate = digits > 0 && detail[digits] == ':';
    (void)snprintf(out, capacity, "TLS: %s%s",
                   of_certificate ? detail + digits + 1 : detail,
                   of_certificate && !security->tls_skip_verify
                       ? " (client_ca names whom to trust, skip_verify turns "
                         "verification off)"
                       : "");
}

/* As a server does with TLS 1.3, where the handshake is over for us before it
 * has looked at our certificate. */
static bool ended_at_once(natsStatus status, const char *detail)
{
    return (status == NATS_PROTOCOL_ERROR &&
            strstr(detail, "got ''") != NULL) ||
           strncmp(detail, "SSL_write ", strlen("SSL_write ")) == 0 ||
           strncmp(detail, "SSL_read ", strlen("SSL_read ")) == 0 ||
           status == NATS_CONNECTION_CLOSED;
}

void dial_error_text(natsStatus status, const struct url *url,
                     const struct security *security, char *out,
                     size_t capacity)
{
    const char *detail = last_error();
    if (ended_at_once(status, detail)) {
        (void)snprintf(out, capacity, "the server ended the connection%s",
                       security_has(security->tls_cert)
                           ? ""
                           : " (does it demand a client certificate?)");
    } else if (status == NATS_NO_SERVER) {
        unreachable(url, out, capacity);
    } else if (status == NATS_SSL_ERROR) {
        tls_failed(security, detail, out, capacity);
    } else if (status == NATS_SECURE_CONNECTION_WANTED) {
        (void)snprintf(out, capacity, "TLS: the server offers none");
    } else {
        (void)snprintf(out, capacity, "%s",
                       detail[0] != '\0' ? detail : natsStatus_GetText(status));
    }
}
