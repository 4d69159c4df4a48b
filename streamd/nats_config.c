#include "streamd/nats_config.h"

#include "streamd/conf/writer.h"
#include "streamd/options_keys.h"
#include "streamd/options_value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Top-level keys of nats-server 2.9 that streamd has no meaning for: handed on
 * as they are. Of those a flag may replace, see replaced[]. */
static const char handed_on[] =
    "accounts allow_non_tls account_resolver client_advertise "
    "connect_error_reports default_js_domain disable_sublist_cache gateway "
    "http_base_path jetstream lame_duck_duration lame_duck_grace_period leaf "
    "leafnodes max_conn max_connections max_control_line max_payload "
    "max_pending max_sub_tokens max_subs max_subscription_tokens "
    "max_subscriptions max_traced_msg_len mqtt no_auth_user no_header_support "
    "no_sys_acc no_system no_system_account ocsp operator operators "
    "ping_interval "
    "ping_max prof_port reconnect_error_reports resolver "
    "resolver_pinned_accounts resolver_preload resolver_tls root "
    "root_operator root_operators roots server_name server_tags store_dir "
    "storedir system system_account trusted trusted_keys websocket "
    "write_deadline ws";

/* Those that are written anew with flags put over them. */
static const char merged[] = "authorization cluster tls";

#define LISTENS "listen host net port"
#define SINGLE_USER "user username pass password token"

static bool is_key(const char *words, const struct conf_value *value)
{
    char lower[64];
    if (value->key.size >= sizeof lower)
        return false;
    for (size_t i = 0; i < value->key.size; i++)
        lower[i] = (char)tolower(value->key.data[i]);
    return options_named(words, lower, value->key.size);
}

/* The map of this name at the top level; NULL if there is none. */
static const struct conf_value *top_map(const struct conf *conf,
                                        const char *name)
{
    const struct conf_value *value =
        conf == NULL ? NULL : conf_find(conf_root(conf), name);
    return value != NULL && value->type == CONF_MAP ? value : NULL;
}

static bool has_any(const struct conf_value *map, const char *words)
{
    const struct conf_value *value = map == NULL ? NULL : conf_first(map);
    for (; value != NULL; value = conf_next(map, value)) {
        if (is_key(words, value))
            return true;
    }
    return false;
}

void nats_config_names(const struct conf *conf, char *out, size_t capacity)
{
    size_t used = 0;
    const struct conf_value *root = conf_root(conf);
    const struct conf_value *value = conf_first(root);
    out[0] = '\0';
    for (; value != NULL && used < capacity; value = conf_next(root, value)) {
        if (!is_key(handed_on, value) && !is_key("cluster", value))
            continue;
        int size =
            snprintf(out + used, capacity - used, "%s%s", used == 0 ? "" : ", ",
                     (const char *)value->key.data);
        used += size > 0 ? (size_t)size : 0;
    }
}

/* ---- the URL of -cluster ---- */

struct listen {
    char user[128], password[256], host[256];
    int64_t port;
};

static bool part_copy(char *out, size_t capacity, const char *text, size_t size)
{
    if (size >= capacity)
        return false;
    memcpy(out, text, size);
    out[size] = '\0';
    return true;
}

static enum status listen_refuse(const char *url, struct error *err)
{
    const char *at = strrchr(url, '@'); /* in front of it is a password */
    return fail(err, STATUS_INVALID,
                "could not parse cluster URL \"%.100s\": "
                "nats://user:password@host:port is expected",
                at == NULL ? url : at + 1);
}

