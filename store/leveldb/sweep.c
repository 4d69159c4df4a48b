#include "store/leveldb/sweep.h"

#include "store/leveldb/keys.h"
#include "streamd/base/list.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum {
    CHUNK = 1000,          /* keys of one write */
    COMPACT_KEYS = 100000, /* deleted in one go: compact behind it */
    PAUSE_SECONDS = 1,     /* what is small waits this long for more */
};

struct sweep {
    struct list link; /* in waiting */
    uint64_t number;
    uint64_t from, to; /* messages from <= sequence < to are to go */
    bool whole;        /* all of the channel; no to */
    bool complained;   /* its failure is in the log; the sweeper's thread */
};

struct sweeper {
    struct database *database;
    struct log *log;
    leveldb_writebatch_t *changes;
    pthread_t thread;
    pthread_mutex_t lock; /* all below, and every sweep */
    pthread_cond_t changed;
    struct list waiting;
    bool urgent, stopping;
};

struct sweep *sweep_new(uint64_t number)
{
    struct sweep *sweep = calloc(1, sizeof *sweep);
    if (sweep == NULL)
        return NULL;
    list_init(&sweep->link);
    sweep->number = number;
    return sweep;
}

void sweep_free(struct sweep *sweep)
{
    free(sweep);
}

void sweeper_start_at(struct sweeper *sweeper, struct sweep *sweep,
                      uint64_t swept)
{
    (void)pthread_mutex_lock(&sweeper->lock);
    sweep->from = sweep->to = swept;
    (void)pthread_mutex_unlock(&sweeper->lock);
}

static void enqueue(struct sweeper *sweeper, struct sweep *sweep, bool urgent)
{
    if (!list_linked(&sweep->link))
        list_append(&sweeper->waiting, &sweep->link);
    if (urgent && !sweeper->urgent) {
        sweeper->urgent = true;
        (void)pthread_cond_signal(&sweeper->changed);
    }
}

void sweeper_trim(struct sweeper *sweeper, struct sweep *sweep, uint64_t first)
{
    (void)pthread_mutex_lock(&sweeper->lock);
    if (sweep->to < first)
        sweep->to = first;
    if (sweep->from < sweep->to)
        enqueue(sweeper, sweep, sweep->to - sweep->from >= CHUNK);
    (void)pthread_mutex_unlock(&sweeper->lock);
}

void sweeper_discard(struct sweeper *sweeper, struct sweep *sweep)
{
    (void)pthread_mutex_lock(&sweeper->lock);
    sweep->whole = true;
    enqueue(sweeper, sweep, true);
    (void)pthread_mutex_unlock(&sweeper->lock);
}

uint64_t sweeper_reached(struct sweeper *sweeper, const struct sweep *sweep)
{
    (void)pthread_mutex_lock(&sweeper->lock);
    uint64_t reached = sweep->from;
    (void)pthread_mutex_unlock(&sweeper->lock);
    return reached;
}

/* ---- the thread ---- */

static bool stopping(struct sweeper *sweeper)
{
    (void)pthread_mutex_lock(&sweeper->lock);
    bool result = sweeper->stopping;
    (void)pthread_mutex_unlock(&sweeper->lock);
    return result;
}

/* Deletes up to CHUNK keys of tag and number from *from on, below to; moves
 * *from behind them and sets *done when there were no more. */
static enum status delete_chunk(struct sweeper *sweeper, enum key_tag tag,
                                uint64_t number, uint64_t *from, uint64_t to,
                                bool *done, struct error *err)
{
    enum status status;
    struct key key = key_pair(tag, number, *from);
    uint64_t key_number, second, next = *from;
    int count = 0;
    leveldb_writebatch_clear(sweeper->changes);
    database_hold(sweeper->database);
    struct cursor cursor = cursor_open(sweeper->database);
    cursor_seek(cursor, key_bytes(&key));
    while (count < CHUNK && cursor_valid(cursor) &&
           key_parse_pair(cursor_key(cursor), tag, &key_number, &second) &&
           key_number == number && second < to) {
        struct bytes bytes = cursor_key(cursor);
        leveldb_writebatch_delete(sweeper->changes, (const char *)bytes.data,
                                  bytes.size);
        next = second + 1;
        count++;
        cursor_next(cursor);
    }
    *done = count < CHUNK;
    status = cursor_status(cursor, err);
    cursor_close(cursor);
    if (status == STATUS_OK && count > 0) {
        status =
            database_write(sweeper->database, sweeper->changes, false, err);
    }
    database_release(sweeper->database);
    if (status == STATUS_OK)
        *from = *done ? to : next;
    return status;
}

