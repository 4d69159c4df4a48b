/* server_process.h - the nats-server that streamd starts when it is given none
 * (cli-config.md section 13): a child, supervised.
 *
 * Call from the main thread only, which must outlive the child: the kernel
 * ends the child when the thread that made it ends. The child never outlives
 * streamd, even after kill -9. Its log lines go into our log. */
#ifndef NATSCLIENT_SERVER_PROCESS_H
#define NATSCLIENT_SERVER_PROCESS_H

#include "streamd/base/buffer.h"
#include "streamd/base/log.h"
#include "streamd/base/status.h"

#include <stdbool.h>

struct server_process_options {
    const char *binary; /* NULL: $NATS_SERVER_BIN, then PATH */
    const char *host;   /* NULL: 0.0.0.0 */
    int port;           /* -1: any free one */
    /* The rest of its configuration: without host, port, log, monitoring and
     * ports file, which are settled here. Copied. */
    struct bytes config;
    const char *config_name; /* what it is called in log lines; NULL: nothing */
    /* For its files if neither $TMPDIR nor /tmp nor /dev/shm can be written;
     * borrowed for the life of the process, NULL: none. */
    const char *spare_directory;
    struct log *log; /* borrowed for the life of the process */
};

struct server_process;

/* Starts it and waits, at most 10 s, until it accepts connections. On
 * STATUS_OK the caller owns *out. Errors: STATUS_NOT_FOUND (no binary: the
 * text says how to get one), STATUS_UNAVAILABLE (it ended or did not come up;
 * the text is "unable to start a NATS Server on <host>:<port>" and its last
 * words are in the log). */
MUST_CHECK enum status
server_process_start(const struct server_process_options *options,
                     struct server_process **out, struct error *err);

/* nats://host:port to connect to, 0.0.0.0 and :: rewritten to loopback. */
const char *server_process_url(const struct server_process *process);

/* http://127.0.0.1:port of its monitoring (/varz and so on), which is for us
 * alone; "": it has none. */
const char *server_process_monitor_url(const struct server_process *process);

/* The ports file it wrote: JSON, lists of URLs by name. */
const char *server_process_ports(const struct server_process *process);

/* The host and port it listens on. */
const char *server_process_host(const struct server_process *process);
int server_process_port(const struct server_process *process);

/* Readable (poll) once the child has ended by itself; another one after each
 * restart, -1 if that failed. */
int server_process_descriptor(const struct server_process *process);

/* True if it has ended; then *err says how. */
bool server_process_ended(struct server_process *process, struct error *err);

/* After it ended, or after a restart that failed: another child, with the same
 * configuration and ports; server_process_ready() tells when it listens.
 * Errors: those of the start; it may be tried again. */
MUST_CHECK enum status server_process_restart(struct server_process *process,
                                              struct error *err);

/* True once the child accepts connections. */
bool server_process_ready(struct server_process *process);

/* SIGKILL, for a child that does not become ready. */
void server_process_kill(struct server_process *process);

/* Another configuration (as in the options): the child is told to read it, and
 * says in its log what came of it. Errors: STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status server_process_reload(struct server_process *process,
                                             struct bytes config,
                                             struct error *err);

/* SIGINT, 5 s, SIGKILL; frees. NULL is allowed. */
void server_process_stop(struct server_process *process);

/* What the binary that would be used has to say of a configuration (as in the
 * options): STATUS_OK: it is right; STATUS_INVALID, with its words in *err,
 * where the configuration is called config_name. Waits 10 s at most. Errors of
 * its start: STATUS_NOT_FOUND, STATUS_IO. */
MUST_CHECK enum status server_process_check(const char *binary,
                                            struct bytes config,
                                            const char *config_name,
                                            struct error *err);

/* "nats-server: v2.9.10" of the binary that would be used, into out; false if
 * it cannot be asked. */
MUST_CHECK bool server_process_version(const char *binary, char *out,
                                       int capacity);

#endif
