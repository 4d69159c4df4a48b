/* model.h - a store so simple that it must be right, to compare with. */
#ifndef TESTS_STORE_SUITE_MODEL_H
#define TESTS_STORE_SUITE_MODEL_H

#include "tests/store_suite/rig.h"

/* Commits random batches of about `operations` operations in all and compares
 * what is reported, read and recovered. Prints its seed; the environment's
 * STORE_SEED chooses it. */
void model_compare(struct rig *rig, int operations);

#endif
