/* server_files.h - the private directory of a starting nats-server: its
 * configuration, and the ports file in which it says that it listens.
 *
 * Only the child of ours writes there, so a ports file is proof that the
 * listener is ours, which a TCP connect is not. It is all needed only until
 * the child is ready and removed then: kill -9 of streamd leaves nothing. */
#ifndef NATSCLIENT_SERVER_FILES_H
#define NATSCLIENT_SERVER_FILES_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>

#define SERVER_PATH_MAX 512
#define SERVER_PORTS_MAX 65536
#define SERVER_URL_MAX 320

struct server_files {
    char directory[SERVER_PATH_MAX]; /* empty: there is none */
    char config[SERVER_PATH_MAX + 16];
};

struct server_settings {
    const char *host;
    int port;
    struct bytes config; /* what else stands in the configuration */
};

/* Makes the directory, below $TMPDIR or /tmp, and the configuration, readable
 * by us alone. Errors: STATUS_IO, STATUS_INVALID; nothing is left then. */
MUST_CHECK enum status server_files_init(struct server_files *files,
                                         const struct server_settings *settings,
                                         struct error *err);
void server_files_release(struct server_files *files);

/* The text of its ports file into text, SERVER_PORTS_MAX bytes; false as long
 * as the child does not listen. */
MUST_CHECK bool server_files_ports(const struct server_files *files,
                                   char *text);

/* The first URL of the list called name in the text of a ports file; false if
 * there is none, or it does not fit. */
MUST_CHECK bool ports_text_url(const char *text, const char *name, char *url,
                               size_t capacity);

/* The port of the first client URL in the text of a ports file, else 0. */
int ports_text_port(const char *text);

#endif