/* nats://[user:password@]host:port */
static enum status listen_read(const char *url, struct listen *listen,
                               struct error *err)
{
    *listen = (struct listen){0};
    const char *scheme = strstr(url, "://");
    const char *rest = scheme == NULL ? url : scheme + 3;
    const char *at = strrchr(rest, '@');
    bool fits = true;
    if (at != NULL) {
        const char *colon = memchr(rest, ':', (size_t)(at - rest));
        if (colon == NULL) {
            return fail(err, STATUS_INVALID,
                        "expected cluster password to be set");
        }
        fits = part_copy(listen->user, sizeof listen->user, rest,
                         (size_t)(colon - rest)) &&
               part_copy(listen->password, sizeof listen->password, colon + 1,
                         (size_t)(at - colon - 1));
        rest = at + 1;
    }
    const char *colon = strrchr(rest, ':');
    if (!fits || colon == NULL ||
        options_value_integer(colon + 1, &listen->port) != STATUS_OK ||
        listen->port < -1 || listen->port > 65535)
        return listen_refuse(url, err);
    size_t size = (size_t)(colon - rest);
    if (size > 1 && rest[0] == '[' && rest[size - 1] == ']') {
        rest++;
        size -= 2;
    }
    return part_copy(listen->host, sizeof listen->host, rest, size)
               ? STATUS_OK
               : listen_refuse(url, err);
}

/* ---- checks ---- */

static bool tls_flag_given(const struct options *options)
{
    return options->nats.tls == OPTIONS_ON ||
           options->nats.tls_verify != OPTIONS_UNSET ||
           options->tls_cert[0] != '\0' || options->tls_key[0] != '\0' ||
           options->tls_ca[0] != '\0';
}

bool nats_config_has_tls(const struct options *options, const struct conf *conf)
{
    return options->nats.tls != OPTIONS_OFF &&
           (tls_flag_given(options) || top_map(conf, "tls") != NULL);
}

enum status nats_config_check(const struct options *options,
                              const struct conf *conf, struct error *err)
{
    const struct options_nats *nats = &options->nats;
    struct listen listen;
    if (nats->cluster != NULL && nats->cluster[0] != '\0') {
        enum status status = listen_read(nats->cluster, &listen, err);
        if (status != STATUS_OK)
            return status;
    } else if (nats->routes != NULL && nats->routes[0] != '\0' &&
               (nats->cluster != NULL ||
                !has_any(top_map(conf, "cluster"), LISTENS))) {
        return fail(err, STATUS_INVALID,
                    "solicited routes require cluster capabilities, e.g. "
                    "--cluster");
    }
    if (!nats_config_has_tls(options, conf))
        return STATUS_OK;
    if (options->tls_cert[0] == '\0') {
        return fail(err, STATUS_INVALID,
                    "TLS Server certificate must be present and valid");
    }
    if (options->tls_key[0] == '\0') {
        return fail(err, STATUS_INVALID,
                    "TLS Server private key must be present and valid");
    }
    return STATUS_OK;
}

/* ---- writing ---- */

struct work {
    const struct options *options;
    const struct conf *conf;
    struct conf_writer writer;
};

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void put_given(struct work *work, const char *key, const char *value)
{
    if (given(value))
        conf_write_string(&work->writer, key, value);
}

/* A guard of its own kind, with which a single user cannot be. */
static bool has_many_users(const struct conf *conf)
{
    return has_any(top_map(conf, "authorization"), "users") ||
           (conf != NULL &&
            has_any(conf_root(conf),
                    "accounts operator operators root roots root_operator "
                    "root_operators trusted trusted_keys resolver"));
}

static void put_authorization(struct work *work)
{
    const struct options *options = work->options;
    const struct conf_value *map = top_map(work->conf, "authorization");
    bool many = has_many_users(work->conf);
    bool single = options->user[0] != '\0' || options->token[0] != '\0';
    if (map == NULL && (many || !single))
        return;
    conf_write_open(&work->writer, "authorization", '{');
    if (map != NULL)
        conf_write_others(&work->writer, map, many ? "" : SINGLE_USER);
    if (!many) {
        put_given(work, "user", options->user);
        put_given(work, "password", options->password);
        put_given(work, "token", options->token);
    }
    conf_write_close(&work->writer, '}');
}

