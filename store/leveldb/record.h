/* record.h - the channel record: what cannot be had from the messages.
 *
 *   phase 1 | id 8 | first 8 | last 8 | messages 8 | bytes 8 |
 *   first timestamp 8 | last timestamp 8 | last subscription 8 | swept 8 | name
 *
 * It may be behind the messages by any number of appends: whoever recovers
 * goes on from `last`, by the marks among the messages (value.h). first is
 * exact, always. Appending alone writes no record: then all keys that go to
 * disk lie behind those before, and LevelDB has nothing to merge. */
#ifndef STORE_LEVELDB_RECORD_H
#define STORE_LEVELDB_RECORD_H

#include "store/batch.h"

enum record_phase {
    RECORD_LIVE = 1,
    RECORD_DELETED = 2, /* for clients it is gone; its keys are going */
};

struct channel_record {
    enum record_phase phase;
    struct channel_state state;
    uint64_t swept; /* no message below it is left in the database */
    struct bytes name;
};

/* Replaces what is in out; false when out of memory. */
MUST_CHECK bool channel_record_encode(const struct channel_record *record,
                                      struct blob *out);
/* False on damage; name points into input. */
MUST_CHECK bool channel_record_decode(struct bytes input,
                                      struct channel_record *out);

#endif
