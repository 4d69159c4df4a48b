/* oracle.h - makes batches for a store under faults, and knows what the store
 * must hold afterwards.
 *
 * Two channels keep everything, a third expires, a fourth keeps its newest few,
 * so that most of what the disk holds is garbage. Batches that append are
 * synced, as the engine's are; those of progress and expiry may not be. */
#ifndef TESTS_FAULT_ORACLE_H
#define TESTS_FAULT_ORACLE_H

#include "tests/store_suite/rig.h"

enum { ORACLE_KEPT = 1, ORACLE_TWIN = 2, ORACLE_EXPIRING = 3 };

enum { ORACLE_CHURN = 4, ORACLE_CHURN_MAX = 15 };

struct oracle;

/* Those of its channels, for a rig that is to be opened. */
void oracle_limits(struct rig *rig);

struct oracle *oracle_new(void);
void oracle_free(struct oracle *oracle);

/* Makes a batch, commits it, notes what came of it. */
enum status oracle_commit(struct oracle *oracle, struct rig *rig,
                          uint64_t *seed);

/* Of a store just opened: fails the test if it holds less, or other, than was
 * promised; then goes on from what it holds. */
void oracle_check(struct oracle *oracle, struct rig *rig);

/* Of a store that stayed open: a read shows what was reported, no more. False:
 * the store says that it cannot read now. */
bool oracle_reads(struct oracle *oracle, struct rig *rig);

/* Highest sequence that was reported stored. */
uint64_t oracle_last(const struct oracle *oracle);

#endif
