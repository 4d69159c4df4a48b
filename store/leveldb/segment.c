#include "store/leveldb/segment.h"

#include "store/leveldb/keys.h"
#include "store/leveldb/trim.h" /* MESSAGE_OVERHEAD */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char magic[8] = "nss.seg1";

void segment_name(uint64_t number, char name[SEGMENT_NAME])
{
    (void)snprintf(name, SEGMENT_NAME, "%010" PRIu64 ".seg",
                   number % UINT64_C(10000000000));
}

bool segment_parse_name(const char *name, uint64_t *number)
{
    char *end = NULL;
    if (name[0] < '0' || name[0] > '9')
        return false;
    *number = strtoull(name, &end, 10);
    return end == name + 10 && strcmp(end, ".seg") == 0;
}

static uint32_t crc_of(uint32_t crc, const void *data, size_t size)
{
    return size == 0 ? crc : libdeflate_crc32(crc, data, size);
}

static void number32_encode(uint32_t value, uint8_t out[4])
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t number32_decode(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
           (uint32_t)in[2] << 8 | in[3];
}

/* ---- headers ---- */

void segment_encode(const struct segment_header *header,
                    uint8_t out[SEGMENT_HEADER])
{
    const uint64_t numbers[] = {(uint64_t)header->kind, header->number,
                                header->salt, header->first_record,
                                header->synced};
    memset(out, 0, SEGMENT_HEADER);
    memcpy(out, magic, sizeof magic);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        number_encode(numbers[i], out + 8 + 8 * i);
    number32_encode(header->is_gap ? 1 : 0, out + 48);
    number32_encode(crc_of(0, out, SEGMENT_HEADER - 4),
                    out + SEGMENT_HEADER - 4);
}

bool segment_decode(const uint8_t in[SEGMENT_HEADER],
                    struct segment_header *out)
{
    uint64_t kind = number_decode(in + 8);
    *out = (struct segment_header){
        .kind = kind == SEGMENT_COPY ? SEGMENT_COPY : SEGMENT_JOURNAL,
        .number = number_decode(in + 16),
        .salt = number_decode(in + 24),
        .first_record = number_decode(in + 32),
        .synced = number_decode(in + 40),
        .is_gap = number32_decode(in + 48) != 0,
    };
    return memcmp(in, magic, sizeof magic) == 0 &&
           kind == (uint64_t)out->kind &&
           number32_decode(in + SEGMENT_HEADER - 4) ==
               crc_of(0, in, SEGMENT_HEADER - 4);
}

static uint32_t record_crc(const uint8_t *header, uint64_t salt)
{
    uint8_t bytes[8];
    number_encode(salt, bytes);
    return crc_of(crc_of(0, bytes, sizeof bytes), header, RECORD_HEADER - 4);
}

void record_encode(const struct record_header *header, uint64_t salt,
                   uint8_t out[RECORD_HEADER])
{
    memset(out, 0, RECORD_HEADER);
    number_encode(header->number, out);
    number_encode(header->synced, out + 8);
    number32_encode(header->size, out + 16);
    number32_encode(header->crc, out + 20);
    number32_encode(record_crc(out, salt), out + RECORD_HEADER - 4);
}

bool record_decode(const uint8_t in[RECORD_HEADER], uint64_t salt,
                   struct record_header *out)
{
    *out = (struct record_header){
        .number = number_decode(in),
        .synced = number_decode(in + 8),
        .size = number32_decode(in + 16),
        .crc = number32_decode(in + 20),
    };
    return out->size <= record_max && out->size % 8 == 0 &&
           number32_decode(in + RECORD_HEADER - 4) == record_crc(in, salt);
}

/* ---- operations ---- */

uint64_t place_bytes(const struct place *place)
{
    return place->size +
           place->count * (MESSAGE_OVERHEAD - (uint64_t)MESSAGE_HEADER);
}

static bool add_run(struct blob *out, const struct record_operation *operation)
{
    const struct place *place = &operation->place;
    return pack_number(out, operation->number) &&
           pack_number(out, place->count) && pack_number(out, place->size) &&
           pack_number(out, place->first) &&
           pack_number(out, place->last - place->first) &&
           pack_signed(out, place->timestamp) &&
           pack_number(out, (uint64_t)operation->top_timestamp -
                                (uint64_t)place->timestamp);
}

