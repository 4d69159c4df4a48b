#include "store/leveldb/keeper.h"

#include "store/leveldb/compact.h"
#include "store/leveldb/sweep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const int64_t later = 10 * CLOCK_SECOND;
static const int64_t retry_pause = CLOCK_SECOND / 4; /* behind a failure */

struct keeper {
    struct file_store *store;
    pthread_t thread;
    struct blob sweeps; /* struct sweep each; the thread's */
    uint64_t synced;    /* by the thread: up to this record */
    bool complained, space_complained, sync_complained; /* it is in the log */
    bool unsure; /* a write failed, and it had to end */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t changed;
    bool wanted, stopping;
    int64_t checkpoint_at, sync_at; /* monotonic; INT64_MAX: not due */
};

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * CLOCK_SECOND + time.tv_nsec;
}

/* ---- from outside ---- */

void keeper_wake(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    if (!keeper->wanted)
        (void)pthread_cond_signal(&keeper->changed);
    keeper->wanted = true;
    (void)pthread_mutex_unlock(&keeper->lock);
}

void keeper_wake_to_sweep(struct keeper *keeper)
{
    if (keeper->sweeps.size > 0)
        keeper_wake(keeper);
}

static void wake_at(struct keeper *keeper, int64_t *at, int64_t delay)
{
    (void)pthread_mutex_lock(&keeper->lock);
    if (*at == INT64_MAX) {
        int64_t time = now(); /* delay may be as long as there are numbers */
        *at = delay < INT64_MAX - time ? time + delay : INT64_MAX;
        (void)pthread_cond_signal(&keeper->changed);
    }
    (void)pthread_mutex_unlock(&keeper->lock);
}

void keeper_wake_later(struct keeper *keeper)
{
    if (keeper != NULL)
        wake_at(keeper, &keeper->checkpoint_at, later);
}

void keeper_wake_to_sync(struct keeper *keeper)
{
    if (keeper != NULL)
        wake_at(keeper, &keeper->sync_at, keeper->store->auto_sync);
}

bool keeper_stopping(struct keeper *keeper)
{
    if (keeper == NULL)
        return false;
    (void)pthread_mutex_lock(&keeper->lock);
    bool stopping = keeper->stopping;
    (void)pthread_mutex_unlock(&keeper->lock);
    return stopping;
}

enum status keeper_sweep(struct file_store *store, const struct sweep *sweep,
                         struct error *err)
{
    return blob_append(&store->keeper->sweeps, sweep, sizeof *sweep)
               ? STATUS_OK
               : fail(err, STATUS_NO_MEMORY, "sweep");
}

/* ---- failures ---- */

/* Commits are told when they would have to wait. */
static void tell(struct file_store *store, const struct error *cause)
{
    (void)pthread_mutex_lock(&store->write_lock);
    store->keeper_failures++;
    store->keeper_error = *cause;
    (void)pthread_cond_broadcast(&store->drained);
    (void)pthread_mutex_unlock(&store->write_lock);
}

/* Or until somebody cannot wait. False when it is to end instead. */
static bool wait_a_little(struct keeper *keeper)
{
    const int64_t until = now() + retry_pause;
    const struct timespec time = {.tv_sec = (time_t)(until / CLOCK_SECOND),
                                  .tv_nsec = (long)(until % CLOCK_SECOND)};
    int waited = 0;
    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping && !keeper->wanted && waited == 0)
        waited = pthread_cond_timedwait(&keeper->changed, &keeper->lock, &time);
    keeper->wanted = false;
    bool go_on = !keeper->stopping;
    (void)pthread_mutex_unlock(&keeper->lock);
    return go_on;
}

static void failed(struct keeper *keeper, const struct error *err)
{
    tell(keeper->store, err);
    if (!keeper->complained) {
        log_error(keeper->store->log,
                  "Unable to bring the database up to date, will be tried "
                  "again: %s",
                  err->detail);
    }
    keeper->complained = true;
}

static void succeeded(struct keeper *keeper)
{
    if (keeper->complained) {
        log_info(keeper->store->log, "The database is up to date again");
    }
    keeper->complained = false;
}

static enum status write_once(struct file_store *store,
                              leveldb_writebatch_t *changes, struct error *err)
{
    enum status status = STATUS_OK;
    if (!database_is_trusted(store->database))
        status = database_reopen(store->database, err);
    if (status != STATUS_OK)
        return status;
    database_hold(store->database);
    status = database_write(store->database, changes, err);
    database_release(store->database);
    return status;
}

