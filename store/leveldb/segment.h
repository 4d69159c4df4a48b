/* segment.h - the forms inside of a segment file, and reading parts of one.
 *
 *   header   magic 8 | kind 8 | number 8 | salt 8 | first record 8 | synced 8 |
 *            is gap 4 | zeros 8 | crc 4
 *   record   number 8 | synced 8 | size 4 | crc of operations 4 | zeros 4 |
 *            crc 4 | operations, zeros to a multiple of 8
 *   message  crc 4 | size 4 | sequence 8 | timestamp 8 | encoded MsgProto
 *
 * Numbers big-endian. A record is one batch. Its number is one above that of
 * the record before, across segments; `synced` is the number up to which all
 * was on the disk when it was written: a record that is missing although a
 * later one knows that it was synced is damage, others were lost with the
 * power, and so is all behind them. Only if a sync failed is there something
 * behind: `is gap` of the segment that begins then says that the records from
 * `synced` to its first may be missing, which were not to be synced. The crc of
 * the header begins with the segment's salt, so that nothing a client sends can
 * look like a record; that of the operations leaves out the messages, which
 * have their own: over channel number and all behind the crc.
 *
 * An operation is a byte for its kind and packed numbers (pack.h):
 *
 *   1 run           channel, messages, size, first, last - first, timestamp,
 *                   highest timestamp - timestamp, then the messages
 *   2 put           key, payload (bytes)
 *   3 delete        key
 *   4 state         channel, first, last, messages, bytes, first timestamp,
 *                   last timestamp, last subscription
 *   5 create        channel, id, name
 *   6 discard       channel
 *
 * A record is void if a later segment begins with its number: that is how one
 * that failed is taken back. Segments of the kind COPY are no part of the
 * journal: they hold messages of older ones. A change of these forms needs a
 * new magic. */
#ifndef STORE_LEVELDB_SEGMENT_H
#define STORE_LEVELDB_SEGMENT_H

#include "store/batch.h"
#include "store/leveldb/pack.h"

enum {
    SEGMENT_HEADER = 64,
    RECORD_HEADER = 32,
    MESSAGE_HEADER = 24,
    RUN_BYTES = 64 << 10, /* a run ends with the message that reaches this */
    SEGMENT_NAME = 24,
};

/* A record must fit in 32 bits, with room to spare. */
static const uint64_t record_max = UINT64_C(1) << 30;

enum segment_kind { SEGMENT_JOURNAL = 1, SEGMENT_COPY = 2 };

struct segment_header {
    enum segment_kind kind;
    uint64_t number, salt, first_record, synced;
    bool is_gap;
};

void segment_name(uint64_t number, char name[SEGMENT_NAME]);
/* The number in a name; false if it is no segment's. */
MUST_CHECK bool segment_parse_name(const char *name, uint64_t *number);

void segment_encode(const struct segment_header *header,
                    uint8_t out[SEGMENT_HEADER]);
MUST_CHECK bool segment_decode(const uint8_t in[SEGMENT_HEADER],
                               struct segment_header *out);

struct record_header {
    uint64_t number, synced;
    uint32_t size; /* of what is behind the header */
    uint32_t crc;  /* of the operations */
};

void record_encode(const struct record_header *header, uint64_t salt,
                   uint8_t out[RECORD_HEADER]);
MUST_CHECK bool record_decode(const uint8_t in[RECORD_HEADER], uint64_t salt,
                              struct record_header *out);

/* ---- operations ---- */

enum record_kind {
    RECORD_RUN = 1,
    RECORD_PUT,
    RECORD_DELETE,
    RECORD_STATE,
    RECORD_CREATE,
    RECORD_DISCARD,
};

/* Messages of one channel, ascending, one behind the other in a segment. */
struct place {
    uint64_t first, last; /* sequences */
    uint64_t count;
    uint64_t position; /* segment number << 32 | offset of the first message */
    uint32_t size;     /* of all */
    int64_t timestamp; /* of the first */
};

static inline uint64_t place_segment(const struct place *place)
{
    return place->position >> 32;
}

/* As the byte limit counts them. */
uint64_t place_bytes(const struct place *place);

struct record_operation {
    enum record_kind kind;
    uint64_t number; /* of the channel */
    union {
        struct {
            struct place place;    /* position: from the record's payload */
            int64_t top_timestamp; /* the highest */
            struct bytes messages;
        };
        struct {
            struct bytes key, payload;
        };
        struct channel_state state; /* without the id */
        struct {
            uint64_t id;
            struct bytes name;
        };
    };
};

/* What is added to a record that grows; crc is that of its operations. */
struct record_writer {
    struct blob *out;
    uint32_t crc;
};

/* False when out of memory. Of a run the messages follow: message_encode(). */
MUST_CHECK bool record_add(struct record_writer *writer,
                           const struct record_operation *operation);
/* Zeros up to a multiple of 8. */
MUST_CHECK bool record_pad(struct record_writer *writer);

/* Walks the operations of a payload. False at the end; then *good tells if it
 * was whole. */
struct record_reader {
    struct bytes payload;
    struct unpack unpack;
    uint32_t crc;
};

void record_reader_init(struct record_reader *reader, struct bytes payload);
MUST_CHECK bool record_next(struct record_reader *reader,
                            struct record_operation *operation, bool *good);

/* ---- messages ---- */

/* What their checksums begin with. */
uint32_t message_seed(uint64_t channel_number);
MUST_CHECK bool message_encode(struct blob *out, uint32_t seed,
                               uint64_t sequence, int64_t timestamp,
                               struct bytes body);

struct message {
    uint64_t sequence;
    int64_t timestamp;
    struct bytes body;
    bool is_whole; /* the checksum is right */
};

/* The message at the front of bytes, and moves behind it; false if its size
 * cannot be. */
MUST_CHECK bool message_next(struct bytes *bytes, uint32_t seed,
                             struct message *out);

/* ---- files ---- */

/* size bytes of the segment from offset into out. Errors: STATUS_NOT_FOUND (no
 * such file), STATUS_CORRUPT (it ends before), STATUS_IO. */
MUST_CHECK enum status segment_read(int directory, uint64_t number,
                                    uint64_t offset, void *out, size_t size,
                                    struct error *err);

/* A segment that stays open from one read to the next of the same one;
 * zero-initialise, end with kept_segment_close(). It keeps the space of a file
 * that is deleted meanwhile, so it is for short. */
struct kept_segment {
    uint64_t number; /* 0: none is open; no segment has it */
    int file;
};

/* As segment_read(). */
MUST_CHECK enum status kept_segment_read(struct kept_segment *kept,
                                         int directory, uint64_t number,
                                         uint64_t offset, void *out,
                                         size_t size, struct error *err);
void kept_segment_close(struct kept_segment *kept);

#endif
