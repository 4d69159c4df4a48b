/* server_files.h - what a nats-server of ours is started with: its
 * configuration, and a directory for the ports file in which it says that it
 * listens.
 *
 * The configuration, which holds secrets, is a file without a name, in memory
 * where the kernel lets us; it can be written again for a reload. Only the
 * child of ours writes in the directory, so a ports file is proof that the
 * listener is ours, which a TCP connect is not. The directory is there only
 * until the child is ready: kill -9 of streamd leaves nothing. */
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
    bool there;                      /* the directory */
    char directory[SERVER_PATH_MAX]; /* "": there was none yet */
    int config;                      /* descriptor; -1: none */
    const char *spare;               /* borrowed */
};

struct server_settings {
    const char *host;
    int port, monitor_port; /* -1: any free one */
    struct bytes config;    /* what else stands in the configuration */
};

/* Makes an empty configuration, for us alone. spare (NULL: none) is a directory
 * to use if neither $TMPDIR nor /tmp nor /dev/shm can be written; borrowed.
 * Errors: STATUS_IO; nothing is left then. */
MUST_CHECK enum status server_files_init(struct server_files *files,
                                         const char *spare, struct error *err);

/* Makes the directory, for us alone, at the first of those places that lets us;
 * each time of another name. It must not be there. Errors: STATUS_IO,
 * STATUS_INVALID. */
MUST_CHECK enum status server_files_again(struct server_files *files,
                                          struct error *err);

/* Writes the configuration, in place of what is there; with the directory, if
 * there is one. Errors: STATUS_IO,
 * STATUS_INVALID (control characters in host). */
MUST_CHECK enum status
server_files_write(struct server_files *files,
                   const struct server_settings *settings, struct error *err);

/* Removes the directory; its name is kept, as a running child knows it. */
void server_files_remove(struct server_files *files);
void server_files_release(struct server_files *files);

/* The text of its ports file into text, SERVER_PORTS_MAX bytes; false as long
 * as the child does not listen. */
MUST_CHECK bool server_files_ports(const struct server_files *files,
                                   char *text);

/* The first URL of the list called name in the text of a ports file; false if
 * there is none, or it does not fit. */
MUST_CHECK bool ports_text_url(const char *text, const char *name, char *url,
                               size_t capacity);

/* The port at the end of a URL, 0 if there is none. */
int ports_url_port(const char *url);

/* The port of the first client URL in the text of a ports file, else 0. */
int ports_text_port(const char *text);

#endif