static bool add_state(struct blob *out,
                      const struct record_operation *operation)
{
    const struct channel_state *state = &operation->state;
    return pack_number(out, operation->number) &&
           pack_number(out, state->first) && pack_number(out, state->last) &&
           pack_number(out, state->messages) &&
           pack_number(out, state->bytes) &&
           pack_signed(out, state->first_timestamp) &&
           pack_signed(out, state->last_timestamp) &&
           pack_number(out, state->last_subscription);
}

static bool add(struct blob *out, const struct record_operation *operation)
{
    const uint8_t kind = (uint8_t)operation->kind;
    if (!blob_append(out, &kind, 1))
        return false;
    switch (operation->kind) {
    case RECORD_RUN:
        return add_run(out, operation);
    case RECORD_PUT:
        return pack_bytes(out, operation->key) &&
               pack_bytes(out, operation->payload);
    case RECORD_DELETE:
        return pack_bytes(out, operation->key);
    case RECORD_STATE:
        return add_state(out, operation);
    case RECORD_CREATE:
        return pack_number(out, operation->number) &&
               pack_number(out, operation->id) &&
               pack_bytes(out, operation->name);
    case RECORD_DISCARD:
        return pack_number(out, operation->number);
    }
    return false;
}

bool record_add(struct record_writer *writer,
                const struct record_operation *operation)
{
    size_t from = writer->out->size;
    if (!add(writer->out, operation))
        return false;
    writer->crc =
        crc_of(writer->crc, writer->out->data + from, writer->out->size - from);
    return true;
}

bool record_pad(struct record_writer *writer)
{
    static const uint8_t zeros[8];
    size_t size = (8 - writer->out->size % 8) % 8;
    writer->crc = crc_of(writer->crc, zeros, size);
    return blob_append(writer->out, zeros, size);
}

void record_reader_init(struct record_reader *reader, struct bytes payload)
{
    *reader =
        (struct record_reader){.payload = payload, .unpack = {.left = payload}};
}

static void take_run(struct unpack *unpack, struct record_operation *out)
{
    struct place *place = &out->place;
    out->number = unpack_number(unpack);
    place->count = unpack_number(unpack);
    uint64_t size = unpack_number(unpack);
    place->first = unpack_number(unpack);
    uint64_t more = unpack_number(unpack);
    place->timestamp = unpack_signed(unpack);
    out->top_timestamp =
        (int64_t)((uint64_t)place->timestamp + unpack_number(unpack));
    if (size > record_max || more > UINT64_MAX - place->first ||
        place->first == 0 || place->count == 0 || place->count - 1 > more ||
        place->count > size / MESSAGE_HEADER)
        unpack->failed = true;
    place->size = (uint32_t)size;
    place->last = place->first + more;
}

static void take_state(struct unpack *unpack, struct record_operation *out)
{
    out->number = unpack_number(unpack);
    struct channel_state *state = &out->state;
    state->first = unpack_number(unpack);
    state->last = unpack_number(unpack);
    state->messages = unpack_number(unpack);
    state->bytes = unpack_number(unpack);
    state->first_timestamp = unpack_signed(unpack);
    state->last_timestamp = unpack_signed(unpack);
    state->last_subscription = unpack_number(unpack);
}

static void take(struct unpack *unpack, uint8_t kind,
                 struct record_operation *out)
{
    out->kind = (enum record_kind)kind;
    switch (kind) {
    case RECORD_RUN:
        take_run(unpack, out);
        break;
    case RECORD_PUT:
        out->key = unpack_bytes(unpack);
        out->payload = unpack_bytes(unpack);
        break;
    case RECORD_DELETE:
        out->key = unpack_bytes(unpack);
        break;
    case RECORD_STATE:
        take_state(unpack, out);
        break;
    case RECORD_CREATE:
        out->number = unpack_number(unpack);
        out->id = unpack_number(unpack);
        out->name = unpack_bytes(unpack);
        break;
    case RECORD_DISCARD:
        out->number = unpack_number(unpack);
        break;
    default:
        unpack->failed = true;
    }
}

