/* engine_test.h - for the tests of the engine: cmocka, a fixture for each
 * test, and short names for what they say most. */
#ifndef TESTS_UNIT_ENGINE_ENGINE_TEST_H
#define TESTS_UNIT_ENGINE_ENGINE_TEST_H

#include "proto/codec.h"
#include "streamd/base/clock.h"
#include "tests/support/engine_client.h"
#include "tests/support/engine_messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

/* A started engine with one client, "me". options NULL: the defaults. */
static inline struct fixture *
engine_test_begin(const struct fixture_options *options)
{
    struct fixture *fixture = fixture_new(options);
    assert_true(fixture->started);
    assert_string_equal(client_connect(fixture, "me"), "");
    return fixture;
}

static inline int engine_test_setup(void **state)
{
    *state = engine_test_begin(NULL);
    return 0;
}

/* The engine never asks a store for what makes no sense. */
static inline int engine_test_teardown(void **state)
{
    struct fixture *fixture = *state;
    size_t refusals = fixture->store->refusals;
    fixture_free(fixture);
    return refusals == 0 ? 0 : -1;
}

/* For a test with options of its own. */
static inline void engine_test_end(struct fixture *fixture)
{
    assert_int_equal(fixture->store->refusals, 0);
    fixture_free(fixture);
}

#define ENGINE_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, engine_test_setup,                   \
                                    engine_test_teardown)

/* An answer without error. */
static inline void engine_test_ok(const char *error)
{
    assert_non_null(error);
    assert_string_equal(error, "");
}
#define OK(answer) engine_test_ok(answer)

/* What came to inbox since the last look, as fixture_received() shows it. */
#define RECEIVED(fixture, inbox, expected)                                     \
    assert_string_equal(fixture_received(fixture, inbox), expected)

/* Subscribes; *ack_inbox (or NULL) is set. */
#define SUBSCRIBE(fixture, ack_inbox, ...)                                     \
    OK(client_subscribe(fixture, &(struct subscribe_request){__VA_ARGS__},     \
                        ack_inbox))

/* Subscribes in vain. */
#define REFUSED(fixture, error, ...)                                           \
    assert_string_equal(                                                       \
        client_subscribe(fixture, &(struct subscribe_request){__VA_ARGS__},    \
                         NULL),                                                \
        error)

static inline void publish_many(struct fixture *fixture, int count)
{
    while (count-- > 0)
        OK(client_publish(fixture, "me", "foo", "hello"));
}

#endif
