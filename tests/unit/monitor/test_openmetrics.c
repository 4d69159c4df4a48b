#include "monitor/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void writes(const struct metrics *metrics, const char *expected)
{
    assert_false(metrics->failed);
    assert_true(blob_append(metrics->out, "", 1));
    assert_string_equal((const char *)metrics->out->data, expected);
    blob_release(metrics->out);
}

static void label_values_are_escaped_and_made_utf_8(void **state)
{
    (void)state;
    struct blob out = {0};
    struct metrics metrics = {.out = &out};
    const struct label labels[] = {{"a", bytes_text("x\"\\\n\xff")},
                                   {"b", bytes_of(NULL, 0)}};
    metrics_family(&metrics, "m", METRIC_GAUGE, "Help");
    metrics_count(&metrics, labels, 2, UINT64_MAX);
    writes(&metrics, "# HELP m Help\n# TYPE m gauge\n"
                     "m{a=\"x\\\"\\\\\\n\xEF\xBF\xBD\",b=\"\"} "
                     "18446744073709551615\n");
}

static void seconds_have_no_trailing_zeros(void **state)
{
    (void)state;
    struct blob out = {0};
    struct metrics metrics = {.out = &out};
    metrics_family(&metrics, "m", METRIC_COUNTER, "Help");
    metrics_seconds(&metrics, NULL, 0, 0);
    metrics_seconds(&metrics, NULL, 0, 1500000000);
    metrics_seconds(&metrics, NULL, 0, 10000000000);
    metrics_seconds(&metrics, NULL, 0, 1);
    metrics_seconds(&metrics, NULL, 0, -5);
    writes(&metrics, "# HELP m_total Help\n# TYPE m_total counter\n"
                     "m_total 0\nm_total 1.5\nm_total 10\n"
                     "m_total 0.000000001\nm_total 0\n");
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    static const struct histogram_bounds bounds = {.count = 2,
                                                   .upper = {1, 10}};
    struct histogram histogram = {0};
    struct blob out = {0};
    struct metrics metrics = {.out = &out, .openmetrics = true};
    static const uint64_t values[] = {0, 1, 2, 10, 11};
    for (size_t i = 0; i < 5; i++)
        histogram_add(&histogram, &bounds, values[i]);
    metrics_family(&metrics, "h", METRIC_HISTOGRAM, "Help");
    metrics_histogram(&metrics, &histogram, &bounds, false);
    metrics_end(&metrics);
    writes(&metrics, "# HELP h Help\n# TYPE h histogram\n"
                     "h_bucket{le=\"1.0\"} 2\nh_bucket{le=\"10.0\"} 4\n"
                     "h_bucket{le=\"+Inf\"} 5\nh_count 5\nh_sum 24\n# EOF\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_values_are_escaped_and_made_utf_8),
        cmocka_unit_test(seconds_have_no_trailing_zeros),
        cmocka_unit_test(histograms_are_cumulative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
