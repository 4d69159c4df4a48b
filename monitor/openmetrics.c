#include "monitor/openmetrics.h"

#include "monitor/gotext.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_MAX = 48 };
static const int64_t SECOND = 1000000000;

static void append(struct metrics *metrics, const char *text)
{
    if (!metrics->failed && !blob_append(metrics->out, text, strlen(text)))
        metrics->failed = true;
}

/* ---- families ---- */

static const char *type_text(const struct metrics *metrics)
{
    switch (metrics->type) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_HISTOGRAM:
        return "histogram";
    case METRIC_INFO:
        return metrics->openmetrics ? "info" : "gauge";
    case METRIC_BARE_COUNTER:
        return metrics->openmetrics ? "unknown" : "counter";
    case METRIC_GAUGE:
        break;
    }
    return "gauge";
}

static const char *sample_suffix(const struct metrics *metrics)
{
    if (metrics->type == METRIC_COUNTER)
        return "_total";
    return metrics->type == METRIC_INFO ? "_info" : "";
}

static void append_about(struct metrics *metrics, const char *what,
                         const char *text)
{
    append(metrics, "# ");
    append(metrics, what);
    append(metrics, " ");
    append(metrics, metrics->name);
    if (!metrics->openmetrics) /* there the family has the sample's name */
        append(metrics, sample_suffix(metrics));
    append(metrics, " ");
    append(metrics, text);
    append(metrics, "\n");
}

void metrics_family(struct metrics *metrics, const char *name,
                    enum metric_type type, const char *help)
{
    metrics->name = name;
    metrics->type = type;
    append_about(metrics, "HELP", help);
    append_about(metrics, "TYPE", type_text(metrics));
}

/* ---- samples ---- */

/* Repaired to UTF-8, quotes, backslashes and newlines escaped. */
static void append_value(struct metrics *metrics, struct bytes value)
{
    struct blob clean = {0};
    if (!gotext_utf8(value, &clean))
        metrics->failed = true;
    for (size_t i = 0; i < clean.size && !metrics->failed; i++) {
        char c = (char)clean.data[i];
        if (c == '\n') {
            append(metrics, "\\n");
        } else if (c == '"' || c == '\\') {
            const char escaped[] = {'\\', c, '\0'};
            append(metrics, escaped);
        } else if (!blob_append(metrics->out, &c, 1)) {
            metrics->failed = true;
        }
    }
    blob_release(&clean);
}

static void append_labels(struct metrics *metrics, const struct label *labels,
                          size_t size)
{
    for (size_t i = 0; i < size; i++) {
        append(metrics, i == 0 ? "{" : ",");
        append(metrics, labels[i].name);
        append(metrics, "=\"");
        append_value(metrics, labels[i].value);
        append(metrics, "\"");
    }
    if (size > 0)
        append(metrics, "}");
}

static void append_sample(struct metrics *metrics, const char *suffix,
                          const struct label *labels, size_t size,
                          const char *value)
{
    append(metrics, metrics->name);
    append(metrics, suffix);
    append_labels(metrics, labels, size);
    append(metrics, " ");
    append(metrics, value);
    append(metrics, "\n");
}

void metrics_count(struct metrics *metrics, const struct label *labels,
                   size_t size, uint64_t value)
{
    char text[NUMBER_MAX];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    append_sample(metrics, sample_suffix(metrics), labels, size, text);
}

void metrics_signed(struct metrics *metrics, const struct label *labels,
                    size_t size, int64_t value)
{
    char text[NUMBER_MAX];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    append_sample(metrics, sample_suffix(metrics), labels, size, text);
}

/* Without trailing zeros: "0.25", "1". */
static void seconds_print(uint64_t value, char text[NUMBER_MAX])
{
    uint64_t second = (uint64_t)SECOND;
    int size = snprintf(text, NUMBER_MAX, "%" PRIu64 ".%09" PRIu64,
                        value / second, value % second);
    while (size > 0 && text[size - 1] == '0')
        text[--size] = '\0';
    if (size > 0 && text[size - 1] == '.')
        text[--size] = '\0';
}

void metrics_seconds(struct metrics *metrics, const struct label *labels,
                     size_t size, int64_t value)
{
    char text[NUMBER_MAX];
    seconds_print(value < 0 ? 0 : (uint64_t)value, text);
    append_sample(metrics, sample_suffix(metrics), labels, size, text);
}

/* ---- histograms ---- */

static void number_print(uint64_t value, bool seconds, char text[NUMBER_MAX])
{
    if (seconds) {
        seconds_print(value, text);
    } else {
        (void)snprintf(text, NUMBER_MAX, "%" PRIu64, value);
    }
}

void metrics_histogram(struct metrics *metrics,
                       const struct histogram *histogram,
                       const struct histogram_bounds *bounds, bool seconds)
{
    char text[NUMBER_MAX];
    char bound[NUMBER_MAX + 2] = "+Inf";
    uint64_t count = 0;
    for (size_t i = 0; i <= bounds->count; i++) {
        count += histogram->counts[i];
        if (i < bounds->count) {
            number_print(bounds->upper[i], seconds, bound);
            /* OpenMetrics wants a number with a point in le */
            if (strchr(bound, '.') == NULL)
                (void)snprintf(bound + strlen(bound), 3, ".0");
        } else {
            (void)snprintf(bound, sizeof bound, "+Inf");
        }
        const struct label le = {"le", bytes_text(bound)};
        (void)snprintf(text, sizeof text, "%" PRIu64, count);
        append_sample(metrics, "_bucket", &le, 1, text);
    }
    (void)snprintf(text, sizeof text, "%" PRIu64, count);
    append_sample(metrics, "_count", NULL, 0, text);
    number_print(histogram->sum, seconds, text);
    append_sample(metrics, "_sum", NULL, 0, text);
}

void metrics_end(struct metrics *metrics)
{
    if (metrics->openmetrics)
        append(metrics, "# EOF\n");
}
