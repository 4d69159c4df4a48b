#include "streamd/help.h"

#include "streamd/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct capture {
    FILE *file;
    char *text;
    size_t size;
};

static void capture_open(struct capture *capture)
{
    *capture = (struct capture){0};
    capture->file = open_memstream(&capture->text, &capture->size);
    assert_non_null(capture->file);
}

static char *capture_close(struct capture *capture)
{
    assert_int_equal(fclose(capture->file), 0);
    return capture->text;
}

static char *usage(void)
{
    struct capture out;
    capture_open(&out);
    help_usage(out.file);
    return capture_close(&out);
}

static void usage_has_the_first_line_and_the_titles_scripts_look_for(void **s)
{
    (void)s;
    static const char first[] = "Usage: nats-streaming-server [options]\n";
    static const char *const titles[] = {
        "\nStreaming Server Options:\n",
        "\nStreaming Server Clustering Options:\n",
        "\nStreaming Server File Store Options:\n",
        "\nStreaming Server SQL Store Options:\n",
        "\nStreaming Server TLS Options:\n",
        "\nStreaming Server Logging Options:\n",
        "\nEmbedded NATS Server Options:\n",
        "\nLogging Options:\n",
        "\nAuthorization Options:\n",
        "\nTLS Options:\n",
        "\nNATS Clustering Options:\n",
        "\nCommon Options:\n",
    };
    char *text = usage();
    assert_memory_equal(text, first, strlen(first));
    const char *at = text;
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        at = strstr(at, titles[i]);
        assert_non_null(at);
        at++;
    }
    free(text);
}

static void usage_fits_80_columns_and_names_every_flag(void **s)
{
    (void)s;
    char *text = usage();
    for (const char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        assert_true(size <= 80);
        assert_true(size == 0 || line[size - 1] != ' ');
        line += size + (line[size] == '\n' ? 1 : 0);
    }
    size_t count;
    const struct option_entry *table = options_table(&count);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "-%.*s",
                       (int)strcspn(table[i].flags, " "), table[i].flags);
        assert_non_null(strstr(text, name));
    }
    assert_non_null(strstr(text, "-cid, -cluster_id <string>"));
    assert_non_null(strstr(text, "(default: test-cluster)"));
    assert_non_null(strstr(text, "(default: 30s)"));
    assert_non_null(strstr(text, "(default: 256MB)"));
    free(text);
}

static void version_line(const char *program, const char *nats,
                         const char *expected)
{
    struct capture out;
    capture_open(&out);
    help_version(out.file, program, nats);
    char *text = capture_close(&out);
    assert_string_equal(text, expected);
    free(text);
}

static void the_version_line_follows_the_name_the_program_is_called_by(void **s)
{
    (void)s;
    version_line("nats-streaming-server", "nats-server: v2.9.10",
                 "nats-streaming-server version " STREAMD_COMPATIBLE_VERSION
                 ", nats-server: v2.9.10\n");
    version_line("/usr/bin/nats-streaming-server", NULL,
                 "nats-streaming-server version " STREAMD_COMPATIBLE_VERSION
                 "\n");
    version_line("./streamd", "nats-server: v2.9.10",
                 "streamd version " STREAMD_VERSION
                 " (nats-streaming-server " STREAMD_COMPATIBLE_VERSION
                 "), nats-server: v2.9.10\n");
}

static void a_bad_flag_prints_the_usage_and_exits_2_other_errors_1(void **s)
{
    (void)s;
    static const struct {
        enum status status;
        int code;
    } cases[] = {{STATUS_INVALID, 2}, {STATUS_NOT_FOUND, 1}, {STATUS_LIMIT, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct capture out;
        struct capture err;
        capture_open(&out);
        capture_open(&err);
        const struct error error = {.status = cases[i].status,
                                    .detail = "what was wrong"};
        assert_int_equal(help_failure(out.file, err.file, &error),
                         cases[i].code);
        char *text = capture_close(&out);
        assert_int_equal(strncmp(text, "Usage:", 6) == 0, cases[i].code == 2);
        free(text);
        text = capture_close(&err);
        assert_string_equal(text, "what was wrong\n");
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            usage_has_the_first_line_and_the_titles_scripts_look_for),
        cmocka_unit_test(usage_fits_80_columns_and_names_every_flag),
        cmocka_unit_test(
            the_version_line_follows_the_name_the_program_is_called_by),
        cmocka_unit_test(
            a_bad_flag_prints_the_usage_and_exits_2_other_errors_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
