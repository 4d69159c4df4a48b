/* options.h - what the process was told to do, and the one table it comes from.
 *
 * The table says for each option its flags, its keys in a configuration file,
 * type, place in struct options, range, help, whether a reload takes it over
 * and what it is without. Command line, files, usage, reload and the reference
 * in the README are driven by it. Strings are borrowed from argv, from the
 * document of a file, or static. No thread, no global state. */
#ifndef STREAMD_OPTIONS_H
#define STREAMD_OPTIONS_H

#include "store/limits.h"
#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum options_action {
    OPTIONS_RUN,
    OPTIONS_VERSION,
    OPTIONS_HELP,
    OPTIONS_HELP_TLS,
    OPTIONS_CHECK, /* the configuration files, and end */
};

enum options_store {
    OPTIONS_STORE_MEMORY,
    OPTIONS_STORE_FILE,
    OPTIONS_STORE_SQL,
};

/* Of a flag whose absence means something else than false. */
enum options_choice {
    OPTIONS_UNSET,
    OPTIONS_ON,
    OPTIONS_OFF,
};

/* Of a number whose absence means something else than any number. */
enum { OPTIONS_NOT_GIVEN = -1 };

enum { OPTIONS_LIST_MAX = 64, OPTIONS_PORT = 4222 };

struct options_list {
    struct bytes items[OPTIONS_LIST_MAX]; /* borrowed, not terminated */
    size_t count;
};

/* -tls_client_..., tls { }: of our connection to NATS. */
struct options_tls {
    const char *cert, *key, *ca; /* "": none */
    const char *server_name;     /* "": the host of the URL */
    bool skip_verify;
};

/* -file_..., file_options { }, as the Go server means them. */
struct options_file {
    bool compact;
    int64_t compact_fragmentation, compact_interval, compact_min_size;
    int64_t buffer_size, read_buffer_size;
    bool crc;
    int64_t crc_polynomial;
    bool sync;
    int64_t auto_sync; /* ns */
    int64_t slice_max_messages, slice_max_bytes, slice_max_age;
    const char *slice_archive_script;
    int64_t descriptors_limit, parallel_recovery;
    bool truncate_bad_end;
};

struct options_sql {
    const char *driver, *source;
    bool no_caching;
    int64_t max_open_connections, bulk_insert_limit;
};

/* -cluster_..., cluster { } of the streaming side: raft. */
struct options_cluster {
    bool enabled;
    const char *node_id;
    bool bootstrap;
    struct options_list peers; /* without node_id */
    const char *log_path;
    int64_t log_cache_size, log_snapshots, trailing_logs;
    bool sync, raft_logging, proceed_on_restore_failure, allow_add_remove_node;
    int64_t raft_heartbeat_timeout, raft_election_timeout, raft_lease_timeout,
        raft_commit_timeout; /* ns, 0: as built in */
    bool bolt_free_list_sync, bolt_free_list_map, nodes_connections;
};

/* What only the nats-server of our own needs and its file, if there is one,
 * says otherwise: NULL, OPTIONS_UNSET and OPTIONS_NOT_GIVEN leave that as it
 * is (nats_config.h). */
struct options_nats {
    const char *name, *client_advertise;
    const char *routes, *cluster, *cluster_name, *cluster_advertise;
    int no_advertise, jetstream, tls, tls_verify; /* enum options_choice */
    int64_t connect_retries, profile_port, max_traced_length;
    const char *store_dir;
};

struct options {
    enum options_action action;
    bool version, help, help_tls, check;

    const char *stan_config; /* configuration file; "": none */
    const char *nats_config; /* that of the NATS side; "": none */

    const char *cluster_id;
    const char *discover_prefix;
    const char *store;       /* as given: see options_check.h */
    const char *dir;         /* "": none given */
    const char *nats_server; /* URLs of an external one; "": run our own */
    struct limits limits;
    int64_t heartbeat_interval; /* ns, above 0 */
    int64_t heartbeat_timeout;  /* ns, above 0 */
    int64_t heartbeat_fail_count;
    int64_t cache_size; /* bytes of memory for cached messages */
    bool replace_durable;
    const char *admin_token_file; /* "": no administration with a token */
    const char *admin_socket;     /* "": none */
    int64_t io_batch_size, io_sleep_time;
    const char *ft_group; /* "": none */
    bool partitioning;
    bool encrypt;
    const char *encryption_cipher, *encryption_key;
    struct options_file file;
    struct options_sql sql;
    struct options_cluster cluster;

