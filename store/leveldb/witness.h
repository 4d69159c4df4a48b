/* witness.h - finds damage done while the store was closed.
 *
 * LevelDB's tables have checksums all over; its log and manifest may end
 * anywhere, as after a crash, so a flipped length near their end drops what
 * follows without a word. A clean close therefore leaves a file "witness" in
 * the database's directory with a line "crc size name" for each of them, and a
 * last line "crc lines" over itself. It is checked and removed at the next
 * open; after a crash there is none. */
#ifndef STORE_LEVELDB_WITNESS_H
#define STORE_LEVELDB_WITNESS_H

#include "streamd/base/status.h"

#include <stdbool.h>

/* Before the database in directory is opened. *found: there was one, so it was
 * closed well and is as it was then. Errors: STATUS_CORRUPT names the file,
 * STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status witness_check(const char *directory, bool *found,
                                     struct error *err);

/* After it was closed. Errors: STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status witness_write(const char *directory, struct error *err);

#endif