enum status keeper_write(struct file_store *store,
                         leveldb_writebatch_t *changes, struct error *err)
{
    struct keeper *keeper = store->keeper;
    struct error cause = {0};
    bool paused = false;
    enum status status;
    while ((status = write_once(store, changes, &cause)) != STATUS_OK) {
        if (keeper != NULL)
            failed(keeper, &cause);
        if (keeper == NULL || !wait_a_little(keeper)) {
            if (keeper != NULL)
                keeper->unsure = true;
            return fail(err, status, "%s", cause.detail);
        }
        paused = true;
    }
    if (keeper != NULL)
        succeeded(keeper);
    if (paused) /* who cannot wait may have ended the pause, not for this */
        keeper_wake(keeper);
    return STATUS_OK;
}

/* ---- the work ---- */

/* What the checkpoint gave up is to go from the index. */
static enum status note_sweeps(struct file_store *store,
                               const struct checkpoint *checkpoint,
                               struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < checkpoint->count; i++) {
        const struct frozen_channel *channel = &checkpoint->channels[i];
        const struct sweep sweep = {.id = channel->id,
                                    .number = channel->number,
                                    .from = channel->swept,
                                    .to = channel->first};
        if (channel->first > 1 && channel->swept < channel->first)
            status = keeper_sweep(store, &sweep, err);
    }
    for (size_t at = 0; status == STATUS_OK && at < checkpoint->discarded.size;
         at += 8) {
        struct sweep sweep = {.whole = true, .to = UINT64_MAX};
        memcpy(&sweep.number, checkpoint->discarded.data + at, 8);
        status = keeper_sweep(store, &sweep, err);
    }
    return status;
}

static enum status make_checkpoint(struct file_store *store, struct error *err)
{
    enum status status = STATUS_OK;
    if (store->checkpoint == NULL)
        status = checkpoint_take(store, err);
    if (status == STATUS_OK)
        status = checkpoint_write(store, err);
    if (status != STATUS_OK)
        return status;
    struct checkpoint *checkpoint = checkpoint_finish(store);
    status = note_sweeps(store, checkpoint, err);
    checkpoint_free(checkpoint);
    return status;
}

static enum status run_sweeps(struct keeper *keeper, struct error *err)
{
    struct file_store *store = keeper->store;
    while (keeper->sweeps.size > 0 && !keeper_stopping(keeper)) {
        struct sweep sweep;
        size_t at = keeper->sweeps.size - sizeof sweep;
        memcpy(&sweep, keeper->sweeps.data + at, sizeof sweep);
        enum status status = sweep_run(store, &sweep, err);
        if (status != STATUS_OK)
            return status;
        if (!keeper_stopping(keeper))
            keeper->sweeps.size = at;
    }
    return STATUS_OK;
}

/* What frees space behind a checkpoint: it can wait. */
static void free_space(struct keeper *keeper)
{
    struct file_store *store = keeper->store;
    struct error err = {0};
    enum status status = run_sweeps(keeper, &err);
    if (status == STATUS_OK && !keeper_stopping(keeper))
        status = sweep_segments(store, &err);
    if (status == STATUS_OK && !keeper_stopping(keeper))
        status = compact_run(store, &err);
    if (status != STATUS_OK && !keeper->space_complained) {
        log_error(store->log,
                  "Unable to delete old messages, will be tried again: %s",
                  err.detail);
    }
    keeper->space_complained = status != STATUS_OK;
    if (status != STATUS_OK)
        keeper_wake_later(keeper);
}

/* What commits left unsynced: the segment at hand, and those before it that no
 * checkpoint has synced. */
static enum status sync_journal(struct keeper *keeper, struct error *err)
{
    struct file_store *store = keeper->store;
    const struct journal *journal = &store->journal;
    struct blob sealed = {0};
    (void)pthread_mutex_lock(&store->write_lock);
    uint64_t newest = journal->position.record - 1;
    uint64_t segment = journal->position.segment;
    bool idle = journal->synced >= newest || keeper->synced >= newest;
    bool copied = idle || blob_append(&sealed, journal->sealed.data,
                                      journal->sealed.size);
    (void)pthread_mutex_unlock(&store->write_lock);
    if (idle)
        return STATUS_OK;
    enum status status =
        copied ? STATUS_OK : fail(err, STATUS_NO_MEMORY, "sync");
    if (status == STATUS_OK && store->checkpoint != NULL) {
        status = journal_sync_sealed(store->directory,
                                     &store->checkpoint->sealed, err);
    }
    if (status == STATUS_OK)
        status = journal_sync_sealed(store->directory, &sealed, err);
    if (status == STATUS_OK)
        status = journal_sync_segment(store->directory, segment, err);
    if (status == STATUS_OK)
        keeper->synced = newest;
    blob_release(&sealed);
    return status;
}

