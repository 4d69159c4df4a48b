#include "streamd/options_check.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- modes ---- */

static bool store_is(const struct options *options, const char *name)
{
    return strcasecmp(options->store, name) == 0;
}

static enum status missing(struct error *err, const char *what)
{
    return fail(err, STATUS_UNAVAILABLE, "not supported yet: %s", what);
}

static enum status check_presence(const struct options *options,
                                  struct error *err)
{
    if (options->cluster.enabled) {
        return missing(err, "clustering (-clustered, or a cluster section of "
                            "the streaming configuration)");
    }
    if (options->partitioning)
        return missing(err, "partitioning (partitioning: true)");
    if (store_is(options, "SQL"))
        return missing(err, "SQL stores (-store SQL)");
    if (store_is(options, "FILE") &&
        options->file.slice_archive_script[0] != '\0') {
        return missing(err, "archiving messages that are deleted "
                            "(-file_slice_archive_script)");
    }
    return STATUS_OK;
}

enum status options_check_modes(const struct options *options,
                                struct error *err)
{
    if (options->cluster.enabled && options->partitioning) {
        return fail(err, STATUS_INVALID,
                    "stan: channels partitioning in clustering mode is not "
                    "supported");
    }
    if (options->cluster.enabled && store_is(options, "MEMORY")) {
        return fail(err, STATUS_INVALID,
                    "stan: clustering mode not supported with MEMORY store "
                    "type");
    }
    return check_presence(options, err);
}

/* ---- the store ---- */

static enum status check_type(const struct options *options,
                              enum options_store *store, struct error *err)
{
    if (store_is(options, "MEMORY")) {
        *store = OPTIONS_STORE_MEMORY;
    } else if (store_is(options, "FILE")) {
        *store = OPTIONS_STORE_FILE;
    } else if (store_is(options, "SQL")) {
        *store = OPTIONS_STORE_SQL;
    } else {
        char upper[64];
        size_t size = 0;
        for (; options->store[size] != '\0' && size < sizeof upper - 1; size++)
            upper[size] = (char)toupper((unsigned char)options->store[size]);
        upper[size] = '\0';
        return fail(err, STATUS_INVALID, "unsupported store type: %s", upper);
    }
    return STATUS_OK;
}

/* The ranges of stores.md 4, in its words. */
static enum status check_file(const struct options_file *file,
                              struct error *err)
{
    const struct {
        int64_t value, low, high;
        const char *text;
    } ranges[] = {
        {file->buffer_size, 0, INT64_MAX,
         "buffer size value must be a positive number"},
        {file->read_buffer_size, 0, INT64_MAX,
         "read buffer size value must be a positive number"},
        {file->compact_fragmentation, 1, INT64_MAX,
         "compact fragmentation value must at least be 1"},
        {file->compact_interval, 1, INT64_MAX,
         "compact interval value must at least be 1 seconds"},
        {file->compact_min_size, 0, INT64_MAX,
         "compact minimum file size value must be a positive number"},
        {file->crc_polynomial, 1, UINT32_MAX,
         "crc polynomial should be between 1 and 4294967295"},
        {file->slice_max_messages, 0, INT64_MAX,
         "slice max values must be positive numbers"},
        {file->slice_max_bytes, 0, INT64_MAX,
         "slice max values must be positive numbers"},
        {file->slice_max_age, 0, INT64_MAX,
         "slice max values must be positive numbers"},
        {file->descriptors_limit, 0, INT64_MAX,
         "file descriptor limit must be a positive number"},
        {file->parallel_recovery, 1, INT64_MAX,
         "parallel recovery value must be at least 1"},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].value < ranges[i].low || ranges[i].value > ranges[i].high)
            return fail(err, STATUS_INVALID, "%s", ranges[i].text);
    }
    return STATUS_OK;
}

static enum status check_encryption(const struct options *options,
                                    struct error *err)
{
    const char *cipher = options->encryption_cipher;
    if (!options->encrypt)
        return STATUS_OK;
    if (options->encryption_key[0] == '\0')
        return fail(err, STATUS_INVALID, "encryption key required");
    if (cipher[0] != '\0' && strcasecmp(cipher, "AES") != 0 &&
        strcasecmp(cipher, "CHACHA") != 0)
        return fail(err, STATUS_INVALID, "encryption cipher not supported");
    return missing(err, "encryption at rest (-encrypt, -encryption_key)");
}