bool record_next(struct record_reader *reader,
                 struct record_operation *operation, bool *good)
{
    struct unpack *unpack = &reader->unpack;
    const uint8_t *from = unpack->left.data;
    *operation = (struct record_operation){0};
    *good = !unpack->failed;
    if (unpack->failed || unpack->left.size == 0)
        return false;
    uint8_t kind = from[0];
    if (kind == 0) { /* the padding */
        *good = unpack->left.size < 8;
        for (size_t i = 0; i < unpack->left.size; i++)
            *good = *good && from[i] == 0;
        reader->crc = crc_of(reader->crc, from, unpack->left.size);
        unpack->left.size = 0;
        return false;
    }
    (void)unpack_raw(unpack, 1);
    take(unpack, kind, operation);
    if (!unpack->failed) {
        reader->crc =
            crc_of(reader->crc, from, (size_t)(unpack->left.data - from));
    }
    if (kind == RECORD_RUN && !unpack->failed) {
        operation->place.position =
            (uint64_t)(unpack->left.data - reader->payload.data);
        operation->messages = unpack_raw(unpack, operation->place.size);
    }
    *good = !unpack->failed;
    return !unpack->failed;
}

/* ---- messages ---- */

uint32_t message_seed(uint64_t channel_number)
{
    uint8_t bytes[8];
    number_encode(channel_number, bytes);
    return crc_of(0, bytes, sizeof bytes);
}

bool message_encode(struct blob *out, uint32_t seed, uint64_t sequence,
                    int64_t timestamp, struct bytes body)
{
    if (body.size > record_max ||
        !blob_reserve(out, MESSAGE_HEADER + body.size))
        return false;
    uint8_t *at = out->data + out->size;
    number32_encode((uint32_t)body.size, at + 4);
    number_encode(sequence, at + 8);
    number_encode((uint64_t)timestamp, at + 16);
    if (body.size > 0)
        memcpy(at + MESSAGE_HEADER, body.data, body.size);
    number32_encode(crc_of(seed, at + 4, MESSAGE_HEADER - 4 + body.size), at);
    out->size += MESSAGE_HEADER + body.size;
    return true;
}

bool message_next(struct bytes *bytes, uint32_t seed, struct message *out)
{
    const uint8_t *at = bytes->data;
    if (bytes->size < MESSAGE_HEADER)
        return false;
    uint32_t size = number32_decode(at + 4);
    if (size > bytes->size - MESSAGE_HEADER)
        return false;
    *out = (struct message){
        .sequence = number_decode(at + 8),
        .timestamp = (int64_t)number_decode(at + 16),
        .body = bytes_of(at + MESSAGE_HEADER, size),
        .is_whole = number32_decode(at) ==
                    crc_of(seed, at + 4, MESSAGE_HEADER - 4 + (size_t)size),
    };
    bytes->data += MESSAGE_HEADER + size;
    bytes->size -= MESSAGE_HEADER + (size_t)size;
    return true;
}

/* ---- files ---- */

static enum status failed(const char *name, struct error *err)
{
    return fail(err, STATUS_IO, "read %s: %s", name,
                strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
}

static enum status kept_segment_open(struct kept_segment *kept, int directory,
                                     uint64_t number, struct error *err)
{
    char name[SEGMENT_NAME];
    segment_name(number, name);
    kept_segment_close(kept);
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return fail(err, STATUS_NOT_FOUND, "the file %s is missing", name);
    if (file < 0)
        return failed(name, err);
    *kept = (struct kept_segment){.number = number, .file = file};
    return STATUS_OK;
}

enum status kept_segment_read(struct kept_segment *kept, int directory,
                              uint64_t number, uint64_t offset, void *out,
                              size_t size, struct error *err)
{
    char name[SEGMENT_NAME];
    enum status status = STATUS_OK;
    if (kept->number != number)
        status = kept_segment_open(kept, directory, number, err);
    while (size > 0 && status == STATUS_OK) {
        ssize_t count = pread(kept->file, out, size, (off_t)offset);
        if (count > 0) {
            out = (uint8_t *)out + count;
            size -= (size_t)count;
            offset += (uint64_t)count;
        } else if (count < 0 && errno == EINTR) {
            continue;
        } else {
            segment_name(number, name);
            status = count == 0 ? fail(err, STATUS_CORRUPT,
                                       "the file %s is too short", name)
                                : failed(name, err);
        }
    }
    return status;
}

void kept_segment_close(struct kept_segment *kept)
{
    if (kept->number != 0)
        (void)close(kept->file);
    kept->number = 0;
}

enum status segment_read(int directory, uint64_t number, uint64_t offset,
                         void *out, size_t size, struct error *err)
{
    struct kept_segment file = {0};
    enum status status =
        kept_segment_read(&file, directory, number, offset, out, size, err);
    kept_segment_close(&file);
    return status;
}
