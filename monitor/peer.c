#include "monitor/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Who connected to a Unix socket, as the kernel knows. */
static void local_text(struct MHD_Connection *connection, char out[PEER_MAX])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (info != NULL && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED,
                                   &peer, &size) == 0) {
        (void)snprintf(out, PEER_MAX, "user %ld, process %ld", (long)peer.uid,
                       (long)peer.pid);
    }
}

void peer_text(struct MHD_Connection *connection, char out[PEER_MAX])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";
    out[0] = '\0';
    if (info == NULL || info->client_addr == NULL)
        return;
    if (info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, info->client_addr, sizeof v4);
        (void)inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        (void)snprintf(out, PEER_MAX, "%s:%u", text, ntohs(v4.sin_port));
    } else if (info->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, info->client_addr, sizeof v6);
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        (void)snprintf(out, PEER_MAX, "[%s]:%u", text, ntohs(v6.sin6_port));
    } else if (info->client_addr->sa_family == AF_UNIX) {
        local_text(connection, out);
    }
}
