/* torn.h - the end of a log or manifest that a power cut has torn.
 *
 * What was not synced when the power went may be there, cut short, or garbage.
 * LevelDB takes a file cut short, but refuses garbage as damage. Garbage with
 * no whole record behind it is what a cut leaves: nothing reported as synced
 * can be behind it. It is cut off, and kept beside as "<name>.torn". Garbage
 * with whole records behind it is left as it is: it may be damage. */
#ifndef STORE_LEVELDB_TORN_H
#define STORE_LEVELDB_TORN_H

#include "streamd/base/log.h"
#include "streamd/base/status.h"

#include <stdbool.h>

/* The database in directory is not open. *mended: a torn end was cut off. Not
 * to be called after a clean close, which leaves no torn ends. Errors:
 * STATUS_CORRUPT names file and offset, STATUS_IO, STATUS_NO_MEMORY. */
MUST_CHECK enum status torn_mend(const char *directory, struct log *log,
                                 bool *mended, struct error *err);

#endif
