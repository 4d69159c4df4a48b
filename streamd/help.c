#include "streamd/help.h"

#include "streamd/base/duration.h"
#include "streamd/options.h"
#include "streamd/version.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum {
    COLUMNS = 80,
    HELP_COLUMN = 36, /* where the help of an option starts */
    TEXT_MAX = 256,
    HELP_MAX = 512, /* with the default */
};

static const char *type_word(enum option_type type)
{
    switch (type) {
    case OPTION_STRING:
    case OPTION_LIST:
        return " <string>";
    case OPTION_INTEGER:
        return " <int>";
    case OPTION_SIZE:
        return " <size>";
    case OPTION_DURATION:
        return " <duration>";
    case OPTION_BOOLEAN:
    case OPTION_CHOICE:
        break;
    }
    return "";
}

/* A size the way it would be typed. */
static void size_text(int64_t size, char out[TEXT_MAX])
{
    const char *unit = "";
    if (size > 0 && size % (1 << 20) == 0) {
        size >>= 20;
        unit = "MB";
    }
    (void)snprintf(out, TEXT_MAX, "%" PRId64 "%s", size, unit);
}

/* The default as text, "" if there is nothing to say. */
static void default_text(const struct option_entry *entry,
                         const struct options *options, char out[TEXT_MAX])
{
    const void *place = (const char *)options + entry->place;
    char duration[DURATION_TEXT_MAX];
    out[0] = '\0';
    switch (entry->type) {
    case OPTION_STRING:
        if (*(const char *const *)place != NULL)
            (void)snprintf(out, TEXT_MAX, "%s", *(const char *const *)place);
        return;
    case OPTION_BOOLEAN:
        (void)snprintf(out, TEXT_MAX, "%s", *(const bool *)place ? "true" : "");
        return;
    case OPTION_INTEGER:
        if (*(const int64_t *)place != OPTIONS_NOT_GIVEN)
            (void)snprintf(out, TEXT_MAX, "%" PRId64, *(const int64_t *)place);
        return;
    case OPTION_SIZE:
        size_text(*(const int64_t *)place, out);
        return;
    case OPTION_DURATION:
        duration_format(*(const int64_t *)place, duration);
        (void)snprintf(out, TEXT_MAX, "%s", duration);
        return;
    case OPTION_CHOICE:
    case OPTION_LIST:
        return;
    }
}

void help_default(const struct option_entry *entry, char out[HELP_DEFAULT_MAX])
{
    struct options defaults;
    options_default(&defaults);
    default_text(entry, &defaults, out);
}

/* Words from column HELP_COLUMN on, broken before the last column. */
static void text_print(FILE *out, const char *text)
{
    int column = HELP_COLUMN;
    while (*text != '\0') {
        int size = (int)strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + size > COLUMNS) {
            (void)fprintf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (column > HELP_COLUMN) {
            (void)fputc(' ', out);
            column++;
        }
        (void)fprintf(out, "%.*s", size, text);
        column += size;
        text += size;
        text += strspn(text, " ");
    }
    (void)fputc('\n', out);
}

/* The default stands with what the help says in brackets at its end. */
static void help_text(const char *help, const char *value, char out[HELP_MAX])
{
    size_t size = strlen(help);
    if (value[0] == '\0') {
        (void)snprintf(out, HELP_MAX, "%s", help);
    } else if (size > 0 && help[size - 1] == ')') {
        (void)snprintf(out, HELP_MAX, "%.*s; default: %s)", (int)size - 1, help,
                       value);
    } else {
        (void)snprintf(out, HELP_MAX, "%s (default: %s)", help, value);
    }
}

static void entry_print(FILE *out, const struct option_entry *entry,
                        const struct options *defaults)
{
    char names[TEXT_MAX] = "  ";
    const char *flag = entry->flags;
    while (*flag != '\0') {
        size_t used = strlen(names);
        int size = (int)strcspn(flag, " ");
        (void)snprintf(names + used, sizeof names - used, "%s-%.*s",
                       flag == entry->flags ? "" : ", ", size, flag);
        flag += size;
        flag += strspn(flag, " ");
    }
    size_t used = strlen(names);
    (void)snprintf(names + used, sizeof names - used, "%s",
                   type_word(entry->type));
    char value[TEXT_MAX];
    default_text(entry, defaults, value);
    char text[HELP_MAX];
    help_text(entry->help, value, text);
    if (strlen(names) + 2 > HELP_COLUMN) {
        (void)fprintf(out, "%s\n%*s", names, HELP_COLUMN, "");
    } else {
        (void)fprintf(out, "%-*s", HELP_COLUMN, names);
    }
    text_print(out, text);
}

void help_usage(FILE *out)
{
    struct options defaults;
    options_default(&defaults);
    (void)fputs(
        "Usage: nats-streaming-server [options]\n"
        "       streamd [options]\n"
        "\n"
        "A durable log for NATS: serves clients of the NATS Streaming (STAN)"
        " protocol.\n"
        "\n"
        "One dash or two, \"-x value\" or \"-x=value\"; a flag without a <type>"
        " takes only\n\"-x\", \"-x=true\" or \"-x=false\".\n"
        "Sizes: 1024, 1K (1000), 1KB (1024), 64MB. Durations: 500ms, 30s,"
        " 1h30m.\n",
        out);
    size_t count;
    const struct option_entry *table = options_table(&count);
    const char *section = "";
    for (size_t i = 0; i < count; i++) {
        if (table[i].flags[0] == '\0')
            continue;
        if (strcmp(section, table[i].section) != 0) {
            section = table[i].section;
            (void)fprintf(out, "\n%s:\n", section);
        }
        entry_print(out, &table[i], &defaults);
    }
}

void help_tls(FILE *out)
{
    (void)fputs(
        "TLS between NATS clients and our own nats-server:\n"
        "  -tlscert=server.pem -tlskey=server-key.pem\n"
        "With -tlsverify -tlscacert=ca.pem clients need a certificate, too.\n"
        "The same certificate and key serve HTTPS monitoring (-ms PORT).\n"
        "\n"
        "TLS between the streaming server and a NATS server (-ns):\n"
        "  -secure                            with the system's certificates\n"
        "  -tls_client_cacert=ca.pem          with those of ca.pem\n"
        "  -tls_client_cert=me.pem -tls_client_key=me-key.pem\n"
        "                                     if it asks for a certificate\n"
        "In the configuration file server_name in tls { } is the name that its"
        "\ncertificate must have, and skip_verify: true takes any"
        " certificate.\n"
        "\n"
        "A certificate to try it with, of no use for more:\n"
        "  openssl req -x509 -newkey rsa:2048 -nodes -days 30 \\\n"
        "    -subj /CN=localhost -addext subjectAltName=DNS:localhost \\\n"
        "    -keyout server-key.pem -out server.pem\n",
        out);
}

void help_version(FILE *out, const char *program, const char *nats)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash == NULL ? program : slash + 1;
    if (strcmp(name, "nats-streaming-server") == 0) {
        (void)fprintf(out, "%s version %s", name, STREAMD_COMPATIBLE_VERSION);
    } else {
        (void)fprintf(out, "streamd version %s (nats-streaming-server %s)",
                      STREAMD_VERSION, STREAMD_COMPATIBLE_VERSION);
    }
    (void)fprintf(out, "%s%s\n", nats == NULL ? "" : ", ",
                  nats == NULL ? "" : nats);
}

int help_failure(FILE *out, FILE *err, const struct error *error)
{
    (void)fprintf(err, "%s\n", error->detail);
    if (error->status != STATUS_INVALID)
        return 1;
    help_usage(out);
    return 2;
}
