/* stanload.c - the load generator's entry; see its usage text. */
#include "tests/bench/load_options.h"
#include "tests/bench/meter.h"
#include "tests/bench/mode.h"

static bool run(const struct load_options *options, struct meter *meter)
{
    switch (options->mode) {
    case LOAD_MODE_CONNECT:
        return mode_connect(options);
    case LOAD_MODE_PUBLISH:
        return mode_publish(options, meter);
    case LOAD_MODE_REPLAY:
        return mode_replay(options, meter);
    case LOAD_MODE_LIVE:
        return mode_live(options, meter);
    case LOAD_MODE_PLAIN:
        return mode_plain(options, meter);
    }
    return false;
}

int main(int argc, char **argv)
{
    struct load_options options;
    struct meter meter;
    if (!load_options_parse(&options, argc, argv)) {
        load_options_usage(stderr);
        return 2;
    }
    if (!meter_init(&meter, options.watch)) {
        (void)fprintf(stderr, "stanload: cannot watch %s\n", options.watch);
        return 2;
    }
    return run(&options, &meter) ? 0 : 1;
}
