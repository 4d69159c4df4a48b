#include "tests/bench/load_options.h"

#include "tests/bench/numbers.h"
#include "tests/bench/payload.h"

#include <string.h>

static const char *const mode_names[] = {
    [LOAD_MODE_CONNECT] = "connect", [LOAD_MODE_PUBLISH] = "publish",
    [LOAD_MODE_REPLAY] = "replay",   [LOAD_MODE_LIVE] = "live",
    [LOAD_MODE_PLAIN] = "plain",
};
enum { MODES = sizeof mode_names / sizeof *mode_names };

const char *load_options_mode_name(enum load_mode mode)
{
    return mode_names[mode];
}

/* An option is a number between least and most, or a name. */
struct option {
    const char *name;
    size_t offset; /* in struct load_options */
    uint64_t least, most;
    bool is_name;
};

#define NUMBER(member, least, most)                                            \
    {                                                                          \
        "--" #member, offsetof(struct load_options, member), least, most,      \
            false                                                              \
    }
#define NAME(member)                                                           \
    {                                                                          \
        "--" #member, offsetof(struct load_options, member), 0, 0, true        \
    }

static const struct option option_table[] = {
    NAME(cluster),
    NAME(channel),
    NAME(group),
    NAME(watch),
    NUMBER(port, 1, UINT16_MAX),
    NUMBER(messages, 1, LOAD_MESSAGES_MAX),
    NUMBER(size, PAYLOAD_SIZE_MIN, PAYLOAD_SIZE_MAX),
    NUMBER(window, 1, LOAD_MESSAGES_MAX),
    NUMBER(publishers, 1, LOAD_CLIENTS_MAX),
    NUMBER(channels, 1, LOAD_CHANNELS_MAX),
    NUMBER(subscribers, 1, LOAD_CLIENTS_MAX),
    {"--max-in-flight", offsetof(struct load_options, max_in_flight), 1,
     INT32_MAX, false},
    NUMBER(rate, 0, LOAD_RATE_MAX),
    NUMBER(timeout, 1, LOAD_TIMEOUT_MAX),
};
enum { OPTIONS = sizeof option_table / sizeof *option_table };

void load_options_usage(FILE *out)
{
    (void)fputs(
        "Usage: stanload MODE [--option VALUE]...\n"
        "Loads a NATS Streaming server, verifies all it says, and prints a\n"
        "line of JSON. Ends with 0 if nothing was lost, damaged or refused.\n"
        "\n"
        "Modes:\n"
        "  connect          ask until the server answers (start-up time)\n"
        "  publish          publish; every ack must be of what was sent\n"
        "  replay           receive a channel from its first message, which\n"
        "                   one publisher filled with --messages of --size\n"
        "  live             publish to subscribers: latency; with --group,\n"
        "                   the members of a queue group\n"
        "  plain            the same over plain NATS, one to one, without a\n"
        "                   streaming server: the subject is the channel\n"
        "\n"
        "Options (and default):\n"
        "  --port           of the nats-server on this machine (4222)\n"
        "  --cluster        cluster ID (test-cluster)\n"
        "  --channel        name; with several, .0 and so on behind (bench)\n"
        "  --messages       number of them (100000)\n"
        "  --size           bytes of each (128)\n"
        "  --window         published and not yet acked, all together (16384)\n"
        "  --publishers     clients, each with a connection (1)\n"
        "  --channels       published to in turn (1)\n"
        "  --subscribers    clients of live (1)\n"
        "  --group          name of the queue group\n"
        "  --max-in-flight  of a subscription (1024)\n"
        "  --rate           messages a second; 0: as many as go (0)\n"
        "  --timeout        seconds without progress (10)\n"
        "  --watch          name=PID,...: processes whose cost is printed\n",
        out);
}

static bool set_option(struct load_options *options, const char *name,
                       const char *value)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &option_table[i];
        char *member = (char *)options + option->offset;
        if (strcmp(option->name, name) != 0)
            continue;
        if (option->is_name) {
            memcpy(member, &value, sizeof value);
            return true;
        }
        uint64_t number;
        if (!number_read_decimal(bytes_text(value), &number) ||
            number < option->least || number > option->most) {
            (void)fprintf(stderr, "%s is from %llu to %llu\n", name,
                          (unsigned long long)option->least,
                          (unsigned long long)option->most);
            return false;
        }
        memcpy(member, &number, sizeof number);
        return true;
    }
    (void)fprintf(stderr, "unknown option: %s\n", name);
    return false;
}

static bool set_mode(struct load_options *options, const char *name)
{
    for (size_t i = 0; i < MODES; i++) {
        if (strcmp(mode_names[i], name) == 0) {
            options->mode = (enum load_mode)i;
            return true;
        }
    }
    (void)fprintf(stderr, "unknown mode: %s\n", name);
    return false;
}

/* Together they must fit where the subjects are built. */
static bool names_fit(const struct load_options *options)
{
    const char *const names[] = {options->cluster, options->channel,
                                 options->group};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) > LOAD_NAME_MAX || strchr(names[i], ' ') != NULL) {
            (void)fprintf(stderr, "no good name: %s\n", names[i]);
            return false;
        }
    }
    return true;
}

bool load_options_parse(struct load_options *options, int argc, char **argv)
{
    *options = (struct load_options){
        .cluster = "test-cluster",
        .channel = "bench",
        .group = "",
        .watch = "",
        .port = 4222,
        .messages = 100000,
        .size = 128,
        .window = 16384,
        .publishers = 1,
        .channels = 1,
        .subscribers = 1,
        .max_in_flight = 1024,
        .timeout = 10,
    };
    if (argc < 2 || !set_mode(options, argv[1]))
        return false;
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 == argc) {
            (void)fprintf(stderr, "%s needs a value\n", argv[i]);
            return false;
        }
        if (!set_option(options, argv[i], argv[i + 1]))
            return false;
    }
    return names_fit(options);
}
