/* quarantine.h - a channel that recovery found damaged: named in the log, left
 * on disk as it is, its name blocked, its number not used again.
 *
 * Nothing remembers it but the damage itself: the next recovery looks anew, so
 * a channel that was mended, by hand or from a backup, is served again. */
#ifndef STORE_LEVELDB_QUARANTINE_H
#define STORE_LEVELDB_QUARANTINE_H

#include "store/leveldb/file_store.h"

/* During recovery. Takes channel out of the store and frees it, and tells the
 * visitor. Errors: those of the visitor; cause if it takes no such channels. */
MUST_CHECK enum status quarantine_channel(struct file_store *store,
                                          const struct store_visitor *visitor,
                                          struct channel *channel,
                                          const struct channel_record *record,
                                          const struct error *cause,
                                          struct error *err);

#endif