    /* Our connection to NATS (cli-config.md 12). */
    bool secure;
    struct options_tls client_tls;
    const char *credentials;    /* path of a .creds file; "": none */
    const char *nkey_seed_file; /* "": none */
    const char *streaming_user, *streaming_password, *streaming_token;

    bool streaming_debug, streaming_trace;
    int streaming_both; /* enum options_choice, already applied */

    const char *host;       /* NATS clients and monitoring; "": 0.0.0.0 */
    int64_t port;           /* -1: any free one */
    const char *http_host;  /* of monitoring; "": as host */
    int64_t http_port;      /* 0: no monitoring, -1: any free one */
    const char *https_host; /* likewise */
    int64_t https_port;
    int64_t metrics_channels;       /* shown one by one by /metrics */
    bool metrics_inbox;             /* with a label for the inbox */
    const char *nats_server_binary; /* "": found by server_process */
    struct options_nats nats;
    /* Of the NATS side, for clients and us; "": none. */
    const char *user, *password, *token;
    /* What the nats-server shows its clients, and HTTPS monitoring its; "":
     * none. They are of the flags, else of its file. */
    const char *tls_cert, *tls_key, *tls_ca;
    const char *ports_file_dir; /* "": none */

    bool debug, trace, trace_verbose;      /* of the nats-server */
    int both, verbose_both, verbose_trace; /* choices, already applied */
    const char *log_file;                  /* "": stderr */
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
    OPTION_CHOICE,   /* int, enum options_choice; a boolean flag */
    OPTION_INTEGER,  /* int64_t */
    OPTION_SIZE,     /* int64_t, bytes */
    OPTION_DURATION, /* int64_t, ns */
    OPTION_LIST,     /* struct options_list; a flag with commas, an array */
};

/* The maps of a configuration file in which keys stand. */
enum options_section {
    OPTIONS_STREAMING,
    OPTIONS_CLIENT_TLS,
    OPTIONS_LIMITS,
    OPTIONS_CHANNELS, /* its keys are names of channels */
    OPTIONS_CHANNEL,  /* the limits of one of them */
    OPTIONS_FILE,
    OPTIONS_SQL,
    OPTIONS_CLUSTER,
    OPTIONS_NATS, /* the top level, for the NATS side */
    OPTIONS_AUTHORIZATION,
    OPTIONS_SERVER_TLS,
};

/* What an option is without, so that a value other than the default has no
 * effect (options_check.h): each has a sentence of its own. */
enum options_idle {
    OPTIONS_WORKS,
    OPTIONS_IDLE_FILE,    /* works of the Go server's files, not of ours */
    OPTIONS_IDLE_BATCH,   /* likewise, of its way to batch */
    OPTIONS_FOR_FILE,     /* nothing without a FILE store */
    OPTIONS_FOR_SQL,      /* nothing without an SQL store */
    OPTIONS_FOR_CLUSTER,  /* nothing without clustering */
    OPTIONS_FOR_ENCRYPT,  /* nothing without encryption */
    OPTIONS_FOR_EMBEDDED, /* nothing with an external NATS server */
};

struct option_entry {
    const char *flags; /* without dash, separated by blanks; "": none */
    enum option_type type;
    size_t place;            /* offset in struct options */
    int64_t low, high;       /* of a number; both 0: any */
    enum options_section in; /* where it stands in a file, */
    const char *keys;        /* lower case, separated by blanks; NULL: not */
    bool reloads;            /* SIGHUP takes it over */
    enum options_idle idle;
    const char *section;
    const char *help;
};

/* Sorted by section; *count entries. */
const struct option_entry *options_table(size_t *count);

/* The entry that has this flag; NULL if none. */
const struct option_entry *options_entry(const char *flag);

/* True if name is one of the words, separated by blanks. */
bool options_named(const char *words, const char *name, size_t size);

/* "-clustered", or the name of the key if there is no flag, for messages. */
enum { OPTIONS_NAME_MAX = 64 };
const char *options_name(const struct option_entry *entry,
                         char out[OPTIONS_NAME_MAX]);

/* Whether two have the same value of this option. */
bool options_same(const struct option_entry *entry, const struct options *a,
                  const struct options *b);

/* The built-in defaults. */
void options_default(struct options *options);

/* Puts what argv says (argv[0] is skipped) over what is in *options, which was
 * filled by options_default() and later also from a file. Errors, with the
 * text for the user: STATUS_INVALID (the usage belongs behind it, exit 2),
 * STATUS_NOT_FOUND (unknown command) and STATUS_LIMIT (a size that is none):
 * exit 1. */
MUST_CHECK enum status options_parse(struct options *options, int argc,
                                     char *const *argv, struct error *err);

#endif
