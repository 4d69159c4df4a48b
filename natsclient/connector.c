#include "natsclient/connector.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*        start()           linked             take()
 *  IDLE ─────────▶ TRYING ─────────▶ LINKED ─────────▶ IDLE
 *    └───────────────┴── free() ──────┴──▶ ENDING            */
enum connector_state {
    CONNECTOR_STATE_IDLE,
    CONNECTOR_STATE_TRYING,
    CONNECTOR_STATE_LINKED,
    CONNECTOR_STATE_ENDING,
};

struct connector {
    struct link_options options;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* of the monotonic clock */
    /* Guarded by mutex. link is set in LINKED only. */
    enum connector_state state;
    struct link *link;
    struct log *log;
    char logged[sizeof((struct error *)0)->detail]; /* its thread only */
};

/* With the mutex held. */
static void set_state(struct connector *connector, enum connector_state state)
{
    assert(connector->state != CONNECTOR_STATE_ENDING);
    assert(state != CONNECTOR_STATE_TRYING ||
           connector->state == CONNECTOR_STATE_IDLE);
    assert(state != CONNECTOR_STATE_LINKED ||
           connector->state == CONNECTOR_STATE_TRYING);
    assert(state != CONNECTOR_STATE_IDLE ||
           connector->state == CONNECTOR_STATE_LINKED);
    connector->state = state;
    (void)pthread_cond_signal(&connector->changed);
}

/* Waits as long as it is TRYING, at most CONNECTOR_WAIT_MS; mutex held. */
static void wait_before_attempt(struct connector *connector)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += CONNECTOR_WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    int rc = 0;
    while (connector->state == CONNECTOR_STATE_TRYING && rc == 0) {
        rc = pthread_cond_timedwait(&connector->changed, &connector->mutex,
                                    &until);
    }
}

/* A new reason once, as long as it lasts. */
static void log_attempt(struct connector *connector, enum status status,
                        const struct error *err)
{
    if (status == STATUS_OK) {
        connector->logged[0] = '\0';
    } else if (strcmp(connector->logged, err->detail) != 0) {
        log_warn(connector->log, "connection \"%s\" cannot reconnect yet: %s",
                 connector->options.name, err->detail);
        memcpy(connector->logged, err->detail, sizeof connector->logged);
    }
}

/* Mutex held, released during the attempt. */
static void attempt(struct connector *connector)
{
    struct link *link = NULL;
    (void)pthread_mutex_unlock(&connector->mutex);
    struct error err = {0};
    enum status status = link_open(&connector->options, &link, &err);
    log_attempt(connector, status, &err);
    (void)pthread_mutex_lock(&connector->mutex);
    if (status != STATUS_OK)
        return; /* the next attempt follows */
    if (connector->state != CONNECTOR_STATE_TRYING) {
        (void)pthread_mutex_unlock(&connector->mutex);
        link_close(link);
        (void)pthread_mutex_lock(&connector->mutex);
        return;
    }
    connector->link = link;
    set_state(connector, CONNECTOR_STATE_LINKED);
    (void)uv_async_send(connector->options.async);
}

static void *run(void *argument)
{
    struct connector *connector = argument;
    (void)pthread_mutex_lock(&connector->mutex);
    while (connector->state != CONNECTOR_STATE_ENDING) {
        if (connector->state != CONNECTOR_STATE_TRYING) {
            (void)pthread_cond_wait(&connector->changed, &connector->mutex);
            continue;
        }
        wait_before_attempt(connector);
        if (connector->state == CONNECTOR_STATE_TRYING)
            attempt(connector);
    }
    (void)pthread_mutex_unlock(&connector->mutex);
    nats_ReleaseThreadMemory();
    return NULL;
}

static bool init_sync(struct connector *connector)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool done = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&connector->changed, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    if (!done)
        return false;
    if (pthread_mutex_init(&connector->mutex, NULL) == 0)
        return true;
    (void)pthread_cond_destroy(&connector->changed);
    return false;
}

static void release_sync(struct connector *connector)
{
    (void)pthread_mutex_destroy(&connector->mutex);
    (void)pthread_cond_destroy(&connector->changed);
}

enum status connector_new(const struct link_options *options, struct log *log,
                          struct connector **out, struct error *err)
{
    *out = NULL;
    struct connector *connector = calloc(1, sizeof *connector);
    if (connector == NULL || !init_sync(connector)) {
        free(connector);
        return fail(err, STATUS_NO_MEMORY, "connector: new");
    }
    connector->options = *options;
    connector->log = log;
    if (pthread_create(&connector->thread, NULL, run, connector) != 0) {
        release_sync(connector);
        free(connector);
        return fail(err, STATUS_NO_MEMORY, "connector: thread");
    }
    *out = connector;
    return STATUS_OK;
}

void connector_free(struct connector *connector)
{
    if (connector == NULL)
        return;
    (void)pthread_mutex_lock(&connector->mutex);
    set_state(connector, CONNECTOR_STATE_ENDING);
    (void)pthread_mutex_unlock(&connector->mutex);
    (void)pthread_join(connector->thread, NULL);
    link_close(connector->link);
    release_sync(connector);
    free(connector);
}

void connector_start(struct connector *connector)
{
    (void)pthread_mutex_lock(&connector->mutex);
    set_state(connector, CONNECTOR_STATE_TRYING);
    (void)pthread_mutex_unlock(&connector->mutex);
}

struct link *connector_take(struct connector *connector)
{
    (void)pthread_mutex_lock(&connector->mutex);
    struct link *link = connector->link;
    if (link != NULL) {
        connector->link = NULL;
        set_state(connector, CONNECTOR_STATE_IDLE);
    }
    (void)pthread_mutex_unlock(&connector->mutex);
    return link;
}
