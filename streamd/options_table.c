#include "streamd/options.h"

#include "streamd/base/clock.h"

#include <string.h>

#define STREAMING "Streaming Server Options"
#define STREAMING_LOG "Streaming Server Logging Options"
#define EMBEDDED "Embedded NATS Server Options"
#define LOGGING "Logging Options"
#define COMMON "Common Options"

/* One row: a number of any size, or none; a number from low to high. */
#define OPTION(section_, type_, member, help_, ...)                            \
    RANGED(0, 0, section_, type_, member, help_, __VA_ARGS__)
#define RANGED(low_, high_, section_, type_, member, help_, ...)               \
    {                                                                          \
        .names = {__VA_ARGS__}, .type = OPTION_##type_,                        \
        .place = offsetof(struct options, member), .low = low_, .high = high_, \
        .section = section_, .help = help_                                     \
    }

enum { PORT_MAX = 65535 };

static const struct option_entry table[] = {
    OPTION(STREAMING, STRING, stan_config,
           "Configuration file of the streaming server", "sc", "stan_config"),
    OPTION(STREAMING, STRING, cluster_id, "Cluster id, which clients must know",
           "cid", "cluster_id"),
    OPTION(STREAMING, STRING, store, "Store type: MEMORY or FILE", "st",
           "store"),
    OPTION(STREAMING, STRING, dir, "Root directory of a FILE store", "dir"),
    OPTION(STREAMING, INTEGER, limits.max_channels,
           "Most channels (0: no limit)", "mc", "max_channels"),
    OPTION(STREAMING, INTEGER, limits.global.max_subscriptions,
           "Most subscriptions per channel (0: no limit)", "msu", "max_subs"),
    OPTION(STREAMING, INTEGER, limits.global.max_messages,
           "Most messages per channel (0: no limit)", "mm", "max_msgs"),
    OPTION(STREAMING, SIZE, limits.global.max_bytes,
           "Most bytes of messages per channel (0: no limit)", "mb",
           "max_bytes"),
    OPTION(STREAMING, DURATION, limits.global.max_age,
           "How long a message is kept (0: for ever)", "ma", "max_age"),
    OPTION(STREAMING, DURATION, limits.global.max_inactivity,
           "An idle channel is deleted after this (0: never)", "mi",
           "max_inactivity"),
    OPTION(STREAMING, STRING, nats_server,
           "URLs of a NATS server to use instead of one of our own, separated "
           "by commas",
           "ns", "nats_server"),
    RANGED(1, INT64_MAX, STREAMING, DURATION, heartbeat_interval,
           "Time between heartbeats to a client", "hbi", "hb_interval"),
    RANGED(1, INT64_MAX, STREAMING, DURATION, heartbeat_timeout,
           "How long to wait for the answer to a heartbeat", "hbt",
           "hb_timeout"),
    RANGED(0, INT32_MAX, STREAMING, INTEGER, heartbeat_fail_count,
           "Failed heartbeats before a client is closed", "hbf",
           "hb_fail_count"),
    OPTION(STREAMING, BOOLEAN, replace_durable,
           "A new subscription to a durable replaces the live one",
           "replace_durable"),
    RANGED(0, INT64_MAX, STREAMING, SIZE, cache_size,
           "Memory for messages kept at hand by a FILE store", "cache_size"),

    OPTION(STREAMING_LOG, BOOLEAN, streaming_debug,
           "Debug lines of the streaming server", "SD", "stan_debug"),
    OPTION(STREAMING_LOG, BOOLEAN, streaming_trace,
           "Trace lines of the streaming server", "SV", "stan_trace"),
    OPTION(STREAMING_LOG, BOTH, streaming_both, "Both of them", "SDV"),

    OPTION(EMBEDDED, STRING, host, "Address to listen on (default: 0.0.0.0)",
           "a", "addr", "net"),
    RANGED(-1, PORT_MAX, EMBEDDED, INTEGER, port,
           "Port for NATS clients (-1: any free one)", "p", "port"),
    RANGED(-1, PORT_MAX, EMBEDDED, INTEGER, http_port,
           "Port for HTTP monitoring (0: off, -1: any free one)", "m",
           "http_port"),
    OPTION(EMBEDDED, STRING, nats_server_binary,
           "The nats-server to run (default: $NATS_SERVER_BIN, then "
           "nats-server on the PATH)",
           "nats_server_bin"),
    OPTION(EMBEDDED, STRING, nats_config,
           "Configuration file of the NATS server", "c", "config"),

    OPTION(LOGGING, STRING, log_file,
           "File for the log (default: standard error)", "l", "log"),
    OPTION(LOGGING, BOOLEAN, log_time, "Date and time in front of every line",
           "T", "logtime"),
    OPTION(LOGGING, BOOLEAN, log_time_utc,
           "Log times in UTC, not in local time", "logtime_utc"),
    OPTION(LOGGING, INTEGER, log_size_limit,
           "Size in bytes above which the log file is rotated (0: never)",
           "log_size_limit"),
    OPTION(LOGGING, STRING, log_format,
           "text, or json: one object for each line", "log_format"),
    OPTION(LOGGING, BOOLEAN, syslog, "Log to the syslog of this machine", "s",
           "syslog"),
    OPTION(LOGGING, STRING, remote_syslog,
           "Log to a syslog at udp://host:port, tcp://host:port or "
           "unix:///path",
           "r", "remote_syslog"),
    OPTION(LOGGING, STRING, syslog_name,
           "Name in syslog (default: that of the program)", "syslog_name"),
    OPTION(LOGGING, BOOLEAN, debug, "Debug lines of the NATS server", "D",
           "debug"),
    OPTION(LOGGING, BOOLEAN, trace, "Trace lines of the NATS server", "V",
           "trace"),
    OPTION(LOGGING, BOTH, both, "Both of them", "DV"),

    OPTION(COMMON, STRING, pid_file, "File to write the process id to", "P",
           "pid"),
    OPTION(COMMON, STRING, signal_command,
           "Send a signal to a running server: stop, quit, term, reopen, "
           "reload or ldm; then \"=\" and a process id or a pid file, if "
           "several run",
           "sl", "signal"),
    OPTION(COMMON, BOOLEAN, help, "Show this text", "h", "help"),
    OPTION(COMMON, BOOLEAN, version, "Show the version", "v", "version"),
};

