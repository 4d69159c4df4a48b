/* load_options.h - what stanload is to do. */
#ifndef TESTS_BENCH_LOAD_OPTIONS_H
#define TESTS_BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum load_mode {
    LOAD_MODE_CONNECT, /* until the server answers */
    LOAD_MODE_PUBLISH,
    LOAD_MODE_REPLAY,
    LOAD_MODE_LIVE,  /* publish while subscribers receive */
    LOAD_MODE_PLAIN, /* the same over plain NATS */
};

/* Names are as in the usage text. */
enum {
    LOAD_MESSAGES_MAX = 100000000,
    LOAD_CHANNELS_MAX = 1000000,
    LOAD_CLIENTS_MAX = 10000,
    LOAD_RATE_MAX = 10000000,
    LOAD_NAME_MAX = 64,
    LOAD_TIMEOUT_MAX = 3600,
};

struct load_options {
    enum load_mode mode;
    const char *cluster, *channel, *group, *watch;
    uint64_t port, messages, size, window, publishers, channels, subscribers,
        max_in_flight, rate, timeout; /* rate 0: as fast as acked; timeout: s */
};

/* The strings point into argv. False, with the reason on standard error, if
 * something is wrong. */
bool load_options_parse(struct load_options *options, int argc, char **argv);
void load_options_usage(FILE *out);
const char *load_options_mode_name(enum load_mode mode);

#endif
