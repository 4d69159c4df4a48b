/* Targets made at random, of pieces that matter and of any bytes: each must be
 * answered. The seed is printed; give it as argument to repeat a run. */
#include "fake_source.h"
#include "monitor/endpoints.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { RUNS = 20000, TARGET_MAX = 512 };

static uint64_t next(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t piece(uint64_t *state, char *out, size_t room)
{
    static const char *const pieces[] = {
        "/",
        "/streaming",
        "/serverz",
        "/channelsz",
        "/clientsz",
        "/storez",
        "?",
        "&",
        "=",
        ";",
        "%",
        "%2",
        "%00",
        "%ff",
        "%C3",
        "+",
        "-",
        "..",
        "/../",
        "//",
        "subs=1",
        "offset=",
        "limit=",
        "channel=",
        "client=",
        "callback=",
        "foo",
        "me2",
        "99999999999999999999",
        "-1",
        "#",
        "/isFTActive",
        "/healthz",
        "\xFF\xFE",
    };
    uint64_t pick = next(state) % (sizeof pieces / sizeof pieces[0] + 4);
    if (pick >= sizeof pieces / sizeof pieces[0]) {
        *out = (char)(next(state) % 255 + 1);
        return 1;
    }
    size_t size = strlen(pieces[pick]);
    size = size < room ? size : room;
    memcpy(out, pieces[pick], size);
    return size;
}

static void target_make(uint64_t *state, char out[TARGET_MAX])
{
    static const char *const starts[] = {"", "/", "/streaming/channelsz?",
                                         "/streaming/clientsz?",
                                         "/streaming/serverz?callback="};
    const char *start = starts[next(state) % 5];
    size_t used = strlen(start);
    memcpy(out, start, used);
    size_t pieces = next(state) % 16;
    for (size_t i = 0; i < pieces && used < TARGET_MAX - 1; i++)
        used += piece(state, out + used, TARGET_MAX - 1 - used);
    out[used] = '\0';
}

static bool status_known(int status)
{
    static const int known[] = {200, 204, 301, 302, 400, 404};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i] == status)
            return true;
    }
    return false;
}

static void every_target_is_answered(void **context)
{
    uint64_t seed = *(const uint64_t *)*context;
    print_message("seed %" PRIu64 "\n", seed);
    struct fake_source fake;
    fake_source_init(&fake);
    struct endpoints endpoints = {.source = &fake.source,
                                  .limits = &limits_default,
                                  .clock = &fake_clock,
                                  .version = "0.25.6",
                                  .streamd_version = "0.1.0"};
    for (int i = 0; i < RUNS; i++) {
        char target[TARGET_MAX];
        target_make(&seed, target);
        struct reply reply;
        endpoints_answer(&endpoints, target, &reply);
        if (!status_known(reply.status))
            print_error("%d: %s\n", reply.status, target);
        assert_true(status_known(reply.status));
        const char *location = reply_value(&reply, "Location");
        assert_true(location == NULL || strpbrk(location, "\r\n") == NULL);
        http_release(&reply);
    }
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10)
                             : (uint64_t)clock_wall(&clock_system);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_target_is_answered, &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
