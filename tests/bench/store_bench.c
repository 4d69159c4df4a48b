/* The file store alone, without any network: commits, replays and a start, one
 * line of numbers each.
 *
 *   store_bench DIRECTORY MESSAGES SIZE BATCH CHANNELS SYNC [MAX_MESSAGES]
 *
 * DIRECTORY is made, and left. Up to two batches are under way at a time, as
 * the engine's are. Times are of this process: all its threads' CPU. */
#include "store/leveldb/leveldb_store.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { UNDER_WAY = 2, READ_MESSAGES = 4096, READ_BYTES = 1 << 20 };

struct bench {
    uint64_t messages, size, batch, channels;
    bool sync;
    struct limits limits;
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int under_way;
    bool failed;
    int64_t longest; /* ns from commit to done */
    uint64_t recovered;
};

struct job {
    struct bench *bench;
    struct batch *batch;
    int64_t begun;
    bool busy;
};

static int64_t now(void)
{
    return clock_monotonic(&clock_system);
}

static double cpu(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Bytes given to the disk so far. */
static uint64_t written(void)
{
    char line[128];
    unsigned long long bytes = 0;
    FILE *file = fopen("/proc/self/io", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "write_bytes: ", 13) == 0)
            bytes = strtoull(line + 13, NULL, 10);
    }
    if (file != NULL)
        (void)fclose(file);
    return bytes;
}

static void fatal(const char *what, const struct error *err)
{
    (void)fprintf(stderr, "%s: %s\n", what, err->detail);
    exit(1); /* NOLINT(concurrency-mt-unsafe) */
}

/* ---- commits ---- */

static void committed(struct batch *batch)
{
    struct job *job = batch->context;
    struct bench *bench = job->bench;
    int64_t took = now() - job->begun;
    (void)pthread_mutex_lock(&bench->lock);
    if (took > bench->longest)
        bench->longest = took;
    bench->failed = bench->failed || batch->status != STATUS_OK;
    job->busy = false;
    bench->under_way--;
    (void)pthread_cond_signal(&bench->changed);
    (void)pthread_mutex_unlock(&bench->lock);
}

static struct job *free_job(struct bench *bench, struct job jobs[UNDER_WAY])
{
    struct job *job = &jobs[0];
    (void)pthread_mutex_lock(&bench->lock);
    while (bench->under_way == UNDER_WAY)
        (void)pthread_cond_wait(&bench->changed, &bench->lock);
    while (job->busy)
        job++;
    job->busy = true;
    bench->under_way++;
    (void)pthread_mutex_unlock(&bench->lock);
    batch_clear(job->batch);
    return job;
}

static void hand_over(struct bench *bench, struct job *job, bool sync)
{
    job->begun = now();
    job->batch->sync = sync;
    job->batch->done = committed;
    job->batch->context = job;
    store_commit(bench->store, job->batch);
}

static void finish(struct bench *bench)
{
    (void)pthread_mutex_lock(&bench->lock);
    while (bench->under_way > 0)
        (void)pthread_cond_wait(&bench->changed, &bench->lock);
    (void)pthread_mutex_unlock(&bench->lock);
    if (bench->failed)
        fatal("commit", &(struct error){.detail = "failed"});
}

static bool make_channels(struct bench *bench, struct job *job)
{
    for (uint64_t i = 1; i <= bench->channels; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "channel.%" PRIu64, i);
        if (!batch_channel_put(job->batch, i, bytes_text(name)))
            return false;
    }
    return true;
}

static void publish(struct bench *bench)
{
    struct job jobs[UNDER_WAY] = {{.bench = bench, .batch = batch_new()},
                                  {.bench = bench, .batch = batch_new()}};
    struct job *job = free_job(bench, jobs);
    bool good = make_channels(bench, job);
    hand_over(bench, job, true);
    finish(bench);
    bench->longest = 0;
    double cpu_begun = cpu();
    int64_t begun = now();
    uint64_t bytes = written();
    for (uint64_t i = 0; good && i < bench->messages;) {
        job = free_job(bench, jobs);
        struct buffer *buffer = buffer_new(bench->batch * bench->size);
        if (buffer == NULL)
            break;
        memset(buffer->data, (int)i, buffer->capacity);
        for (uint64_t j = 0; good && j < bench->batch; j++, i++) {
            good = batch_append(
                job->batch, 1 + i % bench->channels, 1 + i / bench->channels,
                begun + (int64_t)i,
                (struct slice){.buffer = buffer,
                               .offset = (uint32_t)(j * bench->size),
                               .size = (uint32_t)bench->size});
        }
        buffer_unref(buffer);
        hand_over(bench, job, bench->sync);
    }
    finish(bench);
    double seconds = (double)(now() - begun) / 1e9;
    double count = (double)bench->messages;
    (void)printf("publish: %.0f messages/s, %.3f us CPU/message, %.2f bytes "
                 "written/byte, longest commit %.1f ms\n",
                 count / seconds, (cpu() - cpu_begun) * 1e6 / count,
                 (double)(written() - bytes) / (count * (double)bench->size),
                 (double)bench->longest / 1e6);
    for (int i = 0; i < UNDER_WAY; i++)
        batch_free(jobs[i].batch);
}