/* Unsuccessful, it is tried again after the same time. */
static void sync_late(struct keeper *keeper)
{
    struct file_store *store = keeper->store;
    struct error err = {0};
    enum status status = sync_journal(keeper, &err);
    if (status != STATUS_OK && !keeper->sync_complained) {
        log_error(store->log,
                  "Unable to sync the store, will be tried again: %s",
                  err.detail);
    }
    keeper->sync_complained = status != STATUS_OK;
    if (status != STATUS_OK)
        keeper_wake_to_sync(keeper);
}

/* ---- the thread ---- */

enum { WORK_NONE, WORK_CHECKPOINT, WORK_SYNC };

static int due(struct keeper *keeper, int64_t time)
{
    if (keeper->wanted || keeper->checkpoint_at <= time) {
        keeper->wanted = false;
        keeper->checkpoint_at = INT64_MAX;
        return WORK_CHECKPOINT;
    }
    if (keeper->sync_at <= time) {
        keeper->sync_at = INT64_MAX;
        return WORK_SYNC;
    }
    return WORK_NONE;
}

/* WORK_NONE: it is to end. */
static int wait_for_work(struct keeper *keeper)
{
    int work = WORK_NONE;
    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping && (work = due(keeper, now())) == WORK_NONE) {
        int64_t at = keeper->checkpoint_at < keeper->sync_at
                         ? keeper->checkpoint_at
                         : keeper->sync_at;
        const struct timespec until = {.tv_sec = (time_t)(at / CLOCK_SECOND),
                                       .tv_nsec = (long)(at % CLOCK_SECOND)};
        if (at == INT64_MAX) {
            (void)pthread_cond_wait(&keeper->changed, &keeper->lock);
        } else {
            (void)pthread_cond_timedwait(&keeper->changed, &keeper->lock,
                                         &until);
        }
    }
    (void)pthread_mutex_unlock(&keeper->lock);
    return work;
}

static void *serve(void *context)
{
    struct keeper *keeper = context;
    int work;
    while ((work = wait_for_work(keeper)) != WORK_NONE) {
        struct error err = {0};
        if (work == WORK_SYNC) {
            sync_late(keeper);
            continue;
        }
        if (make_checkpoint(keeper->store, &err) == STATUS_OK) {
            succeeded(keeper);
            free_space(keeper);
            continue;
        }
        failed(keeper, &err);
        if (wait_a_little(keeper))
            keeper_wake(keeper);
    }
    return NULL;
}

enum status keeper_start(struct file_store *store, struct error *err)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL)
        return fail(err, STATUS_NO_MEMORY, "keeper");
    keeper->store = store;
    keeper->checkpoint_at = keeper->sync_at = INT64_MAX;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&keeper->lock, NULL);
    store->keeper = keeper;
    if (pthread_create(&keeper->thread, NULL, serve, keeper) == 0)
        return STATUS_OK;
    store->keeper = NULL;
    (void)pthread_cond_destroy(&keeper->changed);
    (void)pthread_mutex_destroy(&keeper->lock);
    free(keeper);
    return fail(err, STATUS_NO_MEMORY, "keeper: thread");
}

/* The checkpoint of a clean close. */
static bool finish(struct file_store *store)
{
    struct error err = {0};
    enum status status = STATUS_OK;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        bool pending = store->checkpoint != NULL;
        if (!pending)
            status = checkpoint_take(store, &err);
        if (status == STATUS_OK)
            status = checkpoint_write(store, &err);
        if (status == STATUS_OK)
            checkpoint_free(checkpoint_finish(store));
        if (!pending)
            break;
    }
    if (status != STATUS_OK) {
        log_error(store->log,
                  "Unable to close the store in good order, nothing is lost by "
                  "that: %s",
                  err.detail);
    }
    return status == STATUS_OK;
}

void keeper_stop(struct file_store *store, bool *in_order)
{
    struct keeper *keeper = store->keeper;
    *in_order = false;
    if (keeper == NULL)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    (void)pthread_cond_signal(&keeper->changed);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    bool unsure = keeper->unsure;
    store->keeper = NULL;
    if (store->recovered && !unsure)
        *in_order = finish(store);
    (void)pthread_cond_destroy(&keeper->changed);
    (void)pthread_mutex_destroy(&keeper->lock);
    blob_release(&keeper->sweeps);
    free(keeper);
}
