/* engine_test.h - for the tests of the engine: cmocka, a fixture for each
 * test, and short names for what they say most. */
#ifndef TESTS_UNIT_ENGINE_ENGINE_TEST_H
#define TESTS_UNIT_ENGINE_ENGINE_TEST_H

#include "tests/support/engine_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs those above */
#include <cmocka.h>

static inline int engine_test_setup(void **state)
{
    *state = fixture_new(NULL);
    return ((const struct fixture *)*state)->started ? 0 : -1;
}

/* The engine never asks a store for what makes no sense. */
static inline int engine_test_teardown(void **state)
{
    struct fixture *fixture = *state;
    size_t refusals = fixture->store->refusals;
    fixture_free(fixture);
    return refusals == 0 ? 0 : -1;
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

static inline void publish_many(struct fixture *fixture, int count)
{
    while (count-- > 0)
        OK(client_publish(fixture, "me", "foo", "hello"));
}

#endif