static void put_tls(struct work *work)
{
    const struct options *options = work->options;
    const struct conf_value *map = top_map(work->conf, "tls");
    bool verify = options->nats.tls_verify != OPTIONS_UNSET;
    if (!nats_config_has_tls(options, work->conf))
        return;
    conf_write_open(&work->writer, "tls", '{');
    if (map != NULL) {
        conf_write_others(&work->writer, map,
                          verify ? "cert_file key_file ca_file verify"
                                 : "cert_file key_file ca_file");
    }
    put_given(work, "cert_file", options->tls_cert);
    put_given(work, "key_file", options->tls_key);
    put_given(work, "ca_file", options->tls_ca);
    if (verify) {
        conf_write_boolean(&work->writer, "verify",
                           options->nats.tls_verify == OPTIONS_ON);
    }
    conf_write_close(&work->writer, '}');
}

static void put_routes(struct work *work, const char *routes)
{
    conf_write_open(&work->writer, "routes", '[');
    while (*routes != '\0') {
        size_t size = strcspn(routes, ",");
        const char *word = routes;
        size_t blanks = strspn(word, " ");
        if (blanks < size) {
            conf_write_element(&work->writer,
                               bytes_of(word + blanks, size - blanks));
        }
        routes += size + (routes[size] == ',' ? 1 : 0);
    }
    conf_write_close(&work->writer, ']');
}

/* -cluster, which was checked. */
static void put_listen(struct work *work)
{
    struct listen listen;
    if (listen_read(work->options->nats.cluster, &listen, NULL) != STATUS_OK)
        return;
    put_given(work, "host", listen.host);
    conf_write_integer(&work->writer, "port", listen.port);
    if (listen.user[0] == '\0')
        return;
    conf_write_open(&work->writer, "authorization", '{');
    conf_write_string(&work->writer, "user", listen.user);
    conf_write_string(&work->writer, "password", listen.password);
    conf_write_close(&work->writer, '}');
}

/* The keys that flags take the place of, into words. */
static void cluster_replaced(const struct options_nats *nats, char words[256])
{
    const struct {
        bool is;
        const char *words;
    } parts[] = {
        {nats->cluster != NULL, LISTENS " authorization"},
        {nats->routes != NULL, "routes"},
        {nats->cluster_name != NULL, "name"},
        {nats->cluster_advertise != NULL, "advertise cluster_advertise"},
        {nats->no_advertise != OPTIONS_UNSET, "no_advertise"},
        {nats->connect_retries != OPTIONS_NOT_GIVEN, "connect_retries"},
    };
    words[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t used = strlen(words);
        if (parts[i].is)
            (void)snprintf(words + used, 256 - used, "%s ", parts[i].words);
    }
}

static void put_cluster(struct work *work)
{
    const struct options_nats *nats = &work->options->nats;
    const struct conf_value *map = top_map(work->conf, "cluster");
    char replaced[256];
    cluster_replaced(nats, replaced);
    bool off = nats->cluster != NULL && nats->cluster[0] == '\0';
    if (off || (map == NULL && replaced[0] == '\0'))
        return;
    conf_write_open(&work->writer, "cluster", '{');
    if (map != NULL)
        conf_write_others(&work->writer, map, replaced);
    if (nats->cluster != NULL)
        put_listen(work);
    if (given(nats->routes))
        put_routes(work, nats->routes);
    put_given(work, "name", nats->cluster_name);
    put_given(work, "advertise", nats->cluster_advertise);
    if (nats->no_advertise != OPTIONS_UNSET) {
        conf_write_boolean(&work->writer, "no_advertise",
                           nats->no_advertise == OPTIONS_ON);
    }
    if (nats->connect_retries != OPTIONS_NOT_GIVEN) {
        conf_write_integer(&work->writer, "connect_retries",
                           nats->connect_retries);
    }
    conf_write_close(&work->writer, '}');
}

