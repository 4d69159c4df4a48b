/* records.h - the stored records, in plain structs; records.proto is their
 * format note. Manner of codec.h: decoders borrow, encoders append to a blob.
 *
 * A decoder is hostile-input safe and returns false on damage: what the disk
 * gives back is not trusted. */
#ifndef PROTO_RECORDS_H
#define PROTO_RECORDS_H

#include "streamd/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* spb.ServerInfo, and ours: the prefix of all ack inboxes. */
struct server_record {
    struct bytes cluster_id, discovery, publish, subscribe, unsubscribe, close,
        sub_close, acks_subs, node_id;
    struct bytes ack_prefix; /* field 20, ours */
};
MUST_CHECK bool server_record_encode(const struct server_record *record,
                                     struct blob *out);
MUST_CHECK bool server_record_decode(struct bytes input,
                                     struct server_record *out);

/* spb.ClientInfo */
struct client_record {
    struct bytes id, heartbeat_inbox, conn_id;
    int32_t protocol, ping_interval, ping_max_out;
};
MUST_CHECK bool client_record_encode(const struct client_record *record,
                                     struct blob *out);
MUST_CHECK bool client_record_decode(struct bytes input,
                                     struct client_record *out);

/* spb.SubState. A durable queue member has durable_name empty, is_durable and
 * the group "<durable>:<group>". saved_client_id (field 20, ours) names the
 * last member of a durable group whose client_id is empty (monitoring). */
struct subscription_record {
    uint64_t id; /* by channel, from 1 */
    struct bytes client_id, group, inbox, ack_inbox, durable_name;
    int32_t max_in_flight, ack_wait_seconds;
    uint64_t last_sent;
    bool is_durable, is_closed;
    struct bytes saved_client_id;
};
MUST_CHECK bool
subscription_record_encode(const struct subscription_record *record,
                           struct blob *out);
MUST_CHECK bool subscription_record_decode(struct bytes input,
                                           struct subscription_record *out);

/* Progress of a subscription: what moves with every message, apart from its
 * record. Field 1 last_sent; field 2 packed uint64, runs of pending sequences
 * ascending: gap to the run (from the end of the one before, at first from 0),
 * then its length; both at least 1 except the first gap, which is the first
 * sequence itself. {3,4,5,9} is 3,3,4,1. */
struct progress_writer {
    struct blob *out;
    struct blob runs; /* packed varints so far */
    uint64_t run_first, run_next, end;
    bool failed;
};
void progress_begin(struct progress_writer *writer, struct blob *out);
/* sequence above the one before. */
void progress_pending(struct progress_writer *writer, uint64_t sequence);
/* Appends the whole record to out; false when out of memory. */
MUST_CHECK bool progress_end(struct progress_writer *writer,
                             uint64_t last_sent);

/* Calls pending for each run, ascending (first, count >= 1). False on damage:
 * not ascending, overflow, odd number of values, or more than `most` pending
 * sequences in all. pending is then to be forgotten by the caller. */
MUST_CHECK bool
progress_decode(struct bytes input, uint64_t most, uint64_t *last_sent,
                void (*pending)(void *context, uint64_t first, uint64_t count),
                void *context);

#endif