/* The common case, some hundred messages behind a moving first: nothing is
 * read, every sequence is deleted, whether it is there or was a gap. */
static enum status delete_unseen(struct sweeper *sweeper, uint64_t number,
                                 uint64_t from, uint64_t to, struct error *err)
{
    leveldb_writebatch_clear(sweeper->changes);
    for (; from < to; from++) {
        struct key key = key_pair(KEY_MESSAGE, number, from);
        leveldb_writebatch_delete(sweeper->changes, (const char *)key.data,
                                  key.size);
    }
    database_hold(sweeper->database);
    enum status status =
        database_write(sweeper->database, sweeper->changes, false, err);
    database_release(sweeper->database);
    return status;
}

static void reached(struct sweeper *sweeper, struct sweep *sweep, uint64_t from)
{
    (void)pthread_mutex_lock(&sweeper->lock);
    sweep->from = from;
    (void)pthread_mutex_unlock(&sweeper->lock);
}

static void compact(struct sweeper *sweeper, uint64_t number, uint64_t from,
                    uint64_t to)
{
    struct key start = key_pair(KEY_MESSAGE, number, from);
    struct key end = key_pair(KEY_MESSAGE, number, to);
    database_hold(sweeper->database);
    database_compact(sweeper->database, key_bytes(&start), key_bytes(&end));
    database_release(sweeper->database);
}

/* Messages from `from` below to; stops between chunks when asked to. */
static enum status sweep_messages(struct sweeper *sweeper, struct sweep *sweep,
                                  uint64_t from, uint64_t to, struct error *err)
{
    if (to - from <= CHUNK) {
        enum status status =
            delete_unseen(sweeper, sweep->number, from, to, err);
        if (status == STATUS_OK)
            reached(sweeper, sweep, to);
        return status;
    }
    uint64_t start = from, chunks = 0;
    bool done = false;
    while (!done && !stopping(sweeper)) {
        enum status status = delete_chunk(sweeper, KEY_MESSAGE, sweep->number,
                                          &from, to, &done, err);
        if (status != STATUS_OK)
            return status;
        reached(sweeper, sweep, from);
        chunks++;
    }
    if (done && chunks > COMPACT_KEYS / CHUNK)
        compact(sweeper, sweep->number, start, to);
    return STATUS_OK;
}

/* A deleted channel: its record goes last, as recovery finds the rest by it. */
static enum status sweep_whole(struct sweeper *sweeper, struct sweep *sweep,
                               uint64_t from, bool *gone, struct error *err)
{
    static const enum key_tag tags[] = {KEY_PROGRESS, KEY_SUBSCRIPTION};
    enum status status = sweep_messages(sweeper, sweep, from, UINT64_MAX, err);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        bool done = false;
        uint64_t at = 0;
        while (status == STATUS_OK && !done && !stopping(sweeper)) {
            status = delete_chunk(sweeper, tags[i], sweep->number, &at,
                                  UINT64_MAX, &done, err);
        }
    }
    if (status != STATUS_OK || stopping(sweeper))
        return status;
    struct key key = key_channel(sweep->number);
    leveldb_writebatch_clear(sweeper->changes);
    leveldb_writebatch_delete(sweeper->changes, (const char *)key.data,
                              key.size);
    database_hold(sweeper->database);
    status = database_write(sweeper->database, sweeper->changes, false, err);
    database_release(sweeper->database);
    *gone = status == STATUS_OK;
    return status;
}

