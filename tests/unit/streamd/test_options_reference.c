/* The reference of flags and keys, streamd/OPTIONS.md, is what the table of
 * options says; with an argument the program writes it to standard output. */
#include "streamd/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FILE_MAX = 256 * 1024 };

static const char *type_name(enum option_type type)
{
    switch (type) {
    case OPTION_STRING:
        return "string";
    case OPTION_BOOLEAN:
    case OPTION_CHOICE:
        return "bool";
    case OPTION_INTEGER:
        return "int";
    case OPTION_SIZE:
        return "size";
    case OPTION_DURATION:
        return "duration";
    case OPTION_LIST:
        return "list";
    }
    return "";
}

static const char *section_name(enum options_section section)
{
    switch (section) {
    case OPTIONS_STREAMING:
    case OPTIONS_CHANNELS:
    case OPTIONS_CHANNEL:
        return "";
    case OPTIONS_CLIENT_TLS:
        return "tls: ";
    case OPTIONS_LIMITS:
        return "store_limits: ";
    case OPTIONS_FILE:
        return "file_options: ";
    case OPTIONS_SQL:
        return "sql_options: ";
    case OPTIONS_CLUSTER:
        return "cluster: ";
    case OPTIONS_NATS:
        return "NATS: ";
    case OPTIONS_AUTHORIZATION:
        return "NATS authorization: ";
    case OPTIONS_SERVER_TLS:
        return "NATS tls: ";
    }
    return "";
}

static void words_print(FILE *out, const char *words, const char *dash)
{
    const char *separator = "";
    while (*words != '\0') {
        int size = (int)strcspn(words, " ");
        (void)fprintf(out, "%s`%s%.*s`", separator, dash, size, words);
        separator = " ";
        words += size;
        words += strspn(words, " ");
    }
}

static void row_print(FILE *out, const struct option_entry *entry)
{
    char value[HELP_DEFAULT_MAX];
    help_default(entry, value);
    (void)fputs("| ", out);
    words_print(out, entry->flags, "-");
    (void)fputs(" | ", out);
    if (entry->keys != NULL) {
        (void)fputs(section_name(entry->in), out);
        words_print(out, entry->keys, "");
    }
    (void)fprintf(out, " | %s | %s%s%s | %s |\n", type_name(entry->type),
                  value[0] == '\0' ? "" : "`", value,
                  value[0] == '\0' ? "" : "`", entry->help);
}

static void reference_print(FILE *out)
{
    size_t count;
    const struct option_entry *table = options_table(&count);
    const char *section = "";
    (void)fputs(
        "# All flags and keys\n\nFlags take one dash or two; keys stand in "
        "the `streaming` section of the\nconfiguration file, in the section "
        "of it that is named, or, for NATS, at its top\nlevel. A reload takes "
        "over what `SIGHUP` in [README](README.md) names.\n",
        out);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(section, table[i].section) != 0) {
            section = table[i].section;
            (void)fprintf(out,
                          "\n## %s\n\n| flags | keys | type | default | "
                          "meaning |\n|---|---|---|---|---|\n",
                          section);
        }
        row_print(out, &table[i]);
    }
}

static char *file_read(const char *path)
{
    char *text = calloc(1, FILE_MAX);
    FILE *file = fopen(path, "r");
    assert_non_null(text);
    assert_non_null(file);
    assert_true(fread(text, 1, FILE_MAX - 1, file) > 0);
    (void)fclose(file);
    return text;
}

static void the_reference_is_what_the_table_says(void **state)
{
    (void)state;
    char *expected = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&expected, &size);
    assert_non_null(out);
    reference_print(out);
    assert_int_equal(fclose(out), 0);
    char *text = file_read(PROJECT "/streamd/OPTIONS.md");
    if (strcmp(text, expected) != 0) {
        fail_msg("write it anew: test_options_reference print "
                 ">streamd/OPTIONS.md");
    }
    free(text);
    free(expected);
}

/* The rows of its tables begin with flags. */
static void the_readme_names_only_flags_there_are(void **state)
{
    (void)state;
    char *text = file_read(PROJECT "/README.md");
    int rows = 0;
    for (const char *row = strstr(text, "\n| `-"); row != NULL;
         row = strstr(row + 1, "\n| `-")) {
        const char *end = strchr(row + 3, '|');
        const char *flag = row + 3;
        rows++;
        while (flag < end && strncmp(flag, "`-", 2) == 0) {
            char name[64];
            int length = (int)strcspn(flag + 2, "`");
            (void)snprintf(name, sizeof name, "%.*s", length, flag + 2);
            if (options_entry(name) == NULL)
                fail_msg("README.md: there is no flag -%s", name);
            flag += 3 + length;
            flag += strspn(flag, " ,");
        }
    }
    assert_true(rows > 20);
    free(text);
}

int main(int argc, char **argv)
{
    (void)argv;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_what_the_table_says),
        cmocka_unit_test(the_readme_names_only_flags_there_are),
    };
    if (argc > 1) {
        reference_print(stdout);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