/* A map, or what turns it on or off. */
static void put_jetstream(struct work *work, const struct conf_value *value)
{
    const struct options_nats *nats = &work->options->nats;
    if (nats->jetstream == OPTIONS_OFF)
        return;
    if (value != NULL && value->type == CONF_MAP) {
        conf_write_open(&work->writer, "jetstream", '{');
        conf_write_others(&work->writer, value,
                          nats->store_dir != NULL ? "store_dir storedir" : "");
        conf_write_close(&work->writer, '}');
    } else if (nats->jetstream == OPTIONS_ON) {
        conf_write_boolean(&work->writer, "jetstream", true);
    } else if (value != NULL) {
        conf_write_entry(&work->writer, value);
    }
}

/* A flag takes the place of this key. */
static bool is_replaced(const struct options_nats *nats,
                        const struct conf_value *value)
{
    return (nats->name != NULL && is_key("server_name", value)) ||
           (nats->client_advertise != NULL &&
            is_key("client_advertise", value)) ||
           (nats->max_traced_length != OPTIONS_NOT_GIVEN &&
            is_key("max_traced_msg_len", value)) ||
           (nats->store_dir != NULL && is_key("store_dir storedir", value)) ||
           (nats->profile_port != OPTIONS_NOT_GIVEN &&
            is_key("prof_port", value));
}

static void put_flags(struct work *work)
{
    const struct options_nats *nats = &work->options->nats;
    put_given(work, "server_name", nats->name);
    put_given(work, "client_advertise", nats->client_advertise);
    put_given(work, "store_dir", nats->store_dir);
    if (nats->max_traced_length != OPTIONS_NOT_GIVEN) {
        conf_write_integer(&work->writer, "max_traced_msg_len",
                           nats->max_traced_length);
    }
    if (nats->profile_port != OPTIONS_NOT_GIVEN)
        conf_write_integer(&work->writer, "prof_port", nats->profile_port);
    conf_write_boolean(&work->writer, "debug", work->options->debug);
    conf_write_boolean(&work->writer, "trace", work->options->trace);
    if (work->options->trace_verbose)
        conf_write_boolean(&work->writer, "trace_verbose", true);
}

/* Also what should be a map: the nats-server finds the words. */
static bool is_handed_on(const struct work *work,
                         const struct conf_value *value)
{
    if (is_key(merged, value))
        return value->type != CONF_MAP;
    return is_key(handed_on, value) &&
           !is_replaced(&work->options->nats, value);
}

/* What stands in the file, each in its place. */
static void put_file(struct work *work)
{
    const struct conf_value *root = conf_root(work->conf);
    const struct conf_value *value = conf_first(root);
    for (; value != NULL; value = conf_next(root, value)) {
        if (value == top_map(work->conf, "authorization")) {
            put_authorization(work);
        } else if (value == top_map(work->conf, "tls")) {
            put_tls(work);
        } else if (value == top_map(work->conf, "cluster")) {
            put_cluster(work);
        } else if (is_key("jetstream", value)) {
            put_jetstream(work, value);
        } else if (is_handed_on(work, value)) {
            conf_write_entry(&work->writer, value);
        }
    }
}

static const char *file_of(const struct conf *conf)
{
    const struct conf_value *first =
        conf == NULL ? NULL : conf_first(conf_root(conf));
    return first == NULL ? NULL : first->file;
}

enum status nats_config_write(const struct options *options,
                              const struct conf *conf, struct blob *out,
                              struct error *err)
{
    struct work work = {.options = options, .conf = conf};
    work.writer.out = out;
    work.writer.most = NATS_CONFIG_MAX;
    work.writer.file = file_of(conf);
    if (conf != NULL)
        put_file(&work);
    if (conf == NULL || conf_find(conf_root(conf), "jetstream") == NULL)
        put_jetstream(&work, NULL);
    if (top_map(conf, "authorization") == NULL)
        put_authorization(&work);
    if (top_map(conf, "tls") == NULL)
        put_tls(&work);
    if (top_map(conf, "cluster") == NULL)
        put_cluster(&work);
    put_flags(&work);
    if (work.writer.status == STATUS_OK)
        return STATUS_OK;
    blob_release(out);
    return fail(err, work.writer.status, "configuration of the NATS server: %s",
                work.writer.problem != NULL ? work.writer.problem
                                            : "too much to write");
}