/* The oldest waiting; false if there is none, or the time to stop has come. */
static struct sweep *take(struct sweeper *sweeper, struct sweep *copy)
{
    struct sweep *sweep = NULL;
    (void)pthread_mutex_lock(&sweeper->lock);
    if (!sweeper->stopping && !list_empty(&sweeper->waiting)) {
        sweep = list_entry(sweeper->waiting.next, struct sweep, link);
        list_remove(&sweep->link);
        *copy = *sweep;
    }
    (void)pthread_mutex_unlock(&sweeper->lock);
    return sweep;
}

/* True if it failed: it waits, and the others need not be tried. */
static bool sweep_one(struct sweeper *sweeper, struct sweep *sweep,
                      const struct sweep *copy)
{
    struct error err = {0};
    bool gone = false;
    enum status status =
        copy->whole
            ? sweep_whole(sweeper, sweep, copy->from, &gone, &err)
            : sweep_messages(sweeper, sweep, copy->from, copy->to, &err);
    if (status != STATUS_OK && !sweep->complained) {
        log_error(sweeper->log,
                  "Unable to delete old messages, will be tried again: %s",
                  err.detail);
    }
    sweep->complained = status != STATUS_OK;
    if (gone) {
        sweep_free(sweep);
        return false;
    }
    (void)pthread_mutex_lock(&sweeper->lock);
    if (sweep->whole || sweep->from < sweep->to)
        enqueue(sweeper, sweep, false);
    (void)pthread_mutex_unlock(&sweeper->lock);
    return status != STATUS_OK;
}

/* Waits for much to do, or for a second, or for the end (false). */
static bool wait_for_work(struct sweeper *sweeper)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PAUSE_SECONDS;
    (void)pthread_mutex_lock(&sweeper->lock);
    int waited = 0;
    while (!sweeper->stopping && !sweeper->urgent && waited == 0) {
        waited =
            pthread_cond_timedwait(&sweeper->changed, &sweeper->lock, &until);
    }
    sweeper->urgent = false;
    bool go_on = !sweeper->stopping;
    (void)pthread_mutex_unlock(&sweeper->lock);
    return go_on;
}

static void *serve(void *context)
{
    struct sweeper *sweeper = context;
    while (wait_for_work(sweeper)) {
        struct sweep *sweep, copy;
        bool failed = !database_is_trusted(sweeper->database);
        while (!failed && (sweep = take(sweeper, &copy)) != NULL)
            failed = sweep_one(sweeper, sweep, &copy);
    }
    return NULL;
}

enum status sweeper_new(struct database *database, struct log *log,
                        struct sweeper **out, struct error *err)
{
    *out = NULL;
    struct sweeper *sweeper = calloc(1, sizeof *sweeper);
    if (sweeper == NULL)
        return fail(err, STATUS_NO_MEMORY, "sweeper");
    sweeper->database = database;
    sweeper->log = log;
    sweeper->changes = leveldb_writebatch_create();
    list_init(&sweeper->waiting);
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&sweeper->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&sweeper->lock, NULL);
    if (pthread_create(&sweeper->thread, NULL, serve, sweeper) != 0) {
        leveldb_writebatch_destroy(sweeper->changes);
        (void)pthread_cond_destroy(&sweeper->changed);
        (void)pthread_mutex_destroy(&sweeper->lock);
        free(sweeper);
        return fail(err, STATUS_NO_MEMORY, "sweeper: thread");
    }
    *out = sweeper;
    return STATUS_OK;
}

void sweeper_free(struct sweeper *sweeper)
{
    if (sweeper == NULL)
        return;
    (void)pthread_mutex_lock(&sweeper->lock);
    sweeper->stopping = true;
    (void)pthread_cond_signal(&sweeper->changed);
    (void)pthread_mutex_unlock(&sweeper->lock);
    (void)pthread_join(sweeper->thread, NULL);
    struct list *link = sweeper->waiting.next, *next;
    for (; link != &sweeper->waiting; link = next) {
        struct sweep *sweep = list_entry(link, struct sweep, link);
        next = link->next;
        if (sweep->whole)
            sweep_free(sweep);
    }
    leveldb_writebatch_destroy(sweeper->changes);
    (void)pthread_cond_destroy(&sweeper->changed);
    (void)pthread_mutex_destroy(&sweeper->lock);
    free(sweeper);
}
