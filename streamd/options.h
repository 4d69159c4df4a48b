/* options.h - what the process was told to do, and the one table it comes from.
 *
 * The table says for each option its names, type, place in struct options,
 * range and help; parsing and the usage text are both driven by it. Strings
 * are borrowed from argv or static. No thread, no global state. */
#ifndef STREAMD_OPTIONS_H
#define STREAMD_OPTIONS_H

#include "store/limits.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum options_action {
    OPTIONS_RUN,
    OPTIONS_VERSION,
    OPTIONS_HELP,
};

enum options_store {
    OPTIONS_STORE_MEMORY,
    OPTIONS_STORE_FILE,
};

/* A flag that stands for two others and is applied after them. */
enum options_both {
    OPTIONS_BOTH_UNSET,
    OPTIONS_BOTH_ON,
    OPTIONS_BOTH_OFF,
};

struct options {
    enum options_action action;
    bool version, help;

    const char *stan_config; /* configuration file; "": none */
    const char *nats_config; /* that of the NATS side; "": none */

    const char *cluster_id;
    const char *discover_prefix;
    const char *store;       /* as given: see options_store() */
    const char *dir;         /* "": none given */
    const char *nats_server; /* URLs of an external one; "": run our own */
    struct limits limits;
    int64_t heartbeat_interval; /* ns, above 0 */
    int64_t heartbeat_timeout;  /* ns, above 0 */
    int64_t heartbeat_fail_count;
    int64_t cache_size; /* bytes of memory for cached messages */
    bool replace_durable;
    bool streaming_debug, streaming_trace;
    int streaming_both; /* enum options_both, already applied */

    const char *host;      /* NATS clients and monitoring; "": 0.0.0.0 */
    int64_t port;          /* -1: any free one */
    const char *http_host; /* of monitoring; "": as host */
    int64_t http_port;     /* 0: no monitoring, -1: any free one */
    const char *nats_server_binary; /* "": found by server_process */

    bool debug, trace;    /* of the nats-server */
    int both;             /* enum options_both, already applied */
    const char *log_file; /* "": stderr */
    bool log_time, log_time_utc;
    int64_t log_size_limit; /* bytes; 0: no rotation */
    const char *log_format; /* "text" or "json" */
    bool syslog;
    const char *remote_syslog; /* URL; "": none */
    const char *syslog_name;   /* "": that of the program */

    const char *pid_file;       /* "": none */
    const char *signal_command; /* for another process; "": none, we run */
};

enum option_type {
    OPTION_STRING,   /* const char * */
    OPTION_BOOLEAN,  /* bool */
    OPTION_BOTH,     /* int, enum options_both */
    OPTION_INTEGER,  /* int64_t */
    OPTION_SIZE,     /* int64_t, bytes */
    OPTION_DURATION, /* int64_t, ns */
};

enum { OPTION_NAMES_MAX = 3 };

struct option_entry {
    const char *names[OPTION_NAMES_MAX]; /* unused ones NULL */
    enum option_type type;
    size_t place;      /* offset in struct options */
    int64_t low, high; /* of a number; both 0: any */
    const char *section;
    const char *help;
};

/* Sorted by section; *count entries. */
const struct option_entry *options_table(size_t *count);

/* The entry that has this flag; NULL if none. */
const struct option_entry *options_entry(const char *flag);

/* True for a flag of the Go server that is known but not there yet. */
bool options_unsupported(const char *name);

/* The built-in defaults. */
void options_default(struct options *options);

/* Puts what argv says (argv[0] is skipped) over what is in *options, which was
 * filled by options_default() and later also from a file. Errors, with the
 * text for the user: STATUS_INVALID (the usage belongs behind it, exit 2),
 * STATUS_NOT_FOUND (unknown command) and STATUS_LIMIT (a size that is none):
 * exit 1. */
MUST_CHECK enum status options_parse(struct options *options, int argc,
                                     char *const *argv, struct error *err);

/* The checks of start-up, apart from those of limits_check(): the kind of
 * store and what it needs. Errors: STATUS_INVALID with the text for the log. */
MUST_CHECK enum status options_store(const struct options *options,
                                     enum options_store *store,
                                     struct error *err);

#endif