enum status options_store(const struct options *options,
                          enum options_store *store, struct error *err)
{
    enum status status = check_type(options, store, err);
    if (status != STATUS_OK)
        return status;
    if (*store == OPTIONS_STORE_FILE) {
        if (options->dir[0] == '\0') {
            return fail(err, STATUS_INVALID,
                        "for FILE stores, root directory must be specified");
        }
        status = check_file(&options->file, err);
    }
    if (status == STATUS_OK)
        status = check_encryption(options, err);
    if (status != STATUS_OK || options->ft_group[0] == '\0')
        return status;
    if (*store == OPTIONS_STORE_MEMORY) {
        return fail(err, STATUS_INVALID,
                    "ft: only FILE or SQL stores supported in FT mode");
    }
    return missing(err, "fault tolerance (-ft_group)");
}

enum status options_check_monitoring(const struct options *options,
                                     struct error *err)
{
    if (options->https_port == 0)
        return STATUS_OK;
    if (options->http_port != 0) {
        return fail(err, STATUS_INVALID,
                    "can't specify both HTTP (%" PRId64 ") and HTTPs (%" PRId64
                    ") ports",
                    options->http_port, options->https_port);
    }
    if (options->tls_cert[0] == '\0' || options->tls_key[0] == '\0') {
        return fail(err, STATUS_INVALID, "TLS cert and key required for HTTPS");
    }
    return STATUS_OK;
}

/* Far from either end a store would be all directory, or start slowly. */
uint64_t options_segment_bytes(const struct options *options)
{
    static const int64_t least = INT64_C(1) << 20, most = INT64_C(256) << 20;
    int64_t wanted = options->file.slice_max_bytes;
    if (wanted == 0)
        return 0;
    if (wanted < least)
        return (uint64_t)least;
    return (uint64_t)(wanted > most ? most : wanted);
}

/* ---- what has no effect ---- */

struct reason {
    enum options_idle idle;
    bool holds;
    const char *text;
};

enum { LINE_MAX_SIZE = 512 };

static void say_reason(const struct options *options,
                       const struct options *defaults,
                       const struct reason *reason,
                       void (*say)(void *context, const char *text),
                       void *context)
{
    char line[LINE_MAX_SIZE];
    char name[OPTIONS_NAME_MAX];
    size_t count;
    const struct option_entry *table = options_table(&count);
    size_t used = (size_t)snprintf(line, sizeof line, "%s", reason->text);
    bool any = false;
    for (size_t i = 0; i < count && used < sizeof line; i++) {
        if (table[i].idle != reason->idle ||
            options_same(&table[i], options, defaults))
            continue;
        used +=
            (size_t)snprintf(line + used, sizeof line - used, "%s %s",
                             any ? "," : ":", options_name(&table[i], name));
        any = true;
    }
    if (any)
        say(context, line);
}

void options_idle(const struct options *options,
                  void (*say)(void *context, const char *text), void *context)
{
    const struct reason reasons[] = {
        {OPTIONS_IDLE_FILE, true,
         "No effect, as this server looks after its files by itself"},
        {OPTIONS_FOR_FILE, !store_is(options, "FILE"),
         "No effect without a FILE store"},
        {OPTIONS_IDLE_BATCH, true,
         "No effect, as what has arrived is stored at once"},
        {OPTIONS_FOR_SQL, !store_is(options, "SQL"),
         "No effect without an SQL store"},
        {OPTIONS_FOR_CLUSTER, !options->cluster.enabled,
         "No effect without -clustered"},
        {OPTIONS_FOR_ENCRYPT, !options->encrypt, "No effect without -encrypt"},
        {OPTIONS_FOR_EMBEDDED, options->nats_server[0] != '\0',
         "No effect with a NATS server in use (-ns)"},
    };
    struct options defaults;
    options_default(&defaults);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].holds)
            say_reason(options, &defaults, &reasons[i], say, context);
    }
    uint64_t size = options_segment_bytes(options);
    if (store_is(options, "FILE") &&
        size != (uint64_t)options->file.slice_max_bytes && size != 0) {
        char line[LINE_MAX_SIZE];
        (void)snprintf(line, sizeof line,
                       "-file_slice_max_bytes is taken as %" PRIu64
                       ": a file of messages has 1 MiB to 256 MiB",
                       size);
        say(context, line);
    }
}
