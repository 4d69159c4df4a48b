/* sweep.h - the thread that deletes in the background what commits have put
 * out of sight: messages below a channel's first, and deleted channels.
 *
 * It only ever deletes what a written record already gave up, so it may be
 * stopped, or killed, at any point: recovery asks for the rest again. */
#ifndef STORE_LEVELDB_SWEEP_H
#define STORE_LEVELDB_SWEEP_H

#include "store/leveldb/database.h"
#include "streamd/base/log.h"

#include <stdint.h>

/* What is left to delete of one channel. Belongs to whoever made it until
 * sweeper_discard(). */
struct sweep;
struct sweep *sweep_new(uint64_t number); /* NULL when out of memory */
void sweep_free(struct sweep *sweep);     /* NULL is allowed */

struct sweeper;

/* Starts the thread. database and log outlive it. */
MUST_CHECK enum status sweeper_new(struct database *database, struct log *log,
                                   struct sweeper **out, struct error *err);
/* Ends it after the chunk it is at; frees what was discarded, no other. */
void sweeper_free(struct sweeper *sweeper); /* NULL is allowed */

/* Any thread. Nothing below swept is left (known from recovery). */
void sweeper_start_at(struct sweeper *sweeper, struct sweep *sweep,
                      uint64_t swept);
/* Messages below first may go. */
void sweeper_trim(struct sweeper *sweeper, struct sweep *sweep, uint64_t first);
/* All of the channel goes, at last its record; sweep is the sweeper's now. */
void sweeper_discard(struct sweeper *sweeper, struct sweep *sweep);
/* Nothing below the result is left. */
uint64_t sweeper_reached(struct sweeper *sweeper, const struct sweep *sweep);

#endif
