#include "streamd/options_keys.h"

#include "streamd/base/clock.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define FLAG(section_, flag_, names_)                                          \
    {                                                                          \
        .section = OPTIONS_##section_, .names = (names_),                      \
        .type = OPTIONS_KEY_FLAG, .flag = (flag_)                              \
    }
#define LATER(section_, type_, same_, names_)                                  \
    {                                                                          \
        .section = OPTIONS_##section_, .names = (names_),                      \
        .type = OPTIONS_KEY_##type_, .same = (same_)                           \
    }
#define MAP(section_, inner_, what_, names_)                                   \
    {                                                                          \
        .section = OPTIONS_##section_, .names = (names_),                      \
        .type = OPTIONS_KEY_MAP, .inner = OPTIONS_##inner_, .what = (what_)    \
    }
#define ADDRESS(flag_, names_)                                                 \
    {                                                                          \
        .section = OPTIONS_NATS, .names = (names_),                            \
        .type = OPTIONS_KEY_ADDRESS, .flag = (flag_)                           \
    }

#define MEBIBYTE (INT64_C(1) << 20)

static const struct options_key keys[] = {
    FLAG(STREAMING, "cluster_id", "id cid cluster_id"),
    LATER(STREAMING, PREFIX, 0, "discover_prefix"),
    FLAG(STREAMING, "store", "st store store_type storetype"),
    FLAG(STREAMING, "dir", "dir datastore"),
    FLAG(STREAMING, "stan_debug", "sd stan_debug"),
    FLAG(STREAMING, "stan_trace", "sv stan_trace"),
    FLAG(STREAMING, "nats_server", "ns nats_server nats_server_url"),
    LATER(STREAMING, STRING, 0, "credentials"),
    LATER(STREAMING, STRING, 0, "username user"),
    LATER(STREAMING, STRING, 0, "password pass"),
    LATER(STREAMING, STRING, 0, "token"),
    LATER(STREAMING, STRING, 0, "nkey_seed_file"),
    LATER(STREAMING, BOOLEAN, false, "secure"),
    MAP(STREAMING, TLS, "TLS", "tls"),
    MAP(STREAMING, LIMITS, "store limits", "limits store_limits storelimits"),
    MAP(STREAMING, FILE, "file options", "file file_options"),
    MAP(STREAMING, SQL, "SQL options", "sql sql_options"),
    FLAG(STREAMING, "hb_interval",
         "hbi hb_interval server_to_client_hb_interval"),
    FLAG(STREAMING, "hb_timeout", "hbt hb_timeout server_to_client_hb_timeout"),
    FLAG(STREAMING, "hb_fail_count",
         "hbf hb_fail_count server_to_client_hb_fail_count"),
    LATER(STREAMING, STRING, 0, "ft_group ft_group_name"),
    LATER(STREAMING, BOOLEAN, false, "partitioning"),
    MAP(STREAMING, CLUSTER, "cluster", "cluster"),
    FLAG(STREAMING, "syslog_name", "syslog_name"),
    LATER(STREAMING, BOOLEAN, false, "encrypt"),
    LATER(STREAMING, STRING, 0, "encryption_cipher"),
    LATER(STREAMING, STRING, 0, "encryption_key"),
    FLAG(STREAMING, "replace_durable",
         "replace_durable replace_durables replace_duplicate_durable "
         "replace_duplicate_durables"),

    LATER(TLS, STRING, 0, "client_cert"),
    LATER(TLS, STRING, 0, "client_key"),
    LATER(TLS, STRING, 0, "client_ca client_cacert"),
    LATER(TLS, STRING, 0, "server_name server_hostname"),
    LATER(TLS, BOOLEAN, false, "skip_verify insecure"),

    FLAG(LIMITS, "max_channels", "mc max_channels maxchannels"),
    FLAG(LIMITS, "max_subs", "msu max_subs max_subscriptions maxsubscriptions"),
    FLAG(LIMITS, "max_msgs", "mm max_msgs maxmsgs max_count maxcount"),
    FLAG(LIMITS, "max_bytes", "mb max_bytes maxbytes"),
    FLAG(LIMITS, "max_age", "ma max_age maxage"),
    FLAG(LIMITS, "max_inactivity", "mi max_inactivity maxinactivity"),
    MAP(LIMITS, CHANNELS, "per channel limits",
        "channels channels_limits channelslimits per_channel "
        "per_channel_limits"),

    FLAG(CHANNEL, "max_subs",
         "msu max_subs max_subscriptions maxsubscriptions"),
    FLAG(CHANNEL, "max_msgs", "mm max_msgs maxmsgs max_count maxcount"),
    FLAG(CHANNEL, "max_bytes", "mb max_bytes maxbytes"),
    FLAG(CHANNEL, "max_age", "ma max_age maxage"),
    FLAG(CHANNEL, "max_inactivity", "mi max_inactivity maxinactivity"),

    LATER(FILE, BOOLEAN, true, "compact compact_enabled"),
    LATER(FILE, INTEGER, 50, "compact_frag compact_fragmentation"),
    LATER(FILE, INTEGER, 300, "compact_interval"),
    LATER(FILE, INTEGER, MEBIBYTE, "compact_min_size"),
    LATER(FILE, INTEGER, 2 * MEBIBYTE, "buffer_size"),
    LATER(FILE, BOOLEAN, true, "crc do_crc"),
    LATER(FILE, INTEGER, INT64_C(0xEDB88320), "crc_poly"),
    LATER(FILE, BOOLEAN, true, "sync do_sync sync_on_flush"),
    LATER(FILE, INTEGER, 0,
          "slice_max_msgs slice_max_count slice_msgs slice_count"),
    LATER(FILE, INTEGER, 64 * MEBIBYTE,
          "slice_max_bytes slice_max_size slice_bytes slice_size"),
    LATER(FILE, DURATION, 0,
          "slice_max_age slice_age slice_max_time slice_time_limit"),
    LATER(FILE, STRING, 0, "slice_archive_script slice_archive slice_script"),
    LATER(FILE, INTEGER, 0, "file_descriptors_limit fds_limit"),
    LATER(FILE, INTEGER, 1, "parallel_recovery"),
    LATER(FILE, INTEGER, 2 * MEBIBYTE,
          "file_read_buffer_size read_buffer_size"),
    LATER(FILE, DURATION, 60 * CLOCK_SECOND, "file_auto_sync auto_sync"),

    LATER(SQL, STRING, 0, "driver"),
    LATER(SQL, STRING, 0, "source"),
    LATER(SQL, BOOLEAN, false, "no_caching"),
    LATER(SQL, INTEGER, 0, "max_open_conns max_conns"),
    LATER(SQL, INTEGER, 0, "bulk_insert_limit"),

    LATER(CLUSTER, STRING, 0, "node_id"),
    LATER(CLUSTER, BOOLEAN, false, "bootstrap"),
    LATER(CLUSTER, STRINGS, 0, "peers"),
    LATER(CLUSTER, STRING, 0, "log_path"),
    LATER(CLUSTER, INTEGER, 512, "log_cache_size"),
    LATER(CLUSTER, INTEGER, 2, "log_snapshots"),
    LATER(CLUSTER, INTEGER, 10240, "trailing_logs"),
    LATER(CLUSTER, BOOLEAN, false, "sync"),
    LATER(CLUSTER, BOOLEAN, false, "proceed_on_restore_failure"),
    LATER(CLUSTER, BOOLEAN, false, "allow_add_remove_node"),
    LATER(CLUSTER, BOOLEAN, false, "raft_logging"),
    LATER(CLUSTER, DURATION, 0, "raft_heartbeat_timeout"),
    LATER(CLUSTER, DURATION, 0, "raft_election_timeout"),
    LATER(CLUSTER, DURATION, 0, "raft_lease_timeout"),
    LATER(CLUSTER, DURATION, 0, "raft_commit_timeout"),
    LATER(CLUSTER, BOOLEAN, false, "bolt_free_list_sync"),
    LATER(CLUSTER, BOOLEAN, false, "bolt_free_list_map"),
    LATER(CLUSTER, BOOLEAN, false, "nodes_connections"),

    ADDRESS("port", "listen"),
    ADDRESS("http_port", "http"),
    FLAG(NATS, "port", "port"),
    FLAG(NATS, "addr", "host net"),
    FLAG(NATS, "http_port", "http_port monitor_port"),
    LATER(NATS, INTEGER, 0, "https_port"),
    FLAG(NATS, "debug", "debug"),
    FLAG(NATS, "trace", "trace"),
    FLAG(NATS, "logtime", "logtime"),
    FLAG(NATS, "logtime_utc", "logtime_utc"),
    FLAG(NATS, "log", "logfile log_file"),
    FLAG(NATS, "log_size_limit", "logfile_size_limit log_size_limit"),
    FLAG(NATS, "syslog", "syslog"),
    FLAG(NATS, "remote_syslog", "remote_syslog"),
    FLAG(NATS, "pid", "pidfile pid_file"),
    LATER(NATS, IGNORED, 0, "streaming"),
    LATER(NATS, ACCESS, 0,
          "authorization accounts tls operator operators trusted trusted_keys "
          "trustedkeys roots resolver"),
};

const struct options_key *options_keys(size_t *count)
{
    *count = sizeof keys / sizeof keys[0];
    return keys;
}

/* True if name is one of the words in names. */
static bool is_named(const char *names, const char *name, size_t size)
{
    while (*names != '\0') {
        size_t word = strcspn(names, " ");
        if (word == size && strncasecmp(names, name, size) == 0)
            return true;
        names += word;
        names += strspn(names, " ");
    }
    return false;
}

const struct options_key *options_key_find(enum options_section section,
                                           const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].section == section && is_named(keys[i].names, name, size))
            return &keys[i];
    }
    return NULL;
}
