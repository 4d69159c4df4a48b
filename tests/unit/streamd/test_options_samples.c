/* Whole files: the complete sample (C20), and those of charts and operators
 * (conventions.md 2). */
#include "streamd/options_file.h"

#include "streamd/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 32, PATH_SIZE = 512 };

/* The program with the file of this name (NULL: none) and the flags, separated
 * by blanks. */
static void load(struct configuration *out, const char *name, const char *flags)
{
    static char path[PATH_SIZE];
    static char copy[PATH_SIZE];
    static char program[] = "streamd";
    static char flag[] = "-sc";
    static char *words[WORDS_MAX];
    struct error err = {0};
    char *rest = NULL;
    int count = name == NULL ? 1 : 3;
    if (name != NULL)
        (void)snprintf(path, sizeof path, "%s/%s", SAMPLES, name);
    (void)snprintf(copy, sizeof copy, "%s", flags);
    words[0] = program;
    words[1] = flag;
    words[2] = path;
    char *word = strtok_r(copy, " ", &rest);
    for (; word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    if (configuration_load(out, count, words, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
}

static void peer_is(const struct options *options, size_t index,
                    const char *name)
{
    assert_true(index < options->cluster.peers.count);
    assert_true(
        bytes_equal(options->cluster.peers.items[index], bytes_text(name)));
}

static void c20_side_of_nats(const struct options *options)
{
    assert_string_equal(options->nats_server, "nats://localhost:4222");
    assert_string_equal(options->credentials, "user.creds");
    assert_string_equal(options->streaming_user, "streaming");
    assert_string_equal(options->streaming_password, "secret");
    assert_string_equal(options->streaming_token, "tok");
    assert_string_equal(options->nkey_seed_file, "seed.nk");
    assert_true(options->secure);
    assert_string_equal(options->client_tls.cert, "/path/client.pem");
    assert_string_equal(options->client_tls.key, "/path/client-key.pem");
    assert_string_equal(options->client_tls.ca, "/path/ca.pem");
    assert_string_equal(options->client_tls.server_name, "nats.example");
    assert_true(options->client_tls.skip_verify);
}

static void c20_limits(const struct limits *limits)
{
    const struct channel_limits global = {12, 13, 14, 15 * CLOCK_SECOND,
                                          16 * CLOCK_SECOND};
    const struct channel_limits foo = {1, 2, 3, 4 * CLOCK_SECOND,
                                       5 * CLOCK_SECOND};
    const struct channel_limits zero = {0};
    assert_int_equal(limits->max_channels, 11);
    assert_memory_equal(&limits->global, &global, sizeof global);
    struct channel_limits got = limits_channel(limits, bytes_text("foo"));
    assert_memory_equal(&got, &foo, sizeof foo);
    got = limits_channel(limits, bytes_text("bar.x"));
    assert_memory_equal(&got, &global, sizeof global);
    got = limits_channel(limits, bytes_text("zero"));
    assert_memory_equal(&got, &zero, sizeof zero);
}

static void c20_file(const struct options_file *file)
{
    assert_false(file->compact);
    assert_int_equal(file->compact_fragmentation, 1);
    assert_int_equal(file->compact_interval, 2);
    assert_int_equal(file->compact_min_size, 3);
    assert_int_equal(file->buffer_size, 4);
    assert_false(file->crc);
    assert_int_equal(file->crc_polynomial, 5);
    assert_false(file->sync);
    assert_int_equal(file->slice_max_messages, 6);
    assert_int_equal(file->slice_max_bytes, 7);
    assert_int_equal(file->slice_max_age, CLOCK_SECOND * 8 * 3600);
    assert_string_equal(file->slice_archive_script, "myArchiveScript");
    assert_int_equal(file->descriptors_limit, 8);
    assert_int_equal(file->parallel_recovery, 9);
    assert_int_equal(file->read_buffer_size, 10);
    assert_int_equal(file->auto_sync, 120 * CLOCK_SECOND);
}

static void c20_cluster(const struct options_cluster *cluster)
{
    assert_true(cluster->enabled && cluster->bootstrap && cluster->sync);
    assert_string_equal(cluster->node_id, "a");
    assert_string_equal(cluster->log_path, "/path/to/log");
    assert_int_equal(cluster->log_cache_size, 1024);
    assert_int_equal(cluster->log_snapshots, 1);
    assert_int_equal(cluster->trailing_logs, 256);
    assert_true(cluster->proceed_on_restore_failure);
    assert_true(cluster->allow_add_remove_node && cluster->raft_logging);
    assert_int_equal(cluster->raft_heartbeat_timeout, CLOCK_SECOND);
    assert_int_equal(cluster->raft_election_timeout, 2 * CLOCK_SECOND);
    assert_int_equal(cluster->raft_lease_timeout, 500 * CLOCK_MILLISECOND);
    assert_int_equal(cluster->raft_commit_timeout, 50 * CLOCK_MILLISECOND);
    assert_true(cluster->bolt_free_list_sync && cluster->bolt_free_list_map);
    assert_true(cluster->nodes_connections);
}

/* C20 */
static void the_complete_sample_has_its_exact_values(void **state)
{
    (void)state;
    struct configuration configuration;
    load(&configuration, "complete.conf", "");
    const struct options *options = &configuration.options;
    assert_string_equal(options->cluster_id, "my_cluster");
    assert_string_equal(options->discover_prefix, "_X.discover");
    assert_string_equal(options->store, "FILE");
    assert_string_equal(options->dir, "/path/to/datastore");
    assert_true(options->streaming_debug && options->streaming_trace);
    c20_side_of_nats(options);
    c20_limits(&options->limits);
    c20_file(&options->file);
    assert_string_equal(options->sql.driver, "mysql");
    assert_string_equal(options->sql.source, "ivan:pwd@/nss_db");
    assert_true(options->sql.no_caching);
    assert_int_equal(options->sql.max_open_connections, 5);
    assert_int_equal(options->sql.bulk_insert_limit, 1000);
    assert_int_equal(options->heartbeat_interval, 10 * CLOCK_SECOND);
    assert_int_equal(options->heartbeat_timeout, CLOCK_SECOND);
    assert_int_equal(options->heartbeat_fail_count, 2);
    assert_string_equal(options->ft_group, "ft");
    assert_true(options->partitioning && options->replace_durable);
    c20_cluster(&options->cluster);
    peer_is(options, 0, "b");
    peer_is(options, 1, "c");
    assert_string_equal(options->syslog_name, "myservice");
    assert_true(options->encrypt);
    assert_string_equal(options->encryption_cipher, "AES");
    assert_string_equal(options->encryption_key, "key");
    configuration_release(&configuration);
}

static void the_file_of_a_chart_is_read(void **state)
{
    (void)state;
    struct configuration configuration;
    assert_int_equal(setenv("NATS_URL", "nats://nats:4222", 1), 0);
    assert_int_equal(setenv("POD_NAME", "stan-0", 1), 0);
    load(&configuration, "helm.conf", "");
    const struct options *options = &configuration.options;
    assert_string_equal(options->nats_server, "nats://nats:4222");
    assert_string_equal(options->cluster_id, "stan");
    assert_string_equal(options->credentials, "/etc/stan-creds/stan.creds");
    assert_string_equal(options->client_tls.ca, "/etc/nats/certs/ca.crt");
    assert_string_equal(options->cluster.node_id, "stan-0");
    peer_is(options, 0, "stan-1"); /* not itself */
    peer_is(options, 1, "stan-2");
    assert_int_equal(options->file.parallel_recovery, 4);
    assert_int_equal(options->limits.max_channels, 0);
    assert_int_equal(options->limits.global.max_bytes, 1 << 30);
    assert_int_equal(options->http_port, 8222);
    assert_string_equal(options->pid_file, "/var/run/stan/stan.pid");
    assert_string_equal(configuration.files.warning,
                        "Configuration keys that mean nothing to a NATS "
                        "server in use (-ns): server_name, cluster, leafnodes, "
                        "accounts");
    configuration_release(&configuration);
}

static void the_file_of_argo_events_is_read(void **state)
{
    (void)state;
    struct configuration configuration;
    assert_int_equal(setenv("CLUSTER_ADVERTISE", "eventbus-0.svc", 1), 0);
    assert_int_equal(setenv("POD_NAME", "eventbus-0", 1), 0);
    load(&configuration, "argo.conf", "");
    const struct options *options = &configuration.options;
    assert_string_equal(options->token, "abc123"); /* of the include */
    assert_string_equal(options->cluster_id, "eventbus-default");
    assert_int_equal(options->http_port, 8222);
    peer_is(options, 0, "eventbus-1");
    assert_int_equal(options->limits.global.max_age, CLOCK_SECOND * 72 * 3600);
    configuration_release(&configuration);
}

static void the_files_of_a_sidecar_and_an_operator_are_read(void **state)
{
    (void)state;
    struct configuration configuration;
    load(&configuration, "sidecar.conf", "-m 9000");
    assert_string_equal(configuration.options.cluster_id, "sidecar");
    assert_int_equal(configuration.options.http_port, 9000);
    assert_int_equal(configuration.options.heartbeat_fail_count, 2);
    assert_string_equal(configuration.files.warning,
                        "Configuration keys that mean nothing to a NATS "
                        "server in use (-ns): max_connections");
    configuration_release(&configuration);
    load(&configuration, "operator.conf",
         "-cluster_id N -nats_server nats://nats:4222 -m 8222 -store MEMORY "
         "--cluster_node_id=\"pod\" -SD");
    assert_string_equal(configuration.options.cluster_id, "N");
    assert_string_equal(configuration.options.cluster.node_id, "\"pod\"");
    assert_int_equal(configuration.options.limits.global.max_bytes, 1 << 30);
    assert_string_equal(configuration.files.warning, "");
    configuration_release(&configuration);
}

static void the_other_branches_of_a_chart_are_read(void **state)
{
    (void)state;
    struct configuration configuration;
    assert_int_equal(setenv("NATS_URL", "nats://nats:4222", 1), 0);
    load(&configuration, "helm-secured.conf", "");
    const struct options *options = &configuration.options;
    assert_string_equal(options->streaming_user, "sam");
    assert_string_equal(options->streaming_password, "it's secret");
    assert_string_equal(options->streaming_token, "abc123");
    assert_string_equal(options->nkey_seed_file, "/etc/nkey-seed-file");
    assert_string_equal(options->ft_group, "stan");
    assert_string_equal(options->store, "sql");
    assert_string_equal(options->sql.driver, "postgres");
    assert_string_equal(options->sql.source, "dbname=stan sslmode=disable");
    assert_true(options->partitioning);
    assert_int_equal(options->heartbeat_fail_count, 5);
    assert_int_equal(options->limits.global.max_subscriptions, 0);
    assert_int_equal(
        limits_channel(&options->limits, bytes_text("bar")).max_bytes,
        64 << 10);
    assert_true(options->debug);
    assert_string_equal(configuration.files.warning,
                        "Configuration keys that mean nothing to a NATS "
                        "server in use (-ns): gateway");
    configuration_release(&configuration);
}

/* conventions.md 6.1 and 2.8 */
static void command_lines_met_in_the_field_are_taken(void **state)
{
    (void)state;
    struct configuration configuration;
    const struct options *options = &configuration.options;
    load(&configuration, NULL,
         "-p 4222 -m 8222 -hbi 5s -hbt 5s -hbf 2 -SD -cid ticketing");
    assert_string_equal(options->cluster_id, "ticketing");
    assert_int_equal(options->heartbeat_interval, 5 * CLOCK_SECOND);
    assert_true(options->streaming_debug);
    configuration_release(&configuration);
    load(&configuration, NULL, "-m 8222 -cid my-cluster -SD");
    assert_int_equal(options->http_port, 8222);
    configuration_release(&configuration);
    load(&configuration, NULL, "-st FILE --dir /tmp");
    assert_string_equal(options->dir, "/tmp");
    configuration_release(&configuration);
    load(&configuration, NULL,
         "-cluster_id N -nats_server nats://nats:4222 -m 8222 -store FILE "
         "-clustered --cluster_node_id=\"pod-1\" -dir D/pod-1 "
         "--cluster_log_path D/raft/pod-1 -SD -SV --cluster_raft_logging "
         "-cluster_bootstrap");
    assert_true(options->cluster.enabled && options->cluster.bootstrap);
    assert_string_equal(options->cluster.log_path, "D/raft/pod-1");
    configuration_release(&configuration);
    load(&configuration, NULL,
         "-cluster_id N -nats_server nats://nats:4222 -m 8222 -store FILE -dir "
         "D/N-1 --ft_group=G");
    assert_string_equal(options->ft_group, "G");
    configuration_release(&configuration);
    load(&configuration, "sidecar.conf",
         "--debug --cluster_id nats-1 --file_slice_archive_script "
         "/etc/stan-config/backup.sh");
    assert_true(options->debug);
    assert_string_equal(options->cluster_id, "nats-1");
    assert_string_equal(options->file.slice_archive_script,
                        "/etc/stan-config/backup.sh");
    configuration_release(&configuration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_complete_sample_has_its_exact_values),
        cmocka_unit_test(the_file_of_a_chart_is_read),
        cmocka_unit_test(the_file_of_argo_events_is_read),
        cmocka_unit_test(the_files_of_a_sidecar_and_an_operator_are_read),
        cmocka_unit_test(the_other_branches_of_a_chart_are_read),
        cmocka_unit_test(command_lines_met_in_the_field_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
