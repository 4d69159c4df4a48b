/* jetstream_load.c - the same loads on JetStream of the same nats-server, with
 * libnats as its users have it: for comparison, not for a ceiling. */
#include "streamd/base/clock.h"
#include "tests/bench/histogram.h"
#include "tests/bench/meter.h"
#include "tests/bench/numbers.h"
#include "tests/bench/payload.h"

#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char subject[] = "jetstream.bench";
static const char stream[] = "BENCH";
static const int64_t patience_ms = 60000;

struct load {
    const char *mode, *store;
    uint64_t messages, window; /* window: max acks pending in a replay */
    struct payload payload;
    struct histogram latency;
    jsCtx *context;
    /* The library calls back on its own threads. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t received, wrong, refused;
};

static bool check(natsStatus status, const char *what)
{
    if (status == NATS_OK)
        return true;
    (void)fprintf(stderr, "jetstream_load: %s: %s\n", what,
                  nats_GetLastError(NULL));
    return false;
}

static bool make_stream(struct load *load)
{
    const char *subjects[] = {subject};
    jsStreamConfig config;
    jsErrCode code;
    (void)js_DeleteStream(load->context, stream, NULL, &code);
    (void)jsStreamConfig_Init(&config);
    config.Name = stream;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage =
        strcmp(load->store, "file") == 0 ? js_FileStorage : js_MemoryStorage;
    return check(js_AddStream(NULL, load->context, &config, NULL, &code),
                 "make the stream");
}

static bool all_stored(struct load *load)
{
    jsStreamInfo *info = NULL;
    jsErrCode code;
    if (!check(js_GetStreamInfo(&info, load->context, stream, NULL, &code),
               "look at the stream"))
        return false;
    bool all = info->State.Msgs == load->messages;
    jsStreamInfo_Destroy(info);
    return all;
}

/* A window of 1 waits for each ack. */
static bool publish_one(struct load *load, uint64_t number, uint8_t *data)
{
    int size = (int)load->payload.size;
    int64_t now = clock_monotonic(&clock_system);
    payload_stamp(number, now, data);
    if (load->window > 1) {
        return check(js_PublishAsync(load->context, subject, data, size, NULL),
                     "publish");
    }
    jsErrCode code;
    if (!check(
            js_Publish(NULL, load->context, subject, data, size, NULL, &code),
            "publish"))
        return false;
    histogram_add(&load->latency, clock_monotonic(&clock_system) - now);
    return true;
}

static bool publish(struct load *load)
{
    jsPubOptions options;
    (void)jsPubOptions_Init(&options);
    options.MaxWait = patience_ms;
    bool ok = true;
    for (uint64_t i = 0; ok && i < load->messages; i++)
        ok = publish_one(load, i, load->payload.pattern);
    return ok &&
           check(js_PublishAsyncComplete(load->context, &options), "acks");
}

static void on_refused(jsCtx *context, jsPubAckErr *error, void *closure)
{
    struct load *load = closure;
    (void)context;
    (void)error;
    (void)pthread_mutex_lock(&load->lock);
    load->refused++;
    (void)pthread_mutex_unlock(&load->lock);
}

static void on_message(natsConnection *connection,
                       natsSubscription *subscription, natsMsg *message,
                       void *closure)
{
    struct load *load = closure;
    uint64_t number;
    int64_t sent_at;
    (void)connection;
    (void)subscription;
    bool right = payload_read(&load->payload,
                              bytes_of(natsMsg_GetData(message),
                                       (size_t)natsMsg_GetDataLength(message)),
                              &number, &sent_at);
    (void)natsMsg_Ack(message, NULL);
    natsMsg_Destroy(message);
    (void)pthread_mutex_lock(&load->lock);
    if (!right || number != load->received)
        load->wrong++;
    if (++load->received >= load->messages)
        (void)pthread_cond_signal(&load->changed);
    (void)pthread_mutex_unlock(&load->lock);
}

static bool wait_received(struct load *load)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += patience_ms / 1000;
    int result = 0;
    (void)pthread_mutex_lock(&load->lock);
    while (load->received < load->messages && result == 0)
        result = pthread_cond_timedwait(&load->changed, &load->lock, &end);
    (void)pthread_mutex_unlock(&load->lock);
    return result == 0;
}

