/* keys.h - the keys of the database: a tag byte, then big-endian numbers or a
 * client id, so that the order of bytes is the order of channel and sequence.
 *
 * Channels are numbered by the store itself; a number is used again only when
 * nothing is left under it. README.md draws the layout. */
#ifndef STORE_LEVELDB_KEYS_H
#define STORE_LEVELDB_KEYS_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Messages come last: what a memtable of new messages writes to disk then lies
 * behind all that was written before, and LevelDB has nothing to merge. */
enum key_tag {
    KEY_CLIENT = 'c',       /* client id */
    KEY_FORMAT = 'f',       /* alone */
    KEY_SEGMENT = 'g',      /* segment number */
    KEY_SERVER = 'i',       /* alone */
    KEY_JOURNAL = 'j',      /* alone */
    KEY_CHANNEL = 'n',      /* channel number */
    KEY_PROGRESS = 'p',     /* channel number, subscription id */
    KEY_SUBSCRIPTION = 's', /* channel number, subscription id */
    KEY_RUNS = 'z',         /* channel number, last sequence */
};

enum { KEY_MAX = 17 };

struct key {
    uint8_t data[KEY_MAX];
    uint8_t size;
};

struct key key_alone(enum key_tag tag);
struct key key_channel(uint64_t number);
struct key key_segment(uint64_t number);
struct key key_pair(enum key_tag tag, uint64_t number, uint64_t second);

static inline struct bytes key_bytes(const struct key *key)
{
    return bytes_of(key->data, key->size);
}

/* False if bytes is no key of that kind. */
MUST_CHECK bool key_parse_channel(struct bytes bytes, uint64_t *number);
MUST_CHECK bool key_parse_segment(struct bytes bytes, uint64_t *number);
MUST_CHECK bool key_parse_pair(struct bytes bytes, enum key_tag tag,
                               uint64_t *number, uint64_t *second);

void number_encode(uint64_t value, uint8_t out[8]);
uint64_t number_decode(const uint8_t in[8]);

#endif