/* Flags of the Go server that are understood but not there yet: better a clear
 * word than "not defined", and far better than to start without them. */
static const char *const unsupported[] = {"ft_group",
                                          "ft_group_name",
                                          "encrypt",
                                          "encryption_cipher",
                                          "encryption_key",
                                          "io_batch_size",
                                          "io_sleep_time",
                                          "secure",
                                          "tls_client_cert",
                                          "tls_client_key",
                                          "tls_client_cacert",
                                          "clustered",
                                          "cluster_node_id",
                                          "cluster_bootstrap",
                                          "cluster_peers",
                                          "cluster_log_path",
                                          "cluster_log_cache_size",
                                          "cluster_log_snapshots",
                                          "cluster_trailing_logs",
                                          "cluster_sync",
                                          "cluster_raft_logging",
                                          "cluster_proceed_on_restore_failure",
                                          "cluster_allow_add_remove_node",
                                          "file_compact_enabled",
                                          "file_compact_frag",
                                          "file_compact_interval",
                                          "file_compact_min_size",
                                          "file_buffer_size",
                                          "file_crc",
                                          "file_crc_poly",
                                          "file_sync",
                                          "file_slice_max_msgs",
                                          "file_slice_max_bytes",
                                          "file_slice_max_age",
                                          "file_slice_archive_script",
                                          "file_fds_limit",
                                          "file_parallel_recovery",
                                          "file_truncate_bad_eof",
                                          "file_read_buffer_size",
                                          "file_auto_sync",
                                          "sql_driver",
                                          "sql_source",
                                          "sql_no_caching",
                                          "sql_max_open_conns",
                                          "sql_bulk_insert_limit",
                                          "n",
                                          "name",
                                          "server_name",
                                          "client_advertise",
                                          "ms",
                                          "https_port",
                                          "t",
                                          "ports_file_dir",
                                          "VV",
                                          "DVV",
                                          "max_traced_msg_len",
                                          "user",
                                          "pass",
                                          "auth",
                                          "tls",
                                          "tlsverify",
                                          "tlscert",
                                          "tlskey",
                                          "tlscacert",
                                          "routes",
                                          "cluster",
                                          "cluster_listen",
                                          "cluster_name",
                                          "cluster_advertise",
                                          "no_advertise",
                                          "connect_retries",
                                          "profile",
                                          "js",
                                          "jetstream",
                                          "sd",
                                          "store_dir",
                                          "help_tls"};

const struct option_entry *options_table(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}

bool options_unsupported(const char *name)
{
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        if (strcmp(unsupported[i], name) == 0)
            return true;
    }
    return false;
}

void options_default(struct options *options)
{
    *options = (struct options){
        .stan_config = "",
        .nats_config = "",
        .cluster_id = "test-cluster",
        .discover_prefix = "_STAN.discover",
        .store = "MEMORY",
        .dir = "",
        .nats_server = "",
        .limits = limits_default,
        .heartbeat_interval = 30 * CLOCK_SECOND,
        .heartbeat_timeout = 10 * CLOCK_SECOND,
        .heartbeat_fail_count = 10,
        .cache_size = INT64_C(256) << 20,
        .host = "",
        .http_host = "",
        .port = 4222,
        .nats_server_binary = "",
        .log_file = "",
        .log_time = true,
        .log_format = "text",
        .remote_syslog = "",
        .syslog_name = "",
        .pid_file = "",
        .signal_command = "",
    };
}
