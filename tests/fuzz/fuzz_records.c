/* Every decoder of proto/records.h; what decodes must come back. */
#include "proto/records.h"
#include "tests/fuzz/fuzz_target.h"

enum { MOST = 1000 };

struct pending {
    uint64_t count, end;
    bool any;
    uint64_t sequences[MOST];
};

/* Runs ascend, do not overflow and are not more than allowed. */
static void keep(void *context, uint64_t first, uint64_t count)
{
    struct pending *pending = context;
    fuzz_require(count >= 1);
    fuzz_require(count <= MOST - pending->count);
    fuzz_require(!pending->any || first > pending->end);
    fuzz_require(count - 1 <= UINT64_MAX - first);
    for (uint64_t i = 0; i < count; i++)
        pending->sequences[pending->count++] = first + i;
    pending->end = first + (count - 1);
    pending->any = true;
}

static void fuzz_progress(struct bytes input)
{
    static struct pending pending;
    static struct pending back;
    pending = (struct pending){0};
    back = (struct pending){0};
    uint64_t last_sent;
    uint64_t last_sent_back;
    if (!progress_decode(input, MOST, &last_sent, keep, &pending))
        return;
    struct blob blob = {0};
    struct progress_writer writer;
    progress_begin(&writer, &blob);
    for (uint64_t i = 0; i < pending.count; i++)
        progress_pending(&writer, pending.sequences[i]);
    if (progress_end(&writer, last_sent)) {
        fuzz_require(progress_decode(blob_bytes(&blob), MOST, &last_sent_back,
                                     keep, &back));
        fuzz_require(last_sent == last_sent_back);
        fuzz_require(pending.count == back.count);
        fuzz_require(memcmp(pending.sequences, back.sequences,
                            sizeof back.sequences) == 0);
    }
    blob_release(&blob);
}

static void fuzz_server(struct bytes input)
{
    struct server_record record;
    struct server_record back;
    struct blob blob = {0};
    (void)!server_record_decode(input, &record);
    if (server_record_encode(&record, &blob)) {
        fuzz_require(server_record_decode(blob_bytes(&blob), &back));
        fuzz_require(bytes_equal(record.cluster_id, back.cluster_id));
        fuzz_require(bytes_equal(record.ack_prefix, back.ack_prefix));
    }
    blob_release(&blob);
}

static void fuzz_client(struct bytes input)
{
    struct client_record record;
    struct client_record back;
    struct blob blob = {0};
    (void)!client_record_decode(input, &record);
    if (client_record_encode(&record, &blob)) {
        fuzz_require(client_record_decode(blob_bytes(&blob), &back));
        fuzz_require(bytes_equal(record.id, back.id));
        fuzz_require(record.ping_max_out == back.ping_max_out);
    }
    blob_release(&blob);
}

static void fuzz_subscription(struct bytes input)
{
    struct subscription_record record;
    struct subscription_record back;
    struct blob blob = {0};
    (void)!subscription_record_decode(input, &record);
    if (subscription_record_encode(&record, &blob)) {
        fuzz_require(subscription_record_decode(blob_bytes(&blob), &back));
        fuzz_require(record.id == back.id);
        fuzz_require(record.is_closed == back.is_closed);
        fuzz_require(bytes_equal(record.inbox, back.inbox));
        fuzz_require(bytes_equal(record.saved_client_id, back.saved_client_id));
    }
    blob_release(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    fuzz_progress(input);
    fuzz_server(input);
    fuzz_client(input);
    fuzz_subscription(input);
    return 0;
}
