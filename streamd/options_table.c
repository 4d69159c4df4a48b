#include "streamd/options.h"

#include "streamd/base/clock.h"

#include <stdio.h>
#include <string.h>

#define STREAMING "Streaming Server Options"
#define CLUSTERING "Streaming Server Clustering Options"
#define FILE_STORE "Streaming Server File Store Options"
#define SQL_STORE "Streaming Server SQL Store Options"
#define STREAMING_TLS "Streaming Server TLS Options"
#define STREAMING_LOG "Streaming Server Logging Options"
#define EMBEDDED "Embedded NATS Server Options"
#define LOGGING "Logging Options"
#define AUTHORIZATION "Authorization Options"
#define TLS "TLS Options"
#define NATS_CLUSTERING "NATS Clustering Options"
#define COMMON "Common Options"

/* One row, then what else there is to say of it. */
#define OPTION(section_, type_, member, flags_, help_, ...)                    \
    {                                                                          \
        .flags = (flags_), .type = OPTION_##type_,                             \
        .place = offsetof(struct options, member), .section = (section_),      \
        .help = (help_), __VA_ARGS__                                           \
    }
#define KEYS(in_, keys_) .in = OPTIONS_##in_, .keys = (keys_)
#define NO_KEYS .keys = NULL
#define RANGE(low_, high_) .low = (low_), .high = (high_)
#define POSITIVE RANGE(1, INT64_MAX)
#define RELOADS .reloads = true
#define IDLE(why) .idle = OPTIONS_##why

#define MEBIBYTE (INT64_C(1) << 20)
enum { PORT_MAX = 65535 };

