/* rig.h - one store under test: any backend, a directory of its own, a clock
 * that stands still, calls that wait, and a picture of what was recovered. */
#ifndef TESTS_STORE_SUITE_RIG_H
#define TESTS_STORE_SUITE_RIG_H

#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct backend {
    const char *name;
    bool is_persistent;
    uint64_t overhead; /* counted for each message */
    enum status (*open)(const char *directory,
                        const struct store_config *config, struct store **out,
                        struct error *err);
};

/* The last two have segments so small that all of them change and go all the
 * time; the very last never syncs. */
extern const struct backend backend_memory, backend_leveldb,
    backend_small_segments, backend_unsynced;

enum { RECOVERED_MAX = 64, TEXT_MAX = 256 };

struct recovered_channel {
    struct channel_state state;
    char name[TEXT_MAX];
};

struct recovered_subscription {
    uint64_t channel, id;
    char record[TEXT_MAX], progress[TEXT_MAX];
};

struct recovered {
    size_t servers, clients, channels, subscriptions;
    char server[TEXT_MAX];
    char client_ids[RECOVERED_MAX][TEXT_MAX];
    char client_records[RECOVERED_MAX][TEXT_MAX];
    struct recovered_channel channel[RECOVERED_MAX];
    struct recovered_subscription subscription[RECOVERED_MAX];
};

struct rig {
    const struct backend *backend;
    struct limits limits;
    struct clock clock;
    int64_t now; /* wall */
    char directory[64];
    struct store *store;
    struct recovered recovered;
    struct batch *batch; /* empty, for the next rig_commit() */
    struct error error;  /* of the latest failure */
};

/* With no limits at all; not opened. */
void rig_init(struct rig *rig, const struct backend *backend);
void rig_release(struct rig *rig); /* closes; removes the directory */

enum status rig_try_open(struct rig *rig);
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
void rig_reopen(struct rig *rig);

/* Hands rig->batch over, waits, and leaves it to be looked at. */
enum status rig_try_commit(struct rig *rig);
/* The same, must go well; the batch is empty then. Gives the state reported of
 * the channel, zero if none was. */
struct channel_state rig_commit(struct rig *rig, uint64_t channel);

/* Adds to rig->batch. */
void rig_channel(struct rig *rig, uint64_t channel, const char *name);
void rig_append(struct rig *rig, uint64_t channel, uint64_t sequence,
                int64_t timestamp, const char *text);
/* size bytes that tell channel and sequence. */
void rig_append_filled(struct rig *rig, uint64_t channel, uint64_t sequence,
                       int64_t timestamp, size_t size);
/* first..last, one byte messages, timestamp = sequence, and commits. */
struct channel_state rig_fill(struct rig *rig, uint64_t channel, uint64_t first,
                              uint64_t last);

/* Waits; the run is the caller's to free. */
struct run *rig_read(struct rig *rig, uint64_t channel, uint64_t sequence,
                     uint32_t max_messages);
enum status rig_try_read(struct rig *rig, struct read *read);
/* Sequence of the first message not older than timestamp; 0 if none. */
uint64_t rig_sequence_at(struct rig *rig, uint64_t channel, int64_t timestamp);

/* Reads all and checks that it is `first`..`last` without gaps. */
void rig_expect(struct rig *rig, uint64_t channel, uint64_t first,
                uint64_t last);
/* The message of that sequence is text. */
void rig_expect_text(struct rig *rig, uint64_t channel, uint64_t sequence,
                     const char *text);

/* What was recovered of it; fails the test if it was not. */
const struct channel_state *rig_recovered(const struct rig *rig,
                                          uint64_t channel);

/* Cannot fail (tests run on a machine with memory). */
void must(bool done);

/* A small generator, the same on every run of a seed. */
uint64_t random_next(uint64_t *seed);

#endif
