/* admin_test.h - for the tests of administration: one asks the engine of a
 * fixture and looks at the answer. */
#ifndef TESTS_UNIT_ENGINE_ADMIN_TEST_H
#define TESTS_UNIT_ENGINE_ADMIN_TEST_H

#include "streamd/engine/admin.h"
#include "tests/unit/engine/engine_test.h"

#include <stdlib.h>

/* What is asked for; channel NULL: "foo", limit 0: 100. */
struct wanted {
    const char *channel, *queue, *client, *data;
    uint64_t subscription, sequence;
    int64_t time;
    size_t offset, limit;
    bool force;
};

struct asked {
    struct event event;
    struct admin_request request;
    bool answered;
};

static inline void asked_done(struct admin_request *request)
{
    struct asked *asked = request->context;
    assert_false(asked->answered);
    asked->answered = true;
}

static inline void asked_run(struct engine *engine, struct event *event)
{
    engine_admin(engine, &list_entry(event, struct asked, event)->request);
}

static inline void asked_set(struct text *text, const char *value)
{
    if (value != NULL)
        assert_true(text_set(text, bytes_text(value)));
}

/* Asks, and runs all that is to be done now; to be ended by asked_free(). */
static inline struct asked *admin_ask(struct fixture *fixture,
                                      enum admin_verb verb,
                                      const struct wanted *wanted)
{
    struct asked *asked = calloc(1, sizeof *asked);
    assert_non_null(asked);
    asked->event.run = asked_run;
    asked->request.verb = verb;
    asked->request.subscription = wanted->subscription;
    asked->request.sequence = wanted->sequence;
    asked->request.by_time = wanted->time != 0;
    asked->request.time = wanted->time;
    asked->request.offset = wanted->offset;
    asked->request.limit = wanted->limit == 0 ? 100 : wanted->limit;
    asked->request.force = wanted->force;
    asked->request.done = asked_done;
    asked->request.context = asked;
    asked_set(&asked->request.who, "tester");
    asked_set(&asked->request.channel,
              wanted->channel == NULL ? "foo" : wanted->channel);
    asked_set(&asked->request.queue_group, wanted->queue);
    asked_set(&asked->request.client_id, wanted->client);
    asked_set(&asked->request.data, wanted->data);
    list_append(&fixture->events, &asked->event.link);
    fixture_run(fixture);
    return asked;
}

static inline void asked_free(struct asked *asked)
{
    assert_true(asked->answered);
    admin_request_release(&asked->request);
    free(asked);
}

#define ASK(fixture, verb, ...)                                                \
    admin_ask(fixture, verb, &(struct wanted){__VA_ARGS__})

/* The answer of one that succeeded. */
static inline struct admin_answer *answer_of(struct asked *asked)
{
    assert_true(asked->answered);
    assert_string_equal(asked->request.error.detail, "");
    assert_int_equal(asked->request.status, STATUS_OK);
    return &asked->request.answer;
}

static inline void asked_refused(struct asked *asked, enum status status,
                                 const char *text)
{
    assert_true(asked->answered);
    assert_int_equal(asked->request.status, status);
    if (strstr(asked->request.error.detail, text) == NULL)
        assert_string_equal(asked->request.error.detail, text);
    asked_free(asked);
}

/* Asks, and it must be refused with status and a text that holds this one. */
#define REFUSES(fixture, status, text, verb, ...)                              \
    asked_refused(ASK(fixture, verb, __VA_ARGS__), status, text)
/* Asks, and it must succeed; the answer is of no interest. */
#define DOES(fixture, verb, ...)                                               \
    do {                                                                       \
        struct asked *asked_ = ASK(fixture, verb, __VA_ARGS__);                \
        (void)answer_of(asked_);                                               \
        asked_free(asked_);                                                    \
    } while (0)

#endif