/* Pushed from the first, each acked: what a STAN subscription does. */
static bool replay(struct load *load)
{
    jsSubOptions options;
    jsErrCode code;
    natsSubscription *subscription = NULL;
    (void)jsSubOptions_Init(&options);
    options.Stream = stream;
    options.ManualAck = true;
    options.Config.DeliverPolicy = js_DeliverAll;
    options.Config.AckPolicy = js_AckExplicit;
    options.Config.MaxAckPending = (int64_t)load->window;
    bool ok = check(js_Subscribe(&subscription, load->context, subject,
                                 on_message, load, NULL, &options, &code),
                    "subscribe") &&
              check(natsSubscription_SetPendingLimits(subscription, -1, -1),
                    "subscribe") &&
              wait_received(load);
    (void)natsSubscription_Unsubscribe(subscription);
    natsSubscription_Destroy(subscription);
    return ok;
}

static bool run(struct load *load, struct meter *meter)
{
    bool publishes = strcmp(load->mode, "publish") == 0;
    bool ok = !publishes || make_stream(load);
    meter_start(meter);
    ok = ok && (publishes ? publish(load) : replay(load));
    meter_stop(meter);
    ok = ok && load->wrong == 0 && load->refused == 0 && all_stored(load);
    (void)printf(
        "{\"mode\":\"%s\",\"ok\":%s,\"messages\":%llu,\"size\":%zu"
        ",\"window\":%llu,\"wrong\":%llu,\"refused\":%llu",
        load->mode, ok ? "true" : "false", (unsigned long long)load->messages,
        load->payload.size, (unsigned long long)load->window,
        (unsigned long long)load->wrong, (unsigned long long)load->refused);
    histogram_print(&load->latency);
    meter_print(meter, load->messages, load->payload.size);
    (void)printf("}\n");
    return ok;
}

static bool open_context(struct load *load, uint64_t port,
                         natsConnection **connection)
{
    char url[64];
    natsOptions *options = NULL;
    jsOptions js_options;
    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%llu",
                   (unsigned long long)port);
    (void)jsOptions_Init(&js_options);
    js_options.Wait = patience_ms;
    js_options.PublishAsync.MaxPending = (int64_t)load->window;
    js_options.PublishAsync.ErrHandler = on_refused;
    js_options.PublishAsync.ErrHandlerClosure = load;
    bool ok = check(natsOptions_Create(&options), "options") &&
              check(natsOptions_SetURL(options, url), "options") &&
              check(natsConnection_Connect(connection, options), "connect") &&
              check(natsConnection_JetStream(&load->context, *connection,
                                             &js_options),
                    "JetStream");
    natsOptions_Destroy(options);
    return ok;
}

/* publish|replay file|memory PORT MESSAGES SIZE WINDOW WATCH */
static bool parse(struct load *load, char **argv, uint64_t *port,
                  struct meter *meter)
{
    enum { MESSAGES_MAX = 100000000 };
    uint64_t size;
    load->mode = argv[1];
    load->store = argv[2];
    return number_read_decimal(bytes_text(argv[3]), port) &&
           number_read_decimal(bytes_text(argv[4]), &load->messages) &&
           load->messages <= MESSAGES_MAX &&
           number_read_decimal(bytes_text(argv[5]), &size) &&
           number_read_decimal(bytes_text(argv[6]), &load->window) &&
           load->window <= MESSAGES_MAX && payload_init(&load->payload, size) &&
           meter_init(meter, argv[7]);
}

int main(int argc, char **argv)
{
    struct load load = {.lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    struct meter meter;
    uint64_t port;
    natsConnection *connection = NULL;
    if (argc != 8 || !parse(&load, argv, &port, &meter)) {
        (void)fprintf(stderr, "Usage: jetstream_load publish|replay "
                              "file|memory PORT MESSAGES SIZE WINDOW WATCH\n");
        return 2;
    }
    bool ok = open_context(&load, port, &connection) && run(&load, &meter);
    jsCtx_Destroy(load.context);
    natsConnection_Destroy(connection);
    nats_Close();
    payload_release(&load.payload);
    return ok ? 0 : 1;
}
