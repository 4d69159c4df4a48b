/* The Progress record of records.h: by hand, as protobuf-c would want all
 * values in an array first, and a set of pending messages may be large. */
#include "proto/records.h"
#include "proto/wire.h"

#include <assert.h>

#define TAG_LAST_SENT WIRE_TAG(1, WIRE_VARINT)
#define TAG_PENDING WIRE_TAG(2, WIRE_BYTES)

void progress_begin(struct progress_writer *writer, struct blob *out)
{
    *writer = (struct progress_writer){.out = out};
}

/* The open run is [run_first, run_next), none if they are equal; run_next
 * wraps to 0 behind the highest sequence. end is the last sequence of the run
 * written before. */
static void write_run(struct progress_writer *writer)
{
    if (writer->run_first == writer->run_next || writer->failed)
        return;
    uint8_t pair[2 * WIRE_VARINT_MAX];
    uint8_t *at = wire_put_varint(pair, writer->run_first - writer->end);
    at = wire_put_varint(at, writer->run_next - writer->run_first);
    if (!blob_append(&writer->runs, pair, (size_t)(at - pair)))
        writer->failed = true;
    writer->end = writer->run_next - 1;
}

void progress_pending(struct progress_writer *writer, uint64_t sequence)
{
    bool open = writer->run_first != writer->run_next;
    assert(!open || sequence > writer->run_next - 1);
    if (open && sequence == writer->run_next) {
        writer->run_next++;
        return;
    }
    write_run(writer);
    writer->run_first = sequence;
    writer->run_next = sequence + 1;
}

static bool append_record(struct progress_writer *writer, uint64_t last_sent)
{
    struct blob *out = writer->out;
    struct bytes runs = blob_bytes(&writer->runs);
    size_t size = wire_uint64_field_size(last_sent);
    size += wire_bytes_field_size(runs);
    if (!blob_reserve(out, size))
        return false;
    if (size == 0)
        return true; /* out->data may be NULL */
    uint8_t *at = out->data + out->size;
    at = wire_put_uint64_field(at, WIRE_NUMBER(TAG_LAST_SENT), last_sent);
    (void)wire_put_bytes_field(at, WIRE_NUMBER(TAG_PENDING), runs);
    out->size += size;
    return true;
}

bool progress_end(struct progress_writer *writer, uint64_t last_sent)
{
    write_run(writer);
    bool ok = !writer->failed && append_record(writer, last_sent);
    blob_release(&writer->runs);
    return ok;
}

struct progress_reader {
    uint64_t end;  /* last sequence so far */
    uint64_t left; /* how many pending sequences may still come */
    bool any;      /* a run was read; before it, gap 0 is allowed */
    void (*pending)(void *context, uint64_t first, uint64_t count);
    void *context;
};

static bool read_run(struct progress_reader *reader, struct wire *wire)
{
    uint64_t gap;
    uint64_t count;
    if (!wire_varint(wire, &gap) || !wire_varint(wire, &count))
        return false; /* damage, or a gap without its count */
    if ((gap == 0 && reader->any) || gap > UINT64_MAX - reader->end)
        return false;
    uint64_t first = reader->end + gap;
    if (count == 0 || count > reader->left || count - 1 > UINT64_MAX - first)
        return false;
    reader->any = true;
    reader->left -= count;
    reader->end = first + (count - 1);
    reader->pending(reader->context, first, count);
    return true;
}

static bool read_runs(struct progress_reader *reader, struct bytes runs)
{
    struct wire wire = wire_open(runs);
    while (wire_more(&wire)) {
        if (!read_run(reader, &wire))
            return false;
    }
    return true;
}

bool progress_decode(struct bytes input, uint64_t most, uint64_t *last_sent,
                     void (*pending)(void *context, uint64_t first,
                                     uint64_t count),
                     void *context)
{
    struct progress_reader reader = {
        .left = most, .pending = pending, .context = context};
    *last_sent = 0;
    struct wire wire = wire_open(input);
    while (wire_more(&wire)) {
        uint32_t tag;
        struct bytes runs;
        if (!wire_tag(&wire, &tag))
            return false;
        bool ok;
        if (tag == TAG_LAST_SENT) {
            ok = wire_varint(&wire, last_sent);
        } else if (tag == TAG_PENDING) { /* several in a row are as one */
            ok = wire_bytes(&wire, &runs) && read_runs(&reader, runs);
        } else {
            ok = WIRE_NUMBER(tag) > 2 && wire_skip(&wire, tag);
        }
        if (!ok)
            return false;
    }
    return true;
}
