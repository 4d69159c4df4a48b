/* stan_client.c - a client as users write them, with the stan calls of libnats:
 * stan_client URL CLUSTER. Publishes, subscribes in each kind, asks for a
 * restart of the server ("restart" on stdout, then waits for a line on stdin),
 * carries on, closes and resumes. Exits 0 if all was as it should be. */
#include <errno.h>
#include <nats/nats.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PATIENCE_SECONDS = 30,
    FIRST_RUN = 10,
    SECOND_RUN = 110,
    THIRD_RUN = 120
};

static const char *const CHANNEL = "foo";

/* One subscription and what has come to it; call-backs on libnats's threads. */
struct inbox {
    const char *group;   /* NULL: none */
    const char *durable; /* NULL: none */
    bool manual;         /* acks all but the last of the second run */
    stanSubscription *subscription;

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    uint64_t highest;
    uint64_t redelivered; /* the latest sequence that came again */
};

struct acks {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int received, failed;
};

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "stan_client: %s\n", what);
    exit(EXIT_FAILURE);
}

static void require_ok(natsStatus status, const char *what)
{
    if (status == NATS_OK)
        return;
    (void)fprintf(stderr, "stan_client: %s: %s\n", what,
                  natsStatus_GetText(status));
    nats_PrintLastErrorStack(stderr);
    exit(EXIT_FAILURE);
}

static struct timespec deadline(void)
{
    struct timespec at;
    require(clock_gettime(CLOCK_REALTIME, &at) == 0, "clock");
    at.tv_sec += PATIENCE_SECONDS;
    return at;
}

static void on_message(stanConnection *connection,
                       stanSubscription *subscription, const char *channel,
                       stanMsg *message, void *closure)
{
    (void)connection;
    (void)channel;
    struct inbox *inbox = closure;
    uint64_t sequence = stanMsg_GetSequence(message);
    char expected[32];
    (void)snprintf(expected, sizeof expected, "%llu",
                   (unsigned long long)sequence);
    require(stanMsg_GetDataLength(message) == (int)strlen(expected) &&
                memcmp(stanMsg_GetData(message), expected, strlen(expected)) ==
                    0,
            "a message has not the data published");
    if (inbox->manual && sequence != SECOND_RUN)
        require_ok(stanSubscription_AckMsg(subscription, message), "ack");
    (void)pthread_mutex_lock(&inbox->lock);
    if (stanMsg_IsRedelivered(message)) {
        inbox->redelivered = sequence;
    } else {
        require(sequence == inbox->highest + 1, "a gap, or out of order");
    }
    if (sequence > inbox->highest)
        inbox->highest = sequence;
    (void)pthread_cond_broadcast(&inbox->changed);
    (void)pthread_mutex_unlock(&inbox->lock);
    stanMsg_Destroy(message);
}

static void inbox_wait(struct inbox *inbox, uint64_t highest)
{
    struct timespec until = deadline();
    (void)pthread_mutex_lock(&inbox->lock);
    while (inbox->highest < highest) {
        require(pthread_cond_timedwait(&inbox->changed, &inbox->lock, &until) !=
                    ETIMEDOUT,
                "messages are missing");
    }
    (void)pthread_mutex_unlock(&inbox->lock);
}

static void inbox_subscribe(struct inbox *inbox, stanConnection *connection)
{
    stanSubOptions *options = NULL;
    require_ok(stanSubOptions_Create(&options), "options");
    require_ok(stanSubOptions_DeliverAllAvailable(options), "deliver all");
    if (inbox->durable != NULL) {
        require_ok(stanSubOptions_SetDurableName(options, inbox->durable),
                   "durable");
    }
    require_ok(stanSubOptions_SetManualAckMode(options, inbox->manual),
               "manual");
    natsStatus status =
        inbox->group == NULL
            ? stanConnection_Subscribe(&inbox->subscription, connection,
                                       CHANNEL, on_message, inbox, options)
            : stanConnection_QueueSubscribe(&inbox->subscription, connection,
                                            CHANNEL, inbox->group, on_message,
                                            inbox, options);
    stanSubOptions_Destroy(options);
    require_ok(status, "subscribe");
}

static int number_text(int number, char out[32])
{
    return snprintf(out, 32, "%d", number);
}

static void publish(stanConnection *connection, int first, int last)
{
    char text[32];
    for (int number = first; number <= last; number++) {
        int size = number_text(number, text);
        require_ok(stanConnection_Publish(connection, CHANNEL, text, size),
                   "publish");
    }
}