static const struct option_entry table[] = {
    OPTION(STREAMING, STRING, stan_config, "sc stan_config",
           "Configuration file of the streaming server", NO_KEYS),
    OPTION(STREAMING, STRING, cluster_id, "cid cluster_id",
           "Cluster id, which clients must know",
           KEYS(STREAMING, "id cid cluster_id")),
    OPTION(STREAMING, STRING, discover_prefix, "",
           "Subject, with the cluster id behind it, on which clients find the "
           "server",
           KEYS(STREAMING, "discover_prefix")),
    OPTION(STREAMING, STRING, store, "st store", "Store type: MEMORY or FILE",
           KEYS(STREAMING, "st store store_type storetype")),
    OPTION(STREAMING, STRING, dir, "dir", "Root directory of a FILE store",
           KEYS(STREAMING, "dir datastore")),
    OPTION(STREAMING, INTEGER, limits.max_channels, "mc max_channels",
           "Most channels (0: no limit)",
           KEYS(LIMITS, "mc max_channels maxchannels"), RELOADS),
    OPTION(STREAMING, INTEGER, limits.global.max_subscriptions, "msu max_subs",
           "Most subscriptions per channel (0: no limit)",
           KEYS(LIMITS, "msu max_subs max_subscriptions maxsubscriptions"),
           RELOADS),
    OPTION(STREAMING, INTEGER, limits.global.max_messages, "mm max_msgs",
           "Most messages per channel (0: no limit)",
           KEYS(LIMITS, "mm max_msgs maxmsgs max_count maxcount"), RELOADS),
    OPTION(STREAMING, SIZE, limits.global.max_bytes, "mb max_bytes",
           "Most bytes of messages per channel (0: no limit)",
           KEYS(LIMITS, "mb max_bytes maxbytes"), RELOADS),
    OPTION(STREAMING, DURATION, limits.global.max_age, "ma max_age",
           "How long a message is kept (0: for ever)",
           KEYS(LIMITS, "ma max_age maxage"), RELOADS),
    OPTION(STREAMING, DURATION, limits.global.max_inactivity,
           "mi max_inactivity",
           "An idle channel is deleted after this (0: "
           "never)",
           KEYS(LIMITS, "mi max_inactivity maxinactivity"), RELOADS),
    OPTION(STREAMING, STRING, nats_server, "ns nats_server",
           "URLs of a NATS server to use instead of one of our own, separated "
           "by commas",
           KEYS(STREAMING, "ns nats_server nats_server_url")),
    OPTION(STREAMING, DURATION, heartbeat_interval, "hbi hb_interval",
           "Time between heartbeats to a client",
           KEYS(STREAMING, "hbi hb_interval server_to_client_hb_interval"),
           POSITIVE, RELOADS),
    OPTION(STREAMING, DURATION, heartbeat_timeout, "hbt hb_timeout",
           "How long to wait for the answer to a heartbeat",
           KEYS(STREAMING, "hbt hb_timeout server_to_client_hb_timeout"),
           POSITIVE, RELOADS),
    OPTION(STREAMING, INTEGER, heartbeat_fail_count, "hbf hb_fail_count",
           "Failed heartbeats before a client is closed",
           KEYS(STREAMING, "hbf hb_fail_count server_to_client_hb_fail_count"),
           RANGE(0, INT32_MAX), RELOADS),
    OPTION(STREAMING, STRING, ft_group, "ft_group ft_group_name",
           "Name of the fault-tolerance group (not supported yet)",
           KEYS(STREAMING, "ft_group ft_group_name")),
    OPTION(STREAMING, BOOLEAN, partitioning, "",
           "Serve only the channels that have limits of their own (not "
           "supported yet)",
           KEYS(STREAMING, "partitioning")),
    OPTION(STREAMING, BOOLEAN, encrypt, "encrypt",
           "Encrypt what is stored (not supported yet)",
           KEYS(STREAMING, "encrypt")),
    OPTION(STREAMING, STRING, encryption_cipher, "encryption_cipher",
           "AES or CHACHA", KEYS(STREAMING, "encryption_cipher"),
           IDLE(FOR_ENCRYPT)),
    OPTION(STREAMING, STRING, encryption_key, "encryption_key",
           "Turns encryption on; better given as "
           "$NATS_STREAMING_ENCRYPTION_KEY",
           KEYS(STREAMING, "encryption_key")),
    OPTION(STREAMING, BOOLEAN, replace_durable, "replace_durable",
           "A new subscription to a durable replaces the live one",
           KEYS(STREAMING, "replace_durable replace_durables "
                           "replace_duplicate_durable "
                           "replace_duplicate_durables")),
    OPTION(STREAMING, SIZE, cache_size, "cache_size",
           "Memory for messages kept at hand by a FILE store", NO_KEYS,
           RANGE(0, INT64_MAX)),
    OPTION(STREAMING, STRING, admin_token_file, "admin_token_file",
           "File with the token for administration over HTTP and NATS "
           "(without it: off)",
           KEYS(STREAMING, "admin_token_file")),
    OPTION(STREAMING, STRING, admin_socket, "admin_socket",
           "Unix socket for administration without a token, open to the user "
           "of this process only (without it: none)",
           KEYS(STREAMING, "admin_socket")),
    OPTION(STREAMING, INTEGER, io_batch_size, "io_batch_size",
           "Messages stored at once by the Go server; here as many as are "
           "there",
           NO_KEYS, IDLE(IDLE_BATCH)),
    OPTION(STREAMING, INTEGER, io_sleep_time, "io_sleep_time",
           "Microseconds that the Go server waits for more of them", NO_KEYS,
           IDLE(IDLE_BATCH)),
    OPTION(STREAMING, STRING, credentials, "credentials",
           "File with a user JWT and its seed, for the NATS server",
           KEYS(STREAMING, "credentials")),
    OPTION(STREAMING, STRING, nkey_seed_file, "nkey_seed_file",
           "File with an NKey seed, for the NATS server",
           KEYS(STREAMING, "nkey_seed_file")),
    OPTION(STREAMING, STRING, streaming_user, "",
           "User for the NATS server, if there is no -user",
           KEYS(STREAMING, "username user")),
    OPTION(STREAMING, STRING, streaming_password, "",
           "Its password, if there is no -pass",
           KEYS(STREAMING, "password pass")),
    OPTION(STREAMING, STRING, streaming_token, "",
           "Token for the NATS server, if there is no -auth",
           KEYS(STREAMING, "token")),

    OPTION(CLUSTERING, BOOLEAN, cluster.enabled, "clustered",
           "Run as a member of a raft cluster (not supported yet)", NO_KEYS),
    OPTION(CLUSTERING, STRING, cluster.node_id, "cluster_node_id",
           "Id of this member", KEYS(CLUSTER, "node_id"), IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, BOOLEAN, cluster.bootstrap, "cluster_bootstrap",
           "Begin a new cluster as its leader", KEYS(CLUSTER, "bootstrap"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, LIST, cluster.peers, "cluster_peers",
           "Ids of the other members, separated by commas",
           KEYS(CLUSTER, "peers"), IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, STRING, cluster.log_path, "cluster_log_path",
           "Directory of the raft log", KEYS(CLUSTER, "log_path"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, INTEGER, cluster.log_cache_size,
           "cluster_log_cache_size", "Entries of the raft log in memory",
           KEYS(CLUSTER, "log_cache_size"), IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, INTEGER, cluster.log_snapshots, "cluster_log_snapshots",
           "Snapshots that are kept", KEYS(CLUSTER, "log_snapshots"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, INTEGER, cluster.trailing_logs, "cluster_trailing_logs",
           "Entries kept behind a snapshot", KEYS(CLUSTER, "trailing_logs"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, BOOLEAN, cluster.sync, "cluster_sync",
           "Sync the raft log and the messages with each write",
           KEYS(CLUSTER, "sync"), IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, BOOLEAN, cluster.raft_logging, "cluster_raft_logging",
           "Log what raft has to say", KEYS(CLUSTER, "raft_logging"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, BOOLEAN, cluster.proceed_on_restore_failure,
           "cluster_proceed_on_restore_failure",
           "Start though messages of a snapshot cannot be had",
           KEYS(CLUSTER, "proceed_on_restore_failure"), IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, BOOLEAN, cluster.allow_add_remove_node,
           "cluster_allow_add_remove_node",
           "The leader takes requests to add and remove members",
           KEYS(CLUSTER, "allow_add_remove_node"), IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, DURATION, cluster.raft_heartbeat_timeout, "",
           "As raft says", KEYS(CLUSTER, "raft_heartbeat_timeout"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, DURATION, cluster.raft_election_timeout, "",
           "As raft says", KEYS(CLUSTER, "raft_election_timeout"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, DURATION, cluster.raft_lease_timeout, "", "As raft says",
           KEYS(CLUSTER, "raft_lease_timeout"), IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, DURATION, cluster.raft_commit_timeout, "",
           "As raft says", KEYS(CLUSTER, "raft_commit_timeout"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, BOOLEAN, cluster.bolt_free_list_sync, "",
           "Of the Go server's raft log", KEYS(CLUSTER, "bolt_free_list_sync"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, BOOLEAN, cluster.bolt_free_list_map, "",
           "Of the Go server's raft log", KEYS(CLUSTER, "bolt_free_list_map"),
           IDLE(FOR_CLUSTER)),
    OPTION(CLUSTERING, BOOLEAN, cluster.nodes_connections, "",
           "A NATS connection for each member",
           KEYS(CLUSTER, "nodes_connections"), IDLE(FOR_CLUSTER)),

    OPTION(FILE_STORE, BOOLEAN, file.compact, "file_compact_enabled",
           "Of the Go server's files; here they are compacted anyway",
           KEYS(FILE, "compact compact_enabled"), IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, INTEGER, file.compact_fragmentation, "file_compact_frag",
           "Likewise, in percent",
           KEYS(FILE, "compact_frag compact_fragmentation"), IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, INTEGER, file.compact_interval, "file_compact_interval",
           "Likewise, in seconds", KEYS(FILE, "compact_interval"),
           IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, SIZE, file.compact_min_size, "file_compact_min_size",
           "Likewise", KEYS(FILE, "compact_min_size"), IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, SIZE, file.buffer_size, "file_buffer_size",
           "Likewise; here there is no such buffer", KEYS(FILE, "buffer_size"),
           IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, BOOLEAN, file.crc, "file_crc",
           "Likewise; here what is read is always checked",
           KEYS(FILE, "crc do_crc"), IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, INTEGER, file.crc_polynomial, "file_crc_poly",
           "Likewise", KEYS(FILE, "crc_poly"), IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, BOOLEAN, file.sync, "file_sync",
           "Sync before an ack; without it a power cut can lose messages that "
           "were acked",
           KEYS(FILE, "sync do_sync sync_on_flush"), IDLE(FOR_FILE)),
    OPTION(FILE_STORE, DURATION, file.auto_sync, "file_auto_sync",
           "What is not synced yet is after this time (0: not by time)",
           KEYS(FILE, "file_auto_sync auto_sync"), IDLE(FOR_FILE)),
    OPTION(FILE_STORE, INTEGER, file.slice_max_messages, "file_slice_max_msgs",
           "Of the Go server's files; here only their size ends one",
           KEYS(FILE, "slice_max_msgs slice_max_count slice_msgs slice_count"),
           IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, SIZE, file.slice_max_bytes, "file_slice_max_bytes",
           "Size of a file of messages, 1 MiB to 256 MiB (0: 64 MiB)",
           KEYS(FILE, "slice_max_bytes slice_max_size slice_bytes slice_size"),
           IDLE(FOR_FILE)),
    OPTION(
        FILE_STORE, DURATION, file.slice_max_age, "file_slice_max_age",
        "Of the Go server's files",
        KEYS(FILE, "slice_max_age slice_age slice_max_time slice_time_limit"),
        IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, STRING, file.slice_archive_script,
           "file_slice_archive_script",
           "Script that gets each slice before it is deleted (not supported "
           "yet)",
           KEYS(FILE, "slice_archive_script slice_archive slice_script"),
           IDLE(FOR_FILE)),
    OPTION(FILE_STORE, INTEGER, file.descriptors_limit, "file_fds_limit",
           "Of the Go server's files; here few are open",
           KEYS(FILE, "file_descriptors_limit fds_limit"), IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, INTEGER, file.parallel_recovery,
           "file_parallel_recovery",
           "Likewise; here all is recovered in one go",
           KEYS(FILE, "parallel_recovery"), IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, BOOLEAN, file.truncate_bad_end, "file_truncate_bad_eof",
           "Likewise; a write that was cut off is always put right", NO_KEYS,
           IDLE(IDLE_FILE)),
    OPTION(FILE_STORE, SIZE, file.read_buffer_size, "file_read_buffer_size",
           "Likewise; see -cache_size",
           KEYS(FILE, "file_read_buffer_size read_buffer_size"),
           IDLE(IDLE_FILE)),

    OPTION(SQL_STORE, STRING, sql.driver, "sql_driver", "mysql or postgres",
           KEYS(SQL, "driver"), IDLE(FOR_SQL)),
    OPTION(SQL_STORE, STRING, sql.source, "sql_source",
           "Where the data base is", KEYS(SQL, "source"), IDLE(FOR_SQL)),
    OPTION(SQL_STORE, BOOLEAN, sql.no_caching, "sql_no_caching",
           "Write messages at once", KEYS(SQL, "no_caching"), IDLE(FOR_SQL)),
    OPTION(SQL_STORE, INTEGER, sql.max_open_connections, "sql_max_open_conns",
           "Most connections to the data base (0: no limit)",
           KEYS(SQL, "max_open_conns max_conns"), IDLE(FOR_SQL)),
    OPTION(SQL_STORE, INTEGER, sql.bulk_insert_limit, "sql_bulk_insert_limit",
           "Most messages in one insert", KEYS(SQL, "bulk_insert_limit"),
           IDLE(FOR_SQL)),

    OPTION(STREAMING_TLS, BOOLEAN, secure, "secure",
           "Use TLS to the NATS server", KEYS(STREAMING, "secure")),
    OPTION(STREAMING_TLS, STRING, client_tls.cert, "tls_client_cert",
           "Certificate to show to the NATS server",
           KEYS(CLIENT_TLS, "client_cert")),
    OPTION(STREAMING_TLS, STRING, client_tls.key, "tls_client_key",
           "Its private key", KEYS(CLIENT_TLS, "client_key")),
    OPTION(STREAMING_TLS, STRING, client_tls.ca, "tls_client_cacert",
           "Certificates by which the NATS server is known",
           KEYS(CLIENT_TLS, "client_ca client_cacert")),
    OPTION(STREAMING_TLS, STRING, client_tls.server_name, "",
           "Name that its certificate must have",
           KEYS(CLIENT_TLS, "server_name server_hostname")),
    OPTION(STREAMING_TLS, BOOLEAN, client_tls.skip_verify, "",
           "Do not verify it at all: not for production",
           KEYS(CLIENT_TLS, "skip_verify insecure")),

    OPTION(STREAMING_LOG, BOOLEAN, streaming_debug, "SD stan_debug",
           "Debug lines of the streaming server",
           KEYS(STREAMING, "sd stan_debug"), RELOADS),
    OPTION(STREAMING_LOG, BOOLEAN, streaming_trace, "SV stan_trace",
           "Trace lines of the streaming server",
           KEYS(STREAMING, "sv stan_trace"), RELOADS),
    OPTION(STREAMING_LOG, CHOICE, streaming_both, "SDV", "Both of them",
           NO_KEYS, RELOADS),
    OPTION(STREAMING_LOG, STRING, syslog_name, "syslog_name",
           "Name in syslog (default: that of the program)",
           KEYS(STREAMING, "syslog_name")),

    OPTION(EMBEDDED, STRING, host, "a addr net",
           "Address to listen on (default: 0.0.0.0)", KEYS(NATS, "host net")),
    OPTION(EMBEDDED, INTEGER, port, "p port",
           "Port for NATS clients (-1: any free one)", KEYS(NATS, "port"),
           RANGE(-1, PORT_MAX)),
    OPTION(EMBEDDED, STRING, nats.name, "n name server_name",
           "Name of the NATS server", NO_KEYS, IDLE(FOR_EMBEDDED)),
    OPTION(EMBEDDED, STRING, nats.client_advertise, "client_advertise",
           "Address that it tells its clients", NO_KEYS, IDLE(FOR_EMBEDDED)),
    OPTION(EMBEDDED, INTEGER, http_port, "m http_port",
           "Port for HTTP monitoring (0: off, -1: any free one)",
           KEYS(NATS, "http_port monitor_port"), RANGE(-1, PORT_MAX)),
    OPTION(EMBEDDED, INTEGER, https_port, "ms https_port",
           "Port for HTTPS monitoring, with -tlscert and -tlskey",
           KEYS(NATS, "https_port"), RANGE(-1, PORT_MAX)),
    OPTION(EMBEDDED, INTEGER, metrics_channels, "metrics_max_channels",
           "Channels, and subscriptions, that /metrics shows one by one",
           NO_KEYS, RANGE(0, 10000000)),
    OPTION(EMBEDDED, BOOLEAN, metrics_inbox, "metrics_inbox",
           "Label subscriptions in /metrics with their inboxes", NO_KEYS),
    OPTION(EMBEDDED, STRING, nats_server_binary, "nats_server_bin",
           "The nats-server to run (default: $NATS_SERVER_BIN, then "
           "nats-server on the PATH)",
           NO_KEYS),
    OPTION(EMBEDDED, STRING, nats_config, "c config",
           "Configuration file of the NATS server", NO_KEYS),
    OPTION(EMBEDDED, BOOLEAN, check, "t",
           "Check the configuration files and exit", NO_KEYS),
    OPTION(EMBEDDED, STRING, ports_file_dir, "ports_file_dir",
           "Directory for a file that lists the ports",
           KEYS(NATS, "ports_file_dir")),
    OPTION(EMBEDDED, CHOICE, nats.jetstream, "js jetstream",
           "Enable its JetStream", NO_KEYS, IDLE(FOR_EMBEDDED)),
    OPTION(EMBEDDED, STRING, nats.store_dir, "sd store_dir",
           "Directory of its JetStream", NO_KEYS, IDLE(FOR_EMBEDDED)),
    OPTION(EMBEDDED, INTEGER, nats.profile_port, "profile",
           "Port of its profiler", NO_KEYS, RANGE(0, PORT_MAX),
           IDLE(FOR_EMBEDDED)),

    OPTION(LOGGING, STRING, log_file, "l log",
           "File for the log (default: standard error)",
           KEYS(NATS, "logfile log_file"), RELOADS),
    OPTION(LOGGING, BOOLEAN, log_time, "T logtime",
           "Date and time in front of every line", KEYS(NATS, "logtime"),
           RELOADS),
    OPTION(LOGGING, BOOLEAN, log_time_utc, "logtime_utc",
           "Log times in UTC, not in local time", KEYS(NATS, "logtime_utc"),
           RELOADS),
    OPTION(LOGGING, INTEGER, log_size_limit, "log_size_limit",
           "Size in bytes above which the log file is rotated (0: never)",
           KEYS(NATS, "logfile_size_limit log_size_limit"), RELOADS),
    OPTION(LOGGING, STRING, log_format, "log_format",
           "text, or json: one object for each line", NO_KEYS),
    OPTION(LOGGING, BOOLEAN, syslog, "s syslog",
           "Log to the syslog of this machine", KEYS(NATS, "syslog")),
    OPTION(LOGGING, STRING, remote_syslog, "r remote_syslog",
           "Log to a syslog at udp://host:port, tcp://host:port or "
           "unix:///path",
           KEYS(NATS, "remote_syslog")),
    OPTION(LOGGING, BOOLEAN, debug, "D debug", "Debug lines of the NATS server",
           KEYS(NATS, "debug"), RELOADS, IDLE(FOR_EMBEDDED)),
    OPTION(LOGGING, BOOLEAN, trace, "V trace", "Trace lines of the NATS server",
           KEYS(NATS, "trace"), RELOADS, IDLE(FOR_EMBEDDED)),
    OPTION(LOGGING, CHOICE, both, "DV", "Both of them", NO_KEYS, RELOADS),
    OPTION(LOGGING, CHOICE, verbose_trace, "VV",
           "Trace lines, those of its system account, too", NO_KEYS, RELOADS),
    OPTION(LOGGING, CHOICE, verbose_both, "DVV", "-VV and debug lines", NO_KEYS,
           RELOADS),
    OPTION(LOGGING, BOOLEAN, trace_verbose, "", "As -VV",
           KEYS(NATS, "trace_verbose"), RELOADS, IDLE(FOR_EMBEDDED)),
    OPTION(LOGGING, INTEGER, nats.max_traced_length, "max_traced_msg_len",
           "Bytes of a message in a trace line of the NATS server", NO_KEYS,
           RANGE(0, INT32_MAX), RELOADS, IDLE(FOR_EMBEDDED)),

    OPTION(AUTHORIZATION, STRING, user, "user",
           "User that clients and the streaming server must give",
           KEYS(AUTHORIZATION, "user username")),
    OPTION(AUTHORIZATION, STRING, password, "pass", "Password of that user",
           KEYS(AUTHORIZATION, "pass password")),
    OPTION(AUTHORIZATION, STRING, token, "auth",
           "Token that clients and the streaming server must give",
           KEYS(AUTHORIZATION, "token")),

    OPTION(TLS, CHOICE, nats.tls, "tls",
           "Serve NATS clients with TLS; -tls=false: not, whatever the file "
           "says",
           NO_KEYS, IDLE(FOR_EMBEDDED)),
    OPTION(TLS, CHOICE, nats.tls_verify, "tlsverify",
           "Ask NATS clients for a certificate", NO_KEYS, IDLE(FOR_EMBEDDED)),
    OPTION(TLS, STRING, tls_cert, "tlscert",
           "Certificate of the NATS server and of HTTPS monitoring",
           KEYS(SERVER_TLS, "cert_file")),
    OPTION(TLS, STRING, tls_key, "tlskey", "Its private key",
           KEYS(SERVER_TLS, "key_file")),
    OPTION(TLS, STRING, tls_ca, "tlscacert",
           "Certificates by which clients are known",
           KEYS(SERVER_TLS, "ca_file")),

    OPTION(NATS_CLUSTERING, STRING, nats.routes, "routes",
           "URLs of other NATS servers, separated by commas", NO_KEYS,
           IDLE(FOR_EMBEDDED)),
    OPTION(NATS_CLUSTERING, STRING, nats.cluster, "cluster cluster_listen",
           "URL to listen on for other NATS servers", NO_KEYS,
           IDLE(FOR_EMBEDDED)),
    OPTION(NATS_CLUSTERING, STRING, nats.cluster_name, "cluster_name",
           "Name of the cluster of NATS servers", NO_KEYS, IDLE(FOR_EMBEDDED)),
    OPTION(NATS_CLUSTERING, STRING, nats.cluster_advertise, "cluster_advertise",
           "Address that other servers are told", NO_KEYS, IDLE(FOR_EMBEDDED)),
    OPTION(NATS_CLUSTERING, CHOICE, nats.no_advertise, "no_advertise",
           "Do not tell clients of the other servers", NO_KEYS,
           IDLE(FOR_EMBEDDED)),
    OPTION(NATS_CLUSTERING, INTEGER, nats.connect_retries, "connect_retries",
           "Tries to connect to a route that others told of", NO_KEYS,
           RANGE(0, INT32_MAX), IDLE(FOR_EMBEDDED)),

    OPTION(COMMON, STRING, pid_file, "P pid", "File to write the process id to",
           KEYS(NATS, "pidfile pid_file")),
    OPTION(COMMON, STRING, signal_command, "sl signal",
           "Send a signal to a running server: stop, quit, term, reopen, "
           "reload or ldm; then \"=\" and a process id or a pid file, if "
           "several run",
           NO_KEYS),
    OPTION(COMMON, BOOLEAN, help, "h help", "Show this text", NO_KEYS),
    OPTION(COMMON, BOOLEAN, help_tls, "help_tls", "Show help about TLS",
           NO_KEYS),
    OPTION(COMMON, BOOLEAN, version, "v version", "Show the version", NO_KEYS),
};

const struct option_entry *options_table(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}

static const struct options built_in = {
    .stan_config = "",
    .nats_config = "",
    .cluster_id = "test-cluster",
    .discover_prefix = "_STAN.discover",
    .store = "MEMORY",
    .dir = "",
    .nats_server = "",
    .heartbeat_interval = 30 * CLOCK_SECOND,
    .heartbeat_timeout = 10 * CLOCK_SECOND,
    .heartbeat_fail_count = 10,
    .cache_size = 256 * MEBIBYTE,
    .admin_token_file = "",
    .admin_socket = "",
    .metrics_channels = 10000,
    .metrics_inbox = true,
    .io_batch_size = 1024,
    .ft_group = "",
    .encryption_cipher = "",
    .encryption_key = "",
    .file = {.compact = true,
             .compact_fragmentation = 50,
             .compact_interval = 300,
             .compact_min_size = MEBIBYTE,
             .buffer_size = 2 * MEBIBYTE,
             .read_buffer_size = 2 * MEBIBYTE,
             .crc = true,
             .crc_polynomial = INT64_C(0xEDB88320),
             .sync = true,
             .auto_sync = 60 * CLOCK_SECOND,
             .slice_max_bytes = 64 * MEBIBYTE,
             .slice_archive_script = "",
             .parallel_recovery = 1},
    .sql = {.driver = "", .source = ""},
    .cluster = {.node_id = "",
                .log_path = "",
                .log_cache_size = 512,
                .log_snapshots = 2,
                .trailing_logs = 10240},
    .client_tls = {.cert = "", .key = "", .ca = "", .server_name = ""},
    .credentials = "",
    .nkey_seed_file = "",
    .streaming_user = "",
    .streaming_password = "",
    .streaming_token = "",
    .host = "",
    .port = OPTIONS_PORT,
    .http_host = "",
    .https_host = "",
    .nats_server_binary = "",
    .nats = {.connect_retries = OPTIONS_NOT_GIVEN,
             .profile_port = OPTIONS_NOT_GIVEN,
             .max_traced_length = OPTIONS_NOT_GIVEN},
    .user = "",
    .password = "",
    .token = "",
    .tls_cert = "",
    .tls_key = "",
    .tls_ca = "",
    .ports_file_dir = "",
    .log_file = "",
    .log_time = true,
    .log_format = "text",
    .remote_syslog = "",
    .syslog_name = "",
    .pid_file = "",
    .signal_command = "",
};

void options_default(struct options *options)
{
    *options = built_in;
    options->limits = limits_default;
}

/* ---- what can be said of any of them ---- */

bool options_named(const char *words, const char *name, size_t size)
{
    while (*words != '\0') {
        size_t word = strcspn(words, " ");
        if (word == size && memcmp(words, name, size) == 0)
            return true;
        words += word;
        words += strspn(words, " ");
    }
    return false;
}

const struct option_entry *options_entry(const char *flag)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (options_named(table[i].flags, flag, strlen(flag)))
            return &table[i];
    }
    return NULL;
}

const char *options_name(const struct option_entry *entry,
                         char out[OPTIONS_NAME_MAX])
{
    bool flag = entry->flags[0] != '\0';
    const char *words = flag ? entry->flags : entry->keys;
    (void)snprintf(out, OPTIONS_NAME_MAX, "%s%.*s", flag ? "-" : "",
                   (int)strcspn(words, " "), words);
    return out;
}

static bool same_string(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_list(const struct options_list *a,
                      const struct options_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i].size != b->items[i].size ||
            memcmp(a->items[i].data, b->items[i].data, a->items[i].size) != 0)
            return false;
    }
    return true;
}

bool options_same(const struct option_entry *entry, const struct options *a,
                  const struct options *b)
{
    const void *left = (const char *)a + entry->place;
    const void *right = (const char *)b + entry->place;
    switch (entry->type) {
    case OPTION_STRING:
        return same_string(*(const char *const *)left,
                           *(const char *const *)right);
    case OPTION_BOOLEAN:
        return *(const bool *)left == *(const bool *)right;
    case OPTION_CHOICE:
        return *(const int *)left == *(const int *)right;
    case OPTION_INTEGER:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return *(const int64_t *)left == *(const int64_t *)right;
    case OPTION_LIST:
        return same_list(left, right);
    }
    return true;
}
