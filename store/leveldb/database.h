/* database.h - LevelDB behind our names; no other file knows its errors.
 *
 * Any thread reads, between database_hold() and database_release(). Writers
 * are serialized here: once a write failed nobody knows what the log's end
 * holds, and whatever is written behind it may be lost when it is read again.
 * So the first failed write makes the database untrusted, and every write is
 * refused until database_reopen() has made LevelDB read its log anew. */
#ifndef STORE_LEVELDB_DATABASE_H
#define STORE_LEVELDB_DATABASE_H

#include "streamd/base/buffer.h"
#include "streamd/base/status.h"

#include <leveldb/c.h>
#include <stdbool.h>

struct database;

/* Opens or creates. On STATUS_OK the caller owns *out. Errors: STATUS_IO,
 * STATUS_CORRUPT, STATUS_UNAVAILABLE (open elsewhere), STATUS_NO_MEMORY. */
MUST_CHECK enum status database_open(const char *path, struct database **out,
                                     struct error *err);
void database_close(struct database *database); /* NULL is allowed */

/* Keeps the handle from being replaced. Not to be nested. */
void database_hold(struct database *database);
void database_release(struct database *database);

/* All of changes or nothing, and on the disk. The caller holds. On failure the
 * database is no longer trusted, and may or may not show them. */
MUST_CHECK enum status database_write(struct database *database,
                                      leveldb_writebatch_t *changes,
                                      struct error *err);
bool database_is_trusted(struct database *database);

/* Closes and opens again, waiting for whoever holds; trusted again if OK.
 * Until then reads fail. */
MUST_CHECK enum status database_reopen(struct database *database,
                                       struct error *err);

/* The caller holds. On STATUS_OK *out is the value, the caller's to
 * blob_release. Errors: STATUS_NOT_FOUND, STATUS_IO, STATUS_CORRUPT. */
MUST_CHECK enum status database_get(struct database *database, struct bytes key,
                                    struct blob *out, struct error *err);

/* Walks keys in order. Opened, used and closed while the caller holds; sees
 * the database as it was when opened. */
struct cursor {
    leveldb_iterator_t *iterator; /* NULL: the database is not open */
};
struct cursor cursor_open(struct database *database);
void cursor_close(struct cursor cursor);
void cursor_seek(struct cursor cursor, struct bytes key);
void cursor_next(struct cursor cursor);
void cursor_last(struct cursor cursor, struct bytes below); /* highest below */
bool cursor_valid(struct cursor cursor);       /* false: the end, or an error */
struct bytes cursor_key(struct cursor cursor); /* until it is moved */
struct bytes cursor_value(struct cursor cursor); /* until it is moved */
/* What the walk met so far: LevelDB steps over a damaged block and goes on, so
 * without asking here at the end of a walk, keys may be missing unnoticed.
 * Errors: STATUS_IO, STATUS_CORRUPT. */
MUST_CHECK enum status cursor_status(struct cursor cursor, struct error *err);

#endif