static void on_ack(const char *guid, const char *error, void *closure)
{
    (void)guid;
    struct acks *acks = closure;
    (void)pthread_mutex_lock(&acks->lock);
    acks->received++;
    if (error != NULL)
        acks->failed++;
    (void)pthread_cond_broadcast(&acks->changed);
    (void)pthread_mutex_unlock(&acks->lock);
}

static void publish_async(stanConnection *connection, int first, int last)
{
    struct acks acks = {.lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    char text[32];
    for (int number = first; number <= last; number++) {
        int size = number_text(number, text);
        require_ok(stanConnection_PublishAsync(connection, CHANNEL, text, size,
                                               on_ack, &acks),
                   "publish async");
    }
    struct timespec until = deadline();
    (void)pthread_mutex_lock(&acks.lock);
    while (acks.received <= last - first) {
        require(pthread_cond_timedwait(&acks.changed, &acks.lock, &until) !=
                    ETIMEDOUT,
                "acks are missing");
    }
    require(acks.failed == 0, "a publish was refused");
    (void)pthread_mutex_unlock(&acks.lock);
}

static stanConnection *connect_to(const char *url, const char *cluster)
{
    stanConnOptions *options = NULL;
    stanConnection *connection = NULL;
    require_ok(stanConnOptions_Create(&options), "options");
    require_ok(stanConnOptions_SetURL(options, url), "url");
    require_ok(stanConnOptions_SetPings(options, 1, 30), "pings");
    require_ok(
        stanConnection_Connect(&connection, cluster, "c-client", options),
        "connect");
    stanConnOptions_Destroy(options);
    return connection;
}

static void ask_for_restart(void)
{
    char line[16];
    require(puts("restart") >= 0 && fflush(stdout) == 0, "stdout");
    require(fgets(line, sizeof line, stdin) != NULL, "stdin");
}

/* With the subscriptions made on it, which libnats wants destroyed first. */
static void close_connection(stanConnection *connection, struct inbox *inboxes,
                             int count)
{
    require_ok(stanConnection_Close(connection), "close");
    for (int i = 0; i < count; i++) {
        stanSubscription_Destroy(inboxes[i].subscription);
    }
    stanConnection_Destroy(connection);
}

/* The durable and the durable group go on where they were; of the durable the
 * one message that was never acked comes first. */
static void resume(struct inbox *inboxes, const char *url, const char *cluster)
{
    stanConnection *connection = connect_to(url, cluster);
    publish(connection, THIRD_RUN + 1, THIRD_RUN + 1);
    for (int i = 2; i < 4; i++) {
        inbox_subscribe(&inboxes[i], connection);
        inbox_wait(&inboxes[i], THIRD_RUN + 1);
    }
    require(inboxes[2].redelivered == SECOND_RUN,
            "the unacked message did not come again");
    for (int i = 2; i < 4; i++) {
        require_ok(stanSubscription_Unsubscribe(inboxes[i].subscription),
                   "unsubscribe");
    }
    close_connection(connection, &inboxes[2], 2);
}

int main(int argc, char **argv)
{
    require(argc == 3, "usage: stan_client URL CLUSTER");
    struct inbox inboxes[] = {
        {.group = NULL},
        {.group = "group"},
        {.durable = "durable", .manual = true},
        {.group = "group", .durable = "durable"},
    };
    stanConnection *connection = connect_to(argv[1], argv[2]);
    publish(connection, 1, FIRST_RUN);
    publish_async(connection, FIRST_RUN + 1, SECOND_RUN);
    for (int i = 0; i < 4; i++) {
        (void)pthread_mutex_init(&inboxes[i].lock, NULL);
        (void)pthread_cond_init(&inboxes[i].changed, NULL);
        inbox_subscribe(&inboxes[i], connection);
        inbox_wait(&inboxes[i], SECOND_RUN);
    }
    ask_for_restart();
    publish(connection, SECOND_RUN + 1, THIRD_RUN);
    for (int i = 0; i < 4; i++)
        inbox_wait(&inboxes[i], THIRD_RUN);
    require_ok(stanSubscription_Unsubscribe(inboxes[0].subscription),
               "unsubscribe");
    require_ok(stanSubscription_Close(inboxes[3].subscription), "sub close");
    close_connection(connection, inboxes, 4);
    resume(inboxes, argv[1], argv[2]);
    nats_Close();
    return EXIT_SUCCESS;
}
