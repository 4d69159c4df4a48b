/* mode.h - the modes of stanload: each runs, verifies, prints its JSON line.
 *
 * A mode returns true if nothing was lost, damaged or refused. */
#ifndef TESTS_BENCH_MODE_H
#define TESTS_BENCH_MODE_H

#include "tests/bench/load_options.h"
#include "tests/bench/meter.h"

#include <stdbool.h>

bool mode_connect(const struct load_options *options);
bool mode_publish(const struct load_options *options, struct meter *meter);
bool mode_replay(const struct load_options *options, struct meter *meter);
bool mode_live(const struct load_options *options, struct meter *meter);
bool mode_plain(const struct load_options *options, struct meter *meter);

#endif