/* ---- replay ---- */

static void was_read(struct read *read)
{
    struct bench *bench = read->context;
    (void)pthread_mutex_lock(&bench->lock);
    bench->under_way--;
    (void)pthread_cond_signal(&bench->changed);
    (void)pthread_mutex_unlock(&bench->lock);
}

static void replay(struct bench *bench)
{
    double cpu_begun = cpu();
    int64_t begun = now();
    uint64_t count = 0;
    for (uint64_t channel = 1; channel <= bench->channels; channel++) {
        struct read read = {.channel = channel,
                            .max_messages = READ_MESSAGES,
                            .max_bytes = READ_BYTES,
                            .done = was_read,
                            .context = bench};
        for (;;) {
            bench->under_way = 1;
            store_read(bench->store, &read);
            finish(bench);
            if (read.status != STATUS_OK)
                fatal("read", &read.error);
            if (read.run == NULL)
                break;
            count += read.run->count;
            read.sequence = read.run->entries[read.run->count - 1].sequence + 1;
            run_free(read.run);
        }
    }
    double seconds = (double)(now() - begun) / 1e9;
    (void)printf("replay: %" PRIu64
                 " messages, %.0f messages/s, %.3f us CPU/message\n",
                 count, (double)count / seconds,
                 (cpu() - cpu_begun) * 1e6 / (double)count);
}

/* ---- start ---- */

static enum status on_server(void *context, struct bytes record,
                             struct error *err)
{
    (void)context;
    (void)record;
    (void)err;
    return STATUS_OK;
}

static enum status on_client(void *context, struct bytes id,
                             struct bytes record, struct error *err)
{
    (void)id;
    return on_server(context, record, err);
}

static enum status on_channel(void *context, const struct channel_state *state,
                              struct bytes name, struct error *err)
{
    struct bench *bench = context;
    bench->recovered += state->messages;
    return on_server(context, name, err);
}

static enum status on_subscription(void *context, uint64_t channel,
                                   uint64_t subscription, struct bytes record,
                                   struct bytes progress, struct error *err)
{
    (void)channel;
    (void)subscription;
    (void)progress;
    return on_server(context, record, err);
}

static void start(struct bench *bench, const char *directory)
{
    const struct store_config config = {.limits = &bench->limits,
                                        .clock = &clock_system};
    const struct store_visitor visitor = {.context = bench,
                                          .server = on_server,
                                          .client = on_client,
                                          .channel = on_channel,
                                          .subscription = on_subscription};
    struct error err = {0};
    int64_t begun = now();
    bench->recovered = 0;
    if (leveldb_store_open(directory, &config, &bench->store, &err) !=
            STATUS_OK ||
        store_recover(bench->store, &visitor, &err) != STATUS_OK)
        fatal("open", &err);
    (void)printf("start: %" PRIu64 " messages, %.1f ms\n", bench->recovered,
                 (double)(now() - begun) / 1e6);
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        (void)fprintf(stderr, "usage: store_bench DIRECTORY MESSAGES SIZE "
                              "BATCH CHANNELS SYNC [MAX_MESSAGES]\n");
        return 2;
    }
    struct bench bench = {.messages = number(argv[2]),
                          .size = number(argv[3]),
                          .batch = number(argv[4]),
                          .channels = number(argv[5]),
                          .sync = number(argv[6]) != 0};
    if (argc > 7)
        bench.limits.global.max_messages = (int64_t)number(argv[7]);
    if (bench.batch == 0 || bench.channels == 0 ||
        bench.size > (UINT32_MAX - 1) / bench.batch)
        return 2;
    (void)pthread_mutex_init(&bench.lock, NULL);
    (void)pthread_cond_init(&bench.changed, NULL);
    start(&bench, argv[1]);
    publish(&bench);
    replay(&bench);
    int64_t begun = now();
    store_close(bench.store);
    (void)printf("close: %.1f ms\n", (double)(now() - begun) / 1e6);
    start(&bench, argv[1]);
    store_close(bench.store);
    (void)pthread_mutex_destroy(&bench.lock);
    (void)pthread_cond_destroy(&bench.changed);
    return 0;
}
